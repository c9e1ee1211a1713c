//! Plugins that their authors are trying out: held in memory, seen by their author alone, gone soon after the author's
//! tool is. With each of them the calls of its panels, for the author to read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use taiku_bridge::PluginId;
use taiku_bridge::api::{NumberedCall, SeenCall};
use tokio::sync::watch;

use crate::plugin::Plugin;

/// How long a plugin stays after its author's tool was heard last.
const LEASE: Duration = Duration::from_secs(60);
/// Plugins of one user, and of all together: each may have tens of megabytes.
const PER_USER: usize = 2;
const IN_ALL: usize = 8;
/// Calls that are kept of one plugin.
const KEPT: usize = 1000;

/// The plugins on trial, by user and [`PluginId::key`].
#[derive(Default)]
pub struct Trials(Mutex<BTreeMap<(String, String), Trial>>);

struct Trial {
    plugin: Arc<Plugin>,
    /// What was tried before: panels that are open may still load from it.
    former: Option<Arc<Plugin>>,
    heard: Instant,
    calls: VecDeque<NumberedCall>,
    /// The number of the newest call.
    newest: watch::Sender<u64>,
}

/// There is no room for another plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many plugins are being tried out on this server; end another `taiku plugin dev` first")]
pub struct Full;

impl Trials {
    fn living(&self) -> MutexGuard<'_, BTreeMap<(String, String), Trial>> {
        let mut trials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trials.retain(|_, trial| trial.heard.elapsed() < LEASE);
        trials
    }

    /// Takes a plugin in, or its next content.
    ///
    /// # Errors
    /// When there are too many.
    pub fn put(&self, user: &str, plugin: Arc<Plugin>) -> Result<(), Full> {
        let mut trials = self.living();
        let key = (user.to_owned(), plugin.manifest.id.key());
        if let Some(trial) = trials.get_mut(&key) {
            trial.heard = Instant::now();
            if trial.plugin.hash != plugin.hash {
                trial.former = Some(std::mem::replace(&mut trial.plugin, plugin));
            }
            return Ok(());
        }
        if trials.len() >= IN_ALL || trials.keys().filter(|(owner, _)| owner == user).count() >= PER_USER {
            return Err(Full);
        }
        let (newest, _) = watch::channel(0);
        let trial = Trial { plugin, former: None, heard: Instant::now(), calls: VecDeque::new(), newest };
        trials.insert(key, trial);
        Ok(())
    }

    /// Ends a trial. Returns whether there was one.
    pub fn remove(&self, user: &str, id: &PluginId) -> bool {
        self.living().remove(&(user.to_owned(), id.key())).is_some()
    }

    /// What a user is trying out.
    #[must_use]
    pub fn of_user(&self, user: &str) -> Vec<Arc<Plugin>> {
        let trials = self.living();
        trials
            .iter()
            .filter(|((owner, _), _)| owner == user)
            .map(|(_, trial)| Arc::clone(&trial.plugin))
            .collect()
    }

    /// The plugin whose files are served under a hash.
    #[must_use]
    pub fn by_hash(&self, hash: &str) -> Option<Arc<Plugin>> {
        let trials = self.living();
        let mut plugins =
            trials.values().flat_map(|trial| [Some(&trial.plugin), trial.former.as_ref()]).flatten();
        plugins.find(|plugin| plugin.hash == hash).cloned()
    }

    /// Notes calls of a plugin's panels. Returns whether it is on trial.
    pub fn note(&self, user: &str, id: &PluginId, calls: Vec<SeenCall>) -> bool {
        let mut trials = self.living();
        let Some(trial) = trials.get_mut(&(user.to_owned(), id.key())) else { return false };
        let mut number = *trial.newest.borrow();
        for call in calls {
            number += 1;
            trial.calls.push_back(NumberedCall { number, call });
        }
        let surplus = trial.calls.len().saturating_sub(KEPT);
        trial.calls.drain(..surplus);
        // A call is kept whether or not somebody is waiting for it.
        trial.newest.send_replace(number);
        true
    }

    /// The author's tool is there: the plugin stays. Returns whether it is on trial.
    pub fn hold(&self, user: &str, id: &PluginId) -> bool {
        let mut trials = self.living();
        let trial = trials.get_mut(&(user.to_owned(), id.key()));
        trial.map(|trial| trial.heard = Instant::now()).is_some()
    }

    /// The calls after a number, and what tells of new ones; nothing when the plugin is not on trial.
    #[must_use]
    pub fn calls(
        &self,
        user: &str,
        id: &PluginId,
        after: u64,
    ) -> Option<(Vec<NumberedCall>, watch::Receiver<u64>)> {
        let trials = self.living();
        let trial = trials.get(&(user.to_owned(), id.key()))?;
        let calls = trial.calls.iter().filter(|call| call.number > after).cloned().collect();
        Some((calls, trial.newest.subscribe()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Files, Found};

    fn plugin(id: &str, text: &str) -> Arc<Plugin> {
        let manifest =
            format!(r#"{{"id": "{id}", "name": "T", "version": "1.0.0", "permissions": [], "panels": []}}"#);
        let files = [("manifest.json", manifest), ("text", text.to_owned())];
        let files = files.map(|(path, text)| (path.to_owned(), text.into()));
        Arc::new(Plugin::check(Files::new(BTreeMap::from(files)), Found::Trial).unwrap())
    }

    fn call(method: &str) -> SeenCall {
        serde_json::from_value(serde_json::json!({"at": 0, "panel": "p", "method": method})).unwrap()
    }

    #[test]
    fn there_are_only_so_many() {
        let trials = Trials::default();
        for (user, id) in
            [("ada", "a"), ("ada", "b"), ("bob", "a"), ("bob", "b"), ("c", "a"), ("c", "b"), ("d", "a")]
        {
            trials.put(user, plugin(id, "")).unwrap();
        }
        assert_eq!(trials.put("ada", plugin("c", "")), Err(Full));
        trials.put("ada", plugin("A", "another content of the same")).unwrap();
        trials.put("d", plugin("b", "")).unwrap();
        assert_eq!(trials.put("e", plugin("a", "")), Err(Full));
        assert!(trials.remove("ada", &PluginId::parse("B").unwrap()));
        trials.put("e", plugin("a", "")).unwrap();
    }

    #[test]
    fn the_last_two_contents_are_served() {
        let trials = Trials::default();
        let contents = ["one", "two", "three"].map(|text| plugin("a", text));
        for content in &contents {
            trials.put("ada", Arc::clone(content)).unwrap();
            trials.put("ada", Arc::clone(content)).unwrap();
        }
        let served = contents.each_ref().map(|content| trials.by_hash(&content.hash).is_some());
        assert_eq!(served, [false, true, true]);
    }

    #[test]
    fn who_is_not_heard_any_more_is_forgotten() {
        let trials = Trials::default();
        trials.put("ada", plugin("a", "")).unwrap();
        let id = PluginId::parse("a").unwrap();
        let long_ago = Instant::now().checked_sub(LEASE).unwrap();
        trials.living().values_mut().for_each(|trial| trial.heard = long_ago);
        assert!(!trials.hold("ada", &id) && trials.of_user("ada").is_empty());
        assert!(!trials.note("ada", &id, vec![call("late")]));
    }

    #[test]
    fn the_newest_calls_are_kept() {
        let trials = Trials::default();
        trials.put("ada", plugin("a", "")).unwrap();
        let id = PluginId::parse("a").unwrap();
        assert!(trials.note("ada", &id, vec![call("x"); KEPT + 5]));
        let (calls, newest) = trials.calls("ada", &id, 0).unwrap();
        assert_eq!((calls.len(), calls[0].number, *newest.borrow()), (KEPT, 6, KEPT as u64 + 5));
    }
}
