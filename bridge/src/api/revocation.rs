//! Taking back every access of a toolkit, for admins.

use serde::{Deserialize, Serialize};

use super::{ADMIN_TOOLKITS, Revoked, segment};
use crate::slug::Slug;

/// Path of the times that every access of a toolkit was taken back.
#[must_use]
pub fn revocations(toolkit: &Slug) -> String {
    format!("{ADMIN_TOOLKITS}/{toolkit}/revocations")
}

/// Path of one of them.
#[must_use]
pub fn revocation(toolkit: &Slug, id: &str) -> String {
    format!("{ADMIN_TOOLKITS}/{toolkit}/revocations/{}", segment(id))
}

/// Every access of a toolkit taken back, and how far that is. The connections end at once; their tokens are taken back
/// at the provider one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// Its id.
    pub id: String,
    /// Of which toolkit.
    pub toolkit: String,
    /// Connections that the provider is asked for in a minute.
    pub per_minute: i64,
    /// Connections in all.
    pub total: i64,
    /// Those whose tokens the provider has all taken back.
    pub revoked: i64,
    /// Those with a token that could not be taken back.
    pub failed: i64,
    /// When it was begun.
    pub created_at: String,
    /// When the last connection was done with; none while it runs.
    pub finished_at: Option<String>,
}

/// Answer of `GET /admin/toolkits/{slug}/revocations`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// All of the last months.
    pub revocations: Vec<Revocation>,
}

/// A connection with a token that could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRevocation {
    /// The connection.
    pub connection_id: String,
    /// Whose it was.
    pub email: String,
    /// The account at the provider.
    pub account: Option<String>,
    /// What became of each token.
    pub tokens: Vec<Revoked>,
}

/// Answer of `GET /admin/toolkits/{slug}/revocations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationDetail {
    /// How far it is.
    #[serde(flatten)]
    pub revocation: Revocation,
    /// What could not be taken back.
    pub failures: Vec<FailedRevocation>,
    /// For the next page of failures.
    pub next_cursor: Option<String>,
}
