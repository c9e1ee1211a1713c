//! Calls and notes as lines of a terminal.

use taiku_bridge::api::SeenCall;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::cli::plugin::report::size;
use crate::clock::Clock;

/// Longest text of parameters and errors in a line, in characters.
const SHOWN: usize = 120;

/// A note of the tool itself, with the time.
pub(super) fn note(text: &str) -> String {
    // The clock has times between the years 1970 and 9999, which a float holds to the millisecond.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of these years are below 2^53")]
    let now = Clock::System.now() as f64;
    format!("{}  {text}", time_of(now))
}

/// A call with what came of it.
pub(super) fn call(call: &SeenCall) -> String {
    let mut line = format!("{}  {:<12} {}", time_of(call.at), call.panel, call.method);
    if let Some(params) = parameters(call) {
        line.push_str(&format!(" {params}"));
    }
    match &call.code {
        Some(code) => line.push_str(&format!("  ✗ {code}")),
        None => line.push_str("  ✓"),
    }
    if let Some(status) = call.status {
        line.push_str(&format!("  {status}"));
    }
    if call.ms > 0.0 {
        line.push_str(&format!("  {:.1} ms", call.ms));
    }
    if let Some(units) = call.size.and_then(|units| usize::try_from(units).ok()) {
        line.push_str(&format!("  {}", size(units)));
    }
    if let Some(error) = &call.error {
        line.push_str(&format!("\n{:>14}{}", "", shown(error)));
    }
    line
}

fn parameters(call: &SeenCall) -> Option<String> {
    let nothing = call.params.is_null() || call.params.as_object().is_some_and(serde_json::Map::is_empty);
    (!nothing).then(|| shown(&call.params.to_string()))
}

/// The time of day, in UTC, to the millisecond.
fn time_of(at: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest number"
    )]
    let nanos = (at as i64).max(0);
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos) * 1_000_000);
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:3]");
    time.ok().and_then(|time| time.format(format).ok()).unwrap_or_else(|| "--:--:--.---".into())
}

/// The start of a stranger's text, without what a terminal would obey.
fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN + 1).collect();
    if plain.chars().count() > SHOWN {
        format!("{}…", plain.chars().take(SHOWN).collect::<String>())
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen() -> SeenCall {
        serde_json::from_value(json!({"at": 3_723_004.0, "panel": "main", "method": "integrations.execute"}))
            .unwrap()
    }

    #[test]
    fn a_line_has_what_counts() {
        let answered = SeenCall {
            params: json!({"toolkit": "demo"}),
            ms: 12.34,
            status: Some(201),
            size: Some(2048),
            ..seen()
        };
        assert_eq!(
            call(&answered),
            r#"01:02:03.004  main         integrations.execute {"toolkit":"demo"}  ✓  201  12.3 ms  2.0 KB"#
        );
        let refused =
            SeenCall { code: Some("toolkit_unknown".into()), error: Some("no\u{1b}[2J".into()), ..seen() };
        assert_eq!(
            call(&refused),
            "01:02:03.004  main         integrations.execute  ✗ toolkit_unknown\n              no [2J"
        );
    }

    #[test]
    fn no_time_breaks_a_line() {
        for at in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert!(!time_of(at).is_empty());
        }
    }
}
