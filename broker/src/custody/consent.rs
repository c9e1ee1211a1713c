//! A consent: what is asked of the provider, and what it brings. The verifier, the code's exchange and the new tokens
//! stay in this role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use taiku_bridge::api::{self, Account};
use taiku_bridge::{Code, Refusal, Slug};
use url::Url;

use super::disconnect::{retire, take_back};
use super::{Custody, Operation, device, exposed, provider, sealed};
use crate::clock::{Millis, SECOND};
use crate::connect::{Connected, FlowError, exchange_error, provider_error, union, why};
use crate::events::Event;
use crate::execute;
use crate::failure::Failure;
use crate::integration::{self, Ready};
use crate::oauth::device::Device;
use crate::oauth::{self, Provider, TokenError};
use crate::store::Tx;
use crate::store::connections::{self, Activation, Connection, SealedTokens, State};
use crate::store::flows::{self, Flow};
use crate::toolkit::{Source, TokenKind};
use crate::vault::{ContextHash, Place, Ring, SecretString, VaultError};

/// What of a flow must not be stored in clear.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    /// Where the user's browser goes to, if the user consents there.
    pub(super) authorize_url: Option<Url>,
    /// The PKCE verifier.
    pub(super) verifier: Option<String>,
    /// A device flow, and when the provider may be asked again.
    #[serde(default)]
    pub(super) device: Option<(Device, Millis)>,
}

fn flow_place<'a>(flow: &'a str, user: &'a str, context: ContextHash) -> Place<'a> {
    Place { table: "flows", column: "secrets", user, row: flow, context, generation: 0 }
}

/// Seals what a flow keeps.
pub(super) fn seal(
    custody: &Custody,
    flow: (&str, &str),
    context: ContextHash,
    secrets: &Secrets,
) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_vec(secrets).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(custody.vault.seal(Ring::RefreshTokens, &flow_place(flow.0, flow.1, context), &text))
}

pub(super) fn unseal(custody: &Custody, flow: &Flow) -> Result<Secrets, VaultError> {
    let context = <[u8; 32]>::try_from(flow.context_hash.as_slice()).map_err(|_| VaultError::Integrity)?;
    let place = flow_place(&flow.id, &flow.user_id, context.into());
    let secret = custody.vault.open(Ring::RefreshTokens, &place, &flow.secrets)?;
    serde_json::from_slice(secret.expose()).map_err(|_| VaultError::Integrity)
}

/// Prepares what a provider is asked for, for a flow that is about to be stored.
#[derive(Serialize, Deserialize)]
pub struct Prepare {
    /// The flow's id.
    pub flow: String,
    /// Who begins it.
    pub user_id: String,
    /// At which toolkit.
    pub toolkit: Slug,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// What the provider sends back, 256 random bits.
    #[serde(with = "exposed")]
    pub state: SecretString,
}

/// What a flow's row holds of it.
#[derive(Serialize, Deserialize)]
pub struct Prepared {
    /// Address of the provider and verifier, sealed.
    pub secrets: Vec<u8>,
    /// What the tokens will be bound to.
    pub context_hash: Vec<u8>,
    /// The host that the user is led to, with its port where it has one.
    pub provider_host: String,
}

impl Operation for Prepare {
    type Answer = Prepared;
    const NAME: &'static str = "consent.prepare";
    const REPEATABLE: bool = true;

    async fn run(self, custody: &Custody) -> Result<Prepared, Failure> {
        let ready = integration::ready(custody, &self.toolkit).await?;
        let provider = provider::of(custody, &ready)?.ok_or_else(|| integration::needs_no_account(&ready))?;
        let provider = Provider { scopes: self.scopes, ..provider };
        let secrets =
            begin(custody, &provider, &self.state).await.map_err(|error| not_begun(&ready, &error))?;
        let shown = secrets.device.as_ref().map(|(device, _)| &device.verification_uri);
        let url = secrets.authorize_url.as_ref().or(shown).unwrap_or(&provider.oauth.token_url);
        Ok(Prepared {
            provider_host: url[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
            secrets: seal(custody, (&self.flow, &self.user_id), ready.context, &secrets)?,
            context_hash: ready.context.as_bytes().to_vec(),
        })
    }
}

/// What a flow needs before its user can go on.
async fn begin(custody: &Custody, provider: &Provider, state: &SecretString) -> Result<Secrets, TokenError> {
    let (egress, oauth) = (&custody.egress, &provider.oauth);
    if let Some(url) = &oauth.device_url {
        let device = oauth::device::begin(egress, provider, url).await?;
        let at = custody.clock.now() + i64::try_from(device.interval).unwrap_or_default() * SECOND;
        return Ok(Secrets { authorize_url: None, verifier: None, device: Some((device, at)) });
    }
    let Some(begun) = oauth::begin(provider, state.expose(), &custody.random) else {
        return Ok(Secrets { authorize_url: None, verifier: None, device: None });
    };
    let begun = match &oauth.par_url {
        Some(url) => oauth::par::push(egress, provider, url, begun).await?,
        None => begun,
    };
    let verifier = begun.verifier.map(|verifier| verifier.expose().to_owned());
    Ok(Secrets { authorize_url: Some(begun.authorize_url), verifier, device: None })
}

/// The provider could not be asked, or refused, before the user had to do anything.
fn not_begun(ready: &Ready, error: &TokenError) -> Failure {
    tracing::warn!(toolkit = %ready.toolkit.slug, %error, "a consent could not be prepared");
    let message = format!("{} cannot be connected: {error}.", ready.toolkit.name);
    Failure::Wait(Refusal::new(Code::UpstreamUnreachable, message), 5)
}

/// Asks what the user of a flow has to do next. Whoever asks has made sure that it is the user's browser and that the
/// session lives: a device flow is completed by asking.
#[derive(Serialize, Deserialize)]
pub struct Next {
    /// The flow's id.
    pub flow: String,
}

/// What the user of a flow has to do next.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Go there and consent.
    Go(Url),
    /// Type a credential, or only confirm where there are no fields.
    Type {
        /// What to type.
        fields: Vec<oauth::Field>,
        /// Where users find it.
        help: Option<String>,
    },
    /// Type this code there.
    Device {
        /// The code.
        user_code: String,
        /// Where to type it.
        verification_uri: Url,
        /// The same place with the code filled in.
        complete_uri: Option<Url>,
        /// Seconds until it is worth asking again.
        wait: i64,
    },
    /// Nothing more: a device flow has ended.
    Ended(Completed),
}

impl Operation for Next {
    type Answer = Step;
    const NAME: &'static str = "consent.next";
    /// Completing a device flow happens once.
    const REPEATABLE: bool = false;

    async fn run(self, custody: &Custody) -> Result<Step, Failure> {
        let flow = {
            let mut tx = custody.store.read().await?;
            flows::by_id(&mut tx, &self.flow).await?.ok_or_else(|| Failure::not_found("flow"))?
        };
        let secrets = unseal(custody, &flow)?;
        if let Some((device, at)) = secrets.device {
            return device::step(custody, &flow, device, at).await;
        }
        if let Some(url) = secrets.authorize_url {
            return Ok(Step::Go(url));
        }
        let ready = integration::ready(custody, &integration::slug(&flow.toolkit)?).await?;
        let auth = ready.resolved.auth.as_ref().ok_or_else(|| integration::needs_no_account(&ready))?;
        Ok(Step::Type { fields: oauth::fields(&auth.habits), help: auth.habits.help.clone() })
    }
}

/// Consumes a flow and completes it with what the provider sent the browser back with. Whoever asks has checked every
/// proof that the browser, session, user and context are those that began it.
#[derive(Serialize, Deserialize)]
pub struct Complete {
    /// The flow's id.
    pub flow: String,
    /// What the provider said.
    pub answer: Answer,
}

/// What a provider sent the browser back with.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// RFC 6749, section 4.1.2.
    Code {
        /// The code.
        #[serde(with = "exposed")]
        code: SecretString,
        /// Parameters that the toolkit takes values of the connection from.
        values: BTreeMap<String, String>,
    },
    /// RFC 6749, section 4.1.2.1.
    Error {
        /// Its code.
        error: String,
        /// What the provider says of it.
        description: Option<String>,
    },
}

/// A flow that was consumed.
#[derive(Serialize, Deserialize)]
pub struct Completed {
    /// The connection: the renewed one, or the one that was made.
    pub connection_id: String,
    /// What was connected, or why nothing was.
    pub outcome: Result<Connected, FlowError>,
}

impl Operation for Complete {
    /// `None` when the flow had been consumed before.
    type Answer = Option<Completed>;
    const NAME: &'static str = "consent.complete";
    /// A code works once.
    const REPEATABLE: bool = false;

    async fn run(self, custody: &Custody) -> Result<Option<Completed>, Failure> {
        let mut tx = custody.store.write().await?;
        let Some(flow) = flows::by_id(&mut tx, &self.flow).await? else { return Ok(None) };
        if !flows::consume(&mut tx, &flow.id, custody.clock.now()).await? {
            return Ok(None);
        }
        tx.commit().await?;
        let outcome = complete(custody, &flow, self.answer).await;
        ended(custody, &flow, outcome).await.map(Some)
    }
}

/// How a flow ended that was consumed; one that failed fails its connection.
pub(super) async fn ended(
    custody: &Custody,
    flow: &Flow,
    outcome: Result<Kept, FlowError>,
) -> Result<Completed, Failure> {
    if let Err(error) = &outcome {
        let mut tx = custody.store.write().await?;
        connections::fail(&mut tx, &flow.connection_id, &why(error)).await?;
        tx.commit().await?;
    }
    Ok(match outcome {
        Ok(kept) => Completed { connection_id: kept.connection_id, outcome: Ok(kept.connected) },
        Err(error) => Completed { connection_id: flow.connection_id.clone(), outcome: Err(error) },
    })
}

/// What was kept of a consent, and as which connection.
pub(super) struct Kept {
    connection_id: String,
    connected: Connected,
}

async fn complete(custody: &Custody, flow: &Flow, answer: Answer) -> Result<Kept, FlowError> {
    let (code, said) = match answer {
        Answer::Code { code, values } => (code, values),
        Answer::Error { error, description } => return Err(provider_error(&error, description.as_deref())),
    };
    let (ready, provider) = current(custody, flow).await?;
    let verifier = unseal(custody, flow)?.verifier.map(SecretString::new);
    let tokens = oauth::exchange(&custody.egress, &provider, &code, verifier.as_ref()).await;
    let tokens = tokens.map_err(exchange_error)?;
    let (ready, tokens) = match learn(custody, &ready, &tokens, &said).await {
        Ok(None) => (ready, tokens),
        Ok(Some((ready, values))) => (ready, oauth::with_values(tokens, &values)),
        Err(error) => {
            give_back(custody, &provider, &tokens).await;
            return Err(error);
        }
    };
    let account = execute::account(custody, &ready, &tokens.access_token).await;
    bring(custody, flow, (&ready, &provider), &tokens, account).await
}

/// Gathers what differs between connections: from the token answer, the callback and look-ups. `None` where nothing
/// does.
async fn learn(
    custody: &Custody,
    ready: &Ready,
    tokens: &oauth::Tokens,
    said: &BTreeMap<String, String>,
) -> Result<Option<(Ready, BTreeMap<String, String>)>, FlowError> {
    let Some(auth) = ready.resolved.auth.as_ref().filter(|auth| !auth.habits.values.is_empty()) else {
        return Ok(None);
    };
    let record = &tokens.access_token;
    let mut values = oauth::values(&auth.habits, record);
    for value in &auth.habits.values {
        if let Source::Callback(name) = &value.source
            && let Some(text) = said.get(name).filter(|text| value.pattern.matches(text))
        {
            values.insert(value.key.clone(), text.clone());
        }
    }
    let half = ready.of_connection(&values)?;
    let urls = half.resolved.auth.as_ref().map(|auth| auth.lookups.clone()).unwrap_or_default();
    for value in &auth.habits.values {
        let (Source::Lookup(_, pointer), Some(url)) = (&value.source, urls.get(&value.key)) else { continue };
        let body = execute::look_up(custody, &half, record, url).await;
        let text = body.and_then(|body| oauth::value_text(body.pointer(pointer)?));
        if let Some(text) = text.filter(|text| value.pattern.matches(text)) {
            values.insert(value.key.clone(), text);
        }
    }
    if let Some(missing) = auth.habits.values.iter().find(|value| !values.contains_key(&value.key)) {
        let code = format!("it did not say the {} of the account", missing.key);
        return Err(FlowError::Exchange { code, said: None });
    }
    Ok(Some((ready.of_connection(&values)?, values)))
}

/// The integration of a flow, if it still is what the flow began with.
pub(super) async fn current(custody: &Custody, flow: &Flow) -> Result<(Ready, Provider), FlowError> {
    let ready = integration::ready(custody, &integration::slug(&flow.toolkit)?).await?;
    let provider = provider::of(custody, &ready)?;
    // An admin may have changed the integration since the proofs were checked: the code is not sent elsewhere.
    let current = integration::same_context(&flow.context_hash, &ready.context);
    let Some(provider) = provider.filter(|_| current) else {
        return Err(FlowError::Changed(integration::CHANGED.into()));
    };
    Ok((ready, Provider { scopes: flow.scopes.clone(), ..provider }))
}

/// Keeps what a flow has brought, or gives it back.
pub(super) async fn bring(
    custody: &Custody,
    flow: &Flow,
    (ready, provider): (&Ready, &Provider),
    tokens: &oauth::Tokens,
    account: Account,
) -> Result<Kept, FlowError> {
    let scopes = tokens.scopes.as_ref().unwrap_or(&flow.scopes);
    let brought = Brought { ready, provider, requested: &flow.scopes, scopes, tokens, account };
    let kept = keep(custody, flow, &brought).await;
    if kept.is_err() {
        give_back(custody, provider, tokens).await;
    }
    kept
}

/// What a consent has brought, before anything of it is stored.
struct Brought<'a> {
    ready: &'a Ready,
    provider: &'a Provider,
    tokens: &'a oauth::Tokens,
    account: Account,
    requested: &'a [String],
    scopes: &'a [String],
}

/// Stores what the flow has brought. An admin who changed the integration meanwhile has ended every connection
/// but this one, so that is looked at again.
async fn keep(custody: &Custody, flow: &Flow, brought: &Brought<'_>) -> Result<Kept, FlowError> {
    let (connection, other) = {
        let mut tx = custody.store.read().await?;
        let connection = connections::find(&mut tx, &flow.user_id, &flow.connection_id).await?;
        let connection = connection.ok_or(FlowError::NotYours)?;
        let other = match &connection.replaces {
            Some(id) => connections::find(&mut tx, &flow.user_id, id).await?,
            None => same_account_of(&mut tx, &connection, &brought.account).await?,
        };
        (connection, other)
    };
    let kept = match other {
        None => brought.activate(custody, &connection).await?,
        Some(other) if same_account(&other.account, &brought.account) => {
            brought.renew(custody, &connection, &other.id).await?
        }
        Some(other) => brought.hold(custody, &connection, other.account).await?,
    };
    let now = integration::ready(custody, &brought.ready.toolkit.slug).await;
    if !now.is_ok_and(|now| integration::same_context(&flow.context_hash, &now.context)) {
        for ended in integration::reconcile(custody).await? {
            custody.tell(&ended.user_id, Event::connection(&ended));
        }
    }
    Ok(kept)
}

/// The user's other connection of an account: connecting it again renews that one, which callers know by its id.
async fn same_account_of(
    tx: &mut Tx,
    pending: &Connection,
    account: &Account,
) -> Result<Option<Connection>, FlowError> {
    Ok(connections::same_account(tx, pending, account).await?.into_iter().next())
}

/// Where a provider does not say whose account it is, it is taken to be the same.
fn same_account(one: &Account, other: &Account) -> bool {
    match (&one.id, &other.id) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }
}

/// Revokes tokens that nothing was stored of: their connection was removed while they were on their way.
pub(super) async fn give_back(custody: &Custody, provider: &Provider, tokens: &oauth::Tokens) {
    let kinds = [
        (TokenKind::RefreshToken, tokens.refresh_token.as_ref()),
        (TokenKind::AccessToken, Some(&tokens.access_token)),
    ];
    for (kind, token) in kinds {
        let Some(token) = token else { continue };
        let outcome = oauth::revoke(&custody.egress, provider, token, kind).await;
        tracing::warn!(
            kind = kind.as_str(),
            outcome = outcome.as_str(),
            "gave back a token without a connection"
        );
    }
}

impl Brought<'_> {
    fn sealed(&self, custody: &Custody, connection: &Connection) -> SealedTokens {
        sealed::seal(custody, connection, self.ready.context, connection.generation + 1, self.tokens)
    }

    fn activation<'a>(&'a self, connection: &'a Connection, tokens: &'a SealedTokens) -> Activation<'a> {
        Activation {
            connection,
            context_hash: self.ready.context.as_bytes(),
            tokens,
            account: &self.account,
            requested: self.requested,
            scopes: self.scopes,
        }
    }

    fn kept(&self, connection: &Connection, connected: Connected, custody: &Custody) -> Kept {
        tracing::info!(
            connection = %connection.id, user = %connection.user_id, toolkit = %connection.toolkit,
            token_tag = custody.vault.tag(self.tokens.access_token.expose()), "connected"
        );
        Kept { connection_id: connection.id.clone(), connected }
    }

    /// Makes the connection that the consent was begun for.
    async fn activate(&self, custody: &Custody, connection: &Connection) -> Result<Kept, FlowError> {
        let sealed = self.sealed(custody, connection);
        let mut tx = custody.store.write().await?;
        let taken = connections::activate(&mut tx, &self.activation(connection, &sealed)).await?;
        tx.commit().await?;
        // Another consent in the same account was finished in the meantime.
        for older in &taken {
            custody.tell(&older.user_id, Event::connection(&older.clone().gone()));
            self.retire(custody, older).await;
        }
        Ok(self.kept(connection, Connected::Active(self.account.clone()), custody))
    }

    /// Gives an older connection of the same account what the consent has brought. What it held before is taken back
    /// at the provider once nothing can be lost any more.
    async fn renew(&self, custody: &Custody, pending: &Connection, id: &str) -> Result<Kept, FlowError> {
        // A refresh in between would be lost, or bring tokens that nobody takes back.
        let _turn = custody.refreshing.turn(id).await;
        let mut tx = custody.store.write().await?;
        let older = connections::find(&mut tx, &pending.user_id, id).await?.ok_or(FlowError::NotYours)?;
        let one_grant = self.provider.oauth.habits.one_grant;
        let kept = if one_grant { self.with_refresh_token_of(custody, &older) } else { None };
        let tokens = kept.as_ref().unwrap_or(self.tokens);
        let sealed = sealed::seal(custody, &older, self.ready.context, older.generation + 1, tokens);
        // Nobody has said that this connection is to be renewed, so what it had been asked for is still wanted.
        let requested = match pending.replaces {
            Some(_) => self.requested.to_vec(),
            None => union(older.requested.clone(), self.requested.iter().cloned()),
        };
        let activation = Activation { requested: &requested, ..self.activation(&older, &sealed) };
        connections::activate(&mut tx, &activation).await?;
        connections::merge(&mut tx, pending, &older).await?;
        tx.commit().await?;
        let gone = pending.clone().gone();
        custody.tell(&pending.user_id, Event::connection(&gone));
        self.retire(custody, &older).await;
        Ok(self.kept(&older, Connected::Active(self.account.clone()), custody))
    }

    /// Takes back what a connection held before. To revoke it would end the new tokens as well where all are of one
    /// grant.
    async fn retire(&self, custody: &Custody, older: &Connection) {
        if !self.provider.oauth.habits.one_grant {
            retire(custody, (self.ready, self.provider), older, self.tokens).await;
        }
    }

    /// The new tokens with the refresh token of before, if there was one and the consent brought none: it still lives.
    fn with_refresh_token_of(&self, custody: &Custody, older: &Connection) -> Option<oauth::Tokens> {
        let (State::Active(sealed), None) = (&older.state, &self.tokens.refresh_token) else { return None };
        let refresh_token = sealed::open_refresh(custody, older, self.ready.context, sealed).ok()??;
        Some(oauth::Tokens {
            access_token: SecretString::new(self.tokens.access_token.expose().to_owned()),
            refresh_token: Some(refresh_token),
            expires_in: self.tokens.expires_in,
            scopes: self.tokens.scopes.clone(),
            token_type: self.tokens.token_type,
        })
    }

    /// Leaves the older connection as it is, and keeps what the consent has brought until the user has decided.
    async fn hold(&self, custody: &Custody, pending: &Connection, other: Account) -> Result<Kept, FlowError> {
        let sealed = self.sealed(custody, pending);
        let mut tx = custody.store.write().await?;
        connections::hold(&mut tx, &self.activation(pending, &sealed)).await?;
        tx.commit().await?;
        Ok(self.kept(pending, Connected::Undecided { account: self.account.clone(), other }, custody))
    }
}

/// Adds the account of a consent that was to renew another one's connection. The answer is `None` if the user has no
/// such connection.
#[derive(Serialize, Deserialize)]
pub struct Accept {
    /// Whose.
    pub user_id: String,
    /// Which.
    pub connection_id: String,
}

impl Operation for Accept {
    type Answer = Option<api::Connection>;
    const NAME: &'static str = "consent.accept";
    /// The second time there would be nothing to accept.
    const REPEATABLE: bool = false;

    async fn run(self, custody: &Custody) -> Result<Option<api::Connection>, Failure> {
        let connection = {
            let mut tx = custody.store.read().await?;
            connections::find(&mut tx, &self.user_id, &self.connection_id).await?
        };
        let Some(connection) = connection else { return Ok(None) };
        let ready = integration::ready(custody, &connection.toolkit).await?;
        let current = integration::same_context(&connection.context_hash, &ready.context);
        if !matches!(connection.state, State::Undecided(_)) || !current {
            let message = "There is nothing to add any more. Connect the account again.";
            return Err(Failure::new(Code::Conflict, message));
        }
        let mut tx = custody.store.write().await?;
        let taken = connections::accept(&mut tx, &connection).await?;
        let accepted = connections::find(&mut tx, &self.user_id, &connection.id).await?;
        tx.commit().await?;
        for older in &taken {
            custody.tell(&older.user_id, Event::connection(&older.clone().gone()));
            if !ready.resolved.auth.as_ref().is_some_and(|oauth| oauth.habits.one_grant) {
                take_back(custody, older).await;
            }
        }
        if let Some(accepted) = &accepted {
            custody.tell(&self.user_id, Event::connection(accepted));
        }
        Ok(accepted.map(|accepted| accepted.view()))
    }
}
