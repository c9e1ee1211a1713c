//! Answers to a flow that came to the wrong place: each flow that meets one leaves one entry in the audit log, since
//! somebody may be trying to have a user's account connected to another's.

use serde_json::json;

use crate::broker::Broker;
use crate::store;
use crate::store::audit::{self, Actor};
use crate::store::flows::{self, Flow};

/// What did not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// Another browser than the one that began the flow opened its start page or brought its answer.
    Browser,
    /// The answer came on the redirect path of another integration.
    Context,
    /// The answer names another issuer, or none where the provider promises one (RFC 9207).
    Issuer,
}

impl Mismatch {
    /// The action in the audit log.
    const fn action(self) -> &'static str {
        match self {
            Self::Browser => "flow_browser_mismatch",
            Self::Context => "flow_context_mismatch",
            Self::Issuer => "flow_issuer_mismatch",
        }
    }
}

/// Notes a mismatch, the first time that a flow meets one: whoever knows a state can repeat it for ten minutes.
/// What cannot be written is in the log alone; the flow is refused all the same.
pub(super) async fn note(broker: &Broker, flow: &Flow, mismatch: Mismatch) {
    let action = mismatch.action();
    tracing::warn!(flow = %flow.id, user = %flow.user_id, toolkit = %flow.toolkit, action, "a flow met a wrong answer");
    if let Err(error) = write(broker, flow, action).await {
        tracing::error!(flow = %flow.id, action, %error, "a mismatch could not be written to the audit log");
    }
}

async fn write(broker: &Broker, flow: &Flow, action: &str) -> store::Result<()> {
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    if !flows::refused(&mut tx, &flow.id, now).await? {
        return Ok(());
    }
    let detail = json!({
        "user": flow.user_id,
        "toolkit": flow.toolkit,
        "plugin": flow.plugin,
        "connection": flow.connection_id,
    });
    audit::add(&mut tx, now, Actor::System, action, &flow.id, &detail).await?;
    tx.commit().await
}
