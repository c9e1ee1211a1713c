//! Folders that change while the broker runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::store::grants::Pin;

const HOUR: Duration = Duration::from_secs(3600);

fn watched(registry: Registry, dir: &Path) -> WatchedPlugins {
    let dirs = vec![dir.to_owned()];
    WatchedPlugins::of(Watched::with_interval(dirs, Duration::ZERO, move |dirs| {
        PluginCatalog::load(&registry, dirs)
    }))
}

fn pin(version: &str, hash: &str) -> BTreeMap<String, Pin> {
    BTreeMap::from([("x".to_owned(), Pin { version: version.to_owned(), hash: hash.to_owned() })])
}

fn panel_of(catalog: &PluginCatalog) -> Option<String> {
    let panel = catalog.get(&id("x"))?.files.get("panel.html")?.clone();
    Some(String::from_utf8(panel.into()).unwrap())
}

/// A value that counts how often it was loaded.
fn counting(dirs: Vec<PathBuf>, interval: Duration) -> Watched<usize> {
    let loads = AtomicUsize::new(0);
    Watched::with_interval(dirs, interval, move |_| loads.fetch_add(1, Ordering::SeqCst) + 1)
}

#[tokio::test]
async fn a_change_anywhere_in_the_folders_is_found() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>");
    let watched = counting(vec![root.path().to_owned()], Duration::ZERO);
    assert_eq!((*watched.current().await, *watched.current().await), (1, 1));
    fs::write(folder.join("panel.html"), "<p>longer").unwrap();
    assert_eq!((*watched.current().await, *watched.current().await), (2, 2));
    fs::create_dir_all(folder.join("a/b")).unwrap();
    assert_eq!(*watched.current().await, 3);
    fs::write(folder.join("a/b/c"), "deep").unwrap();
    assert_eq!(*watched.current().await, 4);
    fs::rename(folder.join("a/b/c"), folder.join("a/b/d")).unwrap();
    assert_eq!(*watched.current().await, 5);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!((*watched.current().await, *watched.current().await), (6, 6));
}

#[tokio::test]
async fn content_that_keeps_its_size_and_time_is_found() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "x", "x", "1.0.0", "<p>1");
    let time = fs::metadata(folder.join("panel.html")).unwrap().modified().unwrap();
    let watched = counting(vec![root.path().to_owned()], Duration::ZERO);
    fs::write(folder.join(".new"), "<p>2").unwrap();
    fs::File::options().write(true).open(folder.join(".new")).unwrap().set_modified(time).unwrap();
    let folder_time = fs::metadata(&folder).unwrap().modified().unwrap();
    fs::rename(folder.join(".new"), folder.join("panel.html")).unwrap();
    fs::File::open(&folder).unwrap().set_modified(folder_time).unwrap();
    assert_eq!(*watched.current().await, 2);
}

#[tokio::test]
async fn the_folders_are_not_looked_at_again_too_soon() {
    let root = tempfile::tempdir().unwrap();
    let watched = counting(vec![root.path().to_owned()], HOUR);
    write(root.path(), "x", "x", "1.0.0", "<p>");
    assert_eq!(*watched.current().await, 1);
    assert_eq!(*watched.reload().await, 2);
}

#[tokio::test]
async fn many_callers_cause_one_load() {
    const CALLERS: usize = 50;
    let root = tempfile::tempdir().unwrap();
    let (loads, calls) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let called = Arc::clone(&calls);
    let watched = Watched::with_interval(vec![root.path().to_owned()], Duration::ZERO, move |_| {
        let load = loads.fetch_add(1, Ordering::SeqCst);
        // The second load lasts until all callers wait for it.
        let deadline = Instant::now() + Duration::from_secs(10);
        while load == 1 && called.load(Ordering::SeqCst) < CALLERS && Instant::now() < deadline {
            std::thread::yield_now();
        }
        load
    });
    let watched = Arc::new(watched);
    write(root.path(), "x", "x", "1.0.0", "<p>");
    let call = |_| {
        let (watched, calls) = (Arc::clone(&watched), Arc::clone(&calls));
        tokio::spawn(async move {
            calls.fetch_add(1, Ordering::SeqCst);
            *watched.current().await
        })
    };
    for call in (0..CALLERS).map(call).collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_load_that_fails_leaves_what_was_known() {
    let root = tempfile::tempdir().unwrap();
    let loads = AtomicUsize::new(0);
    let dirs = vec![root.path().to_owned()];
    let watched = Watched::with_interval(dirs, Duration::ZERO, move |_| {
        let load = loads.fetch_add(1, Ordering::SeqCst);
        assert_ne!(load, 1, "the second load fails on purpose");
        load
    });
    write(root.path(), "x", "x", "1.0.0", "<p>");
    assert_eq!(*watched.current().await, 0);
    assert_eq!(*watched.current().await, 2);
}

#[tokio::test]
async fn a_plugin_that_is_not_pinned_follows_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let plugins = watched(Registry::default(), root.path());
    assert_eq!(panel_of(&*plugins.current(&BTreeMap::new(), &[]).await), None);
    write(root.path(), "x", "x", "1.0.0", "<p>1");
    let catalog = plugins.current(&BTreeMap::new(), &[]).await;
    let first = catalog.get(&id("x")).unwrap().hash.clone();
    write(root.path(), "x", "x", "1.0.0", "<p>second");
    let catalog = plugins.current(&BTreeMap::new(), &[]).await;
    assert_eq!(panel_of(&catalog).as_deref(), Some("<p>second"));
    assert_eq!(plugins.by_hash(&first).unwrap().files.get("panel.html").unwrap(), "<p>1");
}

#[tokio::test]
async fn what_was_pinned_is_served_on_when_files_change_under_the_same_version() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "x", "x", "1.0.0", "<p>1");
    let plugins = watched(Registry::default(), root.path());
    let hash = plugins.current(&BTreeMap::new(), &[]).await.get(&id("x")).unwrap().hash.clone();
    let pins = pin("1.0.0", &hash);
    write(root.path(), "x", "x", "1.0.0", "<p>changed");
    let catalog = plugins.current(&pins, &[]).await;
    assert_eq!(panel_of(&catalog).as_deref(), Some("<p>1"));
    assert_eq!(
        faults(&catalog),
        ": the files of x changed under the same version 1.0.0; raise the version, or have an admin reload it; \
         until then what users allowed is served on"
    );
    let changed = plugins.on_disk().await.get(&id("x")).unwrap().hash.clone();
    assert!(plugins.by_hash(&changed).is_none(), "what is refused is not served by its hash either");
    let catalog = plugins.current(&pin("1.0.0", &changed), &[]).await;
    assert_eq!((panel_of(&catalog).as_deref(), catalog.failed().len()), (Some("<p>changed"), 0));
}

#[tokio::test]
async fn after_a_restart_changed_files_are_refused_until_the_version_is_raised() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "x", "x", "1.0.0", "<p>changed");
    write(root.path(), "y", "y", "1.0.0", "<p>");
    let plugins = watched(Registry::default(), root.path());
    let pins = pin("1.0.0", &"0".repeat(64));
    let catalog = plugins.current(&pins, &[]).await;
    assert_eq!(ids(&catalog), ["y"]);
    assert!(
        faults(&catalog)
            .ends_with("raise the version, or have an admin reload it; until then it cannot be opened")
    );
    write(root.path(), "x", "x", "1.0.1", "<p>changed");
    let catalog = plugins.current(&pins, &[]).await;
    assert_eq!((ids(&catalog), catalog.failed().len()), (vec!["x", "y"], 0));
}

#[tokio::test]
async fn the_plugins_of_the_registry_are_not_pinned() {
    let root = tempfile::tempdir().unwrap();
    let plugins = watched(registry_of("x", "<p>new"), root.path());
    let hash = PluginCatalog::load(&registry_of("x", "<p>new"), &[]).get(&id("x")).unwrap().hash.clone();
    assert!(plugins.by_hash(&hash).is_some(), "its files are there before anybody asked for the list");
    let catalog = plugins.current(&pin("1.0.0", &"0".repeat(64)), &[]).await;
    assert_eq!(panel_of(&catalog).as_deref(), Some("<p>new"));
}

#[test]
fn former_files_are_kept_up_to_a_bound() {
    let mut kept = kept::Kept::default();
    let mut hashes = Vec::new();
    for round in 0..70 {
        let catalog = PluginCatalog::load(&registry_of("x", &format!("<p>{round}")), &[]);
        kept.keep(&catalog);
        hashes.push(catalog.get(&id("x")).unwrap().hash.clone());
    }
    let found: Vec<_> = (0..70).filter(|round| kept.find(&hashes[*round]).is_some()).collect();
    assert_eq!(found, (5..70).collect::<Vec<_>>(), "the current one and 64 before it");
}
