//! The files of a toolkit folder, from the disk or from inside the binary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::fault::Fault;

#[derive(RustEmbed)]
#[folder = "toolkits"]
struct Embedded;

#[derive(RustEmbed)]
#[folder = "catalogue"]
struct Entries;

/// A toolkit folder before it is read.
#[derive(Debug)]
pub struct Folder {
    name: String,
    files: Files,
    kind: Kind,
}

/// How much of a toolkit its files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of it.
    Whole,
    /// How to sign in and where the API is, see [`super::entry`].
    Entry,
}

#[derive(Debug)]
enum Files {
    Memory(BTreeMap<String, Cow<'static, [u8]>>),
    Disk(PathBuf),
}

/// The toolkit folders inside the binary. A debug build reads them from the source tree.
#[must_use]
pub fn embedded() -> Vec<Folder> {
    let mut folders: BTreeMap<String, BTreeMap<String, Cow<'static, [u8]>>> = BTreeMap::new();
    for path in Embedded::iter() {
        let (Some((name, rest)), Some(file)) = (path.split_once('/'), Embedded::get(&path)) else {
            continue;
        };
        folders.entry(name.to_owned()).or_default().insert(rest.to_owned(), file.data);
    }
    let whole = folders.into_iter().map(|(name, files)| Folder::of(name, files, Kind::Whole));
    whole.chain(Entries::iter().filter_map(|path| entry(&path))).collect()
}

/// An entry of the catalogue is one file, whose name is the slug.
fn entry(path: &str) -> Option<Folder> {
    let files = BTreeMap::from([(super::file::NAME.to_owned(), Entries::get(path)?.data)]);
    Some(Folder::of(path.strip_suffix(".toml")?.to_owned(), files, Kind::Entry))
}

impl Folder {
    /// A folder on disk; its name is the last part of its path.
    #[must_use]
    pub fn on_disk(path: PathBuf) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, files: Files::Disk(path), kind: Kind::Whole }
    }

    /// A folder whose files are given by name.
    pub fn in_memory<N, B>(name: impl Into<String>, files: impl IntoIterator<Item = (N, B)>) -> Self
    where
        N: Into<String>,
        B: Into<Cow<'static, [u8]>>,
    {
        let files = files.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect();
        Self::of(name.into(), files, Kind::Whole)
    }

    fn of(name: String, files: BTreeMap<String, Cow<'static, [u8]>>, kind: Kind) -> Self {
        Self { name, files: Files::Memory(files), kind }
    }

    /// How much its files say.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The folder's name, which is the toolkit's slug.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the folder is, as its admin knows it.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.files {
            Files::Memory(_) => format!("built-in toolkit {}", self.name),
            Files::Disk(path) => path.display().to_string(),
        }
    }

    /// Reads a file of at most `cap` bytes; `None` when there is none of that name.
    pub(crate) fn read(&self, file: &str, cap: u64) -> Result<Option<Cow<'_, [u8]>>, Fault> {
        let bytes = match &self.files {
            Files::Memory(files) => files.get(file).map(|bytes| Cow::Borrowed(bytes.as_ref())),
            Files::Disk(folder) => read_inside(folder, file, cap)?.map(Cow::Owned),
        };
        match bytes {
            Some(bytes) if bytes.len() as u64 > cap => Err(too_large(file, cap)),
            bytes => Ok(bytes),
        }
    }
}

fn too_large(file: &str, cap: u64) -> Fault {
    Fault::new(file, "", format!("is larger than {cap} bytes; make it smaller"))
}

/// Reads a file that lies within `folder` also after symbolic links are followed.
fn read_inside(folder: &Path, file: &str, cap: u64) -> Result<Option<Vec<u8>>, Fault> {
    let unreadable = |error: std::io::Error| Fault::new(file, "", format!("cannot be read: {error}"));
    let real = match folder.join(file).canonicalize() {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let root = folder.canonicalize().map_err(unreadable)?;
    if !real.starts_with(&root) {
        return Err(Fault::new(
            file,
            "",
            "is a link that leads out of the toolkit folder; put the file itself there",
        ));
    }
    if !real.metadata().map_err(unreadable)?.is_file() {
        return Err(Fault::new(file, "", "is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file which grows while it is read is still seen to be too large.
    File::open(&real).and_then(|open| open.take(cap + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(Some(bytes))
}

/// Whether a name in `toolkit.toml` stays within the folder: plain names, joined by `/`.
pub(crate) fn is_plain_name(file: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    file.len() <= 200 && file.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("leaky");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(root.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), folder.join("toolkit.toml")).unwrap();
        std::fs::write(folder.join("real"), "y").unwrap();
        std::os::unix::fs::symlink("real", folder.join("inner")).unwrap();
        let folder = Folder::on_disk(folder);
        let fault = folder.read("toolkit.toml", 10).unwrap_err();
        assert!(fault.message.contains("leads out of the toolkit folder"), "{fault}");
        assert_eq!(folder.read("inner", 10).unwrap().unwrap().as_ref(), b"y");
        assert_eq!(folder.read("nothing", 10).unwrap(), None);
    }

    #[test]
    fn sizes_are_capped_in_memory_and_on_disk() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("f"), "12345").unwrap();
        let disk = Folder::on_disk(root.path().to_owned());
        let memory = Folder::in_memory("m", [("f", b"12345".as_slice())]);
        for folder in [disk, memory] {
            assert!(folder.read("f", 5).unwrap().is_some());
            assert!(folder.read("f", 4).unwrap_err().message.contains("larger than 4 bytes"));
        }
    }

    #[test]
    fn only_plain_names_are_names() {
        assert!(is_plain_name("openapi.json") && is_plain_name("docs/api-v1.json"));
        for name in ["", "../x", "/x", "a//b", "a/../b", "a\\b", ".hidden", "a\0"] {
            assert!(!is_plain_name(name), "{name:?}");
        }
    }
}
