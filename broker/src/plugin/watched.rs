//! Something that is loaded from folders, and loaded again when they have changed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a look at the folders holds.
const INTERVAL: Duration = Duration::from_millis(500);
/// Most files and folders that a look covers; a change beyond them is found with the next change within.
const MAX_ENTRIES: usize = 50_000;
/// Deepest folder that a look covers.
const MAX_DEPTH: usize = 32;

/// A value that is loaded from folders and kept current.
pub struct Watched<T> {
    shared: Arc<Shared<T>>,
    interval: Duration,
    /// Held while the folders are looked at, so that many callers cause one look.
    looking: tokio::sync::Mutex<()>,
}

type Load<T> = Box<dyn Fn(&[PathBuf]) -> T + Send + Sync>;

struct Shared<T> {
    dirs: Vec<PathBuf>,
    load: Load<T>,
    seen: Mutex<Seen<T>>,
}

struct Seen<T> {
    value: Arc<T>,
    fingerprint: u64,
    looked: Instant,
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Loads the value for the first time. Reads the disk, so call it where blocking is allowed.
    pub fn new(dirs: Vec<PathBuf>, load: impl Fn(&[PathBuf]) -> T + Send + Sync + 'static) -> Self {
        Self::with_interval(dirs, INTERVAL, load)
    }

    pub(crate) fn with_interval(
        dirs: Vec<PathBuf>,
        interval: Duration,
        load: impl Fn(&[PathBuf]) -> T + Send + Sync + 'static,
    ) -> Self {
        let fingerprint = fingerprint(&dirs);
        let seen = Seen { value: Arc::new(load(&dirs)), fingerprint, looked: Instant::now() };
        let shared = Shared { dirs, load: Box::new(load), seen: Mutex::new(seen) };
        Self { shared: Arc::new(shared), interval, looking: tokio::sync::Mutex::new(()) }
    }

    /// The value, loaded again if the folders have changed. They are looked at no more than every 500 ms.
    pub async fn current(&self) -> Arc<T> {
        if self.is_fresh() {
            return self.shared.value();
        }
        let _alone = self.looking.lock().await;
        if !self.is_fresh() {
            let shared = Arc::clone(&self.shared);
            if let Err(error) = tokio::task::spawn_blocking(move || shared.look()).await {
                tracing::error!(%error, "folders could not be looked at; what was known goes on to hold");
            }
        }
        self.shared.value()
    }

    /// The value as it was loaded last.
    pub(super) fn known(&self) -> Arc<T> {
        self.shared.value()
    }

    /// Loads the value again, whether the folders have changed or not.
    pub async fn reload(&self) -> Arc<T> {
        let _alone = self.looking.lock().await;
        let shared = Arc::clone(&self.shared);
        if let Err(error) = tokio::task::spawn_blocking(move || shared.load(fingerprint(&shared.dirs))).await
        {
            tracing::error!(%error, "folders could not be loaded; what was known goes on to hold");
        }
        self.shared.value()
    }

    fn is_fresh(&self) -> bool {
        self.shared.dirs.is_empty() || self.shared.seen().looked.elapsed() < self.interval
    }
}

impl<T> Shared<T> {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen<T>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self) -> Arc<T> {
        Arc::clone(&self.seen().value)
    }

    fn look(&self) {
        let fingerprint = fingerprint(&self.dirs);
        if self.seen().fingerprint == fingerprint {
            self.seen().looked = Instant::now();
        } else {
            self.load(fingerprint);
        }
    }

    /// The fingerprint is older than what is loaded: a change in between is found by the next look.
    fn load(&self, fingerprint: u64) {
        let value = Arc::new((self.load)(&self.dirs));
        *self.seen() = Seen { value, fingerprint, looked: Instant::now() };
    }
}

/// Changes when a file's or folder's name, size or time of change does.
fn fingerprint(dirs: &[PathBuf]) -> u64 {
    let mut walk = Walk { hasher: DefaultHasher::new(), left: MAX_ENTRIES };
    dirs.iter().for_each(|dir| walk.folder(dir, MAX_DEPTH));
    walk.hasher.finish()
}

struct Walk {
    hasher: DefaultHasher,
    left: usize,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return false.hash(&mut self.hasher);
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).take(self.left).collect();
        paths.retain(|path| !is_hidden(path));
        self.left -= paths.len();
        paths.sort();
        paths.iter().for_each(|path| self.entry(path, depth));
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        path.hash(&mut self.hasher);
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        metadata.file_type().hash(&mut self.hasher);
        // The time of the inode's change moves also where a copy has set back the time of the content's.
        let times = (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec());
        (metadata.len(), metadata.ino(), times).hash(&mut self.hasher);
        if metadata.is_dir() && depth > 0 {
            self.folder(path, depth - 1);
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
