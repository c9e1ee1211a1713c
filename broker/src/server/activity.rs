//! What was done as the user.

use axum::extract::{Query, State};
use taiku_bridge::Refusal;
use taiku_bridge::api::Activities;

use super::access::SignedIn;
use crate::broker::Broker;
use crate::clock::Millis;
use crate::failure::Failure;
use crate::store::activity;

/// Where a page begins.
#[derive(serde::Deserialize)]
pub(super) struct Cursor {
    pub(super) cursor: Option<String>,
}

/// `GET /activity`
pub(super) async fn list(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Query(Cursor { cursor }): Query<Cursor>,
) -> Result<axum::Json<Activities>, Failure> {
    let before = cursor.as_deref().map(read_cursor).transpose()?;
    let mut tx = broker.store.read().await?;
    let (entries, next) = activity::page(&mut tx, &user.id, before).await?;
    Ok(axum::Json(Activities { entries, next_cursor: next.map(|(at, id)| format!("{at}.{id}")) }))
}

fn read_cursor(cursor: &str) -> Result<(Millis, &str), Refusal> {
    cursor
        .split_once('.')
        .filter(|(_, id)| is_id(id))
        .and_then(|(at, id)| Some((number(at)?, id)))
        .ok_or_else(no_cursor)
}

fn is_id(id: &str) -> bool {
    let digit = |b: u8| matches!(b, b'a'..=b'z' | b'2'..=b'7');
    id.strip_prefix("act_").is_some_and(|rest| rest.len() == 26 && rest.bytes().all(digit))
}

/// A number in a cursor, as we write it: digits alone.
pub(super) fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 18;
    if digits { text.parse().ok() } else { None }
}

/// The refusal of a cursor that no page ended with.
pub(super) fn no_cursor() -> Refusal {
    Refusal::field("/cursor", "is not a cursor; take it from the page before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_exactly_what_a_page_ends_with() {
        let id = format!("act_{}", "a".repeat(26));
        assert_eq!(read_cursor(&format!("17.{id}")).ok(), Some((17, id.as_str())));
        for at in ["", "+17", "-17", " 17", "1e3", "1.7", "9999999999999999999"] {
            assert!(read_cursor(&format!("{at}.{id}")).is_err(), "{at:?}");
        }
        for id in ["", "a", "act_", &id[1..], &format!("{id}a"), &id.to_uppercase(), &id.replace("aa", "a\0")]
        {
            assert!(read_cursor(&format!("17.{id}")).is_err(), "{id:?}");
        }
    }
}
