//! What a browser downloads, after brotli.

use std::{fs, path::Path};

use super::assets::FOLDER;
use crate::error::{Error, Result};

/// Bytes per kind of file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) wasm: u64,
    pub(crate) js: u64,
    pub(crate) css: u64,
}

/// The most wasm a first visit may download, in bytes after brotli.
pub(crate) const WASM_LIMIT: u64 = 220_000;
/// The most JavaScript a first visit may download, in bytes after brotli.
pub(crate) const JS_LIMIT: u64 = 20_000;

impl Sizes {
    /// Of the bundle in a folder.
    ///
    /// # Errors
    /// When there is no bundle.
    pub(crate) fn read(web: &Path) -> Result<Self> {
        let mut sizes = Self::default();
        sizes.add(&web.join(FOLDER))?;
        Ok(sizes)
    }

    fn add(&mut self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let path = entry.map_err(Error::io("read", folder))?.path();
            if path.is_dir() {
                self.add(&path)?;
                continue;
            }
            let bytes = match path.extension().and_then(|extension| extension.to_str()) {
                Some("wasm") => &mut self.wasm,
                Some("js") => &mut self.js,
                Some("css") => &mut self.css,
                _ => continue,
            };
            let mut compressed = path.clone().into_os_string();
            compressed.push(".br");
            let sent = fs::metadata(compressed).or_else(|_| fs::metadata(&path));
            *bytes += sent.map_err(Error::io("read", &path))?.len();
        }
        Ok(())
    }

    /// Name, bytes and limit of each kind.
    pub(crate) fn rows(&self) -> [(&'static str, u64, Option<u64>); 3] {
        [
            ("wasm", self.wasm, Some(WASM_LIMIT)),
            ("JavaScript", self.js, Some(JS_LIMIT)),
            ("style sheets", self.css, None),
        ]
    }

    /// One line per kind.
    pub(crate) fn table(&self) -> impl Iterator<Item = String> {
        self.rows().into_iter().map(|(name, bytes, limit)| {
            let limit = limit.map_or_else(String::new, |limit| format!(" of at most {}", kilobytes(limit)));
            format!("{name}: {}{limit} after brotli", kilobytes(bytes))
        })
    }
}

/// `24.7 KB`, of 1,000 bytes each.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// The budget of the front end. The bundle is there because `cargo xtask test` makes it first.
    #[test]
    fn the_front_end_stays_within_its_limits() {
        let web = Workspace::find().unwrap().web();
        let sizes = Sizes::read(&web).expect("`cargo xtask web` makes the bundle that this test measures");
        assert!(sizes.wasm > 0 && sizes.js > 0, "the bundle is empty: {sizes:?}");
        for (name, bytes, limit) in sizes.rows() {
            if let Some(limit) = limit {
                assert!(bytes <= limit, "{name} has {bytes} bytes after brotli, the limit is {limit}");
            }
        }
    }

    #[test]
    fn what_is_sent_is_counted_once() {
        let folder = std::env::temp_dir().join(format!("taiku-sizes-{}", std::process::id()));
        let assets = folder.join(FOLDER);
        fs::create_dir_all(assets.join("snippets-1")).unwrap();
        for (name, length) in [
            ("a.wasm", 100),
            ("a.wasm.br", 40),
            ("a.js", 9),
            ("snippets-1/b.js", 5),
            ("a.css", 3),
            ("a.css.br", 2),
        ] {
            fs::write(assets.join(name), vec![0; length]).unwrap();
        }
        let sizes = Sizes::read(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(sizes.unwrap(), Sizes { wasm: 40, js: 14, css: 2 });
    }
}
