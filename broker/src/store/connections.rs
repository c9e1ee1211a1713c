//! Connections: accounts of users at toolkits, with their sealed tokens.
//!
//! Every query names the owner, or the generation that was read, in its predicate. A query that changes a state takes
//! both of its ends from a [`Step`], and only the ways of [`WAYS`] make one.

mod choices;
mod consent;
mod ended;
mod machine;
mod row;

use taiku_bridge::Slug;
use taiku_bridge::api::{self, Account, Status};

pub use self::choices::{make_default, set_alias, used};
pub use self::consent::{
    Activation, Pending, accept, activate, begin, fail, give_up, hold, merge, same_account,
    undecided_too_long,
};
pub use self::ended::{expire, expire_others, remove, sweep};
pub(super) use self::ended::{lock_all, revoke_all};
pub use self::machine::{
    Active, Expired, Failed, Initiated, Kind, May, Node, Revoked, Step, Undecided, WAYS,
};
use self::row::Row;
use super::{Result, Tx, execute, text, with};
use crate::clock::{Millis, rfc3339};

/// Why a connection waits whose consent was given in another account than the one to be renewed.
pub const ANOTHER_ACCOUNT: &str = "another_account";
/// Why a connection was taken back with all others of its toolkit.
pub const BY_ADMIN: &str = "by_admin";

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// At which toolkit.
    pub toolkit: Slug,
    /// What its tokens are bound to.
    pub context_hash: Vec<u8>,
    /// Its state, with what belongs to it.
    pub state: State,
    /// The account at the provider.
    pub account: Account,
    /// The user's own name for it.
    pub alias: Option<String>,
    /// Whether calls that name no connection use it.
    pub is_default: bool,
    /// What the provider granted.
    pub scopes: Vec<String>,
    /// What was asked for.
    pub requested: Vec<String>,
    /// Grows with each change of its tokens or state.
    pub generation: i64,
    /// The connection that it was begun to renew.
    pub replaces: Option<String>,
    /// When it was begun.
    pub created_at: Millis,
    /// When a tool last used it.
    pub last_used_at: Option<Millis>,
}

/// The state of a connection.
#[derive(Clone, Debug)]
pub enum State {
    /// The consent is under way.
    Initiated,
    /// The user consented in another account than the one to be renewed, and has not decided yet.
    Undecided(SealedTokens),
    /// It works.
    Active(SealedTokens),
    /// The user has to connect again.
    Expired {
        /// Machine name of the cause.
        why: String,
    },
    /// The consent was declined or went wrong.
    Failed {
        /// Machine name of the cause.
        why: String,
    },
    /// The user or an admin has taken it back.
    Revoked {
        /// Machine name of the cause; none if it was its own user.
        why: Option<String>,
    },
}

/// Tokens as vault records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTokens {
    /// The access token.
    pub access: Vec<u8>,
    /// The refresh token, if the provider gave one.
    pub refresh: Option<Vec<u8>>,
    /// How long the access token lives in all, if the provider said so.
    pub lifetime: Option<Millis>,
    /// When it ends, by our clock.
    pub expires_at: Option<Millis>,
}

impl Connection {
    /// The state's name.
    #[must_use]
    pub fn status(&self) -> Status {
        match Kind::from(&self.state) {
            Kind::Initiated | Kind::Undecided => Status::Initiated,
            Kind::Active => Status::Active,
            Kind::Expired => Status::Expired,
            Kind::Failed => Status::Failed,
            Kind::Revoked => Status::Revoked,
        }
    }

    /// The connection as it is told of once it is gone.
    #[must_use]
    pub fn gone(self) -> Self {
        Self { state: State::Revoked { why: None }, ..self }
    }

    /// What was asked for and not granted; nothing of what has no tokens.
    #[must_use]
    pub fn missing_scopes(&self) -> Vec<String> {
        let State::Active(_) = self.state else { return Vec::new() };
        self.requested.iter().filter(|scope| !self.scopes.contains(scope)).cloned().collect()
    }

    /// What its owner sees of it.
    #[must_use]
    pub fn view(&self) -> api::Connection {
        let (why, expires_at) = match &self.state {
            State::Active(tokens) => (None, tokens.expires_at),
            State::Expired { why } | State::Failed { why } => (Some(why.clone()), None),
            State::Revoked { why } => (why.clone(), None),
            State::Undecided(_) => (Some(ANOTHER_ACCOUNT.to_owned()), None),
            State::Initiated => (None, None),
        };
        api::Connection {
            id: self.id.clone(),
            toolkit: self.toolkit.clone(),
            status: self.status(),
            why,
            account: self.account.clone(),
            alias: self.alias.clone(),
            default: self.is_default,
            scopes: self.scopes.clone(),
            requested_scopes: self.requested.clone(),
            missing_scopes: self.missing_scopes(),
            replaces: self.replaces.clone(),
            created_at: rfc3339(self.created_at),
            last_used_at: self.last_used_at.map(rfc3339),
            expires_at: expires_at.map(rfc3339),
        }
    }
}

/// A user's connections: active ones first, then the newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user_id: &str) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select * from connections where user_id = $1 \
         order by case status when $2 then 0 else 1 end, created_at desc, id"
    )
    .bind(user_id)
    .bind(Kind::Active.status())
    .fetch_all(conn))?;
    row::all(rows)
}

/// Finds a connection of a user, by its id or by one that was handed out for a consent which has renewed it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user_id: &str, id: &str) -> Result<Option<Connection>> {
    let row: Option<Row> = with!(tx, |conn| sqlx::query_as(
        "select * from connections where user_id = $2 \
             and id = coalesce((select connection_id from connection_ids where id = $1), $1)"
    )
    .bind(text(id)?)
    .bind(user_id)
    .fetch_optional(conn))?;
    row.map(Connection::try_from).transpose()
}

/// Stores the outcome of a refresh, if nobody else has changed the connection since. Returns whether it did.
///
/// # Errors
/// When the database fails.
pub async fn refreshed(tx: &mut Tx, id: &str, generation: i64, tokens: &SealedTokens) -> Result<bool> {
    let query = "update connections set access_token = $3, refresh_token = $4, lifetime = $5, expires_at = $6, \
                 generation = generation + 1 where id = $1 and generation = $2 and status = $7";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(id)
            .bind(generation)
            .bind(&tokens.access)
            .bind(tokens.refresh.as_deref())
            .bind(tokens.lifetime)
            .bind(tokens.expires_at)
            .bind(Step::of::<Active, Active>().from().status())
    )?;
    Ok(done == 1)
}

/// Lets one transaction at a time decide which of a user's connections is the default and which take whose place.
/// SQLite has one writer anyway.
pub(in crate::store) async fn lock(tx: &mut Tx, user_id: &str) -> Result<()> {
    if let Tx::Postgres(tx) = tx {
        let query = "select id from users where id = $1 for no key update";
        sqlx::query(query).bind(user_id).execute(&mut **tx).await?;
    }
    Ok(())
}
