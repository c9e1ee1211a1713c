//! Takes the application apart: what a first visit needs, and the parts that are loaded when they are shown.
//!
//! The entries of the parts are named in the application (`app/src/part.rs`). What only they reach moves into files
//! of their own; code that several parts share and the rest does not is a file too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wasm_split_cli_support::{Options, transform};

use crate::error::{Error, Result};

/// The module that loads parts, beside the others.
pub(crate) const LOADER: &str = "parts.js";

/// An application in parts.
#[derive(Debug)]
pub(crate) struct Split {
    /// What wasm-bindgen works on.
    pub(crate) main: PathBuf,
    /// The source of [`LOADER`].
    pub(crate) loader: Vec<u8>,
    /// The parts by the names that the loader gives them, ready to be served.
    pub(crate) parts: Vec<(String, Vec<u8>)>,
}

/// Takes `input` apart in an emptied folder. `module` is the file name of the module that starts the application.
///
/// # Errors
/// When the file was linked without its relocations, or cannot be read or written.
pub(crate) fn split(input: &Path, module: &str, scratch: &Path) -> Result<Split> {
    if scratch.exists() {
        fs::remove_dir_all(scratch).map_err(Error::io("empty", scratch))?;
    }
    let wasm = read(input)?;
    let main = scratch.join("main.wasm");
    let (link, from) = (format!("./{LOADER}"), format!("./{module}"));
    let mut options = Options::new(&wasm);
    options.output_dir = scratch;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = &from;
    let made = transform(options)
        .map_err(|error| Error::Split { path: input.to_path_buf(), problem: format!("{error:#}") })?;
    let mut parts = Vec::new();
    for path in made.split_modules {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = without_custom_sections(&read(&path)?)
            .ok_or_else(|| Error::Split { path, problem: "a part is cut off".to_owned() })?;
        parts.push((name, bytes));
    }
    Ok(Split { main, loader: read(&scratch.join(LOADER))?, parts })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(Error::io("read", path))
}

/// A wasm file without names and notes, which browsers do not need
/// (<https://webassembly.github.io/spec/core/binary/modules.html#sections>); nothing if it is cut off.
fn without_custom_sections(wasm: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;
    let mut kept = wasm.get(..HEADER)?.to_vec();
    let mut at = HEADER;
    while let Some(id) = wasm.get(at) {
        let (length, body) = leb128(wasm, at + 1)?;
        let end = body.checked_add(length)?;
        let section = wasm.get(at..end)?;
        if *id != CUSTOM {
            kept.extend_from_slice(section);
        }
        at = end;
    }
    Some(kept)
}

/// An unsigned number and where it ends.
fn leb128(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut number: u64 = 0;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((usize::try_from(number).ok()?, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn custom_sections_are_left_out_and_the_others_kept() {
        let types = b"\x01\x04\x01\x60\0\0";
        let name = b"\0\x05\x04name";
        let long = [&[0, 0x80, 1][..], &[7; 128]].concat();
        let wasm = [HEADER, name, types, &long, types].concat();
        assert_eq!(without_custom_sections(&wasm), Some([HEADER, types, types].concat()));
    }

    #[test]
    fn a_file_that_is_cut_off_is_noticed() {
        for wasm in [&HEADER[..7], &[HEADER, b"\x01"].concat(), &[HEADER, b"\x01\x04\x01"].concat()] {
            assert_eq!(without_custom_sections(wasm), None);
        }
    }
}
