//! Spares callers the wait for a host that does not answer the door.
//!
//! A host that swallows connection attempts costs every caller the whole of [`CONNECT`](super::CONNECT). After
//! [`PATIENCE`] such waits in a row its callers are told the same at once, but for one in each [`REST`], who tries
//! again. A host that refuses quickly costs nothing and is always asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::{EgressError, NotSent};

/// How many slow failures in a row a host has.
const PATIENCE: u32 = 3;
/// How long it is left alone then.
const REST: Duration = Duration::from_secs(5);
/// From when on a failure counts as slow.
const SLOW: Duration = Duration::from_secs(1);
/// Origins that are remembered. Beyond them the oldest are forgotten, which only costs a wait.
const ORIGINS: usize = 1_000;

/// The hosts of one client that do not answer. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Breaker(Arc<Mutex<HashMap<String, Silent>>>);

/// A host whose last attempts ended in a slow failure.
struct Silent {
    failures: u32,
    why: NotSent,
    /// Nobody asks before then.
    until: Instant,
}

impl Breaker {
    /// Whether to ask at all.
    ///
    /// # Errors
    /// How the last attempt failed, while the host is left alone.
    pub(super) fn ask(&self, origin: &str) -> Result<(), NotSent> {
        let now = Instant::now();
        let mut silent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(host) = silent.get_mut(origin).filter(|host| host.failures >= PATIENCE) else {
            return Ok(());
        };
        if now < host.until {
            return Err(host.why);
        }
        // This caller tries for all; the others are answered as before until its attempt is over.
        host.until = now + REST;
        Ok(())
    }

    /// Learns from an attempt that began at `began`.
    pub(super) fn learn<T>(&self, origin: &str, began: Instant, result: &Result<T, EgressError>) {
        let now = Instant::now();
        let mut silent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Err(EgressError::NotSent(why)) if now.duration_since(began) >= SLOW => {
                if silent.len() >= ORIGINS && !silent.contains_key(origin) {
                    silent.retain(|_, host| host.until > now);
                }
                let host =
                    silent.entry(origin.to_owned()).or_insert(Silent { failures: 0, why: *why, until: now });
                host.failures = host.failures.saturating_add(1);
                host.why = *why;
                host.until = now + REST;
            }
            // A request of ours that was refused says nothing about the host.
            Err(EgressError::Refused(_)) => {}
            _ => {
                silent.remove(origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "https://silent.test";

    /// One attempt that ends so after a time; whether the host was asked.
    async fn attempt(
        breaker: &Breaker,
        took: Duration,
        result: Result<(), EgressError>,
    ) -> Result<(), NotSent> {
        breaker.ask(HOST)?;
        let began = Instant::now();
        tokio::time::advance(took).await;
        breaker.learn(HOST, began, &result);
        Ok(())
    }

    const FAILED: Result<(), EgressError> = Err(EgressError::NotSent(NotSent::Connect));

    #[tokio::test(start_paused = true)]
    async fn a_host_that_swallows_connections_is_left_alone_for_a_while() {
        let breaker = Breaker::default();
        for _ in 0..PATIENCE {
            assert_eq!(attempt(&breaker, super::super::CONNECT, FAILED).await, Ok(()));
        }
        assert_eq!(breaker.ask(HOST), Err(NotSent::Connect));
        assert_eq!(breaker.ask("https://other.test"), Ok(()), "others are not touched");
        tokio::time::advance(REST).await;
        assert_eq!(breaker.ask(HOST), Ok(()), "one tries again");
        assert_eq!(breaker.ask(HOST), Err(NotSent::Connect), "and only one");
        breaker.learn(HOST, Instant::now(), &Ok(()));
        assert_eq!(breaker.ask(HOST), Ok(()), "an answer ends it");
    }

    #[tokio::test(start_paused = true)]
    async fn quick_failures_and_answers_do_not_count() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            assert_eq!(attempt(&breaker, Duration::from_millis(1), FAILED).await, Ok(()));
        }
        for result in [FAILED, FAILED, Ok(()), FAILED, FAILED, Ok(())] {
            assert_eq!(attempt(&breaker, super::super::CONNECT, result).await, Ok(()));
        }
    }
}
