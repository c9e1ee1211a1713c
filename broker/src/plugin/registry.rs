//! The plugins that are shipped inside the binary.

use std::collections::BTreeMap;

use bytes::Bytes;
use rust_embed::RustEmbed;
use serde::Deserialize;
use taiku_bridge::manifest::Fault;

use super::files::{Files, fault};

#[derive(RustEmbed)]
#[folder = "../plugins"]
// The SDK and the templates lie beside the plugins and are none; with its npm packages, the SDK has more bytes than all
// of taiku.
#[exclude = "sdk/*"]
#[exclude = "templates/*"]
struct Embedded;

/// Name of the list of plugins.
const LIST: &str = "registry.json";

/// The files of the registry: `registry.json` and the folders that it names.
#[derive(Debug, Default)]
pub struct Registry(BTreeMap<String, Bytes>);

#[derive(Deserialize)]
struct List {
    plugins: Vec<Entry>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    /// The id that the folder's manifest must have.
    pub(super) id: String,
    /// The folder's name.
    pub(super) folder: String,
}

impl Registry {
    /// The registry inside the binary. A debug build reads it from the source tree.
    #[must_use]
    pub fn embedded() -> Self {
        let file = |path: &str| Embedded::get(path).map(|file| into_bytes(file.data));
        Self(Embedded::iter().filter_map(|path| Some((path.to_string(), file(&path)?))).collect())
    }

    /// A registry of these files, by paths such as `registry.json` and `my-plugin/manifest.json`.
    #[must_use]
    pub fn new(files: BTreeMap<String, Bytes>) -> Self {
        Self(files)
    }

    /// What the list names, in its order.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Fault> {
        let Some(list) = self.0.get(LIST) else { return Ok(Vec::new()) };
        serde_json::from_slice::<List>(list)
            .map(|list| list.plugins)
            .map_err(|error| fault(format!("{LIST} is not a list of plugins: {error}")))
    }

    pub(super) fn files(&self, folder: &str) -> Files {
        let prefix = format!("{folder}/");
        let within = |(path, content): (&String, &Bytes)| {
            path.strip_prefix(&prefix).map(|path| (path.to_owned(), content.clone()))
        };
        Files::new(self.0.iter().filter_map(within).collect())
    }
}

/// Without a copy where the bytes are part of the binary.
pub(crate) fn into_bytes(data: std::borrow::Cow<'static, [u8]>) -> Bytes {
    match data {
        std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => Bytes::from(data),
    }
}
