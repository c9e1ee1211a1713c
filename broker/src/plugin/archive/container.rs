//! The records of a `.zip` file.

use memchr::memmem;

use super::{ArchiveError, EntryFault, MAX_ENTRIES, MAX_NAMES, names, refuse};

/// Signatures (APPNOTE 4.3.7, 4.3.9, 4.3.12, 4.3.16).
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

const END_SIZE: usize = 22;
/// The longest comment after the end record.
const MAX_COMMENT: usize = u16::MAX as usize;

/// General purpose flags (APPNOTE 4.4.4): encrypted, strongly encrypted, local header masked.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Sizes and checksum follow the content.
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// Extra fields (APPNOTE 4.5.2) that can name the target of a link.
const UNIX_EXTRA: u16 = 0x000d;
const ASI_UNIX_EXTRA: u16 = 0x756e;

/// How content is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// One entry, checked but not unpacked.
pub(super) struct Entry<'a> {
    pub(super) path: String,
    pub(super) is_folder: bool,
    pub(super) method: Method,
    pub(super) crc: u32,
    /// Size of the content, in bytes, as both headers declare it.
    pub(super) size: usize,
    pub(super) packed: &'a [u8],
}

/// What the central directory says of an entry.
struct Central<'a> {
    name: &'a [u8],
    path: String,
    is_folder: bool,
    flags: u16,
    method: u16,
    crc: u32,
    packed_size: usize,
    size: usize,
    offset: usize,
}

/// Every entry, in the order of the file.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>, ArchiveError> {
    let end = end(bytes)?;
    let directory = bytes.get(end.directory.clone()).ok_or(ArchiveError::NotZip)?;
    let mut centrals = centrals(directory, end.count)?;
    centrals.sort_by_key(|central| central.offset);
    // Of two entries at one place the second is refused when the first has been read.
    if centrals.first().map_or(end.directory.start, |first| first.offset) != 0 {
        return Err(ArchiveError::Stray("before its first file"));
    }
    let starts: Vec<usize> = centrals.iter().skip(1).map(|next| next.offset).collect();
    let ends = starts.into_iter().chain([end.directory.start]);
    let locals = centrals.into_iter().zip(ends);
    locals
        .map(|(central, end)| local(bytes, &central, end).map_err(|fault| refuse(&central.path, fault)))
        .collect()
}

struct End {
    directory: std::ops::Range<usize>,
    count: usize,
}

/// The end record: the last one whose comment reaches exactly to the end of the file.
fn end(bytes: &[u8]) -> Result<End, ArchiveError> {
    let from = bytes.len().saturating_sub(END_SIZE + MAX_COMMENT);
    let tail = bytes.get(from..).unwrap_or_default();
    let ends_here = |at: &usize| {
        let length = tail.get(at + END_SIZE - 2..at + END_SIZE).map(|l| u16::from_le_bytes([l[0], l[1]]));
        length.is_some_and(|length| at + END_SIZE + usize::from(length) == tail.len())
    };
    // The search runs from the end, so that a long comment full of signatures costs one pass.
    let at = memmem::rfind_iter(tail, &END).find(ends_here);
    let at = from + at.ok_or_else(|| no_end(tail))?;
    let mut record = Record(&bytes[at + END.len()..]);
    let (Some(disk), Some(first_disk), Some(count_here), Some(count)) =
        (record.u16(), record.u16(), record.u16(), record.u16())
    else {
        return Err(ArchiveError::NotZip);
    };
    let (Some(size), Some(offset)) = (record.size(), record.size()) else {
        return Err(ArchiveError::NotZip);
    };
    let large = count == u16::MAX || [size, offset].contains(&(u32::MAX as usize));
    if disk != 0 || first_disk != 0 || count_here != count || large {
        return Err(ArchiveError::Unsupported);
    }
    match offset.checked_add(size) {
        Some(end) if end == at => Ok(End { directory: offset..end, count: count.into() }),
        Some(end) if end < at => Err(ArchiveError::Stray("around its list of files")),
        Some(_) | None => Err(ArchiveError::Directory),
    }
}

/// Tells an archive that goes on after its end from what is no archive.
fn no_end(tail: &[u8]) -> ArchiveError {
    match memmem::rfind(tail, &END) {
        Some(at) if tail.len() - at > END_SIZE => ArchiveError::Stray("after its end"),
        Some(_) | None => ArchiveError::NotZip,
    }
}

fn centrals(directory: &[u8], count: usize) -> Result<Vec<Central<'_>>, ArchiveError> {
    let mut record = Record(directory);
    let (mut centrals, mut names) = (Vec::new(), 0);
    while !record.0.is_empty() {
        let central = central(&mut record)?;
        names += central.name.len();
        if centrals.len() == MAX_ENTRIES || names > MAX_NAMES {
            return Err(ArchiveError::TooManyEntries);
        }
        centrals.push(central);
    }
    if centrals.len() == count { Ok(centrals) } else { Err(ArchiveError::Directory) }
}

fn central<'a>(record: &mut Record<'a>) -> Result<Central<'a>, ArchiveError> {
    let raw = RawCentral::read(record).ok_or(ArchiveError::Directory)?;
    let (path, is_folder) = names::path(raw.name)?;
    let fault = |fault| refuse(&path, fault);
    if raw.flags & ENCRYPTED != 0 {
        return Err(fault(EntryFault::Encrypted));
    }
    if let Some(what) = special(raw.mode, is_folder).or_else(|| link(raw.extra)) {
        return Err(fault(EntryFault::Special(what)));
    }
    if raw.disk != 0 || [raw.packed_size, raw.size, raw.offset].contains(&(u32::MAX as usize)) {
        return Err(ArchiveError::Unsupported);
    }
    if is_folder && raw.size != 0 {
        return Err(fault(EntryFault::FileAndFolder));
    }
    Ok(Central {
        name: raw.name,
        path,
        is_folder,
        flags: raw.flags,
        method: raw.method,
        crc: raw.crc,
        packed_size: raw.packed_size,
        size: raw.size,
        offset: raw.offset,
    })
}

/// A record of the central directory (APPNOTE 4.3.12), field by field.
struct RawCentral<'a> {
    flags: u16,
    method: u16,
    crc: u32,
    packed_size: usize,
    size: usize,
    disk: u16,
    /// The upper half of the external attributes: the mode on Unix.
    mode: u16,
    offset: usize,
    name: &'a [u8],
    extra: &'a [u8],
}

impl<'a> RawCentral<'a> {
    fn read(record: &mut Record<'a>) -> Option<Self> {
        record.signature(CENTRAL)?;
        record.skip(4)?; // versions
        let (flags, method) = (record.u16()?, record.u16()?);
        record.skip(4)?; // time and date
        let (crc, packed_size, size) = (record.u32()?, record.size()?, record.size()?);
        let (name, extra, comment) = (record.u16()?, record.u16()?, record.u16()?);
        let disk = record.u16()?;
        record.skip(4)?; // internal attributes, lower half of the external ones
        let (mode, offset) = (record.u16()?, record.size()?);
        let (name, extra) = (record.take(name.into())?, record.take(extra.into())?);
        record.skip(comment.into())?;
        Some(Self { flags, method, crc, packed_size, size, disk, mode, offset, name, extra })
    }
}

/// What an entry is by its Unix mode, if it is neither a file nor a folder as its name says.
fn special(mode: u16, is_folder: bool) -> Option<&'static str> {
    match (mode & 0o170_000, is_folder) {
        (0, _) | (0o100_000, false) | (0o040_000, true) => None,
        (0o120_000, _) => Some("a symbolic link"),
        (0o100_000 | 0o040_000, _) => Some("a file by its name and a folder by its mode, or the reverse"),
        _ => Some("a device, a pipe or a socket"),
    }
}

/// Whether an extra field names the target of a link.
fn link(extra: &[u8]) -> Option<&'static str> {
    let mut record = Record(extra);
    while let (Some(id), Some(length)) = (record.u16(), record.u16()) {
        let data = record.take(length.into())?;
        // Times and ids of 12 bytes, then the target; a checksum, mode, length and ids of 14 bytes, then the target.
        let fixed = match id {
            UNIX_EXTRA => 12,
            ASI_UNIX_EXTRA => 14,
            _ => continue,
        };
        if data.len() > fixed {
            return Some("a hard or symbolic link");
        }
    }
    None
}

/// Reads the header before an entry's content, which must say what the central directory says, and insists that
/// the entry fills the file up to `end`.
fn local<'a>(bytes: &'a [u8], central: &Central<'_>, end: usize) -> Result<Entry<'a>, EntryFault> {
    let region = bytes.get(central.offset..end).ok_or(EntryFault::Overlaps)?;
    let mut record = Record(region);
    let header = RawLocal::read(&mut record).ok_or(EntryFault::Overlaps)?;
    if header.flags & ENCRYPTED != 0 {
        return Err(EntryFault::Encrypted);
    }
    let described =
        (header.name, header.method, header.flags) == (central.name, central.method, central.flags);
    let sizes = (central.crc, central.packed_size, central.size);
    let has_descriptor = header.flags & HAS_DESCRIPTOR != 0;
    if !described || (!has_descriptor && (header.crc, header.packed_size, header.size) != sizes) {
        return Err(EntryFault::Differs);
    }
    if let Some(what) = link(header.extra) {
        return Err(EntryFault::Special(what));
    }
    let packed = record.take(central.packed_size).ok_or(EntryFault::Overlaps)?;
    if has_descriptor {
        descriptor(record.0, sizes)?;
    } else if !record.0.is_empty() {
        return Err(EntryFault::Overlaps);
    }
    let method = match central.method {
        0 => Method::Stored,
        8 => Method::Deflated,
        other => return Err(EntryFault::Method(other)),
    };
    let Central { crc, size, is_folder, .. } = *central;
    Ok(Entry { path: central.path.clone(), is_folder, method, crc, size, packed })
}

/// The header before an entry's content (APPNOTE 4.3.7).
struct RawLocal<'a> {
    flags: u16,
    method: u16,
    crc: u32,
    packed_size: usize,
    size: usize,
    name: &'a [u8],
    extra: &'a [u8],
}

impl<'a> RawLocal<'a> {
    fn read(record: &mut Record<'a>) -> Option<Self> {
        record.signature(LOCAL)?;
        record.skip(2)?; // version
        let (flags, method) = (record.u16()?, record.u16()?);
        record.skip(4)?; // time and date
        let (crc, packed_size, size) = (record.u32()?, record.size()?, record.size()?);
        let (name, extra) = (record.u16()?, record.u16()?);
        let (name, extra) = (record.take(name.into())?, record.take(extra.into())?);
        Some(Self { flags, method, crc, packed_size, size, name, extra })
    }
}

/// What follows the content when its header was written before the sizes were known; the signature is optional.
fn descriptor(bytes: &[u8], sizes: (u32, usize, usize)) -> Result<(), EntryFault> {
    let mut record = Record(bytes);
    if bytes.len() == 16 {
        record.signature(DESCRIPTOR).ok_or(EntryFault::Overlaps)?;
    }
    let (Some(crc), Some(packed), Some(size), true) =
        (record.u32(), record.size(), record.size(), record.0.is_empty())
    else {
        return Err(EntryFault::Overlaps);
    };
    if (crc, packed, size) == sizes { Ok(()) } else { Err(EntryFault::Differs) }
}

/// Bytes that are read from the front; numbers are little-endian.
struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    fn signature(&mut self, expected: [u8; 4]) -> Option<()> {
        (self.take(4)? == expected).then_some(())
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }
}
