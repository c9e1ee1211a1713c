//! The files of the bundle: named by their content, compressed ahead.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The folder of hashed files, under which everything may be cached for ever.
pub(crate) const FOLDER: &str = "assets";

/// SHA-256 in hexadecimal.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length keeps `ab`, `c` and `a`, `bc` apart.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The first 64 bits of a hash, enough to tell builds apart.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let mut hash = sha256([bytes]);
    hash.truncate(16);
    hash
}

/// `name.ext` with the content's hash before the extension.
pub(crate) fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let hash = short_hash(bytes);
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash}.{extension}"),
        None => format!("{name}-{hash}"),
    }
}

/// A folder that is being filled.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
}

impl Output {
    /// In an emptied folder.
    pub(crate) fn create(folder: PathBuf) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::io("empty", &folder))?;
        }
        Ok(Self { folder })
    }

    /// Writes a file under its hashed name and returns its URL path.
    pub(crate) fn hashed(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = format!("{FOLDER}/{}", hashed_name(name, bytes));
        self.named(&path, bytes)?;
        Ok(format!("/{path}"))
    }

    /// Writes a file under a path of its own, with `.br` beside it where that is smaller.
    pub(crate) fn named(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.folder.join(path);
        let parent = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        fs::write(&file, bytes).map_err(Error::io("write", &file))?;
        let compressed = compress(bytes).map_err(Error::io("compress", &file))?;
        if compressed.len() < bytes.len() {
            let file = self.folder.join(format!("{path}.br"));
            fs::write(&file, compressed).map_err(Error::io("write", &file))?;
        }
        Ok(())
    }

    /// Puts the folder where it is served from.
    pub(crate) fn publish(self, to: &Path) -> Result<()> {
        if to.exists() {
            fs::remove_dir_all(to).map_err(Error::io("remove", to))?;
        }
        fs::rename(&self.folder, to).map_err(Error::io("move the bundle to", to))
    }
}

/// Brotli at its best, with a window that every browser accepts.
fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    const BUFFER: usize = 64 * 1024;
    const QUALITY: u32 = 11;
    const WINDOW: u32 = 22;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, WINDOW);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_hash_stands_before_the_extension_and_follows_the_content() {
        let name = hashed_name("boot.js", b"1");
        assert!(name.starts_with("boot-") && name.ends_with(".js"), "{name}");
        assert_eq!(name.len(), "boot-.js".len() + 16);
        assert_eq!(name, hashed_name("boot.js", b"1"));
        assert_ne!(name, hashed_name("boot.js", b"2"));
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(sha256([&b"ab"[..], b"c"]), sha256([&b"a"[..], b"bc"]));
    }

    #[test]
    fn compressed_files_unpack_to_the_original() {
        let text = "the same words, ".repeat(500).into_bytes();
        let packed = compress(&text).unwrap();
        assert!(packed.len() < text.len() / 10);
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(&packed[..], 4096).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }
}
