//! Names of entries: which are refused, which are left out, and which fall together.

use std::collections::HashMap;

use taiku_bridge::manifest::path_fault;
use unicode_normalization::UnicodeNormalization;

use super::{ArchiveError, EntryFault, MAX_ENTRIES, refuse};

/// Longest name in an error, in characters.
const SHOWN: usize = 120;

/// The path that a name stands for, and whether it is a folder's.
pub(super) fn path(name: &[u8]) -> Result<(String, bool), ArchiveError> {
    let Ok(name) = std::str::from_utf8(name) else {
        let fault = EntryFault::Name("is not UTF-8");
        return Err(refuse(&String::from_utf8_lossy(name), fault));
    };
    let (path, is_folder) = name.strip_suffix('/').map_or((name, false), |path| (path, true));
    match path_fault(path) {
        Some(why) => Err(refuse(name, EntryFault::Name(why))),
        None => Ok((path.to_owned(), is_folder)),
    }
}

/// Whether a plugin's folder would be read without it: a hidden file, or what macOS puts beside the files.
pub(super) fn is_left_out(path: &str) -> bool {
    path.split('/').any(|segment| segment.starts_with('.'))
        || path.split('/').next().is_some_and(|first| first == "__MACOSX")
}

/// A name as an error shows it.
pub(super) fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Insists that no two paths are one on a file system that folds case, normalises Unicode or drops dots and spaces
/// at the end of a name. Folders count, those included that are only named within a path.
pub(super) fn distinct<'a>(paths: impl Iterator<Item = (&'a str, bool)>) -> Result<(), ArchiveError> {
    let (mut seen, mut parents) = (Seen::new(), Parents::new());
    for (path, is_folder) in paths {
        let parent = match path.rsplit_once('/') {
            Some((parent, _)) => folder(&mut seen, &mut parents, parent)?,
            None => String::new(),
        };
        let kind = if is_folder { Kind::Folder { named: true } } else { Kind::File };
        claim(&mut seen, &parent, path, kind)?;
    }
    Ok(())
}

/// Claims a folder that is named within a path, and those that it lies in, once. Returns its key.
fn folder<'a>(seen: &mut Seen<'a>, parents: &mut Parents<'a>, path: &'a str) -> Result<String, ArchiveError> {
    if let Some(key) = parents.get(path) {
        return Ok(key.clone());
    }
    let mut parent = String::new();
    for end in path.match_indices('/').map(|(at, _)| at).chain([path.len()]) {
        let at = &path[..end];
        parent = match parents.get(at) {
            Some(key) => key.clone(),
            None => claim(seen, &parent, at, Kind::Folder { named: false })?,
        };
        parents.insert(at, parent.clone());
    }
    Ok(parent)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// Whether an entry of its own names it, which only one may.
    Folder {
        named: bool,
    },
}

/// Every path so far, by its key: the same for all spellings of a path that some file system takes for one.
type Seen<'a> = HashMap<String, (&'a str, Kind)>;

/// The keys of the folders that are named within paths.
type Parents<'a> = HashMap<&'a str, String>;

/// Enters a path whose folder has the key `parent`, and returns its own key.
fn claim<'a>(seen: &mut Seen<'a>, parent: &str, path: &'a str, kind: Kind) -> Result<String, ArchiveError> {
    let key = format!("{parent}/{}", folded(path.rsplit('/').next().unwrap_or(path)));
    let Some((first, was)) = seen.get_mut(&key) else {
        seen.insert(key.clone(), (path, kind));
        return if seen.len() > MAX_ENTRIES { Err(ArchiveError::TooManyEntries) } else { Ok(key) };
    };
    let fault = match (*was, kind) {
        _ if *first != path => EntryFault::Collides(shown(first)),
        (Kind::File, Kind::File) | (Kind::Folder { named: true }, Kind::Folder { named: true }) => {
            EntryFault::Twice
        }
        (Kind::File, Kind::Folder { .. }) | (Kind::Folder { .. }, Kind::File) => EntryFault::FileAndFolder,
        (Kind::Folder { named }, Kind::Folder { named: also }) => {
            *was = Kind::Folder { named: named || also };
            return Ok(key);
        }
    };
    Err(refuse(path, fault))
}

/// Upper case first, because `ß` and `ſ` only then meet `ss` and `s`.
fn folded(segment: &str) -> String {
    let mut folded = if segment.is_ascii() {
        segment.to_ascii_lowercase()
    } else {
        segment.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    };
    folded.truncate(folded.trim_end_matches(['.', ' ']).len());
    folded
}
