use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::toolkit;

const JSON: &str = "application/json";

fn at(status: u16, content_type: &str, body: &str, pointer: &str) -> Result<Value, TokenError> {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer { status, content_type, retry_after: None, date: Some(DATE), body: body.as_bytes() };
    read(&answer, &Habits { token_pointer: pointer.to_owned(), ..habits("") }).map(|tokens| shown(&tokens))
}

/// 2026-11-21 12:00:00 UTC.
const DATE: i64 = 1_795_262_400_000;

/// What these further lines of `[auth]` make of a provider.
fn habits(auth: &str) -> Habits {
    let table =
        format!("mode = 'oauth2'\nauthorize_url = 'https://a.test'\ntoken_url = 'https://a.test'\n{auth}");
    (*toolkit::testing::oauth(&table).habits).clone()
}

/// Tokens in the words of RFC 6749 section 5.1.
fn shown(tokens: &Tokens) -> Value {
    let mut shown = json!({"token_type": tokens.token_type, "access_token": tokens.access_token.expose()});
    if let Some(token) = &tokens.refresh_token {
        shown["refresh_token"] = json!(token.expose());
    }
    if let Some(seconds) = tokens.expires_in {
        shown["expires_in"] = json!(seconds);
    }
    if let Some(scopes) = &tokens.scopes {
        shown["scope"] = json!(scopes.join(" "));
    }
    shown
}

/// An answer to a provider of these habits.
fn with_habits(auth: &str, body: &Value) -> Result<Value, TokenError> {
    let body = body.to_string();
    let (status, content_type) = (StatusCode::CREATED, JSON);
    let answer = Answer { status, content_type, retry_after: None, date: Some(DATE), body: body.as_bytes() };
    read(&answer, &habits(auth)).map(|tokens| shown(&tokens))
}

fn ok(body: &Value) -> Result<Value, TokenError> {
    at(200, JSON, &body.to_string(), "")
}

/// A good answer with one field changed.
fn with(field: &str, value: Value) -> Result<Value, TokenError> {
    let mut answer = json!({"access_token": "at", "token_type": "Bearer"});
    answer[field] = value;
    ok(&answer)
}

fn unusable(why: Unusable) -> Result<Value, TokenError> {
    Err(TokenError::Unusable(why))
}

#[test]
fn a_plain_answer_stays_as_it_is() {
    let plain = json!({"token_type": "bearer", "access_token": "at", "refresh_token": "rt",
        "expires_in": 3600, "scope": "a b"});
    assert_eq!(ok(&plain), Ok(plain));
}

#[test]
fn lifetimes() {
    let cases = [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(" 60 "), Some(60)),
        (json!(59.9), Some(59)),
        (json!(1e30), Some(315_360_000)),
        (json!("1e30"), Some(315_360_000)),
        (json!("inf"), Some(315_360_000)),
        (json!(u64::MAX), Some(315_360_000)),
        (json!(-1), None),
        (json!("-1"), None),
        (json!(0), None),
        (json!("NaN"), None),
        (json!("soon"), None),
        (json!(null), None),
        (json!(true), None),
        (json!([3600]), None),
    ];
    for (found, expected) in cases {
        let even = with("expires_in", found.clone()).unwrap();
        assert_eq!(even.get("expires_in").and_then(Value::as_u64), expected, "{found}");
    }
    assert!(with("other", json!(1)).unwrap().get("expires_in").is_none());
}

#[test]
fn types_of_tokens() {
    for bearer in [json!("bearer"), json!("BEARER"), json!("bot"), json!("user"), json!(""), json!(null)] {
        assert_eq!(with("token_type", bearer.clone()).unwrap()["token_type"], "bearer", "{bearer}");
    }
    assert_eq!(ok(&json!({"access_token": "at"})).unwrap()["token_type"], "bearer");
    for other in [json!("mac"), json!("DPoP"), json!("N_A"), json!(1), json!(["bearer"])] {
        assert_eq!(with("token_type", other.clone()), unusable(Unusable::TokenType), "{other}");
    }
}

#[test]
fn tokens_must_be_usable() {
    assert_eq!(ok(&json!({"token_type": "bearer"})), unusable(Unusable::AccessToken));
    for bad in [
        json!(""),
        json!(null),
        json!(12),
        json!("a b"),
        json!("a\r\nb"),
        json!("é"),
        json!("x".repeat(40_000)),
    ] {
        assert_eq!(with("access_token", bad.clone()), unusable(Unusable::AccessToken), "{bad}");
    }
    for none in [json!(""), json!(null)] {
        assert!(with("refresh_token", none).unwrap().get("refresh_token").is_none());
    }
    for bad in [json!(1), json!("a\nb"), json!({})] {
        assert_eq!(with("refresh_token", bad.clone()), unusable(Unusable::RefreshToken), "{bad}");
    }
    assert_eq!(with("refresh_token", json!("rt")).unwrap()["refresh_token"], "rt");
}

#[test]
fn scopes_in_every_notation() {
    for found in [json!("a b:c"), json!("a,b:c"), json!("a, b:c "), json!(["a", "b:c"]), json!(["a,b:c"])] {
        assert_eq!(with("scope", found.clone()).unwrap()["scope"], "a b:c", "{found}");
    }
    for unknown in [json!(null), json!(7)] {
        assert!(with("scope", unknown).unwrap().get("scope").is_none());
    }
    assert_eq!(with("scope", json!("")).unwrap()["scope"], "");
}

#[test]
fn form_encoded_answers() {
    let form = "access_token=gho_x&scope=repo%2Cuser&token_type=bearer&expires_in=60&refresh_token=";
    for content_type in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""] {
        let expected =
            json!({"token_type": "bearer", "access_token": "gho_x", "expires_in": 60, "scope": "repo user"});
        assert_eq!(at(200, content_type, form, ""), Ok(expected), "{content_type}");
    }
    let refused = at(200, "", "error=bad_verification_code&error_description=The+code", "");
    assert_eq!(refused, Err(TokenError::InvalidGrant));
}

#[test]
fn errors_at_any_status_are_sorted_by_their_code() {
    let denied = |code: &str| TokenError::Denied { code: code.into(), said: None };
    let cases = [
        (json!({"error": "invalid_grant"}), TokenError::InvalidGrant),
        (json!({"error": "bad_refresh_token"}), TokenError::InvalidGrant),
        (json!({"ok": false, "error": "token_revoked"}), TokenError::InvalidGrant),
        (json!({"error": "invalid_client"}), TokenError::InvalidClient),
        (json!({"error": "incorrect_client_credentials"}), TokenError::InvalidClient),
        (json!({"error": "temporarily_unavailable"}), TokenError::Transient { retry_after: None }),
        (json!({"ok": false, "error": "ratelimited"}), TokenError::Transient { retry_after: None }),
        (json!({"error": "access_denied"}), denied("access_denied")),
        (json!({"error": "unauthorized_client", "access_token": "at"}), denied("unauthorized_client")),
        (json!({"error": {"type": "OAuthException", "code": 190}}), denied("OAuthException")),
        (json!({"ok": false, "access_token": "at"}), denied("other")),
        (json!({"error": "at_1234"}), denied("other")),
        (json!({"error": "x".repeat(41)}), denied("other")),
    ];
    for (body, expected) in cases {
        for status in [200, 201, 400, 401, 403] {
            assert_eq!(at(status, JSON, &body.to_string(), ""), Err(expected.clone()), "{status} {body}");
        }
    }
}

#[test]
fn statuses_without_a_code() {
    let transient = Err(TokenError::Transient { retry_after: None });
    for status in [429, 500, 502, 503, 504] {
        assert_eq!(at(status, "text/html", "<html>", ""), transient, "{status}");
        assert_eq!(at(status, JSON, r#"{"error":"invalid_grant"}"#, ""), transient, "{status}");
    }
    let other = TokenError::Denied { code: "other".into(), said: None };
    assert_eq!(at(400, JSON, "{}", ""), Err(other));
    assert!(at(400, JSON, r#"{"access_token":"at"}"#, "").is_err());
    assert_eq!(at(401, "", "", ""), Err(TokenError::InvalidClient));
    assert_eq!(at(403, "text/html", "<html>", ""), unusable(Unusable::Html));
    assert_eq!(at(302, JSON, r#"{"access_token":"at"}"#, ""), unusable(Unusable::Redirect));
    assert!(at(201, JSON, r#"{"access_token":"at"}"#, "").is_ok());
}

#[test]
fn bodies_that_are_no_answer() {
    assert_eq!(at(200, JSON, "", ""), unusable(Unusable::Empty));
    assert_eq!(at(200, JSON, "  \n", ""), unusable(Unusable::Empty));
    assert_eq!(at(200, "text/html", "<!doctype html><p>hi", ""), unusable(Unusable::Html));
    assert_eq!(at(200, "text/HTML; charset=utf-8", "hi", ""), unusable(Unusable::Html));
    for body in ["[]", "null", "{", "\"at\"", "{\"access_token\": NaN}", "hello", "\u{0}"] {
        assert_eq!(at(200, JSON, body, ""), unusable(Unusable::NotAnObject), "{body}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(matches!(
        at(200, JSON, &deep[..MAX_ANSWER], ""),
        Err(TokenError::Unusable(Unusable::NotAnObject))
    ));
    let large = json!({"access_token": "at", "padding": "x".repeat(2_000_000)}).to_string();
    assert_eq!(at(200, JSON, &large, ""), unusable(Unusable::TooLarge));
}

#[test]
fn the_token_may_be_nested() {
    let body = json!({"ok": true, "access_token": "bot", "authed_user": {"access_token": "user", "token_type": "user"}})
        .to_string();
    assert_eq!(at(200, JSON, &body, "/authed_user").unwrap()["access_token"], "user");
    assert_eq!(at(200, JSON, &body, "").unwrap()["access_token"], "bot");
    for pointer in ["/nothing", "/access_token", "authed_user"] {
        assert_eq!(at(200, JSON, &body, pointer), unusable(Unusable::Pointer), "{pointer}");
    }
    let outside = json!({"ok": false, "error": "invalid_code", "data": {"access_token": "at"}}).to_string();
    assert_eq!(at(200, JSON, &outside, "/data"), Err(TokenError::InvalidGrant));
    let refused = json!({"data": {"error": "invalid_grant"}}).to_string();
    assert_eq!(at(200, JSON, &refused, "/data"), Err(TokenError::InvalidGrant));
}

#[test]
fn a_description_is_capped_and_kept_out_of_prints() {
    let body = json!({"error": "access_denied", "error_description": format!("<script>\u{202e}\n{}", "x".repeat(999))});
    let Err(TokenError::Denied { said: Some(said), .. }) = ok(&body) else { panic!("not denied") };
    assert!(said.for_page().starts_with("<script>xxx"));
    assert_eq!(said.for_page().chars().count(), 256);
    let error = ok(&body).unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("script") && !printed.contains("xxx"), "{printed}");
}

#[test]
fn fields_may_have_other_names_and_places() {
    let sentry = "token_fields = { access_token = '/token', refresh_token = '/refreshToken', \
                  expires_in = '/expiresAt' }\nexpires = 'timestamp'";
    let body = json!({"token": "at", "refreshToken": "rt", "expiresAt": "2026-11-21T20:00:00.500Z"});
    let expected =
        json!({"token_type": "bearer", "access_token": "at", "refresh_token": "rt", "expires_in": 28800});
    assert_eq!(with_habits(sentry, &body), Ok(expected));
    assert_eq!(with_habits(sentry, &json!({"access_token": "at"})), unusable(Unusable::AccessToken));
    let deep = "token_fields = { access_token = '/tokens/0/value', scope = '/tokens/0/rights' }";
    let body = json!({"tokens": [{"value": "at", "rights": ["a", "b"]}]});
    assert_eq!(with_habits(deep, &body).unwrap()["scope"], "a b");
    let form = Answer {
        status: StatusCode::OK,
        content_type: "",
        retry_after: None,
        date: None,
        body: b"token=at&expires=60",
    };
    let names = "token_fields = { access_token = '/token', expires_in = '/expires' }";
    let even = read(&form, &habits(names)).unwrap();
    assert_eq!((even.access_token.expose(), even.expires_in), ("at", Some(60)));
}

#[test]
fn lifetimes_in_milliseconds_and_as_moments() {
    for (expires, found, expected) in [
        ("milliseconds", json!(7_200_000), Some(7200)),
        ("milliseconds", json!("59999"), Some(59)),
        ("timestamp", json!(1_795_262_460), Some(60)),
        ("timestamp", json!("1795262460"), Some(60)),
        ("timestamp", json!(1_795_262_460_500_i64), Some(60)),
        ("timestamp", json!("2026-11-21T13:01:00+01:00"), Some(60)),
        ("timestamp", json!("2026-11-21T11:00:00Z"), None),
        ("timestamp", json!("tomorrow"), None),
        ("timestamp", json!(1e300), Some(315_360_000)),
    ] {
        let body = json!({"access_token": "at", "expires_in": found.clone()});
        let even = with_habits(&format!("expires = '{expires}'"), &body).unwrap();
        assert_eq!(even.get("expires_in").and_then(Value::as_u64), expected, "{expires} {found}");
    }
}

#[test]
fn a_moment_is_held_against_the_providers_own_clock() {
    let body = json!({"access_token": "at", "expires_in": 1_795_262_460}).to_string();
    let timestamp = habits("expires = 'timestamp'");
    let at = |date| Answer {
        status: StatusCode::OK,
        content_type: JSON,
        retry_after: None,
        date,
        body: body.as_bytes(),
    };
    let fast = fields::date("Sat, 21 Nov 2026 12:00:30 GMT");
    assert_eq!(read(&at(fast), &timestamp).unwrap().expires_in, Some(30));
    assert_eq!(read(&at(None), &timestamp).unwrap().expires_in, None);
}

#[test]
fn a_lifetime_that_is_not_told_is_the_toolkits() {
    let salesforce = "default_lifetime = 7200";
    assert_eq!(with_habits(salesforce, &json!({"access_token": "at"})).unwrap()["expires_in"], 7200);
    let told = json!({"access_token": "at", "expires_in": 60});
    assert_eq!(with_habits(salesforce, &told).unwrap()["expires_in"], 60);
}

#[test]
fn scopes_are_taken_apart_where_the_provider_joins_them() {
    let body = json!({"access_token": "at", "scope": "a+b+c"});
    assert_eq!(with_habits("scope_separator = '+'", &body).unwrap()["scope"], "a b c");
    assert_eq!(with_habits("", &body).unwrap()["scope"], "a+b+c");
}

proptest! {
    #[test]
    fn nothing_makes_it_panic_or_pass_an_unusable_token(status in 100u16..=999, body in ".*", pointer in "(/.*)?") {
        if let Ok(even) = at(status, "", &body, &pointer) {
            prop_assert!(!even["access_token"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn any_value_in_any_field_is_survived(
        field in "access_token|refresh_token|expires_in|scope|token_type|error|ok",
        value in prop_oneof![
            any::<f64>().prop_map(|n| json!(n)), any::<i64>().prop_map(|n| json!(n)), ".*".prop_map(|t| json!(t)),
            Just(json!(null)), Just(json!({})), Just(json!([])), any::<bool>().prop_map(|b| json!(b)),
        ],
    ) {
        if let Ok(even) = with(&field, value) {
            prop_assert!(even["access_token"].as_str().unwrap().bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
