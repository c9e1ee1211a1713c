//! `taiku serve --demo`: the demo provider, its client, and two users. The one place that names it.

use std::net::SocketAddr;

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
use crate::broker::{Broker, StartError};
use crate::custody::client_secret::Seal;
use crate::integration;
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

/// Starts the provider and prepares everything for a first click.
pub(super) async fn start(
    broker: &Broker,
    address: SocketAddr,
    stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, CommandError> {
    let listener = TcpListener::bind(address).await.map_err(|error| StartError::Io {
        what: format!("TAIKU_DEMO_LISTEN: listening on {address}"),
        error,
    })?;
    let address = listener.local_addr()?;
    let wrong = |error: taiku_demo::BadClient| CommandError::Said(error.to_string());
    let demo = Demo::new(address, Config::default()).map_err(wrong)?;
    let url = format!("http://127.0.0.1:{}", address.port());
    let (redirect_uri, secret) = enable(broker, &url).await?;
    let client =
        Client { id: CLIENT_ID.into(), secret, name: "taiku".into(), redirect_uris: vec![redirect_uri] };
    demo.register_client(client).map_err(wrong)?;
    for (email, name, role) in USERS {
        let password = user(broker, email, name, role).await?;
        say(&format!("sign in as {email} with {password}"))?;
    }
    say(&format!("demo provider on {url}"))?;
    Ok(tokio::spawn(async move {
        if let Err(error) = demo.serve(listener, until(stopped)).await {
            tracing::error!(%error, "the demo provider has ended");
        }
    }))
}

/// Enables the toolkit with a client of its own, new at every start because the provider forgets.
async fn enable(broker: &Broker, url: &str) -> Result<(String, String), CommandError> {
    let slug = Slug::parse(TOOLKIT).map_err(|error| CommandError::Said(error.to_string()))?;
    let toolkit = integration::toolkit(broker, &slug).await?;
    let secret = broker.random.token();
    let seal = Seal { toolkit: slug.clone(), secret: SecretString::new(secret.clone()) };
    let sealed = broker.custody.ask(seal).await?;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    let mut row = integration::find_or_make(broker, &mut tx, &slug).await?;
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
    integration::reconcile(broker).await?;
    Ok((integration::redirect_uri(broker, &row.context_id)?.into(), secret))
}

/// Makes a user, or gives an existing one a new password: this is a demo, and its passwords are printed.
async fn user(broker: &Broker, email: &str, name: &str, role: Role) -> Result<String, CommandError> {
    let password = broker.random.id("").chars().take(12).collect::<String>();
    let new = NewUser { email: email.into(), name: name.into(), role, password: password.clone() };
    let prepared = accounts::prepare(&broker.random, new).await?;
    let mut tx = broker.store.write().await?;
    match users::by_email(&mut tx, email).await? {
        Some(account) => users::set_password(&mut tx, &account.user.id, &prepared.password_hash).await?,
        None => accounts::add(&mut tx, &prepared, broker.clock.now()).await?,
    }
    tx.commit().await?;
    Ok(password)
}
