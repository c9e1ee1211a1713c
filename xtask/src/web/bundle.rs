//! From the page and the compiled application to `target/web`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    assets::{Output, sha256},
    glue,
    page::{Link, Page},
    trunk,
};
use crate::{
    error::{Error, Result},
    rust,
    workspace::Workspace,
};

/// The application's feature that marks where it can be taken apart.
pub(crate) const SPLIT: &str = "split";

/// What goes into the bundle.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The page's folder, which its links are relative to.
    folder: PathBuf,
    page: Page,
    build: trunk::Build,
    manifest: PathBuf,
    bin: String,
}

impl Plan {
    /// From `Trunk.toml` and the page that it names.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let build = trunk::Build::read(&workspace.root.join("Trunk.toml"))?;
        let path = workspace.root.join(&build.target);
        let html = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let page = Page::parse(html).map_err(|source| Error::Page { path: path.clone(), source })?;
        let folder = path.parent().unwrap_or(&workspace.root).to_path_buf();
        let (manifest, bin) = application(&page, &folder)?;
        Ok(Self { folder, page, build, manifest, bin })
    }

    /// The command that compiles the application.
    pub(crate) fn cargo_build(&self, workspace: &Workspace) -> Command {
        let mut cargo = workspace.cargo();
        cargo.args(["rustc", "--target", rust::WASM, "--profile", &self.build.cargo_profile]);
        cargo.args(["--bin", &self.bin, "--features", SPLIT]).arg("--manifest-path").arg(&self.manifest);
        // Taking the program apart needs to know which instruction names which function.
        cargo.args(["--", "-Clink-arg=--emit-relocs"]);
        cargo
    }

    /// What that command leaves.
    fn compiled(&self, workspace: &Workspace) -> PathBuf {
        let folder = workspace.cargo_target.join(rust::WASM).join(&self.build.cargo_profile);
        folder.join(format!("{}.wasm", self.bin))
    }
}

/// The application's manifest and binary. Without `data-bin` the binary has the package's name.
fn application(page: &Page, folder: &Path) -> Result<(PathBuf, String)> {
    let rust = page.links().find_map(|link| match link {
        Link::Rust { manifest, bin } => Some((folder.join(manifest), bin.clone())),
        Link::Css { .. } | Link::Icon { .. } | Link::CopyFile { .. } | Link::CopyDir { .. } => None,
    });
    let (manifest, bin) = rust.ok_or_else(|| Error::Missed("the page has no application".to_owned()))?;
    if let Some(bin) = bin {
        return Ok((manifest, bin));
    }
    let problem = |problem: String| Error::File { path: manifest.clone(), problem };
    let text = fs::read_to_string(&manifest).map_err(Error::io("read", &manifest))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| problem(error.to_string()))?;
    let name = table.get("package").and_then(|package| package.get("name")?.as_str());
    let name = name.ok_or_else(|| problem("it has no package.name".to_owned()))?.to_owned();
    Ok((manifest, name))
}

/// Whether `target/web` was made from what is there now.
pub(crate) fn is_current(workspace: &Workspace, plan: &Plan) -> Result<bool> {
    let made = fs::read_to_string(stamp_file(workspace)).unwrap_or_default();
    Ok(workspace.web().join("index.html").is_file() && made == stamp(workspace, plan)?)
}

/// Writes the bundle beside `target/web` and then puts it there, so that a failure leaves the old one.
pub(crate) fn write(workspace: &Workspace, plan: &Plan) -> Result<()> {
    let scratch = workspace.scratch();
    fs::create_dir_all(&scratch).map_err(Error::io("create", &scratch))?;
    let output = Output::create(scratch.join("web"))?;
    let glue = glue::write(&plan.compiled(workspace), &plan.bin, &scratch, &output)?;

    let mut script = plan.build.script(&glue.js, &glue.wasm);
    let mut replacements = Vec::new();
    for link in plan.page.links() {
        replacements.push(place(link, &plan.folder, &output, &mut script)?);
    }
    // The script is complete only after the copied files have their names.
    for (link, text) in plan.page.links().zip(&mut replacements) {
        if matches!(link, Link::Rust { .. }) {
            *text = preloads(&glue) + &script;
        }
    }
    output.named("index.html", plan.page.render(&replacements).as_bytes())?;

    output.publish(&workspace.web())?;
    let file = stamp_file(workspace);
    fs::write(&file, stamp(workspace, plan)?).map_err(Error::io("write", &file))
}

/// Writes what a link brings and returns what stands in its place. A copied file that the script tag names gets a
/// hashed name, and the tag follows.
fn place(link: &Link, folder: &Path, output: &Output, script: &mut String) -> Result<String> {
    match link {
        Link::Rust { .. } => Ok(String::new()),
        Link::Css { href, kept } => {
            let url = output.hashed(&file_name(href), &read(&folder.join(href))?)?;
            Ok(format!(r#"<link rel="stylesheet" href="{url}"{kept}>"#))
        }
        Link::Icon { href, kept } => {
            let url = output.hashed(&file_name(href), &read(&folder.join(href))?)?;
            Ok(format!(r#"<link rel="icon" href="{url}"{kept}>"#))
        }
        Link::CopyFile { href } => {
            let name = file_name(href);
            let bytes = read(&folder.join(href))?;
            let reference = format!("\"/{name}\"");
            if script.contains(&reference) {
                let url = output.hashed(&name, &bytes)?;
                *script = script.replace(&reference, &format!("\"{url}\""));
            } else {
                output.named(&name, &bytes)?;
            }
            Ok(String::new())
        }
        Link::CopyDir { href, to } => {
            let from = folder.join(href);
            let to = to.clone().unwrap_or_else(|| file_name(href));
            for path in files(&from)? {
                let inside = path.strip_prefix(&from).unwrap_or(&path);
                output.named(&format!("{to}/{}", inside.display()), &read(&path)?)?;
            }
            Ok(String::new())
        }
    }
}

/// Lets the browser fetch the modules and the wasm at once instead of one after the other. What is not named here
/// is no part of a first visit: `sizes` counts by it.
fn preloads(glue: &glue::Glue) -> String {
    format!(
        r#"<link rel="modulepreload" href="{}"><link rel="modulepreload" href="{}"><link rel="preload" href="{}" as="fetch" type="application/wasm" crossorigin>"#,
        glue.js, glue.loader, glue.wasm
    )
}

fn stamp_file(workspace: &Workspace) -> PathBuf {
    workspace.scratch().join("web.sha256")
}

/// A hash of all that the bundle is made of, the program that makes it included.
fn stamp(workspace: &Workspace, plan: &Plan) -> Result<String> {
    let mut paths = vec![plan.compiled(workspace)];
    for link in plan.page.links() {
        match link {
            Link::Rust { .. } => {}
            Link::Css { href, .. } | Link::Icon { href, .. } | Link::CopyFile { href } => {
                paths.push(plan.folder.join(href));
            }
            Link::CopyDir { href, .. } => paths.extend(files(&plan.folder.join(href))?),
        }
    }
    let page = plan.page.render(&[]);
    let mut parts = vec![
        page.into_bytes(),
        plan.build.pattern_script.clone().into_bytes(),
        workspace.built_at.clone().into_bytes(),
    ];
    for path in paths {
        parts.push(path.to_string_lossy().into_owned().into_bytes());
        parts.push(read(&path)?);
    }
    Ok(sha256(parts.iter().map(Vec::as_slice)))
}

/// All files of a folder and its folders, in a fixed order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(Error::io("read", path))
}

fn file_name(href: &str) -> String {
    href.trim_end_matches('/').rsplit('/').next().unwrap_or(href).to_owned()
}
