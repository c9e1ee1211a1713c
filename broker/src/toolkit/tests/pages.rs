//! Searching and paging through tools.

use super::*;

fn many(count: usize) -> Toolkit {
    let operation = |index: usize| {
        let description = if index.is_multiple_of(2) { "Even: 100% _safe_ a\\b" } else { "Odd (.*)" };
        (
            format!("/x{index}"),
            json!({"get": {"summary": format!("Thing {index:03}"), "description": description}}),
        )
    };
    toolkit(&Value::Object((0..count).map(operation).collect()))
}

fn found(toolkit: &Toolkit, search: &str) -> usize {
    toolkit.tools(Some(search), 100, None).unwrap().tools.len()
}

#[test]
fn a_search_is_literal_and_knows_no_case() {
    let toolkit = many(10);
    for (search, count) in [
        ("", 10),
        ("   ", 10),
        ("thing", 10),
        ("EVEN", 5),
        ("100%", 5),
        ("%", 5),
        ("_safe_", 5),
        ("a\\b", 5),
        ("(.*)", 5),
        (".*", 5),
        ("^Odd$", 0),
        ("even thing 004", 1),
        ("even odd", 0),
        ("TEST_THING_00", 10),
        ("\0", 0),
    ] {
        assert_eq!(found(&toolkit, search), count, "{search:?}");
    }
    assert_eq!(found(&toolkit, &"a".repeat(1 << 20)), 0);
    assert_eq!(found(&toolkit, &"a b c d e f g h ".repeat(1 << 16)), 0);
}

#[test]
fn limits_are_clamped() {
    let toolkit = many(150);
    for (limit, count) in
        [(0, 1), (1, 1), (50, 50), (100, 100), (101, 100), (1_000_000_000, 100), (usize::MAX, 100)]
    {
        assert_eq!(toolkit.tools(None, limit, None).unwrap().tools.len(), count, "{limit}");
    }
}

#[test]
fn pages_give_every_tool_once_in_order() {
    let toolkit = many(10);
    for search in [None, Some("even")] {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = toolkit.tools(search, 3, cursor.as_deref()).unwrap();
            seen.extend(page.tools.iter().map(|tool| tool.slug.clone()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let all = toolkit.tools(search, 100, None).unwrap();
        assert_eq!(all.next_cursor, None);
        assert_eq!(seen, all.tools.iter().map(|tool| tool.slug.clone()).collect::<Vec<_>>());
    }
    assert_eq!(toolkit.tools(None, 10, None).unwrap().next_cursor, None);
}

#[test]
fn the_best_match_comes_first() {
    let toolkit = toolkit(&json!({
        "/a": {"get": {"summary": "Alpha", "description": "Closes an issue"}},
        "/b": {"get": {"summary": "Zeta issue"}},
        "/c": {"get": {"summary": "Issue"}},
    }));
    let page = toolkit.tools(Some("test_issue"), 100, None).unwrap();
    assert_eq!(page.tools[0].slug, "TEST_ISSUE");
    let page = toolkit.tools(Some("issue"), 100, None).unwrap();
    let slugs: Vec<&str> = page.tools.iter().map(|tool| tool.slug.as_str()).collect();
    assert_eq!(slugs, ["TEST_ISSUE", "TEST_ZETA_ISSUE", "TEST_ALPHA"]);
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    let toolkit = many(3);
    for cursor in ["", "x", "!!!", "\0", "dA", "ZQ==", &"A".repeat(100_000)] {
        let refusal = toolkit.tools(None, 1, Some(cursor)).unwrap_err();
        assert_eq!(pointer_of(&refusal), "/cursor");
    }
}
