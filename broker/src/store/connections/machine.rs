//! The states of a connection and the ways between them. A query that would go another way does not compile:
//!
//! ```compile_fail
//! use taiku_broker::store::connections::{Expired, Failed, Step};
//! let _ = Step::of::<Failed, Expired>();
//! ```
//!
//! One that is allowed does:
//!
//! ```
//! use taiku_broker::store::connections::{Active, Expired, Step};
//! let _ = Step::of::<Active, Expired>();
//! ```

use super::State;

/// The name of a state, without what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The consent is under way.
    Initiated,
    /// The user consented in another account than the one to be renewed, and has not decided yet.
    Undecided,
    /// It works.
    Active,
    /// The user has to connect again.
    Expired,
    /// The consent was declined or went wrong.
    Failed,
    /// Somebody has taken it back.
    Revoked,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Initiated, Self::Undecided, Self::Active, Self::Expired, Self::Failed, Self::Revoked];

    /// The status that is stored and shown.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Initiated | Self::Undecided => "INITIATED",
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Failed => "FAILED",
            Self::Revoked => "REVOKED",
        }
    }

    /// Whether a connection in this state holds tokens. With the status it tells the states apart in a row.
    #[must_use]
    pub const fn holds_tokens(self) -> bool {
        matches!(self, Self::Undecided | Self::Active)
    }
}

impl From<&State> for Kind {
    fn from(state: &State) -> Self {
        match state {
            State::Initiated => Self::Initiated,
            State::Undecided(_) => Self::Undecided,
            State::Active(_) => Self::Active,
            State::Expired { .. } => Self::Expired,
            State::Failed { .. } => Self::Failed,
            State::Revoked { .. } => Self::Revoked,
        }
    }
}

/// A state as a type.
pub trait Node {
    /// Its name.
    const KIND: Kind;
}

/// There is a way from this state to that one.
pub trait May<To> {}

/// Declares which state may follow which: as types for the queries, and as a list for whoever reads it.
macro_rules! ways {
    ($($from:ident => $($to:ident),+;)+) => {
        $(
            #[doc = concat!("[`Kind::", stringify!($from), "`] as a type.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $from;
            impl Node for $from {
                const KIND: Kind = Kind::$from;
            }
            $(impl May<$to> for $from {})+
        )+
        /// Every way there is.
        pub const WAYS: &[(Kind, Kind)] = &[$($((Kind::$from, Kind::$to),)+)+];
    };
}

ways! {
    Initiated => Undecided, Active, Failed;
    Undecided => Active, Revoked;
    Active => Active, Expired, Revoked;
    Expired => Active;
    Failed => Active;
    Revoked => Active;
}

/// A way from one state to another. Queries that change a state take both of its ends from here.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    from: Kind,
    to: Kind,
}

impl Step {
    /// The way between two states, if there is one.
    #[must_use]
    pub const fn of<From: Node + May<To>, To: Node>() -> Self {
        Self { from: From::KIND, to: To::KIND }
    }

    /// Where it begins.
    #[must_use]
    pub const fn from(self) -> Kind {
        self.from
    }

    /// Where it ends.
    #[must_use]
    pub const fn to(self) -> Kind {
        self.to
    }
}
