//! The same key and arguments run a tool once; later calls get the first one's answer for 24 h.

use std::time::Duration;

use taiku_bridge::call::Execute;
use taiku_bridge::{Code, Refusal};

use crate::broker::Broker;
use crate::clock::{MINUTE, Millis};
use crate::execute::Answer;
use crate::failure::Failure;
use crate::store;
use crate::store::idempotency::{self, Known};
use crate::vault::hash::{eq, sha256};
use crate::vault::{ContextHash, Place, Ring};

/// How long a call can run; one that is older and has no answer was cut off.
const LONGEST_CALL: Millis = 2 * MINUTE;
/// How often a waiting caller looks for the first one's answer.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a caller waits for the first one's answer.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Runs `work` unless the key was used; then answers as it was answered then.
///
/// # Errors
/// `conflict` when the key was used for something else, or when the first call was cut off and nobody knows
/// whether the provider has acted.
pub async fn once<F, W>(
    broker: &Broker,
    user_id: &str,
    key: &str,
    plugin: Option<&str>,
    call: &Execute,
    work: F,
) -> Result<Answer, Failure>
where
    F: FnOnce() -> W,
    W: Future<Output = Result<Answer, Failure>>,
{
    // Each plugin has keys of its own: none can take another's, or learn of it.
    let key = &format!("{}/{key}", plugin.unwrap_or_default());
    let request_hash = request_hash(call);
    let known = {
        let mut tx = broker.store.write().await?;
        let known = idempotency::claim(&mut tx, user_id, key, &request_hash, broker.clock.now()).await?;
        tx.commit().await?;
        known
    };
    match known {
        None => first(broker, user_id, key, work().await).await,
        Some(known) if !eq(&known.request_hash, &request_hash) => {
            Err(Failure::new(Code::Conflict, "This Idempotency-Key was used for another call."))
        }
        Some(known) => again(broker, user_id, key, known).await,
    }
}

fn request_hash(call: &Execute) -> [u8; 32] {
    let fields = [
        call.toolkit.as_str(),
        &call.action,
        call.connection_id.as_deref().unwrap_or_default(),
        call.arguments.get(),
    ];
    let text: Vec<String> = fields.iter().map(|field| format!("{}:{field}", field.len())).collect();
    sha256(text.concat().as_bytes())
}

fn place<'a>(user: &'a str, key: &'a str) -> Place<'a> {
    Place {
        table: "idempotency",
        column: "record",
        user,
        row: key,
        context: ContextHash::NONE,
        generation: 0,
    }
}

/// The first call's own caller gets its result even if it could not be kept; the key then stays claimed without an
/// answer, as for a call that was cut off.
async fn first(
    broker: &Broker,
    user_id: &str,
    key: &str,
    result: Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    if let Err(error) = settle(broker, user_id, key, &result).await {
        tracing::error!(user = user_id, %error, "the answer of an Idempotency-Key could not be kept");
    }
    result
}

async fn settle(
    broker: &Broker,
    user_id: &str,
    key: &str,
    result: &Result<Answer, Failure>,
) -> store::Result<()> {
    let mut tx = broker.store.write().await?;
    match result {
        Ok(answer) => {
            let record = broker.vault.seal(Ring::Settings, &place(user_id, key), &answer.to_bytes());
            idempotency::keep(&mut tx, user_id, key, &record).await?;
        }
        // The provider may have acted, so the key stays claimed without an answer, and nobody waits for one.
        Err(failure) if may_have_acted(failure) => {
            idempotency::cut_off(&mut tx, user_id, key, broker.clock.now() - LONGEST_CALL).await?;
        }
        Err(_) => idempotency::release(&mut tx, user_id, key).await?,
    }
    tx.commit().await
}

fn may_have_acted(failure: &Failure) -> bool {
    match failure {
        Failure::Wait(..) => false,
        Failure::Ended(_) => true,
        Failure::Refused(_) | Failure::Choose(..) | Failure::Internal(_) => {
            matches!(failure.code(), Code::UpstreamSlow | Code::UpstreamUnreachable | Code::Internal)
        }
    }
}

async fn again(broker: &Broker, user_id: &str, key: &str, known: Known) -> Result<Answer, Failure> {
    let cut_off = || {
        let message = "The first call with this Idempotency-Key was cut off: the provider may have acted. \
                       Look there before you try with another key.";
        Failure::new(Code::Conflict, message)
    };
    let mut known = Some(known);
    let wait = async {
        loop {
            match known.take() {
                Some(Known { record: Some(record), .. }) => {
                    let secret = broker.vault.open(Ring::Settings, &place(user_id, key), &record)?;
                    return Answer::from_bytes(secret.expose()).ok_or_else(cut_off);
                }
                Some(Known { created_at, .. }) if broker.clock.now() - created_at < LONGEST_CALL => {}
                Some(_) => return Err(cut_off()),
                None => {
                    let message = "The first call with this Idempotency-Key failed. Try again.";
                    return Err(Failure::Wait(Refusal::new(Code::Conflict, message), 1));
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let mut tx = broker.store.read().await?;
            known = idempotency::find(&mut tx, user_id, key).await?;
        }
    };
    tokio::time::timeout(MAX_WAIT, wait).await.unwrap_or_else(|_| {
        let message = "The first call with this Idempotency-Key still runs. Try again.";
        Err(Failure::Wait(Refusal::new(Code::Conflict, message), 5))
    })
}
