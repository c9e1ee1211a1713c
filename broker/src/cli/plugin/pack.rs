//! `taiku plugin pack`

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::check::{self, Checked};
use super::report::{Level, Report, number, size};
use crate::cli::{CommandError, say};
use crate::plugin::{Files, archive, hex};

#[derive(clap::Args)]
pub(in crate::cli) struct Pack {
    /// The plugin's folder.
    folder: PathBuf,
    /// Where to write the archive; `<id>-<version>.zip` in the current folder if this is left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do not open the panels in a browser first.
    #[arg(long)]
    no_browser: bool,
}

impl Pack {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let Checked { report, files } = check::examine(&self.folder, !self.no_browser).await?;
        say(&report.text(&self.folder.display().to_string()))?;
        let Some(files) = files.filter(|_| report.count(Level::Fault) == 0) else {
            return Err(CommandError::Said("nothing was packed: mend the faults first".into()));
        };
        let output = self.output.unwrap_or_else(|| named(&report));
        if is_within(&output, &self.folder) {
            let message =
                format!("{} would become a part of the plugin: pack it elsewhere", output.display());
            return Err(CommandError::Said(message));
        }
        let packed = archive::write(&files).map_err(|error| CommandError::Said(error.to_string()))?;
        write(&output, &packed)?;
        say(&receipt(&output, &packed, &files))
    }
}

/// Ids and versions have no letter that a file's name could not have.
fn named(report: &Report) -> PathBuf {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}-{}.zip", text(&report.id), text(&report.version)).into()
}

fn is_within(output: &Path, folder: &Path) -> bool {
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (parent, folder) = (fs::canonicalize(parent), fs::canonicalize(folder));
    parent.ok().zip(folder.ok()).is_some_and(|(parent, folder)| parent.starts_with(folder))
}

/// Whole or not at all: an archive that was cut off must not stand where a whole one stood.
fn write(output: &Path, packed: &[u8]) -> Result<(), CommandError> {
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |error: std::io::Error| CommandError::Said(format!("writing {}: {error}", output.display()));
    let mut file = NamedTempFile::new_in(parent).map_err(cannot)?;
    file.write_all(packed).map_err(cannot)?;
    share(file.path()).map_err(cannot)?;
    file.persist(output).map_err(|error| cannot(error.error))?;
    Ok(())
}

/// What is given away may be read by others, unlike most temporary files.
fn share(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

fn receipt(output: &Path, packed: &[u8], files: &Files) -> String {
    let mut lines: Vec<String> =
        files.iter().map(|(path, content)| format!("  {:>9}  {path}", size(content.len()))).collect();
    lines.push(format!(
        "packed {} into {}, {}",
        number(lines.len(), "file"),
        output.display(),
        size(packed.len())
    ));
    lines.push(format!("SHA-256 of the archive: {}", hex(&Sha256::digest(packed))));
    lines.push(format!("SHA-256 of its content, by which hosts pin it: {}", files.hash()));
    lines.join("\n")
}
