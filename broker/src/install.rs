//! Installs plugins while the server runs: from a file, an address or a registry.
//!
//! ```text
//! upload ─────────┐
//! fetch::files ───┼──▶ Candidate ──▶ install ──▶ policy, id, publisher, version ──▶ database, audit log
//! registry::find ─┘
//! ```
//!
//! The content is stored packed under the SHA-256 of its files and is checked against it whenever it is loaded, so
//! that every broker of an installation serves exactly what was installed.

pub mod fetch;
pub mod registry;

use semver::Version;
use serde_json::json;
use taiku_bridge::api::{InstallBody, InstalledPlugin, Members, Role, Source, User};
use taiku_bridge::manifest::{Loaded, Manifest};
use taiku_bridge::{Code, PluginId, Refusal};

use crate::broker::Broker;
use crate::clock::Millis;
use crate::events::Event;
use crate::failure::Failure;
use crate::installed;
use crate::plugin::{self, Files, Found, Plugin, archive};
use crate::store::audit::{self, Actor};
use crate::store::installs::{self, Install, Origin};
use crate::store::plugin_policy::Policy;

/// Most faults that a refusal names.
const SHOWN_FAULTS: usize = 5;

/// What is to be installed, before anything of it was believed.
pub struct Candidate {
    /// Its files.
    pub files: Files,
    /// Where they came from.
    pub origin: Origin,
    /// What they must be, where that is known before.
    pub promised: Option<Promise>,
}

/// What a candidate must be.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Its id.
    pub id: PluginId,
    /// Its version, where a registry has named it.
    pub version: Option<Version>,
}

impl Promise {
    fn is_kept_by(&self, manifest: &Manifest) -> bool {
        self.id.key() == manifest.id.key()
            && self.version.as_ref().is_none_or(|version| *version == manifest.version)
    }
}

/// Whether an admin insists on what is refused otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Only a newer version of the same publisher.
    Newer,
    /// An older version, other content under the same version, another publisher too.
    Anything,
}

/// Whether a user may install from such a place.
///
/// # Errors
/// `forbidden`, saying what the admins allow.
pub fn may_install(policy: &Policy, user: &User, source: Source) -> Result<(), Failure> {
    let allowed = match (user.role, policy.members) {
        (Role::Admin, _) | (Role::Member, Members::Anything) => true,
        (Role::Member, Members::Registries) => source == Source::Registry,
        (Role::Member, Members::Nothing) => false,
    };
    if allowed {
        return Ok(());
    }
    let message = match policy.members {
        Members::Registries => "Members of this server install from its registries only. Ask an admin.",
        Members::Nothing | Members::Anything => "Only admins install plugins on this server. Ask one.",
    };
    Err(Failure::new(Code::Forbidden, message))
}

/// Unpacks what somebody uploaded. Unpacking is work, so it runs where it holds up nobody.
///
/// # Errors
/// `plugin_invalid` with what is wrong with the archive.
pub async fn unpack(archive: bytes::Bytes) -> Result<Files, Failure> {
    let unpacked = tokio::task::spawn_blocking(move || archive::read(&archive)).await;
    unpacked
        .map_err(|error| Failure::Internal(format!("unpacking a plugin: {error}")))?
        .map_err(|fault| invalid(fault.to_string()))
}

/// Fetches what a body asks for. Nothing is fetched that the user may not install.
///
/// # Errors
/// When the body names nothing, the policy forbids it or it cannot be had.
pub async fn fetch(
    broker: &Broker,
    policy: &Policy,
    user: &User,
    body: &InstallBody,
) -> Result<Candidate, Failure> {
    match (&body.url, &body.registry, &body.plugin) {
        (Some(url), None, None) => {
            may_install(policy, user, Source::Url)?;
            fetch::candidate(broker, url).await
        }
        (None, Some(registry), Some(plugin)) => {
            may_install(policy, user, Source::Registry)?;
            let plugin = PluginId::parse(plugin).map_err(|error| Refusal::field("/plugin", error))?;
            if !policy.registries.contains(registry) {
                return Err(Refusal::field("/registry", "is not one that the admins have allowed").into());
            }
            registry::candidate(broker, registry, &plugin).await
        }
        _ => Err(Refusal::field("", "name either `url`, or `registry` and `plugin`").into()),
    }
}

/// Installs a candidate, or the next version of what is installed.
///
/// # Errors
/// `plugin_invalid` when it is none, `plugin_blocked` when the policy forbids it, `conflict` when it may not take
/// the place of what is there.
pub async fn install(
    broker: &Broker,
    user: &User,
    candidate: Candidate,
    replace: Replace,
) -> Result<InstalledPlugin, Failure> {
    let now = broker.clock.now();
    let Checked { plugin, next, packed } = check(candidate, user, now).await?;
    installed::current(broker).await?.can_be_installed(&plugin.manifest.id)?;
    let mut tx = broker.store.write().await?;
    let before = installs::find(&mut tx, &plugin.manifest.id).await?;
    if let Some(before) = &before {
        takes_the_place(&plugin.manifest.version, &next, before, replace)?;
    }
    let next = Install { installed_at: before.as_ref().map_or(now, |before| before.installed_at), ..next };
    installs::put_content(&mut tx, &next.hash, &packed, now).await?;
    installs::put(&mut tx, &next).await?;
    let action = if before.is_some() { "plugin.update" } else { "plugin.install" };
    let previous = before.map(|before| before.version);
    let detail = json!({
        "version": next.version, "hash": next.hash, "source": next.origin.source(),
        "publisher": next.origin.publisher(), "previous": previous, "replace": replace == Replace::Anything,
    });
    audit::add(&mut tx, now, Actor::User(&user.id), action, plugin.manifest.id.as_str(), &detail).await?;
    tx.commit().await?;
    broker.events.tell_all(&Event::PluginsChanged);
    Ok(InstalledPlugin {
        id: plugin.manifest.id,
        name: plugin.manifest.name,
        version: next.version,
        previous,
        hash: next.hash,
        warnings: plugin.warnings,
    })
}

/// A candidate that is a plugin.
struct Checked {
    plugin: Plugin,
    next: Install,
    packed: Vec<u8>,
}

/// Packing is work, so all of this runs where it holds up nobody.
async fn check(candidate: Candidate, user: &User, now: Millis) -> Result<Checked, Failure> {
    let installed_by = user.id.clone();
    let checked = tokio::task::spawn_blocking(move || {
        let Candidate { files, origin, promised } = candidate;
        let Loaded { manifest, .. } = plugin::manifest(&files).map_err(|faults| wrong(&faults))?;
        if let Some(promised) = promised.filter(|promised| !promised.is_kept_by(&manifest)) {
            let version = promised.version.map(|version| format!(" {version}")).unwrap_or_default();
            let Manifest { id, version: found, .. } = manifest;
            return Err(invalid(format!("it is {id} {found} and not {}{version}", promised.id)));
        }
        let packed = archive::write(&files).map_err(|fault| invalid(fault.to_string()))?;
        let next = Install {
            plugin: manifest.id.key(),
            version: manifest.version.to_string(),
            hash: files.hash().to_owned(),
            origin,
            installed_by,
            installed_at: now,
            updated_at: now,
        };
        let plugin = Plugin::check(files, Found::Installed(next.clone())).map_err(|faults| wrong(&faults))?;
        Ok(Checked { plugin, next, packed })
    });
    checked.await.map_err(|error| Failure::Internal(format!("checking a plugin: {error}")))?
}

/// Insists that a version may follow another one: users who allowed something to the one have not allowed it to
/// somebody else's.
fn takes_the_place(
    version: &Version,
    next: &Install,
    before: &Install,
    replace: Replace,
) -> Result<(), Failure> {
    if replace == Replace::Anything {
        return Ok(());
    }
    let id = &next.plugin;
    let conflict = |message: String| {
        let message = format!("{message} An admin can insist with `replace`.");
        Err(Failure::new(Code::Conflict, message))
    };
    if !next.origin.is_same_publisher(&before.origin) {
        let whose = installed::publisher(&before.origin);
        return conflict(format!("{id} is installed {whose}, and this is somebody else's."));
    }
    // A version that this program stored is one that it can read.
    let older = Version::parse(&before.version).is_ok_and(|before| *version < before);
    if older {
        return conflict(format!(
            "{id} is installed as version {}, which is newer than {version}.",
            before.version
        ));
    }
    if next.version == before.version && next.hash != before.hash {
        return conflict(format!("{id} {version} is installed with other content; raise the version."));
    }
    Ok(())
}

/// Uninstalls a plugin for everybody.
///
/// # Errors
/// `not_found` when it was not installed while the server ran.
pub async fn uninstall(broker: &Broker, user: &User, id: &PluginId) -> Result<(), Failure> {
    let mut tx = broker.store.write().await?;
    let before = installs::find(&mut tx, id).await?.ok_or_else(|| Failure::not_found("installed plugin"))?;
    installs::delete(&mut tx, id).await?;
    let detail = json!({"version": before.version, "hash": before.hash});
    let now = broker.clock.now();
    audit::add(&mut tx, now, Actor::User(&user.id), "plugin.uninstall", id.as_str(), &detail).await?;
    tx.commit().await?;
    broker.events.tell_all(&Event::PluginsChanged);
    Ok(())
}

fn invalid(what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::PluginInvalid, format!("This is not a plugin that can be installed: {what}."))
}

fn wrong(faults: &[taiku_bridge::manifest::Fault]) -> Failure {
    let mut sentences: Vec<String> = faults.iter().take(SHOWN_FAULTS).map(ToString::to_string).collect();
    if faults.len() > SHOWN_FAULTS {
        sentences.push(format!("and {} more", faults.len() - SHOWN_FAULTS));
    }
    invalid(sentences.join("; "))
}

#[cfg(test)]
mod tests;
