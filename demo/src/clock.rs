//! The demo's time: the system's, plus what a test moved it ahead.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A clock that can be moved ahead, so that a test need not wait for a token to end.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: Mutex<Duration>,
}

impl Clock {
    /// Monotonic time, for everything that ends.
    pub(crate) fn now(&self) -> Instant {
        Instant::now() + self.ahead()
    }

    /// The date, for people: RFC 3339 in UTC with whole seconds.
    pub(crate) fn date(&self) -> String {
        let now = OffsetDateTime::now_utc() + self.ahead();
        now.truncate_to_second().format(&Rfc3339).unwrap_or_default()
    }

    /// Moves the clock ahead, by at most a year in all.
    pub(crate) fn advance(&self, by: Duration) {
        const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by).min(YEAR);
    }

    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
