//! Bytes of any length, encrypted in chunks so that neither side holds them all.
//!
//! The file is the magic `TKBK`, the format 1, a salt of 32 bytes, and chunks. The chunk key is HKDF-SHA256 of the
//! backup key under the salt. A chunk is 64 KiB of plaintext, the last one less or as much, under AES-256-GCM; its
//! nonce is its number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
//! Vizár), so that chunks cannot be left out, moved or cut off. The head is the associated data of each.

use std::io::{self, Read, Write};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::BackupKey;
use crate::random::Random;

const MAGIC: &[u8; 5] = b"TKBK\x01";
const SALT: usize = 32;
const HEAD: usize = MAGIC.len() + SALT;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const PURPOSE: &[u8] = b"taiku backup v1: chunks";

/// Why an envelope does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is something else.
    #[error("this is no backup of taiku")]
    NoBackup,
    /// It is damaged, cut off, or encrypted to another key: the three cannot be told apart.
    #[error("the backup does not open: it is damaged, incomplete, or was made with another backup key")]
    Damaged,
}

struct Chunks {
    cipher: Aes256Gcm,
    head: [u8; HEAD],
    number: u64,
}

impl Chunks {
    fn new(key: &BackupKey, head: [u8; HEAD]) -> Self {
        let mut chunk_key = Zeroizing::new([0; 32]);
        let expanded =
            Hkdf::<Sha256>::new(Some(&head[MAGIC.len()..]), &*key.0).expand(PURPOSE, &mut *chunk_key);
        debug_assert!(expanded.is_ok(), "32 bytes are less than HKDF gives");
        Self { cipher: Aes256Gcm::new(&(*chunk_key).into()), head, number: 0 }
    }

    fn nonce(&mut self, is_last: bool) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(is_last);
        self.number += 1;
        nonce.into()
    }

    fn seal(&mut self, plaintext: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(is_last);
        let payload = Payload { msg: plaintext, aad: &self.head };
        self.cipher.encrypt(&nonce, payload).map_err(|_| io::Error::other("a chunk could not be encrypted"))
    }

    fn open(&mut self, ciphertext: &[u8], is_last: bool) -> Result<Vec<u8>, EnvelopeError> {
        let nonce = self.nonce(is_last);
        let payload = Payload { msg: ciphertext, aad: &self.head };
        self.cipher.decrypt(&nonce, payload).map_err(|_| EnvelopeError::Damaged)
    }
}

/// Encrypts what is written to it. Nothing is complete before [`Sealer::finish`].
pub struct Sealer<W: Write> {
    out: W,
    chunks: Chunks,
    waiting: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// When that fails.
    pub fn new(mut out: W, key: &BackupKey, random: &Random) -> io::Result<Self> {
        let mut head = [0; HEAD];
        head[..MAGIC.len()].copy_from_slice(MAGIC);
        head[MAGIC.len()..].copy_from_slice(&random.bytes::<SALT>());
        out.write_all(&head)?;
        Ok(Self { out, chunks: Chunks::new(key, head), waiting: Vec::with_capacity(CHUNK) })
    }

    /// Writes the last chunk.
    ///
    /// # Errors
    /// When that fails.
    pub fn finish(mut self) -> io::Result<W> {
        let last = self.chunks.seal(&self.waiting, true)?;
        self.out.write_all(&last)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is written once it is known not to be the last.
        if self.waiting.len() == CHUNK && !bytes.is_empty() {
            let chunk = self.chunks.seal(&self.waiting, false)?;
            self.out.write_all(&chunk)?;
            self.waiting.clear();
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Gives the bytes of an envelope, each after its chunk was checked.
pub struct Opener<R: Read> {
    from: R,
    chunks: Chunks,
    /// The beginning of the next chunk: whether there is one tells whether this is the last.
    ahead: Vec<u8>,
    opened: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// When it is no backup.
    pub fn new(mut from: R, key: &BackupKey) -> Result<Self, EnvelopeError> {
        let mut head = [0; HEAD];
        from.read_exact(&mut head).map_err(|_| EnvelopeError::NoBackup)?;
        if &head[..MAGIC.len()] != MAGIC {
            return Err(EnvelopeError::NoBackup);
        }
        let chunks = Chunks::new(key, head);
        Ok(Self { from, chunks, ahead: Vec::new(), opened: Vec::new(), at: 0, ended: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let full = CHUNK + TAG;
        let wanted = full + 1 - self.ahead.len();
        (&mut self.from).take(wanted as u64).read_to_end(&mut self.ahead)?;
        let is_last = self.ahead.len() <= full;
        let rest = self.ahead.split_off(full.min(self.ahead.len()));
        let chunk = std::mem::replace(&mut self.ahead, rest);
        self.opened = self.chunks.open(&chunk, is_last).map_err(io::Error::other)?;
        (self.at, self.ended) = (0, is_last);
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.opened.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = into.len().min(self.opened.len() - self.at);
        into[..count].copy_from_slice(&self.opened[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> BackupKey {
        BackupKey(Zeroizing::new([byte; 32]))
    }

    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), &key(1), &Random::system()).unwrap();
        sealer.write_all(plaintext).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(bytes: &[u8], key: &BackupKey) -> Option<Vec<u8>> {
        let mut plaintext = Vec::new();
        Opener::new(bytes, key).ok()?.read_to_end(&mut plaintext).ok().map(|_| plaintext)
    }

    #[test]
    fn what_is_sealed_opens_at_every_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let plaintext: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            assert_eq!(opened(&sealed(&plaintext), &key(1)).unwrap(), plaintext, "{length}");
        }
    }

    #[test]
    fn another_key_a_missing_end_and_moved_chunks_do_not_open() {
        let plaintext = vec![7; 2 * CHUNK + 100];
        let whole = sealed(&plaintext);
        assert_eq!(opened(&whole, &key(2)), None);
        let full = CHUNK + TAG;
        for end in [HEAD - 1, HEAD, HEAD + full, HEAD + 2 * full, whole.len() - 1] {
            assert_eq!(opened(&whole[..end], &key(1)), None, "cut at {end}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(opened(&longer, &key(1)), None);
        let mut moved = whole.clone();
        moved[HEAD..HEAD + full].copy_from_slice(&whole[HEAD + full..HEAD + 2 * full]);
        moved[HEAD + full..HEAD + 2 * full].copy_from_slice(&whole[HEAD..HEAD + full]);
        assert_eq!(opened(&moved, &key(1)), None);
    }

    proptest! {
        #[test]
        fn a_flipped_bit_anywhere_is_noticed(plaintext in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut bytes = sealed(&plaintext);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(opened(&bytes, &key(1)), None);
        }

        #[test]
        fn whatever_a_stranger_sends_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            prop_assert_eq!(opened(&bytes, &key(1)), None);
        }
    }
}
