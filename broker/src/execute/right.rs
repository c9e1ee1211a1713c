//! The right to a call, looked at again while the call runs: what a user, an admin or the end of a session takes
//! away is taken from work under way as well, on every broker.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use taiku_bridge::api::User;
use taiku_bridge::call::Execute;
use taiku_bridge::{Call, Code, Method, Refusal};

use crate::broker::Broker;
use crate::caller;
use crate::events::Credential;
use crate::failure::Failure;
use crate::installed;
use crate::plugin::Plugin;
use crate::store::connections::State;
use crate::store::{api_keys, connections, integrations, sessions};

/// How long a right that has ended may go on at most; news of a change have it looked at sooner.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// By what right a tool runs.
pub struct Right<'a> {
    /// Who asks.
    pub user: &'a User,
    /// What let the user in.
    pub credential: Credential,
    /// The plugin that asks, if it is one.
    pub plugin: Option<&'a Arc<Plugin>>,
    /// What is asked for.
    pub call: &'a Execute,
}

impl Right<'_> {
    /// The id of the plugin that asks.
    #[must_use]
    pub fn plugin_id(&self) -> Option<&str> {
        self.plugin.map(|plugin| plugin.manifest.id.as_str())
    }

    /// Completes when the right has ended, with why. A database that does not answer ends nothing.
    pub(super) async fn ended(&self, broker: &Broker, used: &OnceLock<String>) -> Failure {
        let mut news = broker.events.rights();
        loop {
            // That the sender is gone means that nobody tells news; then the time is all there is.
            let _news_or_time = tokio::time::timeout(LOOK_EVERY, news.changed()).await;
            match self.holds(broker, used).await {
                Ok(()) | Err(Failure::Wait(..) | Failure::Internal(_)) => {}
                Err(Failure::Refused(refusal) | Failure::Choose(refusal, _) | Failure::Ended(refusal)) => {
                    let message =
                        format!("{} The call was under way, and may have been carried out.", refusal.message);
                    return Failure::Ended(Refusal { message, ..refusal });
                }
            }
        }
    }

    /// The checks that let the call in, of what may have changed since.
    async fn holds(&self, broker: &Broker, used: &OnceLock<String>) -> Result<(), Failure> {
        let now = broker.clock.now();
        let mut tx = broker.store.read().await?;
        let lives = match &self.credential {
            Credential::Session(hash) => sessions::find(&mut tx, hash, now).await?.is_some(),
            Credential::Key(id) => api_keys::lives(&mut tx, id, now).await?,
        };
        if !lives {
            return Err(Refusal::not_signed_in().into());
        }
        let integration = integrations::find(&mut tx, &self.call.toolkit).await?;
        if !integration.is_some_and(|integration| integration.enabled) {
            return Err(crate::integration::disabled(&self.call.toolkit));
        }
        if let Some(id) = used.get() {
            let connection = connections::find(&mut tx, &self.user.id, id).await?;
            // One that has expired is the call's own to tell: it may be its refresh that found out.
            if connection.is_none_or(|connection| matches!(connection.state, State::Revoked { .. })) {
                return Err(Failure::new(Code::ConnectionMissing, "The connection was ended."));
            }
        }
        drop(tx);
        let Some(plugin) = self.plugin else { return Ok(()) };
        let plugin = installed::find(broker, Some(&self.user.id), &plugin.manifest.id).await?;
        let call = || Ok(Call::Execute(self.call.clone()));
        caller::decide(broker, self.user, Some(&plugin), Method::IntegrationsExecute, call).await.map(|_| ())
    }
}
