//! An integration that is ready to be used: a toolkit, enabled, with its settings and its OAuth client.

use std::collections::BTreeMap;
use std::sync::Arc;

use taiku_bridge::{Code, Refusal, Slug};
use url::Url;

use crate::common::Common;
use crate::failure::Failure;
use crate::store::connections::{self, Connection};
use crate::store::integrations::{self, Integration, Value};
use crate::store::{StoreError, Tx};
use crate::toolkit::{Fault, Resolved, Setting, Toolkit};
use crate::vault::{ContextHash, Place, Ring, VaultError, hash};

/// A toolkit with everything that using it needs.
pub struct Ready {
    /// The toolkit.
    pub toolkit: Arc<Toolkit>,
    /// Its addresses and headers with the settings filled in.
    pub resolved: Resolved,
    /// Our OAuth client; empty if the API is open.
    pub client_id: String,
    /// The client's secret as a vault record. Only [`custody`](crate::custody) opens it.
    pub client_secret: Option<Vec<u8>>,
    /// What is asked for unless a caller chooses others.
    pub scopes: Vec<String>,
    /// The random part of its redirect URI.
    pub context_id: String,
    /// What connections and their tokens are bound to.
    pub context: ContextHash,
}

impl Ready {
    /// The same for one connection, by what is known of it.
    ///
    /// # Errors
    /// When what is known does not fit any more: the toolkit has changed since.
    pub fn of_connection(&self, values: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let resolved = self.resolved.with(&self.toolkit, values).map_err(|faults| {
            let slug = &self.toolkit.slug;
            Failure::Internal(format!("a connection of {slug} cannot be used: {}", sentences(&faults)))
        })?;
        Ok(Self {
            toolkit: self.toolkit.clone(),
            resolved,
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            scopes: self.scopes.clone(),
            context_id: self.context_id.clone(),
            context: self.context,
        })
    }
}

/// Where a setting's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// An admin has set it here.
    Database,
    /// The environment variable of the same name.
    Environment,
    /// The toolkit's own.
    Default,
    /// It has none.
    None,
}

impl ValueSource {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Environment => "environment",
            Self::Default => "default",
            Self::None => "none",
        }
    }
}

/// Finds a toolkit that users may use.
///
/// # Errors
/// `toolkit_unknown` or `toolkit_disabled`; `vault_integrity` when its secret does not open.
pub async fn ready(common: &Common, slug: &Slug) -> Result<Ready, Failure> {
    let toolkit = toolkit(common, slug).await?;
    let integration = {
        let mut tx = common.store.read().await?;
        integrations::find(&mut tx, slug).await?
    };
    match integration {
        Some(integration) if integration.enabled => prepare(common, toolkit, &integration),
        Some(_) | None => Err(disabled(slug)),
    }
}

/// Finds a toolkit with its client, for cleaning up after it, whether users may use it or not.
///
/// # Errors
/// As [`ready`], but for a toolkit that is switched off.
pub async fn ready_even_if_disabled(common: &Common, slug: &Slug) -> Result<Ready, Failure> {
    let toolkit = toolkit(common, slug).await?;
    let integration = {
        let mut tx = common.store.read().await?;
        integrations::find(&mut tx, slug).await?
    };
    prepare(common, toolkit, &integration.ok_or_else(|| disabled(slug))?)
}

/// What a user is told whose flow began before an admin's change.
pub(crate) const CHANGED: &str = "The integration has been changed since you began.";

/// Nobody connects to a toolkit whose API is open.
pub(crate) fn needs_no_account(ready: &Ready) -> Failure {
    let message = format!("{} needs no account: run its tools directly.", ready.toolkit.name);
    Failure::new(Code::InvalidParams, message)
}

/// The refusal of what is switched off.
pub(crate) fn disabled(slug: &Slug) -> Failure {
    let message = format!("The toolkit {slug} is not enabled on this server. Ask your admin to enable it.");
    Failure::new(Code::ToolkitDisabled, message)
}

/// Finds a toolkit, enabled or not.
///
/// # Errors
/// `toolkit_unknown`.
pub async fn toolkit(common: &Common, slug: &Slug) -> Result<Arc<Toolkit>, Failure> {
    common
        .toolkits
        .current()
        .await
        .get(slug)
        .cloned()
        .ok_or_else(|| Failure::new(Code::ToolkitUnknown, format!("This server has no toolkit {slug}.")))
}

/// The slug in a path.
///
/// # Errors
/// `toolkit_unknown`: what is no slug names no toolkit.
pub fn slug(text: &str) -> Result<Slug, Failure> {
    Slug::parse(text).map_err(|error| {
        Failure::Refused(Refusal { code: Code::ToolkitUnknown, ..Refusal::field("", error) })
    })
}

fn prepare(common: &Common, toolkit: Arc<Toolkit>, integration: &Integration) -> Result<Ready, Failure> {
    let resolved = resolve(common, &toolkit, integration)?.map_err(|faults| {
        Failure::Internal(format!("toolkit {} cannot be used: {}", toolkit.slug, sentences(&faults)))
    })?;
    let client_id = integration.client_id.clone().unwrap_or_default();
    let context = context(&toolkit.slug, &resolved, &client_id);
    let proposed = resolved.auth.as_ref().map(|oauth| oauth.habits.scopes.clone()).unwrap_or_default();
    Ok(Ready {
        scopes: integration.scopes.clone().unwrap_or(proposed),
        client_secret: integration.client_secret.clone(),
        context_id: integration.context_id.clone(),
        client_id,
        toolkit,
        resolved,
        context,
    })
}

/// What connections are bound to: whoever changes where tokens are made or sent makes the old ones useless.
fn context(slug: &Slug, resolved: &Resolved, client_id: &str) -> ContextHash {
    let (issuer, token_url) = match &resolved.auth {
        Some(oauth) => (oauth.issuer.clone().unwrap_or_default(), oauth.token_url.to_string()),
        None => Default::default(),
    };
    // The API's address counts as well: a token must not follow it to another host.
    let token_endpoint = format!("{token_url} {}", resolved.api.base_url);
    ContextHash::of(slug.as_str(), &issuer, &token_endpoint, client_id)
}

/// What an admin registers at the provider.
///
/// # Errors
/// When the app's origin makes no URL, which the configuration rules out.
pub fn redirect_uri(common: &Common, context_id: &str) -> Result<Url, Failure> {
    let text = format!("{}/oauth/callback/{context_id}", common.origins.app.as_str());
    Url::parse(&text).map_err(|error| Failure::Internal(format!("{text} is no URL: {error}")))
}

/// Fills the settings into a toolkit's addresses.
///
/// # Errors
/// When a sealed setting does not open. The inner error is what an admin has to mend.
pub fn resolve(
    common: &Common,
    toolkit: &Toolkit,
    integration: &Integration,
) -> Result<Result<Resolved, Vec<Fault>>, VaultError> {
    let mut values = BTreeMap::new();
    for setting in &toolkit.settings {
        let (value, from) = value(common, toolkit, integration, setting)?;
        if let (Some(value), ValueSource::Database | ValueSource::Environment) = (value, from) {
            values.insert(setting.key.clone(), value);
        }
    }
    Ok(toolkit.resolve(&|key| values.get(key).cloned(), common.loopback))
}

/// The value of a setting: the database's, else the environment's, else the toolkit's own.
///
/// # Errors
/// When a sealed value does not open.
pub fn value(
    common: &Common,
    toolkit: &Toolkit,
    integration: &Integration,
    setting: &Setting,
) -> Result<(Option<String>, ValueSource), VaultError> {
    match integration.settings.get(&setting.key) {
        Some(Value::Plain(text)) => return Ok((Some(text.clone()), ValueSource::Database)),
        Some(Value::Sealed(record)) => {
            let place = setting_place(&toolkit.slug, &setting.key);
            let text = common.vault.open(Ring::Settings, &place.place(), record)?.into_text()?;
            return Ok((Some(text.expose().to_owned()), ValueSource::Database));
        }
        None => {}
    }
    if let Some(text) = common.source.environment(&setting.key) {
        return Ok((Some(text.to_owned()), ValueSource::Environment));
    }
    let from = if setting.default.is_some() { ValueSource::Default } else { ValueSource::None };
    Ok((setting.default.clone(), from))
}

/// Seals a setting's value for its place.
#[must_use]
pub fn seal_setting(common: &Common, slug: &Slug, key: &str, value: &str) -> Value {
    let place = setting_place(slug, key);
    Value::Sealed(common.vault.seal(Ring::Settings, &place.place(), value.as_bytes()))
}

struct SettingPlace(String);

fn setting_place(slug: &Slug, key: &str) -> SettingPlace {
    SettingPlace(format!("{slug}/{key}"))
}

impl SettingPlace {
    fn place(&self) -> Place<'_> {
        installation_place("integration_settings", "sealed", &self.0)
    }
}

/// A secret of the installation, not of a user. It has no generation: there is one at a time.
pub(crate) fn installation_place<'a>(table: &'a str, column: &'a str, row: &'a str) -> Place<'a> {
    Place { table, column, user: "", row, context: ContextHash::NONE, generation: 0 }
}

/// Finds a toolkit's integration, or makes an empty one.
///
/// # Errors
/// When the database fails.
pub async fn find_or_make(common: &Common, tx: &mut Tx, slug: &Slug) -> Result<Integration, StoreError> {
    integrations::find_or_make(tx, slug, &common.random.id(""), common.clock.now()).await
}

/// Ends the connections whose tokens were made for other addresses or another client than today's. Runs when an
/// admin has changed an integration, and at start, because the environment may have changed. Gives those that have
/// ended, so that their users' pages can be told.
///
/// # Errors
/// When the database fails.
pub async fn reconcile(common: &Common) -> Result<Vec<Connection>, StoreError> {
    let toolkits = common.toolkits.current().await;
    let mut ended = Vec::new();
    let mut tx = common.store.write().await?;
    for (slug, integration) in integrations::all(&mut tx).await? {
        let Some(toolkit) = toolkits.get(&slug) else { continue };
        let Ok(Ok(resolved)) = resolve(common, toolkit, &integration) else { continue };
        let context = context(&slug, &resolved, integration.client_id.as_deref().unwrap_or_default());
        let of_toolkit = connections::expire_others(&mut tx, &slug, context.as_bytes()).await?;
        if !of_toolkit.is_empty() {
            let ended = of_toolkit.len();
            tracing::warn!(toolkit = %slug, ended, "connections ended because the integration has changed");
        }
        ended.extend(of_toolkit);
    }
    tx.commit().await?;
    Ok(ended)
}

/// All faults in one text.
#[must_use]
pub fn sentences(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether what came is what was stored, in constant time.
#[must_use]
pub fn same_context(stored: &[u8], context: &ContextHash) -> bool {
    hash::eq(stored, context.as_bytes())
}
