//! Further registries: lists of packed plugins on the web, each with its hash.
//!
//! ```json
//! {"plugins": [{"id": "my-org.issue-helper", "version": "1.2.0", "name": "Issue helper", "author": "My Org",
//!   "description": "…", "package": "issue-helper-1.2.0.zip", "sha256": "…64 hex digits, of the package…"}]}
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use semver::Version;
use serde::Deserialize;
use taiku_bridge::{Code, PluginId};
use url::Url;

use super::{Candidate, Promise, fetch, invalid, unpack};
use crate::broker::Broker;
use crate::failure::Failure;
use crate::plugin::hex;
use crate::store::installs::Origin;
use crate::vault::hash::sha256;

/// How long a list is taken for current.
const FRESH: Duration = Duration::from_secs(60);
/// Largest list, in bytes.
const MAX_LIST: usize = 1024 * 1024;
/// Most plugins in a list.
const MAX_PLUGINS: usize = 1000;

/// A plugin that a registry offers.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: Version,
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// Where the packed plugin is, relative to the list; its origin must be the list's.
    package: String,
    /// SHA-256 of the packed plugin, in hex.
    sha256: String,
}

#[derive(Deserialize)]
struct List {
    plugins: Vec<Entry>,
}

type Known = HashMap<String, (Instant, Arc<Vec<Entry>>)>;

/// The lists that were read lately.
#[derive(Default)]
pub struct Lists(Mutex<Known>);

impl Lists {
    fn fresh(&self, url: &str) -> Option<Arc<Vec<Entry>>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.get(url).filter(|(read, _)| read.elapsed() < FRESH).map(|(_, list)| Arc::clone(list))
    }

    fn put(&self, url: &str, list: &Arc<Vec<Entry>>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, (read, _)| read.elapsed() < FRESH);
        lists.insert(url.to_owned(), (Instant::now(), Arc::clone(list)));
    }

    /// Forgets a list, so that it is read anew.
    pub fn forget(&self, url: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
    }
}

/// What a registry offers, no older than a minute.
///
/// # Errors
/// When the list cannot be fetched or read.
pub async fn entries(broker: &Broker, url: &str) -> Result<Arc<Vec<Entry>>, Failure> {
    if let Some(list) = broker.registries.fresh(url) {
        return Ok(list);
    }
    let address = fetch::address(&broker.egress, url, "/registry")?;
    let text = fetch::get(&broker.egress, &address).await?;
    let list = Arc::new(read(&text)?);
    broker.registries.put(url, &list);
    Ok(list)
}

/// Reads a list.
fn read(text: &[u8]) -> Result<Vec<Entry>, Failure> {
    let wrong = |what: String| Failure::new(Code::PluginInvalid, format!("The registry's list {what}."));
    if text.len() > MAX_LIST {
        return Err(wrong("is larger than 1 MiB".into()));
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let list: List = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(format!("cannot be read: {}: {}", error.path(), error.inner())))?;
    if list.plugins.len() > MAX_PLUGINS {
        return Err(wrong(format!("has more than {MAX_PLUGINS} plugins")));
    }
    let mut ids: Vec<String> = list.plugins.iter().map(|entry| entry.id.key()).collect();
    ids.sort();
    if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(wrong(format!("has {} twice", twice[0])));
    }
    Ok(list.plugins)
}

/// Fetches a plugin that a registry offers, and holds it to what the list says of it.
///
/// # Errors
/// When the registry does not offer it, or offers something else.
pub async fn candidate(broker: &Broker, url: &str, plugin: &PluginId) -> Result<Candidate, Failure> {
    // What is installed is what the list says now.
    broker.registries.forget(url);
    let list = entries(broker, url).await?;
    let entry = list.iter().find(|entry| entry.id.key() == plugin.key());
    let entry = entry.ok_or_else(|| Failure::not_found("plugin in that registry"))?;
    let address = package(broker, url, entry)?;
    let packed = fetch::get(&broker.egress, &address).await?;
    if !hex(&sha256(&packed)).eq_ignore_ascii_case(&entry.sha256) {
        return Err(invalid(format!("{address} does not have the hash that the registry names")));
    }
    let files = unpack(packed).await?;
    let promised = Some(Promise { id: entry.id.clone(), version: Some(entry.version.clone()) });
    Ok(Candidate { files, origin: Origin::Registry { url: url.to_owned() }, promised })
}

/// The address of a package: the list's own origin, so that allowing a registry allows no other place.
fn package(broker: &Broker, url: &str, entry: &Entry) -> Result<Url, Failure> {
    let list = fetch::address(&broker.egress, url, "/registry")?;
    let package = list.join(&entry.package).map_err(|_| invalid("its package is not an address"))?;
    if package.origin() != list.origin() {
        return Err(invalid("its package is on another origin than the registry"));
    }
    Ok(fetch::address(&broker.egress, package.as_str(), "/registry")?)
}
