//! Bodies, paths and queries that are not what they should be: always a problem document, never more.

use http::Method;

use super::TestApp;

const KEYS: &str = "/api/v1/api-keys";
const RUN: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

fn nested(depth: usize) -> String {
    format!("{{\"name\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
}

#[tokio::test]
async fn a_body_has_at_most_one_mebibyte() {
    let (_, _, bob) = TestApp::start().await;
    let of_length =
        |bytes: usize| format!("{{\"name\":\"{}\"}}", "x".repeat(bytes - "{\"name\":\"\"}".len()));
    for path in [KEYS, RUN] {
        let body = of_length(1024 * 1024 + 1);
        assert_eq!(body.len(), 1024 * 1024 + 1);
        let answer = bob.ask(Method::POST, path).body("application/json", body).send().await;
        answer.refused("too_large");
        let answer =
            bob.ask(Method::POST, path).body("application/json", of_length(1024 * 1024)).send().await;
        assert_ne!(answer.code(), "too_large", "{path}");
    }
}

#[tokio::test]
async fn a_body_is_plain_json() {
    let (_, _, bob) = TestApp::start().await;
    for path in [KEYS, RUN] {
        for body in [
            nested(129),
            nested(100_000),
            "{\"name\":\"a\",\"name\":\"b\"}".to_owned(),
            "{\"arguments\":{\"a\":1,\"\\u0061\":2}}".to_owned(),
            "{\"name\": NaN}".to_owned(),
            "{} {}".to_owned(),
            "{".to_owned(),
            "\u{feff}{}".to_owned(),
        ] {
            let shown: String = body.chars().take(40).collect();
            let answer = bob.ask(Method::POST, path).body("application/json", body).send().await;
            assert_eq!(answer.code(), "bad_message", "{path} {shown} {}", answer.text());
        }
        let answer =
            bob.ask(Method::POST, path).body("application/json", b"{\"name\":\"\xff\"}").send().await;
        answer.refused("bad_message");
        for body in ["[]", "[\"a name\"]", "\"text\"", " null"] {
            let answer = bob.ask(Method::POST, path).body("application/json", body).send().await;
            answer.refused("invalid_params");
        }
    }
    let wrong = bob.ask(Method::POST, KEYS).body("application/json", "{\"name\":1}").send().await;
    assert_eq!(wrong.refused("invalid_params")["pointer"], "/name");
}

#[tokio::test]
async fn odd_paths_and_queries_are_problems_too() {
    let (_, ada, bob) = TestApp::start().await;
    for (method, path, status) in [
        (Method::DELETE, "/api/v1/connections/%ff", 400),
        (Method::GET, "/api/v1/plugins/%ff", 400),
        (Method::GET, "/api/v1/activity?cursor=a&cursor=b", 400),
        (Method::GET, "/api/v1/activity?cursor=nonsense", 422),
        (Method::GET, "/api/v1/activity?cursor=99999999999999999999.x", 422),
        (Method::GET, "/api/v1/toolkits/demo/tools?limit=1&limit=2", 400),
        (Method::GET, "/api/v1/nothing", 404),
        (Method::GET, "/api/v1/", 404),
        (Method::GET, "/api", 404),
        (Method::GET, "/api/v1/connections/", 404),
        (Method::GET, "/api/v1/toolkits/%2e%2e%2fadmin/tools", 422),
    ] {
        let answer = bob.ask(method.clone(), path).send().await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.code().is_empty(), "{method} {path}: {}", answer.text());
    }
    for cursor in ["nonsense", "-1", "1e3"] {
        let answer = ada.get(&format!("/api/v1/admin/audit?cursor={cursor}")).await;
        assert!(answer.status == 200 || answer.code() == "invalid_params", "{cursor} {}", answer.text());
    }
}
