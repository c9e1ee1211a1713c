//! When to call a provider again.

use http::HeaderMap;
use http::header::{HeaderName, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Longest wait that is handed on, in seconds.
const MAX_WAIT: i64 = 24 * 60 * 60;
/// From here on a number is a moment and no time span: 2001 in seconds since 1970.
const MOMENT: i64 = 1_000_000_000;
/// From here on it is one in milliseconds.
const MOMENT_MILLIS: i64 = 1_000_000_000_000;

/// Seconds to wait, by the first of these headers that says something. `Retry-After` (RFC 9110 section 10.2.3) is
/// always heard, the others only if the provider refuses because of too many calls, as they come with every answer.
///
/// `now` is the time in milliseconds since 1970.
#[must_use]
pub fn seconds(names: &[HeaderName], headers: &HeaderMap, too_many: bool, now: i64) -> Option<i64> {
    let own = names.iter().filter(|name| too_many || **name == RETRY_AFTER);
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    own.chain([&RETRY_AFTER]).filter_map(text).find_map(|text| span(text.trim(), now))
}

fn span(text: &str, now: i64) -> Option<i64> {
    let seconds = match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => {
            // Casting a float to an integer saturates.
            match number.ceil() as i64 {
                moment if moment >= MOMENT_MILLIS => until(moment, now),
                moment if moment >= MOMENT => until(moment.saturating_mul(1000), now),
                seconds => seconds,
            }
        }
        Ok(_) => return None,
        Err(_) => {
            // The crate reads only numeric zones; an HTTP date is always in GMT (RFC 9110 section 5.6.7).
            let date = OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()?;
            until(date.unix_timestamp().saturating_mul(1000), now)
        }
    };
    Some(seconds.clamp(0, MAX_WAIT))
}

fn until(moment: i64, now: i64) -> i64 {
    let left = moment.saturating_sub(now).max(0);
    left / 1000 + i64::from(left % 1000 > 0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-21 12:00:00 UTC.
    const NOW: i64 = 1_795_262_400_000;
    const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

    fn wait(headers: &[(HeaderName, &str)], too_many: bool) -> Option<i64> {
        let map = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        seconds(&[RETRY_AFTER, RESET], &map, too_many, NOW)
    }

    #[test]
    fn spans_moments_and_dates_become_seconds() {
        for (text, expected) in [
            ("7", Some(7)),
            ("0.4", Some(1)),
            ("1795262430", Some(30)),
            ("1795262430500", Some(31)),
            ("1795262000", Some(0)),
            ("99999999", Some(MAX_WAIT)),
            ("Sat, 21 Nov 2026 12:01:00 GMT", Some(60)),
            ("Sat, 21 Nov 2026 11:01:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
        ] {
            assert_eq!(wait(&[(RETRY_AFTER, text)], false), expected, "{text}");
        }
    }

    #[test]
    fn what_comes_with_every_answer_counts_only_for_one_call_too_many() {
        assert_eq!(wait(&[(RESET, "1795262430")], false), None);
        assert_eq!(wait(&[(RESET, "1795262430")], true), Some(30));
        assert_eq!(wait(&[(RESET, "1795262430"), (RETRY_AFTER, "5")], true), Some(5));
        assert_eq!(wait(&[(RESET, "1795262430"), (RETRY_AFTER, "?")], true), Some(30));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ -~]{0,40}", now in any::<i64>()) {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(&text).unwrap());
            let wait = seconds(&[], &headers, true, now);
            prop_assert!(wait.is_none_or(|wait| (0..=MAX_WAIT).contains(&wait)));
        }
    }
}
