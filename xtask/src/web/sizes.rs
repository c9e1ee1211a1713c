//! What a browser downloads, after brotli.

use std::{fs, path::Path};

use super::assets::FOLDER;
use crate::error::{Error, Result};

/// What a first visit, which shows the workspace, loads, and what there is in all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// What the page names: nothing else is loaded before something is done.
    pub(crate) first: Kinds,
    /// All files of the bundle.
    pub(crate) all: Kinds,
}

/// Bytes per kind of file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) wasm: u64,
    pub(crate) js: u64,
    pub(crate) css: u64,
}

/// The most wasm a first visit may download, in bytes after brotli.
pub(crate) const WASM_LIMIT: u64 = 220_000;
/// The most JavaScript a first visit may download, in bytes after brotli.
pub(crate) const JS_LIMIT: u64 = 20_000;

/// A figure: what it counts, bytes and limit.
pub(crate) type Row = (&'static str, u64, Option<u64>);

impl Sizes {
    /// Of the bundle in a folder.
    ///
    /// # Errors
    /// When there is no bundle.
    pub(crate) fn read(web: &Path) -> Result<Self> {
        let index = web.join("index.html");
        let page = fs::read_to_string(&index).map_err(Error::io("read", &index))?;
        let mut sizes = Self::default();
        sizes.add(&web.join(FOLDER), &format!("/{FOLDER}"), &page)?;
        Ok(sizes)
    }

    fn add(&mut self, folder: &Path, url: &str, page: &str) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
            let path = entry.map_err(Error::io("read", folder))?.path();
            let url = format!("{url}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                self.add(&path, &url, page)?;
                continue;
            }
            let bytes = sent(&path)?;
            self.all.add(&path, bytes);
            if page.contains(&format!("\"{url}\"")) {
                self.first.add(&path, bytes);
            }
        }
        Ok(())
    }

    /// Every figure.
    pub(crate) fn rows(&self) -> [Row; 4] {
        [
            ("wasm of a first visit", self.first.wasm, Some(WASM_LIMIT)),
            ("JavaScript of a first visit", self.first.js, Some(JS_LIMIT)),
            ("style sheets", self.all.css, None),
            ("wasm of all parts", self.all.wasm, None),
        ]
    }

    /// One line per figure.
    pub(crate) fn table(&self) -> impl Iterator<Item = String> {
        self.rows().into_iter().map(|(name, bytes, limit)| {
            let limit = limit.map_or_else(String::new, |limit| format!(" of at most {}", kilobytes(limit)));
            format!("{name}: {}{limit} after brotli", kilobytes(bytes))
        })
    }
}

impl Kinds {
    fn add(&mut self, path: &Path, bytes: u64) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => self.wasm += bytes,
            Some("js") => self.js += bytes,
            Some("css") => self.css += bytes,
            _ => {}
        }
    }
}

/// The bytes that a browser is sent for a file.
fn sent(path: &Path) -> Result<u64> {
    let mut compressed = path.to_path_buf().into_os_string();
    compressed.push(".br");
    let sent = fs::metadata(compressed).or_else(|_| fs::metadata(path));
    Ok(sent.map_err(Error::io("read", path))?.len())
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
    fn a_first_visit_stays_within_its_limits() {
        let web = Workspace::find().unwrap().web();
        let sizes = Sizes::read(&web).expect("`cargo xtask web` makes the bundle that this test measures");
        for line in sizes.table() {
            println!("{line}");
        }
        assert!(sizes.first.wasm > 0 && sizes.first.js > 0, "the bundle is empty: {sizes:?}");
        assert!(sizes.first.wasm < sizes.all.wasm, "nothing is left for later: {sizes:?}");
        for (name, bytes, limit) in sizes.rows() {
            if let Some(limit) = limit {
                assert!(bytes <= limit, "{name}: {bytes} bytes after brotli, the limit is {limit}");
            }
        }
    }

    #[test]
    fn what_is_sent_is_counted_once_and_what_the_page_names_is_the_first_visit() {
        let folder = std::env::temp_dir().join(format!("taiku-sizes-{}", std::process::id()));
        let assets = folder.join(FOLDER);
        fs::create_dir_all(assets.join("app-1")).unwrap();
        for (name, length) in [
            ("app-1/a.wasm", 100),
            ("app-1/a.wasm.br", 40),
            ("app-1/part.wasm", 7),
            ("app-1/a.js", 9),
            ("b.js", 5),
            ("a.css", 3),
            ("a.css.br", 2),
        ] {
            fs::write(assets.join(name), vec![0; length]).unwrap();
        }
        let page = r#"<a href="/assets/app-1/a.wasm"><a href="/assets/b.js"><a href="/assets/a.css">"#;
        fs::write(folder.join("index.html"), page).unwrap();
        let sizes = Sizes::read(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let first = Kinds { wasm: 40, js: 5, css: 2 };
        assert_eq!(sizes.unwrap(), Sizes { first, all: Kinds { wasm: 47, js: 14, css: 2 } });
    }
}
