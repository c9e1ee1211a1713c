//! How many tools a user may run, over all brokers together.
//!
//! The measure is in the database. A broker takes some of it at a time, so that most calls need not ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use taiku_bridge::{Code, Refusal};

use crate::broker::Broker;
use crate::failure::Failure;
use crate::store::allowances::{self, Measure, Taken};

/// Seconds' worth of calls that may be made at once.
const BURST_SECONDS: i64 = 10;
/// Parts of a second's worth that a broker takes at a time.
const LEASES_PER_SECOND: i64 = 4;
/// Users whose leases are kept in memory; idle ones are forgotten beyond it.
const REMEMBERED: usize = 10_000;

/// What this broker has taken of each user's measure and not used.
#[derive(Debug, Default)]
pub struct Calls(Mutex<HashMap<String, Lease>>);

type Lease = Arc<tokio::sync::Mutex<i64>>;

impl Calls {
    fn lease(&self, user_id: &str) -> Lease {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= REMEMBERED {
            leases.retain(|_, lease| Arc::strong_count(lease) > 1);
        }
        Arc::clone(leases.entry(user_id.to_owned()).or_default())
    }
}

/// Lets a user run one more tool.
///
/// # Errors
/// `rate_limited` after too many in too short a time.
pub async fn call(broker: &Broker, user_id: &str) -> Result<(), Failure> {
    let lease = broker.limits.calls.lease(user_id);
    let mut left = lease.lock().await;
    if *left == 0 {
        *left = take(broker, user_id).await?;
    }
    *left -= 1;
    Ok(())
}

async fn take(broker: &Broker, user_id: &str) -> Result<i64, Failure> {
    let rate = broker.config.calls_per_second;
    let measure = Measure { kind: "calls", burst: rate * BURST_SECONDS, per_hour: rate * 3600 };
    let wanted = (rate / LEASES_PER_SECOND).max(1);
    let mut tx = broker.store.write().await?;
    let taken = allowances::take(&mut tx, measure, user_id, wanted, broker.clock.now()).await?;
    tx.commit().await?;
    match taken {
        Taken::Some(count) => Ok(count),
        Taken::None { .. } => {
            let message = format!("You run more than {rate} tools a second. Wait a moment.");
            Err(Failure::Wait(Refusal::new(Code::RateLimited, message), 1))
        }
    }
}
