//! What only admins see and change. Every change is written to the audit log in the same transaction.

pub(super) mod plugins;
pub(super) mod revocations;

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use serde_json::json;
use taiku_bridge::api::{
    AdminToolkit, AdminToolkitBody, AdminToolkits, AdminUser, AdminUsers, Audit, FailedFolder, SecretState,
    Setting,
};
use taiku_bridge::manifest::Fault;
use taiku_bridge::{Refusal, Slug};

use super::access::SignedIn;
use super::activity::{Cursor, no_cursor, number};
use super::body::Json;
use super::toolkits::logo;
use crate::broker::Broker;
use crate::clock::rfc3339;
use crate::connect;
use crate::custody::client_secret::{Fingerprint, Seal};
use crate::events::Event;
use crate::failure::Failure;
use crate::integration::{self, ValueSource};
use crate::store::audit::{self, Actor};
use crate::store::integrations::{self, Integration, Value};
use crate::store::users;
use crate::toolkit::{self, Toolkit};
use crate::vault::SecretString;

/// `GET /admin/toolkits`
pub(super) async fn toolkits(State(broker): State<Broker>) -> Result<axum::Json<AdminToolkits>, Failure> {
    let catalog = broker.toolkits.current().await;
    let integrations = every_integration(&broker, &catalog).await?;
    let mut toolkits = Vec::new();
    for toolkit in catalog.iter() {
        if let Some(integration) = integrations.get(&toolkit.slug) {
            toolkits.push(view(&broker, toolkit, integration).await?);
        }
    }
    let failed = catalog.faults().iter().map(failed_folder).collect();
    Ok(axum::Json(AdminToolkits { toolkits, failed }))
}

/// The integration of each toolkit. Only what is not there yet is made, so that looking at the many costs one query.
async fn every_integration(
    broker: &Broker,
    catalog: &toolkit::Catalog,
) -> Result<BTreeMap<Slug, Integration>, Failure> {
    let mut known = {
        let mut tx = broker.store.read().await?;
        integrations::all(&mut tx).await?
    };
    let missing: Vec<&Slug> =
        catalog.iter().map(|toolkit| &toolkit.slug).filter(|slug| !known.contains_key(*slug)).collect();
    if !missing.is_empty() {
        let mut tx = broker.store.write().await?;
        for slug in missing {
            known.insert(slug.clone(), integration::find_or_make(broker, &mut tx, slug).await?);
        }
        tx.commit().await?;
    }
    Ok(known)
}

fn failed_folder(fault: &toolkit::FolderFault) -> FailedFolder {
    let error = |fault: &toolkit::Fault| Fault {
        pointer: format!("{} {}", fault.file, fault.at).trim().to_owned(),
        what: fault.message.clone(),
    };
    FailedFolder {
        folder: fault.folder.clone(),
        errors: fault.faults.iter().map(error).collect(),
        reload: None,
    }
}

/// `GET /admin/toolkits/{slug}`
pub(super) async fn toolkit(
    State(broker): State<Broker>,
    Path(slug): Path<String>,
) -> Result<axum::Json<AdminToolkit>, Failure> {
    let toolkit = integration::toolkit(&broker, &integration::slug(&slug)?).await?;
    let mut tx = broker.store.write().await?;
    let integration = integration::find_or_make(&broker, &mut tx, &toolkit.slug).await?;
    tx.commit().await?;
    Ok(axum::Json(view(&broker, &toolkit, &integration).await?))
}

async fn view(
    broker: &Broker,
    toolkit: &Toolkit,
    integration: &Integration,
) -> Result<AdminToolkit, Failure> {
    let fingerprint = match integration.client_secret.clone() {
        Some(record) => {
            Some(broker.custody.ask(Fingerprint { toolkit: toolkit.slug.clone(), record }).await?)
        }
        None => None,
    };
    let scopes = match &toolkit.auth {
        toolkit::Auth::OAuth2(oauth) => oauth.habits.scopes.clone(),
        toolkit::Auth::None => Vec::new(),
    };
    let settings = toolkit.settings.iter().map(|setting| view_setting(broker, toolkit, integration, setting));
    Ok(AdminToolkit {
        slug: toolkit.slug.clone(),
        name: toolkit.name.clone(),
        description: toolkit.description.clone(),
        categories: toolkit.categories.clone(),
        logo: logo(toolkit),
        docs: toolkit.docs.clone().or_else(|| toolkit.source.clone()),
        auth_mode: toolkit.auth.mode().to_owned(),
        tool_count: toolkit.tool_count(),
        enabled: integration.enabled,
        redirect_uri: integration::redirect_uri(broker, &integration.context_id)?.into(),
        client_id: integration.client_id.clone(),
        client_secret: SecretState { set: fingerprint.is_some(), fingerprint },
        scopes: integration.scopes.clone().unwrap_or(scopes),
        settings: settings.collect::<Result<_, _>>()?,
    })
}

fn view_setting(
    broker: &Broker,
    toolkit: &Toolkit,
    integration: &Integration,
    setting: &toolkit::Setting,
) -> Result<Setting, Failure> {
    let (value, from) = integration::value(broker, toolkit, integration, setting)?;
    let fingerprint = value.as_ref().filter(|_| setting.secret).map(|value| broker.vault.fingerprint(value));
    Ok(Setting {
        key: setting.key.clone(),
        description: setting.description.clone(),
        required: setting.required,
        secret: setting.secret,
        default: setting.default.clone(),
        value: value.filter(|_| !setting.secret),
        set: matches!(from, ValueSource::Database | ValueSource::Environment),
        source: from.as_str().to_owned(),
        fingerprint,
    })
}

/// `PUT /admin/toolkits/{slug}`
pub(super) async fn change_toolkit(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Path(slug): Path<String>,
    Json(body): Json<AdminToolkitBody>,
) -> Result<axum::Json<AdminToolkit>, Failure> {
    let toolkit = integration::toolkit(&broker, &integration::slug(&slug)?).await?;
    let detail = changed_fields(&body);
    let secret = sealed_secret(&broker, &toolkit, body.client_secret.clone()).await?;
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    let mut integration = integration::find_or_make(&broker, &mut tx, &toolkit.slug).await?;
    if let Some(record) = secret {
        integration.client_secret = record;
    }
    apply(&broker, &toolkit, &mut integration, body)?;
    if integration.enabled {
        can_be_enabled(&broker, &toolkit, &integration)?;
    }
    integrations::save(&mut tx, &toolkit.slug, &integration, now).await?;
    let actor = Actor::User(&admin.id);
    audit::add(&mut tx, now, actor, "toolkit.change", toolkit.slug.as_str(), &detail).await?;
    tx.commit().await?;
    for ended in integration::reconcile(&broker).await? {
        broker.events.tell(&ended.user_id, &Event::connection(&ended));
    }
    broker.events.tell_all(&Event::ToolkitsChanged { toolkit: toolkit.slug.clone() });
    let mut tx = broker.store.read().await?;
    let integration = integrations::find(&mut tx, &toolkit.slug).await?;
    let integration = integration.ok_or_else(|| Failure::Internal("an integration has vanished".into()))?;
    Ok(axum::Json(view(&broker, &toolkit, &integration).await?))
}

/// Which fields were set, without their values: a setting may be secret.
fn changed_fields(body: &AdminToolkitBody) -> serde_json::Value {
    json!({
        "enabled": body.enabled,
        "clientId": body.client_id,
        "clientSecret": body.client_secret.as_ref().map(|secret| if secret.is_some() { "set" } else { "unset" }),
        "scopes": body.scopes,
        "settings": body.settings.as_ref().map(|settings| settings.keys().collect::<Vec<_>>()),
    })
}

/// Has the vault seal the client's secret, if one was typed. `Some(None)` unsets it.
async fn sealed_secret(
    broker: &Broker,
    toolkit: &Toolkit,
    typed: Option<Option<String>>,
) -> Result<Option<Option<Vec<u8>>>, Failure> {
    let Some(typed) = typed else { return Ok(None) };
    let Some(secret) = checked_text("/clientSecret", typed, 10_000)? else { return Ok(Some(None)) };
    let seal = Seal { toolkit: toolkit.slug.clone(), secret: SecretString::new(secret) };
    Ok(Some(Some(broker.custody.ask(seal).await?)))
}

fn apply(
    broker: &Broker,
    toolkit: &Toolkit,
    integration: &mut Integration,
    body: AdminToolkitBody,
) -> Result<(), Failure> {
    if let Some(enabled) = body.enabled {
        integration.enabled = enabled;
    }
    if let Some(client_id) = body.client_id {
        integration.client_id = checked_text("/clientId", client_id, 1000)?;
    }
    if let Some(scopes) = body.scopes {
        integration.scopes = scopes.map(connect::checked_scopes).transpose()?;
    }
    for (key, value) in body.settings.into_iter().flatten() {
        let pointer = taiku_bridge::json::pointer(&["settings", &key]);
        let Some(setting) = toolkit.settings.iter().find(|setting| setting.key == key) else {
            let known: Vec<&str> = toolkit.settings.iter().map(|setting| setting.key.as_str()).collect();
            let what = format!("is no setting of {}; it has: {}", toolkit.slug, known.join(", "));
            return Err(Refusal::field(pointer, what).into());
        };
        match checked_text(&pointer, value, 10_000)? {
            None => integration.settings.remove(&key),
            Some(value) if setting.secret => {
                let sealed = integration::seal_setting(broker, &toolkit.slug, &key, &value);
                integration.settings.insert(key, sealed)
            }
            Some(value) => integration.settings.insert(key, Value::Plain(value)),
        };
    }
    // Wrong addresses are refused when they are set, not when the first user meets them.
    integration::resolve(broker, toolkit, integration)?.map(|_| ()).or_else(|faults| {
        if integration.enabled || integration.settings.values().any(|value| matches!(value, Value::Plain(_)))
        {
            Err(wrong_settings(toolkit, &faults).into())
        } else {
            Ok(())
        }
    })
}

/// Points at the setting that the faults name.
fn wrong_settings(toolkit: &Toolkit, faults: &[toolkit::Fault]) -> Refusal {
    let named = |key: &str| faults.iter().any(|fault| fault.message.contains(key));
    let pointer = match toolkit.settings.iter().find(|setting| named(&setting.key)) {
        Some(setting) => taiku_bridge::json::pointer(&["settings", &setting.key]),
        None => "/settings".to_owned(),
    };
    Refusal::field(pointer, integration::sentences(faults))
}

fn checked_text(pointer: &str, text: Option<String>, max: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if text.is_empty() || text.len() > max || text.contains(char::is_control) {
        let what = format!("must have 1 to {max} bytes without control characters; null unsets it");
        return Err(Refusal::field(pointer, what));
    }
    Ok(Some(text))
}

fn can_be_enabled(broker: &Broker, toolkit: &Toolkit, integration: &Integration) -> Result<(), Failure> {
    let resolved = integration::resolve(broker, toolkit, integration)?;
    let resolved = resolved.map_err(|faults| wrong_settings(toolkit, &faults))?;
    if resolved.auth.is_some_and(|auth| auth.habits.mode.needs_client()) && integration.client_id.is_none() {
        let what = format!("is needed before {} can be enabled: register a client there", toolkit.name);
        return Err(Refusal::field("/clientId", what).into());
    }
    Ok(())
}

/// `GET /admin/users`
pub(super) async fn users(State(broker): State<Broker>) -> Result<axum::Json<AdminUsers>, Failure> {
    let mut tx = broker.store.read().await?;
    let view = |account: users::Account| AdminUser {
        user: account.user,
        disabled: account.disabled_at.is_some(),
        created_at: rfc3339(account.created_at),
    };
    Ok(axum::Json(AdminUsers { users: users::all(&mut tx).await?.into_iter().map(view).collect() }))
}

/// `GET /admin/audit`
pub(super) async fn audit(
    State(broker): State<Broker>,
    Query(Cursor { cursor }): Query<Cursor>,
) -> Result<axum::Json<Audit>, Failure> {
    let before = cursor.map(|cursor| number(&cursor).ok_or_else(no_cursor)).transpose()?;
    let mut tx = broker.store.read().await?;
    let (entries, next) = audit::page(&mut tx, before).await?;
    Ok(axum::Json(Audit { entries, next_cursor: next.map(|seq| seq.to_string()) }))
}
