//! wasm-bindgen: from what cargo built to what a browser loads.

use std::{collections::BTreeMap, path::Path};

use wasm_bindgen_cli_support::Bindgen;

use super::{
    assets::{FOLDER, Output, sha256},
    split::{self, LOADER},
};
use crate::error::{Error, Result};

/// The URL paths of what a first visit loads.
#[derive(Debug)]
pub(crate) struct Glue {
    /// The module that starts the application.
    pub(crate) js: String,
    /// The module that it imports.
    pub(crate) loader: String,
    /// The application without its parts.
    pub(crate) wasm: String,
}

/// Makes the modules and writes them. They name each other, so they keep their names in a folder whose name has the
/// hash of all.
///
/// # Errors
/// When the file cannot be taken apart, wasm-bindgen refuses it or an asset cannot be written.
pub(crate) fn write(input: &Path, name: &str, scratch: &Path, output: &Output) -> Result<Glue> {
    let (js, wasm) = (format!("{name}.js"), format!("{name}.wasm"));
    let split = split::split(input, &js, &scratch.join("split"))?;
    let mut files = bind(&split.main, name)?;
    files.insert(LOADER.to_owned(), split.loader);
    files.extend(split.parts);

    let mut hash = sha256(files.iter().flat_map(|(path, content)| [path.as_bytes(), content]));
    hash.truncate(16);
    let folder = format!("{FOLDER}/{name}-{hash}");
    for (path, content) in &files {
        output.named(&format!("{folder}/{path}"), content)?;
    }
    Ok(Glue {
        js: format!("/{folder}/{js}"),
        loader: format!("/{folder}/{LOADER}"),
        wasm: format!("/{folder}/{wasm}"),
    })
}

/// The module, the wasm file and the scripts that crates bring along, by their paths.
fn bind(input: &Path, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let problem = |problem: String| Error::Bindgen { path: input.to_path_buf(), problem };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
        // Parts find the program's functions in the table that the linker exports.
        .keep_lld_exports(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true);
    let mut generated = bindgen
        .web(true)
        .and_then(Bindgen::generate_output)
        .map_err(|error| problem(format!("{error:#}")))?;
    if !generated.npm_dependencies().is_empty() {
        return Err(problem("a crate wants npm packages, and the front end has none".to_owned()));
    }

    let mut files = BTreeMap::new();
    for (identifier, sources) in generated.snippets() {
        for (index, source) in sources.iter().enumerate() {
            files.insert(format!("snippets/{identifier}/inline{index}.js"), source.clone().into_bytes());
        }
    }
    for (path, source) in generated.local_modules() {
        files.insert(format!("snippets/{path}"), source.clone().into_bytes());
    }
    files.insert(format!("{name}.js"), generated.js().to_owned().into_bytes());
    files.insert(format!("{name}.wasm"), generated.wasm_mut().emit_wasm());
    Ok(files)
}
