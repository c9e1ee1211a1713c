//! wasm-bindgen: from what cargo built to what a browser loads.

use std::{collections::BTreeMap, path::Path};

use wasm_bindgen_cli_support::Bindgen;

use super::assets::{Output, short_hash};
use crate::error::{Error, Result};

/// The URL paths of the JavaScript module and the wasm file.
#[derive(Debug)]
pub(crate) struct Glue {
    pub(crate) js: String,
    pub(crate) wasm: String,
}

/// Makes the module and writes it.
///
/// # Errors
/// When wasm-bindgen refuses the file or an asset cannot be written.
pub(crate) fn write(input: &Path, name: &str, output: &Output) -> Result<Glue> {
    let problem = |problem: String| Error::Bindgen { path: input.to_path_buf(), problem };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
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

    let mut snippets = BTreeMap::new();
    for (identifier, sources) in generated.snippets() {
        for (index, source) in sources.iter().enumerate() {
            snippets.insert(format!("{identifier}/inline{index}.js"), source.clone());
        }
    }
    snippets.extend(generated.local_modules().iter().map(|(path, source)| (path.clone(), source.clone())));
    let js = with_snippets(generated.js(), &snippets, output)?;
    let wasm = generated.wasm_mut().emit_wasm();
    Ok(Glue {
        js: output.hashed(&format!("{name}.js"), js.as_bytes())?,
        wasm: output.hashed(&format!("{name}.wasm"), &wasm)?,
    })
}

/// Scripts that crates bring along keep their names in a folder whose name has their hash.
fn with_snippets(js: &str, snippets: &BTreeMap<String, String>, output: &Output) -> Result<String> {
    if snippets.is_empty() {
        return Ok(js.to_owned());
    }
    let all: String = snippets.iter().flat_map(|(path, source)| [path.as_str(), source]).collect();
    let folder = format!("snippets-{}", short_hash(all.as_bytes()));
    for (path, source) in snippets {
        output.named(&format!("{}/{folder}/{path}", super::assets::FOLDER), source.as_bytes())?;
    }
    Ok(js.replace("./snippets/", &format!("./{folder}/")))
}
