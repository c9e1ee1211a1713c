//! What to do next, decided without doing it: the pure half of refreshing, which `model.rs` checks in every order of
//! events.

use std::time::Duration;

use crate::clock::{MINUTE, Millis, SECOND};
use crate::oauth::TokenError;
use crate::store::refresh::{Doubt, Intent, Standing};

/// How long a lease lasts without a heartbeat, in milliseconds of the database's clock.
pub const LEASE: Millis = 15 * SECOND;
/// How often it is extended.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long after a lost answer, or a refused token, the next look is taken.
pub const PAUSE: Duration = Duration::from_secs(1);
/// How often one refresh token is sent under one lease.
const SENDS: u32 = 2;
/// Longest wait after failures in a row.
const LONGEST: Millis = 5 * MINUTE;
/// Longest wait that a provider may ask for.
const LONGEST_ASKED: Millis = 60 * MINUTE;
/// How long a client that is not accepted waits at least: only an admin can mend it.
const REFUSED_CLIENT: Millis = 30 * SECOND;

/// What became of one request with a refresh token, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// It gave tokens.
    Tokens,
    /// It did not leave.
    NotSent,
    /// It left, and no answer came.
    Unknown,
    /// It was answered with something that is no token answer: it may have been acted on.
    Garbled,
    /// The provider says that the refresh token is not valid.
    GrantDead,
    /// The provider does not accept our client.
    ClientRefused,
    /// The provider cannot, or does not want to, for now.
    NotNow {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

impl From<&TokenError> for Sent {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::InvalidGrant => Self::GrantDead,
            TokenError::InvalidClient => Self::ClientRefused,
            TokenError::Transient { retry_after } => Self::NotNow { retry_after: *retry_after },
            TokenError::Denied { .. } => Self::NotNow { retry_after: None },
            TokenError::NotSent(_) => Self::NotSent,
            TokenError::InDoubt(_) => Self::Unknown,
            TokenError::Unusable(_) => Self::Garbled,
        }
    }
}

/// The next step of whoever holds the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the journal, then into the row.
    Keep,
    /// Wait until the connection is known to be closed, then send the same token once more.
    Repeat,
    /// Wait, read the row again, and end the connection if nobody else was faster.
    LookAgain,
    /// Give the lease back and wait.
    Wait {
        /// What is known of the token.
        intent: Intent,
        /// The shortest wait.
        least: Millis,
        /// Whether an admin has to hear of it.
        alarm: bool,
    },
}

/// What to do after the `sends`th request under one lease.
#[must_use]
pub fn after(sent: Sent, sends: u32) -> Step {
    let wait = |intent| Step::Wait { intent, least: 0, alarm: false };
    match sent {
        Sent::Tokens => Step::Keep,
        Sent::NotSent => wait(Intent::Cleared),
        Sent::Unknown if sends < SENDS => Step::Repeat,
        Sent::Unknown | Sent::Garbled => wait(Intent::InDoubt),
        Sent::GrantDead => Step::LookAgain,
        Sent::ClientRefused => Step::Wait { intent: Intent::Cleared, least: REFUSED_CLIENT, alarm: true },
        Sent::NotNow { retry_after } => {
            let asked =
                retry_after.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(LONGEST_ASKED));
            Step::Wait { intent: Intent::Cleared, least: asked.min(LONGEST_ASKED), alarm: false }
        }
    }
}

/// Why a connection ends whose refresh token is refused.
#[must_use]
pub fn why(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::None => "revoked",
        // An answer that we lost had the only token that is still good, or our own repetition was taken for theft.
        Doubt::Inherited | Doubt::Lost(_) => "in_doubt",
    }
}

/// What becomes of tokens that came too late for their row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// Another one was faster. Ours are dropped and not revoked, because revoking may end the grant (RFC 7009).
    Drop,
    /// The connection was removed or ended meanwhile: nobody may use them.
    Revoke,
}

/// What becomes of tokens that came too late, by how the connection stands now.
#[must_use]
pub fn late(standing: Option<Standing>) -> Late {
    match standing {
        Some(Standing { active: true, .. }) => Late::Drop,
        Some(_) | None => Late::Revoke,
    }
}

/// How long to wait after as many attempts in vain: anything up to a bound that doubles, so that those who failed
/// together do not come back together, and never less than was asked for. `draw` is random.
#[must_use]
pub fn backoff(attempts: i64, least: Millis, draw: u32) -> Millis {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let bound = (SECOND << doublings).min(LONGEST);
    least + (bound * i64::from(draw)) / i64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lost_answer_is_followed_by_one_repetition() {
        assert_eq!(after(Sent::Unknown, 1), Step::Repeat);
        let wait = Step::Wait { intent: Intent::InDoubt, least: 0, alarm: false };
        assert_eq!(after(Sent::Unknown, 2), wait);
        assert_eq!(after(Sent::Garbled, 1), wait);
    }

    #[test]
    fn only_a_dead_grant_may_end_a_connection() {
        for sent in [
            Sent::Tokens,
            Sent::NotSent,
            Sent::Unknown,
            Sent::Garbled,
            Sent::ClientRefused,
            Sent::NotNow { retry_after: None },
        ] {
            assert_ne!(after(sent, 1), Step::LookAgain, "{sent:?}");
            assert_ne!(after(sent, 2), Step::LookAgain, "{sent:?}");
        }
        assert_eq!(
            (why(Doubt::None), why(Doubt::Lost(1)), why(Doubt::Inherited)),
            ("revoked", "in_doubt", "in_doubt")
        );
    }

    #[test]
    fn a_refused_client_is_the_admins_alarm() {
        let Step::Wait { intent: Intent::Cleared, least, alarm: true } = after(Sent::ClientRefused, 1) else {
            panic!("no alarm");
        };
        assert!(least >= 10 * SECOND);
    }

    #[test]
    fn late_tokens_are_revoked_only_if_nobody_has_the_connection() {
        let standing = |active| Some(Standing { generation: 1, active, held: false, wait: 0 });
        assert_eq!(
            (late(standing(true)), late(standing(false)), late(None)),
            (Late::Drop, Late::Revoke, Late::Revoke)
        );
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(attempts in any::<i64>(), least in 0..LONGEST_ASKED, draw in any::<u32>()) {
            let wait = backoff(attempts, least, draw);
            prop_assert!(wait >= least && wait <= least + LONGEST);
            if attempts <= 1 {
                prop_assert!(wait <= least + SECOND);
            }
        }

        #[test]
        fn what_the_provider_asks_for_is_kept(seconds in 0_u64..3600) {
            let retry_after = Some(Duration::from_secs(seconds));
            let Step::Wait { least, .. } = after(Sent::NotNow { retry_after }, 1) else { panic!("does not wait") };
            prop_assert_eq!(least, i64::try_from(seconds).unwrap() * SECOND);
        }
    }
}
