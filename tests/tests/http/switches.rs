//! What an admin can switch off.

use reqwest::Method;
use serde_json::json;
use taiku_tests::TestApp;

const INTEGRATIONS: &[(&str, &str)] = &[
    ("GET", "/api/v1/connections"),
    ("GET", "/api/v1/toolkits/demo/tools"),
    ("POST", "/api/v1/toolkits/demo/connections"),
    ("POST", "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES"),
];

#[tokio::test]
async fn without_integrations_all_four_methods_say_so() {
    let app = TestApp::launch().env("TAIKU_INTEGRATIONS", "false").start().await;
    let user = app.ada().await;
    for (method, path) in INTEGRATIONS {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = user.request(method, path).json(&json!({ "arguments": {} })).send().await;
        assert_eq!(answer.problem(), (503, "integrations_disabled".into()), "{path}");
        assert!(answer.text.contains("Ask your admin to enable them."), "{}", answer.text);
    }
    assert_eq!(app.demo.api_requests().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_visitor_may_look_at_plugins_and_use_no_integration() {
    let app = TestApp::start().await;
    let visitor = app.anonymous();
    assert_eq!(visitor.get("/api/v1/plugins").await.status, 200);
    for (method, path) in INTEGRATIONS {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = visitor.request(method, path).json(&json!({ "arguments": {} })).send().await;
        assert_eq!(answer.problem(), (401, "not_signed_in".into()), "{path}");
    }
}

#[tokio::test]
async fn a_server_can_keep_visitors_out() {
    let app = TestApp::launch().env("TAIKU_ANONYMOUS", "false").start().await;
    assert_eq!(app.anonymous().get("/api/v1/plugins").await.problem(), (401, "not_signed_in".into()));
    assert_eq!(app.bob().await.get("/api/v1/plugins").await.status, 200);
}

#[tokio::test]
async fn only_an_admin_administrates() {
    let app = TestApp::start().await;
    let path = "/api/v1/admin/toolkits";
    assert_eq!(app.ada().await.get(path).await.status, 200);
    assert_eq!(app.bob().await.get(path).await.problem(), (403, "forbidden".into()));
    assert_eq!(app.anonymous().get(path).await.problem().0, 401);
    let enabling = app.bob().await.put("/api/v1/admin/toolkits/github", &json!({ "enabled": true })).await;
    assert_eq!(enabling.problem(), (403, "forbidden".into()));
}
