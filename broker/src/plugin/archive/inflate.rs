//! The content of one entry, never more than it declared.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::EntryFault;
use super::container::{Entry, Method};

pub(super) fn content(entry: &Entry<'_>) -> Result<Vec<u8>, EntryFault> {
    let content = match entry.method {
        Method::Stored => stored(entry)?,
        Method::Deflated => deflated(entry)?,
    };
    let mut crc = Crc::new();
    crc.update(&content);
    if crc.sum() == entry.crc { Ok(content) } else { Err(EntryFault::Damaged) }
}

fn stored(entry: &Entry<'_>) -> Result<Vec<u8>, EntryFault> {
    match entry.packed.len() {
        length if length > entry.size => Err(EntryFault::Longer(entry.size)),
        length if length < entry.size => Err(EntryFault::Damaged),
        _ => Ok(entry.packed.to_vec()),
    }
}

/// Unpacks into a buffer with room for one byte more than declared, so that a bomb is seen and never unpacked.
fn deflated(entry: &Entry<'_>) -> Result<Vec<u8>, EntryFault> {
    let mut content = Vec::with_capacity(entry.size + 1);
    let mut inflating = Decompress::new(false);
    let status = inflating
        .decompress_vec(entry.packed, &mut content, FlushDecompress::Finish)
        .map_err(|_| EntryFault::Damaged)?;
    if content.len() > entry.size {
        return Err(EntryFault::Longer(entry.size));
    }
    let whole = status == Status::StreamEnd && inflating.total_in() == entry.packed.len() as u64;
    if whole && content.len() == entry.size { Ok(content) } else { Err(EntryFault::Damaged) }
}
