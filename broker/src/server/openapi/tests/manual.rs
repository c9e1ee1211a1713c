//! The commands of `docs/api.md` are understood by the server, and its codes and statuses are the real ones.

use http::Method;
use serde_json::Value;
use taiku_bridge::Code;

use super::document::Document;
use crate::server::tests::TestApp;

const MANUAL: &str = include_str!("../../../../../docs/api.md");

/// The `curl` commands: method, path with its query, and body.
fn commands() -> Vec<(Method, String, Value)> {
    let blocks = MANUAL.split("```sh\n").skip(1).filter_map(|text| text.split("```").next());
    let text = blocks.map(|block| block.replace("\\\n", " ")).collect::<Vec<_>>().join("\n");
    text.lines().filter(|line| line.starts_with("curl ")).map(command).collect()
}

fn command(line: &str) -> (Method, String, Value) {
    let (_, rest) = line.split_once("$TAIKU").unwrap();
    let path = rest.split([' ', '"']).next().unwrap().to_owned();
    match line.split_once("--json '") {
        Some((_, body)) => (Method::POST, path, serde_json::from_str(body.trim_end_matches('\'')).unwrap()),
        None => (Method::GET, path, Value::Null),
    }
}

#[tokio::test]
async fn its_commands_are_understood() {
    let (_, ada, _) = TestApp::start().await;
    let script = ada.with_key().await;
    let document = Document::read();
    let commands = commands();
    assert!(commands.len() > 5, "{commands:?}");
    for (method, path, body) in commands {
        let ask = script.ask(method.clone(), &path);
        let answer = if body.is_null() { ask } else { ask.json(&body) }.send().await;
        document.check_answer(&method, document.template(&path), &answer);
        // Nobody has connected an account here: that is as far as running a tool can come.
        let runs = path.contains("/tools/");
        assert!(
            answer.status.is_success() || runs && answer.json()["code"] == "connection_missing",
            "{path}"
        );
    }
}

#[test]
fn its_table_of_codes_is_right() {
    let rows: Vec<(Vec<&str>, Vec<u16>)> = MANUAL.lines().filter_map(row).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for (codes, statuses) in rows {
        let status = |name: &&str| Code::ALL.iter().find(|code| code.as_str() == *name).unwrap().status();
        let real: Vec<u16> = codes.iter().map(status).collect();
        assert!(statuses == real || real.iter().all(|status| statuses == [*status]), "{codes:?}");
    }
}

/// A row of the table: its codes, and one status for all of them or one for each.
fn row(line: &str) -> Option<(Vec<&str>, Vec<u16>)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let statuses: Result<Vec<u16>, _> = cells.get(2)?.split(", ").map(str::parse).collect();
    let codes = cells[1].split(", ").map(|code| code.trim_matches('`'));
    Some((codes.collect(), statuses.ok()?))
}
