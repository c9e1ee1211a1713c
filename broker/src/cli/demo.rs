//! `taiku serve --demo`: the demo provider, its client, and two users. The one place that names it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::json;
use taiku_bridge::Slug;
use taiku_bridge::api::Role;
use taiku_demo::{Client, Config, Demo};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::serve::until;
use super::{CommandError, say};
use crate::accounts::{self, NewUser};
use crate::broker::StartError;
use crate::common::Common;
use crate::custody::client_secret::Seal;
use crate::custody::{Custody, Operation as _};
use crate::integration;
use crate::random::Random;
use crate::store::audit::{self, Actor};
use crate::store::integrations::{self, Value};
use crate::store::users;
use crate::vault::SecretString;

const TOOLKIT: &str = "demo";
const CLIENT_ID: &str = "taiku-demo";
/// The admin of a demo.
pub(super) const ADMIN: &str = "ada@example.test";
const USERS: [(&str, &str, Role); 2] =
    [(ADMIN, "Ada", Role::Admin), ("bob@example.test", "Bob", Role::Member)];

/// What a demo is set up with. The provider forgets its clients when it ends, so it is made anew with every start.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Setup {
    /// Where the provider is.
    url: String,
    /// The secret of the client.
    secret: String,
    /// The passwords of [`USERS`], in their order.
    passwords: Vec<String>,
}

impl Setup {
    /// The variable in which the supervisor hands it to the vault.
    const VARIABLE: &str = "TAIKU_DEMO_SETUP";

    /// What the supervisor has handed over, if this is the first start of a demo.
    pub(super) fn handed() -> Result<Option<Self>, CommandError> {
        let Ok(text) = std::env::var(Self::VARIABLE) else { return Ok(None) };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| CommandError::Said(format!("{}: {error}", Self::VARIABLE)))
    }

    /// The same for the environment of another process.
    pub(super) fn to_variable(&self) -> Result<(&'static str, String), CommandError> {
        let text = serde_json::to_string(self).map_err(|error| CommandError::Said(error.to_string()))?;
        Ok((Self::VARIABLE, text))
    }
}

/// The demo provider before it serves.
pub(super) struct Provider {
    demo: Demo,
    listener: TcpListener,
    pub(super) setup: Setup,
}

impl Provider {
    pub(super) async fn bind(address: SocketAddr, random: &Random) -> Result<Self, CommandError> {
        let listener = TcpListener::bind(address).await.map_err(|error| StartError::Io {
            what: format!("TAIKU_DEMO_LISTEN: listening on {address}"),
            error,
        })?;
        let address = listener.local_addr()?;
        let demo = Demo::new(address, Config::default()).map_err(|error| wrong(&error))?;
        let password = || random.id("").chars().take(12).collect();
        let setup = Setup {
            url: format!("http://127.0.0.1:{}", address.port()),
            secret: random.token(),
            passwords: USERS.iter().map(|_| password()).collect(),
        };
        Ok(Self { demo, listener, setup })
    }

    /// Serves browsers that are sent back to one address, and says who can sign in.
    pub(super) fn serve(
        self,
        redirect_uri: String,
        stopped: watch::Receiver<bool>,
    ) -> Result<JoinHandle<()>, CommandError> {
        let Self { demo, listener, setup } = self;
        let client = Client {
            id: CLIENT_ID.into(),
            secret: setup.secret,
            name: "taiku".into(),
            redirect_uris: vec![redirect_uri],
        };
        demo.register_client(client).map_err(|error| wrong(&error))?;
        for ((email, _, _), password) in USERS.iter().zip(&setup.passwords) {
            say(&format!("sign in as {email} with {password}"))?;
        }
        say(&format!("demo provider on {}", setup.url))?;
        Ok(tokio::spawn(async move {
            if let Err(error) = demo.serve(listener, until(stopped)).await {
                tracing::error!(%error, "the demo provider has ended");
            }
        }))
    }
}

fn wrong(error: &taiku_demo::BadClient) -> CommandError {
    CommandError::Said(error.to_string())
}

/// Prepares everything for a first click: the toolkit and the users. Gives the address that the provider sends
/// browsers back to.
pub(super) async fn prepare(custody: &Custody, setup: &Setup) -> Result<String, CommandError> {
    let redirect_uri = enable(custody, setup).await?;
    for ((email, name, role), password) in USERS.into_iter().zip(&setup.passwords) {
        user(custody, NewUser { email: email.into(), name: name.into(), role, password: password.clone() })
            .await?;
    }
    Ok(redirect_uri)
}

/// Enables the toolkit with a client of its own.
async fn enable(custody: &Custody, setup: &Setup) -> Result<String, CommandError> {
    let slug = Slug::parse(TOOLKIT).map_err(|error| CommandError::Said(error.to_string()))?;
    let toolkit = integration::toolkit(custody, &slug).await?;
    let url = setup.url.as_str();
    let seal = Seal { toolkit: slug.clone(), secret: SecretString::new(setup.secret.clone()) };
    let sealed = seal.run(custody).await?;
    let now = custody.clock.now();
    let mut tx = custody.store.write().await?;
    let mut row = integration::find_or_make(custody, &mut tx, &slug).await?;
    row.enabled = true;
    row.client_id = Some(CLIENT_ID.into());
    row.client_secret = Some(sealed);
    if let Some(setting) = toolkit.settings.iter().find(|setting| setting.default.as_deref() != Some(url)) {
        row.settings.insert(setting.key.clone(), Value::Plain(url.to_owned()));
    } else {
        row.settings.clear();
    }
    integrations::save(&mut tx, &slug, &row, now).await?;
    audit::add(&mut tx, now, Actor::System, "toolkit.change", TOOLKIT, &json!({"demo": true})).await?;
    tx.commit().await?;
    integration::reconcile(custody).await?;
    Ok(integration::redirect_uri(custody, &row.context_id)?.into())
}

/// Makes a user, or gives an existing one a new password: this is a demo, and its passwords are printed.
async fn user(common: &Common, new: NewUser) -> Result<(), CommandError> {
    let prepared = accounts::prepare(&common.random, new).await?;
    let mut tx = common.store.write().await?;
    match users::by_email(&mut tx, &prepared.user.email).await? {
        Some(account) => users::set_password(&mut tx, &account.user.id, &prepared.password_hash).await?,
        None => accounts::add(&mut tx, &prepared, common.clock.now()).await?,
    }
    tx.commit().await?;
    Ok(())
}
