//! Integrations: what an admin has set up for a toolkit.

use std::collections::BTreeMap;

use taiku_bridge::Slug;

use super::{Result, Tx, execute, list, list_text, one, optional_text, row, text, with};
use crate::clock::Millis;

/// What an admin has set up. Secrets are vault records.
#[derive(Clone, Debug)]
pub struct Integration {
    /// Whether users may use it.
    pub enabled: bool,
    /// The random part of its redirect URI. Made once, never changed.
    pub context_id: String,
    /// The OAuth client.
    pub client_id: Option<String>,
    /// The OAuth client's secret, sealed.
    pub client_secret: Option<Vec<u8>>,
    /// Scopes instead of the toolkit's own.
    pub scopes: Option<Vec<String>>,
    /// Grows with each change; part of what sealed values are bound to.
    pub generation: i64,
    /// Settings by key.
    pub settings: BTreeMap<String, Value>,
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Readable.
    Plain(String),
    /// A vault record.
    Sealed(Vec<u8>),
}

row! {
    struct Row {
        toolkit: String,
        context_id: String,
        enabled: bool,
        client_id: Option<String>,
        client_secret: Option<Vec<u8>>,
        scopes: Option<String>,
        generation: i64,
    }
}

row! {
    struct SettingRow {
        toolkit: String,
        key: String,
        value: Option<String>,
        sealed: Option<Vec<u8>>,
    }
}

/// Finds the integration of a toolkit, and makes an empty one with `context_id` if there is none: the
/// redirect URI is there before anything is configured.
///
/// # Errors
/// When the database fails.
pub async fn find_or_make(tx: &mut Tx, toolkit: &Slug, context_id: &str, now: Millis) -> Result<Integration> {
    let query = "insert into integrations (toolkit, context_id, enabled, generation, updated_at) \
                 values ($1, $2, false, 0, $3) on conflict (toolkit) do nothing";
    execute!(tx, sqlx::query(query).bind(toolkit.as_str()).bind(context_id).bind(now))?;
    match find(tx, toolkit).await? {
        Some(integration) => Ok(integration),
        None => Err(super::StoreError::Rows { what: "making an integration", rows: 0 }),
    }
}

/// Finds the integration of a toolkit.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, toolkit: &Slug) -> Result<Option<Integration>> {
    Ok(select(tx, Some(toolkit)).await?.remove(toolkit))
}

/// Every integration.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut Tx) -> Result<BTreeMap<Slug, Integration>> {
    select(tx, None).await
}

async fn select(tx: &mut Tx, toolkit: Option<&Slug>) -> Result<BTreeMap<Slug, Integration>> {
    let toolkit = toolkit.map_or("", Slug::as_str);
    let rows: Vec<Row> = with!(tx, |conn| sqlx::query_as(
        "select toolkit, context_id, enabled, client_id, client_secret, scopes, generation \
         from integrations where $1 = '' or toolkit = $1"
    )
    .bind(toolkit)
    .fetch_all(conn))?;
    let settings: Vec<SettingRow> = with!(tx, |conn| sqlx::query_as(
        "select toolkit, key, value, sealed from integration_settings where $1 = '' or toolkit = $1"
    )
    .bind(toolkit)
    .fetch_all(conn))?;
    let mut integrations = BTreeMap::new();
    for row in rows {
        // A toolkit that this program no longer knows by a valid slug has nothing to be used for.
        let Ok(slug) = Slug::parse(&row.toolkit) else { continue };
        let own = settings.iter().filter(|setting| setting.toolkit == row.toolkit);
        let scopes =
            row.scopes.map(|text| list("integrations", "scopes", &row.toolkit, &text)).transpose()?;
        integrations.insert(
            slug,
            Integration {
                enabled: row.enabled,
                context_id: row.context_id,
                client_id: row.client_id,
                client_secret: row.client_secret,
                scopes,
                generation: row.generation,
                settings: own.filter_map(setting).collect(),
            },
        );
    }
    Ok(integrations)
}

fn setting(row: &SettingRow) -> Option<(String, Value)> {
    let value = match (&row.value, &row.sealed) {
        (Some(value), _) => Value::Plain(value.clone()),
        (None, Some(sealed)) => Value::Sealed(sealed.clone()),
        (None, None) => return None,
    };
    Some((row.key.clone(), value))
}

/// Stores what has changed, if nobody else has changed it since `integration` was read.
///
/// # Errors
/// When the generation has moved on, or the database fails.
pub async fn save(tx: &mut Tx, toolkit: &Slug, integration: &Integration, now: Millis) -> Result<()> {
    let query = "update integrations set enabled = $2, client_id = $3, client_secret = $4, scopes = $5, \
                 generation = generation + 1, updated_at = $6 where toolkit = $1 and generation = $7";
    let done = execute!(
        tx,
        sqlx::query(query)
            .bind(toolkit.as_str())
            .bind(integration.enabled)
            .bind(optional_text(integration.client_id.as_deref())?)
            .bind(integration.client_secret.as_deref())
            .bind(integration.scopes.as_deref().map(list_text))
            .bind(now)
            .bind(integration.generation)
    )?;
    one("saving an integration", done)?;
    execute!(tx, sqlx::query("delete from integration_settings where toolkit = $1").bind(toolkit.as_str()))?;
    for (key, value) in &integration.settings {
        let (plain, sealed) = match value {
            Value::Plain(value) => (Some(text(value)?), None),
            Value::Sealed(record) => (None, Some(record.as_slice())),
        };
        let query = "insert into integration_settings (toolkit, key, value, sealed) values ($1, $2, $3, $4)";
        execute!(tx, sqlx::query(query).bind(toolkit.as_str()).bind(text(key)?).bind(plain).bind(sealed))?;
    }
    Ok(())
}
