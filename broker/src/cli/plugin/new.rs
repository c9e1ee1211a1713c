//! `taiku plugin new`

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use serde_json::json;
use taiku_bridge::manifest::MAX_NAME;
use taiku_bridge::{PluginId, Slug};

use crate::cli::{CommandError, say};

/// What plugins begin with. A debug build reads it from the source tree.
#[derive(RustEmbed)]
#[folder = "../plugins/templates"]
struct Templates;

/// The SDK, which goes into every new plugin: a panel loads only its own files.
#[derive(RustEmbed)]
#[folder = "../plugins/sdk/dist"]
struct Sdk;

/// Of which organisation a plugin is until its author names one.
const NOBODY: &str = "my-org";

#[derive(clap::Args)]
pub(in crate::cli) struct New {
    /// The folder to make.
    folder: PathBuf,
    /// What to begin with.
    #[arg(long, value_enum, default_value = "plain")]
    template: Template,
    /// The plugin's id, such as `my-org.issue-helper`; made from the folder's name if this is left out.
    #[arg(long)]
    id: Option<String>,
    /// What the plugin is called; made from the folder's name if this is left out.
    #[arg(long)]
    name: Option<String>,
    /// A toolkit that it may use; may stand several times.
    #[arg(long, value_name = "SLUG", num_args = 1..)]
    toolkit: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Template {
    /// A page and a script, which need nothing else.
    Plain,
    /// TypeScript, built with esbuild.
    Typescript,
}

impl Template {
    /// Its folder in `plugins/templates`.
    fn folder(self) -> &'static str {
        match self {
            Self::Plain => "plain/",
            Self::Typescript => "typescript/",
        }
    }

    /// Where its panel is.
    fn panel(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Typescript => "plugin/",
        }
    }

    /// Where a file of `plugins/templates` goes, if it is one of this template's.
    fn place(self, path: &str) -> Option<String> {
        if let Some(shared) = path.strip_prefix("shared/") {
            return Some(format!("{}{shared}", self.panel()));
        }
        match path.strip_prefix(self.folder())? {
            // A file of that name within this repository would hide files of the template itself.
            "gitignore" => Some(".gitignore".into()),
            own => Some(own.to_owned()),
        }
    }

    /// The files of the SDK that go with it, and where they go.
    fn sdk(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Plain => &[("taiku.js", "taiku.js"), ("taiku.css", "taiku.css")],
            Self::Typescript => &[
                ("taiku.css", "plugin/taiku.css"),
                ("taiku.mjs", "sdk/taiku.js"),
                ("taiku.d.ts", "sdk/taiku.d.ts"),
            ],
        }
    }

    /// What its author types next.
    fn next(self, folder: &str) -> String {
        match self {
            Self::Plain => format!("  taiku plugin dev {folder}\n  taiku plugin check {folder}"),
            Self::Typescript => {
                format!("  (cd {folder} && npm install && npm run build)\n  taiku plugin dev {folder}/plugin")
            }
        }
    }
}

impl New {
    pub(super) fn run(self) -> Result<(), CommandError> {
        let words = Words::of(&self)?;
        let files = self.files(&words)?;
        make(&self.folder, &files)?;
        let folder = self.folder.display().to_string();
        say(&format!("made {} in {folder}: {} files", words.id, files.len()))?;
        say(&format!("next:\n{}", self.template.next(&folder)))
    }

    /// Paths and contents, in order.
    fn files(&self, words: &Words) -> Result<Vec<(String, Vec<u8>)>, CommandError> {
        let mut files = Vec::new();
        let missing = |name: &str| CommandError::Said(format!("{name} is not a part of this program"));
        for path in Templates::iter() {
            let Some(to) = self.template.place(&path) else { continue };
            let content = Templates::get(&path).ok_or_else(|| missing(&path))?.data;
            let filled = words.fill(&to, &String::from_utf8_lossy(&content));
            files.push((to, filled.into_bytes()));
        }
        for (name, to) in self.template.sdk() {
            let content = Sdk::get(name).ok_or_else(|| missing(name))?.data;
            files.push(((*to).to_owned(), content.into_owned()));
        }
        Ok(files)
    }
}

/// What is filled into a template.
struct Words {
    id: PluginId,
    name: String,
    toolkits: Vec<Slug>,
}

impl Words {
    fn of(new: &New) -> Result<Self, CommandError> {
        let said = |error: String| CommandError::Said(error);
        let base = fs::canonicalize(&new.folder).unwrap_or_else(|_| new.folder.clone());
        let base = base.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let id = new.id.clone().unwrap_or_else(|| default_id(&base));
        let id = PluginId::parse(&id).map_err(|error| said(format!("--id: `{id}` {error}")))?;
        let name = new.name.clone().unwrap_or_else(|| default_name(&base));
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(said(format!("--name: must have 1 to {MAX_NAME} characters and be one line")));
        }
        let slug =
            |text: &String| Slug::parse(text).map_err(|error| said(format!("--toolkit: `{text}` {error}")));
        let toolkits = new.toolkit.iter().map(slug).collect::<Result<_, _>>()?;
        Ok(Self { id, name, toolkits })
    }

    /// Fills a file's gaps, each text in the way that its kind of file asks for.
    fn fill(&self, path: &str, text: &str) -> String {
        let permissions: &[&str] = if self.toolkits.is_empty() {
            &["ui.toast"]
        } else {
            &[
                "ui.toast",
                "integrations.read",
                "integrations.connect",
                "integrations.execute",
                "events.subscribe",
            ]
        };
        let name = match path.rsplit('.').next() {
            // The template has the quotes already.
            Some("json") => {
                let quoted = json!(self.name).to_string();
                quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
            }
            Some("html") => self.name.replace('&', "&amp;").replace('<', "&lt;"),
            _ => self.name.clone(),
        };
        text.replace("{{id}}", self.id.as_str())
            .replace("{{permissions}}", &list(permissions))
            .replace("{{toolkits}}", &list(&self.toolkits))
            .replace("{{name}}", &name)
    }
}

/// A JSON list on one line, as a person would write it.
fn list<T: serde::Serialize>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| json!(item).to_string()).collect();
    format!("[{}]", items.join(", "))
}

/// A folder that is called like an id has that one.
fn default_id(base: &str) -> String {
    if base.contains('.') && PluginId::parse(base).is_ok() {
        return base.to_owned();
    }
    let words: Vec<String> = words(base).map(str::to_lowercase).collect();
    format!("{NOBODY}.{}", if words.is_empty() { "plugin".to_owned() } else { words.join("-") })
}

/// The words of the folder's name, the publisher's not among them.
fn default_name(base: &str) -> String {
    let own = base.rsplit('.').next().unwrap_or(base);
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    let words: Vec<String> = words(own).map(capital).collect();
    if words.is_empty() { "Plugin".into() } else { words.join(" ") }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Writes files into a new or empty folder, and over nothing.
fn make(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), CommandError> {
    let cannot = |path: &Path, error: std::io::Error| {
        CommandError::Said(format!("{}: {error}; nothing is overwritten", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let mut inside = fs::read_dir(folder).map_err(|error| cannot(folder, error))?;
    if inside.next().is_some() {
        let message = format!("{} is not empty; name a folder that is not there yet", folder.display());
        return Err(CommandError::Said(message));
    }
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(|error| cannot(&path, error))?;
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.and_then(|mut file| file.write_all(content)).map_err(|error| cannot(&path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_makes_id_and_name() {
        for (base, id, name) in [
            ("issue-helper", "my-org.issue-helper", "Issue Helper"),
            ("acme.Issue_helper", "acme.Issue_helper", "Issue Helper"),
            ("My Plugin!", "my-org.my-plugin", "My Plugin"),
            ("…", "my-org.plugin", "Plugin"),
            ("..", "my-org.plugin", "Plugin"),
        ] {
            assert_eq!((default_id(base).as_str(), default_name(base).as_str()), (id, name), "{base}");
            assert!(PluginId::parse(&default_id(base)).is_ok(), "{base}");
        }
    }
}
