//! Packs a plugin. The same files give the same bytes, whoever packs them and when.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use taiku_bridge::manifest::path_fault;

use super::container::{CENTRAL, END, LOCAL};
use super::{ArchiveError, EntryFault, MANIFEST, MAX_BYTES, MAX_FILES, names, refuse};
use crate::plugin::Files;

/// Version 2.0 is what deflate needs (APPNOTE 4.4.3).
const VERSION: u16 = 20;
/// Made on Unix, so that the mode below counts (APPNOTE 4.4.2).
const MADE_BY: u16 = 3 << 8 | VERSION;
/// A file that its owner may write and everybody may read.
const MODE: u16 = 0o100_644;
/// Names are UTF-8 (APPNOTE 4.4.4, bit 11).
const UTF8: u16 = 1 << 11;
/// 1 January 1980, the first day that the format knows, at midnight.
const DATE: u16 = 1 << 5 | 1;

/// Packs files into an archive that [`super::read`] takes back unchanged.
///
/// # Errors
/// When the files are no plugin: too many, too large, without manifest, or with names that fall together.
pub fn write(files: &Files) -> Result<Vec<u8>, ArchiveError> {
    check(files)?;
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in files.iter() {
        let offset = archive.len();
        let packed = Packed::of(content);
        let described = packed.described(path, content);
        archive.extend(LOCAL);
        archive.extend(VERSION.to_le_bytes());
        archive.extend(&described);
        archive.extend([0; 2]); // no extra fields
        archive.extend(path.as_bytes());
        archive.extend(packed.bytes(content));
        directory.extend(CENTRAL);
        directory.extend([MADE_BY, VERSION].map(u16::to_le_bytes).as_flattened());
        directory.extend(&described);
        directory.extend([0; 10]); // no extra fields, comment, disk or attributes of MS-DOS
        directory.extend(MODE.to_le_bytes());
        directory.extend(u32_of(offset));
        directory.extend(path.as_bytes());
    }
    let (offset, size) = (archive.len(), directory.len());
    let count = u16::try_from(files.iter().count()).unwrap_or(u16::MAX).to_le_bytes();
    archive.append(&mut directory);
    archive.extend(END);
    archive.extend([0; 4]); // one disk
    archive.extend([count, count].as_flattened());
    archive.extend([u32_of(size), u32_of(offset)].as_flattened());
    archive.extend([0; 2]); // no comment
    Ok(archive)
}

fn check(files: &Files) -> Result<(), ArchiveError> {
    let mut left = MAX_BYTES;
    for (path, content) in files.iter() {
        if let Some(why) = path_fault(path) {
            return Err(refuse(path, EntryFault::Name(why)));
        }
        if names::is_left_out(path) {
            return Err(refuse(path, EntryFault::Name("is one that is left out of plugins")));
        }
        let rest = left.checked_sub(content.len());
        left = rest.ok_or_else(|| ArchiveError::TooMuch(names::shown(path)))?;
    }
    if files.iter().count() > MAX_FILES {
        return Err(ArchiveError::TooManyFiles);
    }
    names::distinct(files.paths().map(|path| (path, false)))?;
    files.get(MANIFEST).map(|_| ()).ok_or(ArchiveError::NoManifest)
}

enum Packed {
    Stored,
    Deflated(Vec<u8>),
}

impl Packed {
    /// Deflates what gets smaller by it.
    fn of(content: &[u8]) -> Self {
        let mut packed = Vec::with_capacity(content.len());
        let status = Compress::new(Compression::best(), false).compress_vec(
            content,
            &mut packed,
            FlushCompress::Finish,
        );
        match status {
            Ok(Status::StreamEnd) if packed.len() < content.len() => Self::Deflated(packed),
            _ => Self::Stored,
        }
    }

    fn bytes<'a>(&'a self, content: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Stored => content,
            Self::Deflated(packed) => packed,
        }
    }

    /// The fields that both headers share, from the flags to the length of the name.
    fn described(&self, path: &str, content: &[u8]) -> Vec<u8> {
        let method: u16 = match self {
            Self::Stored => 0,
            Self::Deflated(_) => 8,
        };
        let mut crc = Crc::new();
        crc.update(content);
        let mut fields = [UTF8, method, 0, DATE].map(u16::to_le_bytes).as_flattened().to_vec();
        fields.extend(crc.sum().to_le_bytes());
        fields.extend(u32_of(self.bytes(content).len()));
        fields.extend(u32_of(content.len()));
        fields.extend(u16::try_from(path.len()).unwrap_or(u16::MAX).to_le_bytes());
        fields
    }
}

/// Sizes and offsets lie below 4 GiB, since a plugin has 32 MiB at most.
fn u32_of(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes()
}
