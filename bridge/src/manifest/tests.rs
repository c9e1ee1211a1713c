use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn base() -> Value {
    json!({
        "id": "my-org.issue-helper", "name": "Issue Helper", "version": "1.0.0",
        "permissions": ["integrations.read", "integrations.connect", "ui.panel"],
        "integrations": ["github", "linear"],
        "panels": [{"id": "issues-panel", "title": "Issue Helper", "position": "sidebar",
                    "htmlUrl": "panel.html", "defaultWidth": 360}]
    })
}

fn with(pointer: &str, value: Value) -> Result<Loaded, Vec<Fault>> {
    let mut manifest = base();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match manifest.pointer_mut(parent).unwrap() {
        Value::Object(object) => object.insert(key.into(), value),
        list => list.get_mut(key.parse::<usize>().unwrap()).map(|slot| std::mem::replace(slot, value)),
    };
    Manifest::parse(&manifest.to_string())
}

fn without(field: &str) -> Result<Loaded, Vec<Fault>> {
    let mut manifest = base();
    manifest.as_object_mut().unwrap().remove(field);
    Manifest::parse(&manifest.to_string())
}

#[track_caller]
fn assert_fault(result: Result<Loaded, Vec<Fault>>, pointer: &str) {
    let faults = result.expect_err(pointer);
    assert_eq!(
        faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
        [pointer],
        "{faults:?}"
    );
}

#[test]
fn the_core_documents_manifest_loads() {
    let loaded = Manifest::parse(&base().to_string()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.manifest.panels[0].default_width, Some(360));
    let again = Manifest::parse(&serde_json::to_string(&loaded.manifest).unwrap()).unwrap();
    assert_eq!(again.manifest, loaded.manifest);
}

#[test]
fn connect_and_execute_need_toolkits_and_read_does_not() {
    for permission in ["integrations.connect", "integrations.execute"] {
        for integrations in [json!(null), json!([])] {
            let mut manifest = base();
            manifest["permissions"] = json!([permission]);
            if integrations.is_null() {
                manifest.as_object_mut().unwrap().remove("integrations");
            } else {
                manifest["integrations"] = integrations;
            }
            assert_fault(Manifest::parse(&manifest.to_string()), "/integrations");
        }
    }
    let mut manifest = base();
    manifest["permissions"] = json!(["integrations.read"]);
    manifest["integrations"] = json!([]);
    assert!(Manifest::parse(&manifest.to_string()).is_ok());
}

#[test]
fn bad_toolkits_name_their_place() {
    for bad in [
        json!("git hub"),
        json!("github "),
        json!("a/b"),
        json!(""),
        json!("x".repeat(200)),
        json!(7),
        json!(null),
    ] {
        assert_fault(with("/integrations/1", bad), "/integrations/1");
    }
    assert_fault(with("/integrations", json!(vec!["github"; 10_000])), "/integrations");
    assert_fault(with("/integrations", json!("github")), "/integrations");
}

#[test]
fn a_toolkit_named_twice_is_merged_with_a_warning() {
    let loaded = with("/integrations", json!(["GitHub", "linear", "github"])).unwrap();
    assert_eq!(loaded.manifest.integrations.len(), 2);
    assert_eq!(loaded.warnings[0].pointer, "/integrations/2");
    assert!(loaded.warnings[0].what.contains("/integrations/0"), "{:?}", loaded.warnings);
}

#[test]
fn unknown_permissions_and_fields_only_warn() {
    let loaded = with("/permissions", json!(["terminal.read", "integrations.read"])).unwrap();
    assert_eq!(
        loaded.warnings[0].to_string(),
        "/permissions/0: `terminal.read` is not supported by this host"
    );
    assert_eq!(loaded.manifest.unsupported_permissions().collect::<Vec<_>>(), ["terminal.read"]);
    let loaded = with("/permision", json!([])).unwrap();
    assert_eq!(
        loaded.warnings[0].to_string(),
        "/permision: is not known and ignored; did you mean `permissions`?"
    );
    assert_eq!(with("/somethingElse", json!(1)).unwrap().warnings, []);
}

#[test]
fn a_misspelt_permission_is_told_from_one_of_another_host() {
    let warned = |name: &str| with("/permissions", json!([name])).unwrap().warnings[0].what.clone();
    assert_eq!(
        warned("integration.read"),
        "`integration.read` is not supported by this host; did you mean `integrations.read`?"
    );
    assert_eq!(warned("fs.read"), "`fs.read` is not supported by this host");
    assert_eq!(warned("something.else"), "`something.else` is not supported by this host");
}

#[test]
fn a_manifest_that_does_not_load_still_tells_of_misspelt_fields() {
    let mut manifest = base();
    let object = manifest.as_object_mut().unwrap();
    let permissions = object.remove("permissions").unwrap();
    object.insert("permision".into(), permissions);
    let Examined { manifest, faults, warnings } = Manifest::examine(&manifest.to_string());
    assert_eq!(manifest, None);
    assert_eq!((faults[0].pointer.as_str(), warnings[0].pointer.as_str()), ("/permissions", "/permision"));
}

#[test]
fn paths_stay_within_the_folder() {
    for path in [
        "../../x",
        "/etc/passwd",
        "https://evil/x",
        "//evil",
        "javascript:alert(1)",
        "%2e%2e/x",
        "..\\x",
        "a\0b",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "panel.html?x",
        "panel.html#x",
        &"a".repeat(4096),
        "",
        "C:/x",
        "a\nb",
    ] {
        assert_fault(with("/panels/0/htmlUrl", json!(path)), "/panels/0/htmlUrl");
        assert!(path_fault(path).is_some());
    }
    assert!(with("/panels/0/htmlUrl", json!("dist/ui/panel ä.html")).is_ok());
}

#[test]
fn every_required_field_is_missed_by_name() {
    for field in ["id", "name", "version", "permissions", "panels"] {
        assert_fault(without(field), &format!("/{field}"));
    }
}

#[test]
fn each_field_has_its_rule() {
    let cases = [
        ("/id", json!("has space")),
        ("/id", json!("ends.")),
        ("/name", json!("x".repeat(101))),
        ("/name", json!("")),
        ("/version", json!("1")),
        ("/version", json!(1)),
        ("/permissions", json!("x")),
        ("/permissions/0", json!(1)),
        ("/panels", json!({})),
        ("/panels/0", json!("x")),
        ("/panels/0/position", json!("left")),
        ("/panels/0/defaultWidth", json!(-1)),
        ("/panels/0/background", json!("yes")),
        ("/author", json!(1)),
        ("/toolbarActions", json!(1)),
        ("/name", json!("a\u{0}b")),
    ];
    for (pointer, value) in cases {
        assert_fault(with(pointer, value), pointer);
    }
    assert_fault(with("/toolbarActions", json!([{"id": "a"}])), "/toolbarActions/0/label");
    assert_fault(
        with("/hotkeys", json!([{"id": "a", "label": "A", "hotkey": "Cmd+A", "action": {"type": "run"}}])),
        "/hotkeys/0/action/type",
    );
    let twice = json!([base()["panels"][0], base()["panels"][0]]);
    assert_fault(with("/panels", twice), "/panels/1/id");
}

#[test]
fn duplicate_keys_and_size_are_refused() {
    assert_fault(Manifest::parse(r#"{"id":"a","id":"b"}"#), "/id");
    assert_fault(Manifest::parse(&" ".repeat(MAX_BYTES + 1)), "");
    assert_fault(Manifest::parse("[]"), "");
    assert_fault(Manifest::parse("{"), "");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Manifest::parse(&text);
    }

    #[test]
    fn no_value_in_any_field_makes_it_panic(
        field in proptest::sample::select(vec!["/id", "/name", "/permissions", "/integrations", "/panels", "/panels/0", "/panels/0/htmlUrl", "/hotkeys", "/toolbarActions"]),
        text in any::<String>(), number in any::<f64>(), nested in any::<bool>(),
    ) {
        let leaf = if text.len() % 2 == 0 { json!(text) } else { json!(number) };
        let _ = with(field, if nested { json!([leaf, {"id": leaf, "action": leaf}]) } else { leaf });
    }
}
