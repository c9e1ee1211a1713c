//! A row of the table as a connection. What no version of this program writes is refused with its place.

use taiku_bridge::Slug;
use taiku_bridge::api::Account;

use super::{Connection, Kind, SealedTokens, State};
use crate::store::{Result, StoreError, list, row};

row! {
    pub(in crate::store) struct Row {
        id: String,
        user_id: String,
        toolkit: String,
        context_hash: Vec<u8>,
        status: String,
        why: Option<String>,
        account_id: Option<String>,
        account_label: Option<String>,
        account_avatar: Option<String>,
        alias: Option<String>,
        is_default: bool,
        scopes: String,
        requested: String,
        generation: i64,
        access_token: Option<Vec<u8>>,
        refresh_token: Option<Vec<u8>>,
        lifetime: Option<i64>,
        expires_at: Option<i64>,
        replaces: Option<String>,
        created_at: i64,
        last_used_at: Option<i64>,
    }
}

fn inconsistent(id: &str, column: &'static str, what: impl Into<String>) -> StoreError {
    StoreError::Inconsistent { table: "connections", column, id: id.to_owned(), what: what.into() }
}

/// The state that a status and the presence of tokens say.
fn kind(id: &str, status: &str, holds_tokens: bool) -> Result<Kind> {
    let of_status = |kind: &Kind| kind.status() == status;
    let Some(any) = Kind::ALL.into_iter().find(of_status) else {
        return Err(inconsistent(id, "status", format!("`{status}` is no status")));
    };
    let exact = Kind::ALL.into_iter().find(|kind| of_status(kind) && kind.holds_tokens() == holds_tokens);
    exact.ok_or_else(|| {
        let what = if any.holds_tokens() { "is missing though" } else { "is there though" };
        inconsistent(id, "access_token", format!("{what} {status}"))
    })
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let why = || row.why.clone().ok_or_else(|| inconsistent(&row.id, "why", "is missing"));
        let kind = kind(&row.id, &row.status, row.access_token.is_some())?;
        let tokens = row.access_token.map(|access| SealedTokens {
            access,
            refresh: row.refresh_token,
            lifetime: row.lifetime,
            expires_at: row.expires_at,
        });
        let state = match (kind, tokens) {
            (Kind::Undecided, Some(tokens)) => State::Undecided(tokens),
            (Kind::Active, Some(tokens)) => State::Active(tokens),
            (Kind::Initiated | Kind::Undecided | Kind::Active, _) => State::Initiated,
            (Kind::Expired, _) => State::Expired { why: why()? },
            (Kind::Failed, _) => State::Failed { why: why()? },
            (Kind::Revoked, _) => State::Revoked { why: row.why },
        };
        Ok(Self {
            toolkit: Slug::parse(&row.toolkit)
                .map_err(|error| inconsistent(&row.id, "toolkit", error.to_string()))?,
            scopes: list("connections", "scopes", &row.id, &row.scopes)?,
            requested: list("connections", "requested", &row.id, &row.requested)?,
            id: row.id,
            user_id: row.user_id,
            context_hash: row.context_hash,
            state,
            account: Account { id: row.account_id, label: row.account_label, avatar: row.account_avatar },
            alias: row.alias,
            is_default: row.is_default,
            generation: row.generation,
            replaces: row.replaces,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// All rows as connections.
pub(in crate::store) fn all(rows: Vec<Row>) -> Result<Vec<Connection>> {
    rows.into_iter().map(Connection::try_from).collect()
}
