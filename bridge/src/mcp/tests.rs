use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::call::{Call, Method};

fn message(id: Option<&str>, method: &str, params: &Value) -> Message {
    let params = Params::Json(params.to_string());
    let envelope = Envelope { id: id.map(str::to_owned), method: Field::Text(method.into()), params };
    envelope.read().unwrap()
}

fn ask(method: &str, params: &Value) -> Result<Ask, Refusal> {
    let declared = ["demo", "my-tool", "my"].map(|slug| crate::Slug::parse(slug).unwrap());
    Ask::read(&message(Some("1"), method, params), &declared)
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_id_is_a_whole_number_or_a_short_text() {
    for json in ["0", "1", "-7", "9007199254740991", r#""a""#, r#""7""#, &format!("\"{}\"", "ä".repeat(64))]
    {
        assert_eq!(Id::parse(json).unwrap().as_json(), json);
    }
    for json in ["", "null", "1.5", "1e3", "9007199254740992", "true", "[1]", "{}", r#""""#, "1 2"] {
        assert_eq!(Id::parse(json), None, "{json}");
    }
    assert_eq!(Id::parse(&format!("\"{}\"", "x".repeat(65))), None);
}

#[test]
fn wrong_shapes_are_refused_where_somebody_waits_and_dropped_where_nobody_does() {
    let envelope = |id: Option<&str>, method: Field, params| {
        Envelope { id: id.map(str::to_owned), method, params }.read().unwrap_err()
    };
    let (text, json) = (|| Field::Text("ping".into()), || Params::Json("{}".into()));
    assert_eq!(envelope(Some("1"), Field::Missing, json()), Malformed::Drop, "an answer");
    assert_eq!(envelope(None, Field::Other, json()), Malformed::Drop);
    assert_eq!(envelope(None, text(), Params::NotJson), Malformed::Drop);
    let big = Params::Json("x".repeat(MAX_BYTES + 1));
    for (id, method, params) in [
        (Some("1"), Field::Other, json()),
        (Some("1"), text(), Params::NotJson),
        (Some("1"), text(), big),
        (Some("null"), text(), json()),
    ] {
        let Malformed::Refuse(answered, refusal) = envelope(id, method, params) else { panic!("{id:?}") };
        assert_eq!((answered.is_some(), refusal.code), (id == Some("1"), Code::BadMessage));
    }
}

#[test]
fn a_tool_is_run_as_the_bridge_runs_it() {
    let params =
        json!({"name": "DEMO_GET_AN_ISSUE", "arguments": {"number": 1}, "_meta": {"progressToken": 0}});
    let Ok(Ask::Execute(text)) = ask("tools/call", &params) else { panic!() };
    let Ok(Call::Execute(call)) = Call::parse(Method::IntegrationsExecute, &text) else { panic!("{text}") };
    assert_eq!((call.toolkit.as_str(), call.action.as_str()), ("demo", "DEMO_GET_AN_ISSUE"));
    assert_eq!(call.arguments.get(), r#"{"number":1}"#);
    for (name, toolkit) in [
        ("MY_TOOL_RUN", "my-tool"),
        ("MY_RUN", "my"),
        ("SLACK_SEND", "slack"),
        ("demo_x", "demo"),
        ("DEMOX_RUN", "demox"),
    ] {
        let Ok(Ask::Execute(text)) = ask("tools/call", &json!({ "name": name })) else { panic!("{name}") };
        assert_eq!(value(&text), json!({"toolkit": toolkit, "action": name, "arguments": {}}));
    }
}

#[test]
fn what_this_host_does_not_do_is_told_by_its_name() {
    for method in
        ["ui/message", "ui/update-model-context", "ui/download-file", "resources/read", "tools/list", ""]
    {
        let refusal = ask(method, &json!({})).unwrap_err();
        assert_eq!(refusal.message, format!("{method} is not supported by this host"));
    }
    for (method, params, pointer) in [
        ("tools/call", json!({}), ""),
        ("tools/call", json!({"name": 1}), "/name"),
        ("tools/call", json!({"name": "a b"}), "/name"),
        ("tools/call", json!({"name": ""}), "/name"),
        ("tools/call", json!({"name": "A_B", "arguments": []}), "/arguments"),
        ("ui/open-link", json!({"url": 1}), "/url"),
        ("ui/open-link", json!([]), ""),
    ] {
        let refusal = ask(method, &params).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.pointer.as_deref()),
            (Code::InvalidParams, Some(pointer)),
            "{params}"
        );
    }
    assert_eq!(ask("ui/initialize", &json!({"protocolVersion": "1999-01-01"})), Ok(Ask::Initialize));
}

#[test]
fn a_notification_is_a_call_or_nothing() {
    let size = json!({"width": 300, "height": 200.4});
    let Note::Call(method, params) = Note::read(&message(None, "ui/notifications/size-changed", &size))
    else {
        panic!()
    };
    assert_eq!(Call::parse(method, &params).unwrap().method(), Method::ResizePanel);
    for name in ["ui/notifications/initialized", "notifications/message", "tools/call"] {
        assert_eq!(Note::read(&message(None, name, &json!({}))), Note::Ignored, "{name}");
    }
}

#[test]
fn answers_are_as_the_protocol_says() {
    let id = Id::parse("7").unwrap();
    assert_eq!(value(&result(&id, mode())), json!({"jsonrpc": "2.0", "id": 7, "result": {"mode": "inline"}}));
    let context = Context { theme: "dark", locale: "de-DE", size: Some((320, 200)) };
    let found = value(&initialized(&context));
    assert_eq!(found["protocolVersion"], PROTOCOL_VERSION);
    assert_eq!(found["hostContext"]["containerDimensions"], json!({"width": 320, "height": 200}));
    assert_eq!(
        (&found["hostContext"]["theme"], &found["hostInfo"]["name"]),
        (&json!("dark"), &json!("taiku"))
    );
    let hidden = value(&initialized(&Context { size: None, ..context }));
    assert!(hidden["hostContext"].get("containerDimensions").is_none());
    for (code, number) in [
        (Code::BadMessage, -32600),
        (Code::UnknownMethod, -32601),
        (Code::InvalidParams, -32602),
        (Code::Internal, -32603),
        (Code::ToolkitNotDeclared, -32000),
    ] {
        let found =
            value(&error(Some(&id), &Refusal { pointer: Some("/a\"".into()), ..Refusal::new(code, "\"") }));
        let data = json!({"code": code.as_str(), "pointer": "/a\""});
        assert_eq!(found["error"], json!({"code": number, "message": "\"", "data": data}));
    }
    assert_eq!(value(&error(None, &Refusal::new(Code::BadMessage, "x")))["id"], Value::Null);
}

#[test]
fn a_tools_answer_is_text_and_structured() {
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    let list = value(&tool_json("[1]"));
    assert_eq!(list, json!({"content": text("[1]"), "structuredContent": {"result": [1]}}));
    let object = value(&tool_json(r#"{"a":1}"#));
    assert_eq!(object, json!({"content": text(r#"{"a":1}"#), "structuredContent": {"a": 1}}));
    assert_eq!(value(&tool_json("{a")), json!({"content": text("{a")}));
    assert_eq!(value(&tool_text(None)), json!({"content": []}));
    assert_eq!(value(&tool_text(Some("<b>"))), json!({"content": text("<b>")}));
    let failed = value(&tool_failed(r#"{"error":"no"}"#));
    let expected = json!({
        "content": text(r#"{"error":"no"}"#), "structuredContent": {"error": "no"}, "isError": true,
    });
    assert_eq!(failed, expected);
    assert_eq!(value(&tool_failed("busy")), json!({"content": text("busy"), "isError": true}));
}

proptest! {
    #[test]
    fn no_message_makes_it_panic(
        id in proptest::option::of(any::<String>()),
        method in "(tools/call|ui/open-link|ui/initialize|ui/notifications/size-changed|.*)",
        params in "(\\{\"name\":\".*\"\\}|.*)",
    ) {
        let envelope = Envelope { id, method: Field::Text(method), params: Params::Json(params) };
        if let Ok(message) = envelope.read() {
            let _ = Note::read(&message);
            if let Ok(Ask::Execute(text)) = Ask::read(&message, &[]) {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
            }
        }
    }

    #[test]
    fn whatever_is_answered_is_json(text in any::<String>(), id in any::<i32>()) {
        let id = Id::parse(&id.to_string()).unwrap();
        let refusal = Refusal { pointer: Some(text.clone()), ..Refusal::new(Code::BadMessage, &text) };
        for json in [
            result(&id, &tool_json(&text)),
            result(&id, &tool_text(Some(&text))),
            result(&id, &tool_failed(&text)),
            error(Some(&id), &refusal),
            initialized(&Context { theme: &text, locale: &text, size: None }),
        ] {
            prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
        }
    }

    #[test]
    fn what_a_tool_answers_is_kept_byte_for_byte(body in any::<String>()) {
        for json in [tool_json(&body), tool_text(Some(&body)), tool_failed(&body)] {
            let found = value(&json);
            prop_assert_eq!(found["content"][0]["text"].as_str(), Some(body.as_str()));
        }
    }
}
