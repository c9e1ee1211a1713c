//! Archives as people make them, and as attackers do.

mod hostile;
mod ordinary;
mod random;

use std::collections::BTreeMap;

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::*;
use crate::plugin::Files;

const MANIFEST_TEXT: &str = r#"{"id":"x"}"#;

/// An entry that a test writes as it likes. What is not set is as an honest program writes it.
#[derive(Clone)]
struct Made {
    name: Vec<u8>,
    /// The name in the header before the content, where it differs.
    local_name: Option<Vec<u8>>,
    packed: Vec<u8>,
    crc: u32,
    size: u32,
    method: u16,
    flags: u16,
    mode: u16,
    extra: Vec<u8>,
    descriptor: Vec<u8>,
    /// Bytes before the header.
    before: Vec<u8>,
    /// Where the central directory says that it begins, if not where it does.
    offset: Option<u32>,
}

fn crc(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

fn stored(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Made {
    let content = content.as_ref();
    Made {
        name: name.as_ref().to_vec(),
        local_name: None,
        packed: content.to_vec(),
        crc: crc(content),
        size: content.len() as u32,
        method: 0,
        flags: 0,
        mode: 0,
        extra: Vec::new(),
        descriptor: Vec::new(),
        before: Vec::new(),
        offset: None,
    }
}

fn deflated(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Made {
    let content = content.as_ref();
    let mut packed = Vec::with_capacity(content.len() + 100);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(content, &mut packed, FlushCompress::Finish).unwrap();
    Made { packed, method: 8, ..stored(name, content) }
}

impl Made {
    fn fields(&self, honest: bool) -> Vec<u8> {
        let (crc, packed, size) =
            if honest { (self.crc, self.packed.len() as u32, self.size) } else { (0, 0, 0) };
        let mut fields = Vec::new();
        fields.extend([self.flags, self.method, 0, 33].map(u16::to_le_bytes).as_flattened());
        fields.extend([crc, packed, size].map(u32::to_le_bytes).as_flattened());
        fields
    }

    fn local(&self) -> Vec<u8> {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let mut bytes = b"PK\x03\x04\x14\x00".to_vec();
        bytes.extend(self.fields(self.flags & 8 == 0));
        bytes.extend([name.len() as u16, 0].map(u16::to_le_bytes).as_flattened());
        bytes.extend(name);
        bytes.extend(&self.packed);
        bytes.extend(&self.descriptor);
        bytes
    }

    fn central(&self, offset: usize) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02\x14\x03\x14\x00".to_vec();
        bytes.extend(self.fields(true));
        let lengths = [self.name.len() as u16, self.extra.len() as u16, 0, 0, 0, 0, self.mode];
        bytes.extend(lengths.map(u16::to_le_bytes).as_flattened());
        bytes.extend(self.offset.unwrap_or(offset as u32).to_le_bytes());
        bytes.extend(&self.name);
        bytes.extend(&self.extra);
        bytes
    }
}

fn zip(entries: &[Made]) -> Vec<u8> {
    zip_with(entries, entries.len() as u16, b"")
}

fn zip_with(entries: &[Made], count: u16, comment: &[u8]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        bytes.extend(&entry.before);
        directory.extend(entry.central(bytes.len()));
        bytes.extend(entry.local());
    }
    let at = bytes.len();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].map(u16::to_le_bytes).as_flattened());
    bytes.extend([directory.len() as u32, at as u32].map(u32::to_le_bytes).as_flattened());
    bytes.extend((comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    bytes
}

/// An archive of a manifest and one more entry.
fn with(entry: Made) -> Vec<u8> {
    zip(&[stored("manifest.json", MANIFEST_TEXT), entry])
}

fn files(list: &[(&str, &str)]) -> Files {
    Files::new(list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned().into())).collect())
}

#[track_caller]
fn same(found: &Files, expected: &[(&str, &str)]) {
    let found: BTreeMap<_, _> =
        found.iter().map(|(path, content)| (path, std::str::from_utf8(content).unwrap())).collect();
    assert_eq!(found, expected.iter().copied().collect());
}
