//! `taiku toolkit new` and `taiku toolkit import`

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use http::HeaderValue;
use taiku_bridge::Slug;
use url::Url;

use crate::cli::{CommandError, say};
use crate::egress::{AllowedHosts, Egress, MAX_BODY, Policy};
use crate::toolkit::{self, limits};

/// What a toolkit begins with.
const SETTINGS: &str = include_str!("new.toml");
const OPENAPI: &str = include_str!("new.json");

#[derive(clap::Args)]
pub(in crate::cli) struct New {
    /// The folder to make; its name is the toolkit's slug.
    folder: PathBuf,
}

#[derive(clap::Args)]
pub(in crate::cli) struct Import {
    /// The OpenAPI 3.0 or 3.1 document: a file, or an https address.
    document: String,
    /// The folder to make; its name is the toolkit's slug.
    folder: PathBuf,
}

impl New {
    pub(super) fn run(self) -> Result<(), CommandError> {
        let slug = slug(&self.folder)?;
        let name = slug.as_str().to_ascii_uppercase().replace('-', "_");
        let settings = SETTINGS.replace("EXAMPLE", &name);
        make(&self.folder, &[("toolkit.toml", &settings), ("openapi.json", OPENAPI)])?;
        let folder = self.folder.display();
        say(&format!("made the toolkit {slug} in {folder}\nnext:\n  taiku toolkit check {folder}"))
    }
}

impl Import {
    pub(super) async fn run(self, policy: Policy) -> Result<(), CommandError> {
        let slug = slug(&self.folder)?;
        let document = match Url::parse(&self.document) {
            Ok(url) if url.scheme() == "https" || url.scheme() == "http" => fetched(url, policy).await?,
            _ => read(Path::new(&self.document))?,
        };
        let imported = toolkit::import(&slug, &document)
            .map_err(|why| CommandError::Said(format!("{} {why}", self.document)))?;
        make(&self.folder, &[("toolkit.toml", &imported.settings), ("openapi.json", &imported.openapi)])?;
        for (what, why) in &imported.left_out {
            say(&format!("left out {what}: {why}"))?;
        }
        for open in &imported.open {
            say(&format!("to do in toolkit.toml: {open}"))?;
        }
        let (folder, tools, left) = (self.folder.display(), imported.tools, imported.left_out.len());
        say(&format!("made the toolkit {slug} in {folder}: {tools} tools, {left} operations left out"))?;
        say(&format!("next:\n  taiku toolkit check {folder}"))
    }
}

fn slug(folder: &Path) -> Result<Slug, CommandError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match Slug::parse(&name) {
        Ok(slug) if slug.as_str() == name => Ok(slug),
        _ => {
            let what = "is no slug: lower-case letters, digits, `-` and `_`";
            Err(CommandError::Said(format!("the folder's name `{name}` {what}")))
        }
    }
}

async fn fetched(url: Url, policy: Policy) -> Result<Vec<u8>, CommandError> {
    let failed = |why: String| CommandError::Said(format!("{url} could not be fetched: {why}"));
    let egress = Egress::new(policy).map_err(|error| failed(error.to_string()))?;
    let accept = HeaderValue::from_static("application/json");
    let answer = egress.fetch_public(url.clone(), accept, &AllowedHosts::of([&url])).await;
    let answer = answer.map_err(|error| {
        failed(format!("{error}. At most {MAX_BODY} bytes are fetched; give a larger document as a file"))
    })?;
    if answer.status.is_success() {
        Ok(answer.body.into())
    } else {
        Err(failed(format!("it answered {}", answer.status)))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let failed = |why: String| CommandError::Said(format!("{}: {why}", file.display()));
    let size = fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    // A document is much smaller without the answers that it describes.
    let most = limits::OPENAPI_BYTES * 4;
    if size > most {
        return Err(failed(format!("is larger than {most} bytes")));
    }
    fs::read(file).map_err(|error| failed(error.to_string()))
}

/// Makes the folder and its files. What is there already is never overwritten.
fn make(folder: &Path, files: &[(&str, &str)]) -> Result<(), CommandError> {
    let failed =
        |path: &Path, error: std::io::Error| CommandError::Said(format!("{}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, content) in files {
        let path = folder.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        file.write_all(content.as_bytes()).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_toolkit_is_sound_and_nothing_is_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("my-tracker");
        New { folder: folder.clone() }.run().unwrap();
        let toolkit = toolkit::check(&folder).unwrap();
        assert!(toolkit.tool_count() >= 2);
        assert!(New { folder }.run().is_err());
        assert!(New { folder: root.path().join("My Tracker") }.run().is_err());
    }

    #[tokio::test]
    async fn a_document_becomes_a_toolkit_that_passes_the_check() {
        let root = tempfile::tempdir().unwrap();
        let document = root.path().join("api.json");
        fs::write(&document, OPENAPI).unwrap();
        let folder = root.path().join("imported");
        let import =
            |document: &Path| Import { document: document.display().to_string(), folder: folder.clone() };
        import(&document).run(Policy::default()).await.unwrap();
        assert!(toolkit::check(&folder).unwrap().tool_count() >= 2);
        assert!(import(&document).run(Policy::default()).await.is_err(), "nothing is overwritten");
        let refused =
            Import { document: "http://127.0.0.1:1/api.json".into(), folder: root.path().join("other") };
        assert!(refused.run(Policy::default()).await.is_err());
        assert!(!root.path().join("other").exists());
    }
}
