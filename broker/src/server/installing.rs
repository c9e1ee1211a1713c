//! Installing plugins on this server, by admins and by the members whom they allow to.

use axum::extract::{FromRequest, Path, Query, Request, State};
use http::StatusCode;
use taiku_bridge::api::{
    InstallBody, InstalledPlugin, Offer, PACKED, Registries, Registry, Role, Source, User,
};
use taiku_bridge::{Code, PluginId, Refusal};

use super::access::SignedIn;
use super::body::{self, Json};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::install::{self, Candidate, Promise, Replace, registry};
use crate::installed::{self, Current};
use crate::store::installs::Origin;
use crate::store::plugin_policy::Policy;

/// What a packed plugin cannot say by itself.
#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    replace: bool,
}

type Answer = (StatusCode, axum::Json<InstalledPlugin>);

/// `POST /plugins` and `POST /admin/plugins`
pub(super) async fn install(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Answer, Failure> {
    let policy = installed::current(&broker).await?.policy;
    let _turn = broker.limits.install(&user.id)?;
    let (candidate, replace) = if body::kind(request.headers()) == PACKED {
        (uploaded(&policy, &user, request).await?, asked.replace)
    } else {
        let Json(body) = Json::<InstallBody>::from_request(request, &()).await?;
        (install::fetch(&broker, &policy, &user, &body).await?, body.replace)
    };
    finish(&broker, &user, candidate, insists(&user, replace)?).await
}

async fn uploaded(policy: &Policy, user: &User, request: Request) -> Result<Candidate, Failure> {
    install::may_install(policy, user, Source::File)?;
    let files = install::unpack(body::packed(request.into_body()).await?).await?;
    let origin = Origin::File { user_id: user.id.clone(), name: user.name.clone() };
    Ok(Candidate { files, origin, promised: None })
}

fn insists(user: &User, replace: bool) -> Result<Replace, Failure> {
    match (replace, user.role) {
        (false, _) => Ok(Replace::Newer),
        (true, Role::Admin) => Ok(Replace::Anything),
        (true, Role::Member) => {
            Err(Failure::new(Code::Forbidden, "Only an admin may insist with `replace`."))
        }
    }
}

async fn finish(
    broker: &Broker,
    user: &User,
    candidate: Candidate,
    replace: Replace,
) -> Result<Answer, Failure> {
    let done = install::install(broker, user, candidate, replace).await?;
    let status = if done.previous.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(done)))
}

/// `POST /admin/plugins/{id}/update`: installs what is at the plugin's address now.
pub(super) async fn update(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Answer, Failure> {
    let current = installed::current(&broker).await?;
    let (id, origin) = known(&current, &id)?;
    let _turn = broker.limits.install(&user.id)?;
    let body = match origin {
        Origin::Registry { url } => {
            InstallBody { registry: Some(url), plugin: Some(id.to_string()), ..InstallBody::default() }
        }
        Origin::Url { location, .. } => InstallBody { url: Some(location), ..InstallBody::default() },
        Origin::File { .. } => {
            let what = "was installed from a file; upload the new version";
            return Err(Failure::from(Refusal::new(Code::Conflict, format!("{id} {what}."))));
        }
    };
    let mut candidate = install::fetch(&broker, &current.policy, &user, &body).await?;
    // Another plugin at that address is no update of this one.
    candidate.promised = candidate.promised.or(Some(Promise { id, version: None }));
    finish(&broker, &user, candidate, Replace::Newer).await
}

fn known(current: &Current, id: &str) -> Result<(PluginId, Origin), Failure> {
    let missing = || Failure::not_found("installed plugin");
    let id = PluginId::parse(id).map_err(|_| missing())?;
    let install = current.catalog.get(&id).and_then(|plugin| plugin.found.install());
    install.map(|install| (id, install.origin.clone())).ok_or_else(missing)
}

/// `DELETE /admin/plugins/{id}`: uninstalls a plugin for everybody.
pub(super) async fn uninstall(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = PluginId::parse(&id).map_err(|_| Failure::not_found("installed plugin"))?;
    install::uninstall(&broker, &user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /registries`
pub(super) async fn registries(State(broker): State<Broker>) -> Result<axum::Json<Registries>, Failure> {
    let current = installed::current(&broker).await?;
    // All at once: a slow one holds up the list no longer than itself.
    let reading = current.policy.registries.iter().map(|url| {
        let (broker, url) = (broker.clone(), url.clone());
        tokio::spawn(async move { registry::entries(&broker, &url).await })
    });
    let reading: Vec<_> = reading.collect();
    let mut registries = Vec::new();
    for (url, read) in current.policy.registries.iter().zip(reading) {
        let read = read.await.map_err(|error| Failure::Internal(format!("reading a registry: {error}")))?;
        registries.push(view(&current, url, read)?);
    }
    Ok(axum::Json(Registries { registries }))
}

/// A registry that cannot be read is shown with the reason, and keeps no other from being shown.
fn view(
    current: &Current,
    url: &str,
    read: Result<std::sync::Arc<Vec<registry::Entry>>, Failure>,
) -> Result<Registry, Failure> {
    let (error, plugins) = match read {
        Ok(entries) => (None, entries.iter().map(|entry| offer(current, entry)).collect()),
        Err(Failure::Refused(refusal)) => (Some(refusal.message), Vec::new()),
        Err(failure) => return Err(failure),
    };
    Ok(Registry { url: url.to_owned(), error, plugins })
}

fn offer(current: &Current, entry: &registry::Entry) -> Offer {
    let installed = current.catalog.get(&entry.id).map(|plugin| plugin.manifest.version.to_string());
    Offer {
        id: entry.id.clone(),
        name: entry.name.clone().unwrap_or_else(|| entry.id.to_string()),
        version: entry.version.to_string(),
        author: entry.author.clone(),
        description: entry.description.clone(),
        installed,
    }
}
