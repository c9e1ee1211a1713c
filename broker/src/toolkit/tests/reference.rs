//! `docs/toolkits.md` says what the code does.

use super::*;

const REFERENCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/toolkits.md"));

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    REFERENCE.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn the_example_of_the_reference_is_a_toolkit() {
    let (settings, openapi) = (blocks("toml"), blocks("json"));
    let files = [("toolkit.toml", settings[0].as_bytes()), ("openapi.json", openapi[0].as_bytes())];
    let toolkit = read(&Folder::in_memory("tracker", files));
    let toolkit = toolkit.unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    assert!(toolkit.find("TRACKER_CREATE_AN_ISSUE").is_ok());
    toolkit.resolve(&|_| None, LoopbackHttp::Refused).unwrap();
}

#[test]
fn the_reference_names_every_key_and_no_other() {
    // An unknown key makes serde list all those it knows.
    let known = |settings: &str| -> Vec<String> {
        let fault = read_files(settings, "{}").unwrap_err().remove(0).message;
        let (_, list) = fault.split_once("expected").unwrap_or_else(|| panic!("{fault}"));
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let tables =
        ["settings", "auth", "auth.refresh", "auth.revoke", "auth.account", "auth.values", "api", "tools"];
    let mut keys = known("no_such_key = 1");
    for table in tables {
        let header = if ["settings", "auth.values"].contains(&table) {
            format!("[[{table}]]")
        } else {
            format!("[{table}]")
        };
        keys.extend(
            known(&format!("{header}\nno_such_key = 1")).into_iter().map(|key| format!("{table}.{key}")),
        );
    }
    keys.retain(|key| !tables.contains(&key.as_str()));
    keys.sort();
    let mut rows: Vec<String> = REFERENCE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(key, rest)| {
            rest.split('|').count() == 3 && !key.contains(".toml") && !key.contains(".json")
        })
        .map(|(key, _)| key.to_owned())
        .filter(|key| key != "logo.svg")
        .collect();
    rows.sort();
    assert_eq!(rows, keys);
}

#[test]
fn the_reference_tells_the_limits() {
    for limit in [
        limits::SETTINGS_BYTES / 1024,
        limits::OPENAPI_BYTES / 1024 / 1024,
        limits::LOGO_BYTES / 1024,
        limits::TOOLS as u64,
        limits::ARGUMENTS as u64,
        limits::SCHEMA_DEPTH as u64,
        limits::TOOL_SLUG as u64,
    ] {
        assert!(
            REFERENCE.contains(&format!("| {limit} ")),
            "docs/toolkits.md does not tell the limit {limit}"
        );
    }
}
