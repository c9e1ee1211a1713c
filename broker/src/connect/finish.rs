//! Finishing a flow: every proof first; then the vault consumes it.

use serde::{Deserialize, Serialize};
use taiku_bridge::api::Account;

use super::browser::of_this_browser;
use super::callback::Callback;
use super::flow_error::outcome;
use super::mismatch::{self, Mismatch};
use super::{FlowError, tell};
use crate::broker::Broker;
use crate::clock::Millis;
use crate::custody::consent::{Complete, Completed};
use crate::execute;
use crate::integration::{self, Ready};
use crate::oauth::{self, IssError};
use crate::store::flows::{self, Flow};
use crate::store::sessions;
use crate::vault::hash::{eq, sha256};

/// A flow that ended, well or not.
pub struct Ended {
    /// The toolkit's name, once the flow is known to be this browser's.
    pub toolkit: String,
    /// The toolkit's slug.
    pub slug: String,
    /// The connection: the renewed one, or the one that was made.
    pub connection_id: String,
    /// Where to go on.
    pub callback_url: String,
    /// The flow's id, whose cookie can go.
    pub flow: String,
    /// What was connected, or why nothing was.
    pub outcome: Result<Connected, FlowError>,
}

/// What a consent has brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// The account works.
    Active(Account),
    /// The account is another one than that of the connection to be renewed, so the user has to decide.
    Undecided {
        /// The account of the consent.
        account: Account,
        /// The account of the connection that stays as it was.
        other: Account,
    },
}

/// Finds the flow that a callback belongs to.
///
/// # Errors
/// When the state names no flow.
pub async fn find(broker: &Broker, callback: &Callback) -> Result<Flow, FlowError> {
    let state = callback.state.as_deref().filter(|_| !callback.ambiguous).ok_or(FlowError::NotYours)?;
    let mut tx = broker.store.read().await?;
    flows::by_state(&mut tx, &sha256(state.as_bytes())).await?.ok_or(FlowError::NotYours)
}

/// Finishes a flow: every proof first; then the vault consumes it and exchanges the code.
///
/// # Errors
/// When a proof is missing; then the flow is untouched. What goes wrong later is in [`Ended::outcome`].
pub async fn finish(
    broker: &Broker,
    flow: Flow,
    context_id: &str,
    cookie: Option<&str>,
    callback: Callback,
) -> Result<Ended, FlowError> {
    let now = broker.clock.now();
    of_this_browser(broker, &flow, cookie).await?;
    if !eq(flow.context_id.as_bytes(), context_id.as_bytes()) {
        mismatch::note(broker, &flow, Mismatch::Context).await;
        return Err(FlowError::MixUp);
    }
    if !session_lives(broker, &flow, now).await? {
        return Err(FlowError::SessionEnded);
    }
    let slug = integration::slug(&flow.toolkit)?;
    let ready = integration::ready(broker, &slug).await?;
    if !integration::same_context(&flow.context_hash, &ready.context) {
        return Err(FlowError::Changed(integration::CHANGED.into()));
    }
    let from_issuer = check_iss(broker, &ready, callback.iss.as_deref()).await;
    if from_issuer == Err(FlowError::MixUp) {
        mismatch::note(broker, &flow, Mismatch::Issuer).await;
    }
    from_issuer?;
    let callback = match &ready.resolved.auth {
        Some(oauth) => callback.named(&oauth.habits.callback_names),
        None => callback,
    };
    if callback.ambiguous {
        return Err(FlowError::NotYours);
    }
    let complete = Complete { flow: flow.id.clone(), answer: callback.answer(ready.resolved.auth.as_ref()) };
    let completed = broker.custody.ask(complete).await?.ok_or(FlowError::NotYours)?;
    ended(broker, &ready.toolkit, flow, completed, now).await
}

/// Tells and notes how a flow ended.
pub(super) async fn ended(
    broker: &Broker,
    toolkit: &crate::toolkit::Toolkit,
    flow: Flow,
    completed: Completed,
    began: Millis,
) -> Result<Ended, FlowError> {
    let (connection_id, outcome) = (completed.connection_id, completed.outcome);
    tell(broker, &flow.user_id, &connection_id).await?;
    note(broker, &flow, &connection_id, began, outcome.as_ref().err()).await?;
    Ok(Ended {
        toolkit: toolkit.name.clone(),
        slug: flow.toolkit,
        connection_id,
        callback_url: flow.callback_url,
        flow: flow.id,
        outcome,
    })
}

pub(super) async fn session_lives(broker: &Broker, flow: &Flow, now: Millis) -> Result<bool, FlowError> {
    let mut tx = broker.store.read().await?;
    let session = sessions::find(&mut tx, &flow.session_hash, now).await?;
    Ok(session.is_some_and(|session| session.user.id == flow.user_id))
}

/// A provider that has an issuer says in its metadata whether answers name it (RFC 9207, section 3).
async fn check_iss(broker: &Broker, ready: &Ready, iss: Option<&str>) -> Result<(), FlowError> {
    let Some(provider) = &ready.resolved.auth else { return Ok(()) };
    let issuer = provider.issuer.as_deref();
    let supported = match issuer {
        // An answer that names its issuer is compared whatever the metadata says; it is needed only for silence.
        Some(issuer) if iss.is_none() => {
            let metadata = oauth::discover(&broker.egress, issuer, &ready.resolved.hosts).await;
            metadata
                .map_err(|error| FlowError::Exchange {
                    code: format!("its metadata cannot be used: {error}"),
                    said: None,
                })?
                .iss_supported
        }
        Some(_) | None => false,
    };
    oauth::check_iss(issuer, supported, iss).map_err(|error: IssError| {
        tracing::warn!(toolkit = %ready.toolkit.slug, %error, "the issuer of an answer is wrong");
        FlowError::MixUp
    })
}

async fn note(
    broker: &Broker,
    flow: &Flow,
    connection_id: &str,
    began: Millis,
    error: Option<&FlowError>,
) -> Result<(), FlowError> {
    execute::note(
        broker,
        &execute::Done {
            user_id: &flow.user_id,
            plugin: flow.plugin.as_deref(),
            toolkit: &flow.toolkit,
            action: "connect",
            connection_id: Some(connection_id),
            outcome: error.map_or("ok", outcome),
            upstream_status: None,
            began,
        },
    )
    .await
    .map_err(FlowError::from)
}
