//! What every method takes.

use proptest::collection;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::event::RESERVED;

fn refusal(method: Method, params: &str) -> Refusal {
    Call::parse(method, params).unwrap_err()
}

#[test]
fn method_names_are_exact() {
    for method in Method::ALL {
        assert_eq!(Method::parse(method.as_str()), Ok(*method));
    }
    for name in [
        "__proto__",
        "constructor",
        "toString",
        "integrations.execute ",
        "Integrations.Execute",
        "іntegrations.execute",
        "",
        "integrations",
        "getsession",
    ] {
        let refusal = Method::parse(name).unwrap_err();
        assert_eq!(refusal.code, Code::UnknownMethod);
        assert_eq!(refusal.message, format!("{name} is not supported by this host"));
    }
    let long = Method::parse(&"x".repeat(1 << 20)).unwrap_err();
    assert!(long.message.len() < 200);
}

#[test]
fn a_limit_is_clamped_and_typed() {
    for (given, expected) in [("1e9", 100), ("0", 1), ("-1", 1), ("2.9", 2), ("100", 100), ("50", 50)] {
        let Ok(Call::Tools(tools)) =
            Call::parse(Method::IntegrationsTools, &format!(r#"{{"toolkit":"GitHub","limit":{given}}}"#))
        else {
            panic!("{given}")
        };
        assert_eq!((tools.limit, tools.toolkit.as_str()), (expected, "github"), "{given}");
    }
    for given in ["\"50\"", "null", "true", "[1]"] {
        let refusal = refusal(Method::IntegrationsTools, &format!(r#"{{"toolkit":"x","limit":{given}}}"#));
        assert_eq!((refusal.code, refusal.pointer.as_deref()), (Code::InvalidParams, Some("/limit")));
    }
}

#[test]
fn wrong_parameters_name_their_place() {
    let cases = [
        (Method::IntegrationsConnect, "{}", ""),
        (Method::IntegrationsConnect, "[]", ""),
        (Method::IntegrationsConnect, r#"{"toolkit":"github "}"#, "/toolkit"),
        (Method::IntegrationsConnect, r#"{"toolkit":7}"#, "/toolkit"),
        (Method::IntegrationsConnect, r#"{"toolkit":"a","callbackUrl":1}"#, "/callbackUrl"),
        (Method::IntegrationsExecute, r#"{"toolkit":"a","action":""}"#, "/action"),
        (Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A","arguments":[]}"#, "/arguments"),
        (Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A","arguments":null}"#, "/arguments"),
        (
            Method::IntegrationsExecute,
            r#"{"toolkit":"a","action":"A","arguments":{"b":1,"b":2}}"#,
            "/arguments/b",
        ),
        (Method::IntegrationsList, "7", ""),
        (Method::ShowToast, r#"{"message":"a","kind":"loud"}"#, "/kind"),
    ];
    for (method, params, pointer) in cases {
        let refusal = refusal(method, params);
        assert_eq!(
            (refusal.code, refusal.pointer.as_deref()),
            (Code::InvalidParams, Some(pointer)),
            "{params}"
        );
    }
}

#[test]
fn arguments_stay_the_text_that_was_checked() {
    let text = r#"{"toolkit":"demo","action":"A","arguments":{ "n": 1.0, "big": 12345678901234567890123 }}"#;
    let Ok(Call::Execute(call)) = Call::parse(Method::IntegrationsExecute, text) else { panic!() };
    assert_eq!(call.arguments.get(), r#"{ "n": 1.0, "big": 12345678901234567890123 }"#);
    let Ok(Call::Execute(call)) = Call::parse(Method::IntegrationsExecute, r#"{"toolkit":"a","action":"A"}"#)
    else {
        panic!()
    };
    assert_eq!(call.arguments.get(), "{}");
}

#[test]
fn what_the_page_does_itself_is_typed() {
    let cases = [
        (Method::SendNotification, r#"{"title":"T"}"#, r#"Notification { title: "T", body: "", tag: None }"#),
        (Method::SendNotification, r#"{"title":"T","body":null,"tag":"a"}"#, r#"body: "", tag: Some("a")"#),
        (Method::PlaySound, "{}", "Chime"),
        (Method::PlaySound, r#"{"sound":"chime"}"#, "Chime"),
        (Method::BroadcastEvent, r#"{"type":"saved"}"#, r#"name: "saved", data: RawValue({})"#),
        (Method::BroadcastEvent, r#"{"type":"s","data":{ "n": 1.0 }}"#, r#"data: RawValue({ "n": 1.0 })"#),
        (Method::SetBadge, r#"{"actionId":"a","count":3}"#, r#"Badge { action_id: "a", count: 3 }"#),
        (Method::SetBadge, r#"{"actionId":"a","count":null}"#, "count: 0"),
        (Method::SetBadge, r#"{"actionId":"a","count":-1}"#, "count: 0"),
        (Method::SetBadge, r#"{"actionId":"a","count":1e9}"#, "count: 9999"),
        (Method::OpenPanel, "{}", "PanelTarget { panel_id: None, width: None, height: None }"),
        (Method::ClosePanel, r#"{"panelId":"p"}"#, r#"panel_id: Some("p")"#),
        (
            Method::ResizePanel,
            r#"{"width":300.7,"height":"fit"}"#,
            "width: Some(Pixels(300)), height: Some(Fit)",
        ),
        (
            Method::ResizePanel,
            r#"{"width":1e9,"height":0}"#,
            "width: Some(Pixels(10000)), height: Some(Pixels(1))",
        ),
    ];
    for (method, params, expected) in cases {
        let call = Call::parse(method, params).unwrap();
        assert_eq!(call.method(), method);
        assert!(format!("{call:?}").contains(expected), "{params}: {call:?}");
    }
}

#[test]
fn stored_data_is_typed() {
    let cases = [
        (Method::GetUserData, r#"{"key":"a/b"}"#, r#"UserData, act: Get { name: "a/b", encoding: Json }"#),
        (Method::SetUserData, r#"{"key":"k","value":[1.0, "x"]}"#, r#"value: RawValue([1.0, "x"])"#),
        (Method::KvSet, r#"{"key":"k","value":null}"#, "value: RawValue(null)"),
        (Method::KvGet, r#"{"key":"k","encoding":"base64"}"#, "encoding: Json"),
        (Method::KvDelete, r#"{"key":"k"}"#, r#"Kv, act: Delete { name: "k" }"#),
        (Method::KvList, "{}", r#"Listing { prefix: "", cursor: "", limit: 1000 }"#),
        (
            Method::KvList,
            r#"{"prefix":"a","cursor":"ab","limit":0}"#,
            r#"prefix: "a", cursor: "ab", limit: 1"#,
        ),
        (Method::StorageRead, r#"{"name":"a.txt"}"#, r#"Files, act: Get { name: "a.txt", encoding: Utf8 }"#),
        (Method::StorageWrite, r#"{"name":"a","value":"aGk=","encoding":"base64"}"#, "encoding: Base64"),
        (Method::StorageDelete, r#"{"name":"../x"}"#, r#"Files, act: Delete { name: "../x" }"#),
        (Method::StorageList, r#"{"limit":5000}"#, "limit: 1000"),
    ];
    for (method, params, expected) in cases {
        let call = Call::parse(method, params).unwrap();
        assert_eq!(call.method(), method);
        assert!(format!("{call:?}").contains(expected), "{params}: {call:?}");
    }
}

#[test]
fn wrong_parameters_of_the_page_and_of_stored_data_name_their_place() {
    let key = |text: &str| serde_json::json!({ "key": text, "value": 1 }).to_string();
    let big = format!(r#"{{"key":"k","value":"{}"}}"#, "x".repeat(MAX_VALUE));
    let loud = format!(r#"{{"type":"t","data":{{"a":"{}"}}}}"#, "x".repeat(MAX_EVENT));
    let cases = [
        (Method::SendNotification, "{}", ""),
        (Method::SendNotification, r#"{"title":1}"#, "/title"),
        (Method::SendNotification, r#"{"title":"a","tag":""}"#, "/tag"),
        (Method::PlaySound, r#"{"sound":"siren"}"#, "/sound"),
        (Method::BroadcastEvent, "{}", ""),
        (Method::BroadcastEvent, r#"{"type":"a","data":[]}"#, "/data"),
        (Method::BroadcastEvent, r#"{"type":""}"#, "/type"),
        (Method::BroadcastEvent, r#"{"type":"a\n"}"#, "/type"),
        (Method::BroadcastEvent, r#"{"type":"connection_changed"}"#, "/type"),
        (Method::BroadcastEvent, &*loud, "/data"),
        (Method::SetBadge, r#"{"count":1}"#, ""),
        (Method::SetBadge, r#"{"actionId":"a","count":"1"}"#, "/count"),
        (Method::OpenPanel, r#"{"panelId":7}"#, "/panelId"),
        (Method::ResizePanel, r#"{"height":"tall"}"#, "/height"),
        (Method::ResizePanel, r#"{"width":true}"#, "/width"),
        (Method::GetUserData, "{}", ""),
        (Method::SetUserData, r#"{"key":"k"}"#, ""),
        (Method::SetUserData, &*key(""), "/key"),
        (Method::SetUserData, &*key(".."), "/key"),
        (Method::KvSet, &*key("a\u{7f}"), "/key"),
        (Method::KvSet, &*key(&"ä".repeat(201)), "/key"),
        (Method::KvSet, &*big, "/value"),
        (Method::KvSet, r#"{"key":"k","value":{"a":1,"a":2}}"#, "/value/a"),
        (Method::KvList, r#"{"limit":"5"}"#, "/limit"),
        (Method::KvList, r#"{"prefix":1}"#, "/prefix"),
        (Method::StorageWrite, r#"{"name":"a","value":{}}"#, "/value"),
        (Method::StorageWrite, r#"{"name":"a","value":"","encoding":"latin1"}"#, "/encoding"),
        (Method::StorageRead, r#"{"key":"a"}"#, ""),
    ];
    for (method, params, pointer) in cases {
        let refusal = refusal(method, params);
        assert_eq!(
            (refusal.code, refusal.pointer.as_deref()),
            (Code::InvalidParams, Some(pointer)),
            "{params}"
        );
    }
    assert!(Call::parse(Method::KvSet, &key(&"ä".repeat(200))).is_ok());
    assert!(RESERVED.iter().all(|name| name.len() < MAX_EVENT_NAME));
}

/// Every name that some method reads, and one that none does.
const NAMES: [&str; 23] = [
    "toolkit",
    "callbackUrl",
    "search",
    "limit",
    "action",
    "arguments",
    "connectionId",
    "idempotencyKey",
    "message",
    "kind",
    "duration",
    "title",
    "body",
    "tag",
    "sound",
    "type",
    "data",
    "actionId",
    "count",
    "panelId",
    "width",
    "key",
    "nobody",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(github|chime|info|fit|base64|[a-z]{1,9})".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_params() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        proptest::sample::select(&["height", "value", "encoding", "name", "prefix", "cursor"][..])
            .prop_map(str::to_owned),
        any::<String>(),
    ];
    collection::vec((name, any_value()), 0..8)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()).to_string())
}

fn any_method() -> impl Strategy<Value = Method> {
    proptest::sample::select(Method::ALL)
}

proptest! {
    #[test]
    fn parameters_are_typed_or_refused_with_their_place(method in any_method(), params in any_params()) {
        match Call::parse(method, &params) {
            Ok(call) => prop_assert_eq!(call.method(), method),
            Err(refusal) => {
                prop_assert_eq!(refusal.code, Code::InvalidParams);
                prop_assert!(refusal.pointer.is_some());
            }
        }
    }

    #[test]
    fn no_text_makes_the_parameters_panic(method in any_method(), params in any::<String>()) {
        let _ = Call::parse(method, &params);
    }

    #[test]
    fn a_value_stays_the_text_that_was_checked(value in any_value(), key in "[^\\p{Cc}.]{1,40}") {
        let text = value.to_string();
        let params = format!(r#"{{"key":{},"value":{text}}}"#, Value::from(key.clone()));
        let Ok(Call::Data(Data { act: Act::Set(entry), .. })) = Call::parse(Method::SetUserData, &params) else {
            panic!("{params}")
        };
        prop_assert_eq!((entry.name, entry.value.get()), (key, text.as_str()));
    }

    #[test]
    fn a_name_fits_in_a_path_or_is_refused(name in any::<String>()) {
        let params = serde_json::json!({ "name": name }).to_string();
        let fits = !name.is_empty() && name.chars().count() <= MAX_NAME && name != "." && name != ".."
            && !name.chars().any(char::is_control);
        prop_assert_eq!(Call::parse(Method::StorageRead, &params).is_ok(), fits);
    }
}
