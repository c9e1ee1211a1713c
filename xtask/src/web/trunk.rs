//! The part of `Trunk.toml` that the bundle follows too.

use std::path::Path;

use crate::error::{Error, Result};

/// `[build]` of `Trunk.toml`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Build {
    /// The page, relative to the workspace's root.
    pub(crate) target: String,
    /// The cargo profile.
    pub(crate) cargo_profile: String,
    /// The script tag with `{base}`, `{js}` and `{wasm}`.
    pub(crate) pattern_script: String,
}

impl Build {
    /// From the file.
    ///
    /// # Errors
    /// When it cannot be read or a key is missing.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text).map_err(|problem| Error::File { path: path.to_path_buf(), problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let key = |name: &str| {
            file.get("build")
                .and_then(|build| build.get(name)?.as_str())
                .map(str::to_owned)
                .ok_or_else(|| format!("`build.{name}` must be a text"))
        };
        let build = Self {
            target: key("target")?,
            cargo_profile: key("cargo_profile")?,
            pattern_script: key("pattern_script")?,
        };
        // Cargo names a folder of `target` after the profile, and would fill the bundle's with its own files.
        if build.cargo_profile == "web" {
            return Err(
                "`build.cargo_profile` must not be \"web\", because the bundle is in target/web".to_owned()
            );
        }
        match ["{js}", "{wasm}"].iter().find(|name| !build.pattern_script.contains(*name)) {
            Some(name) => Err(format!("`build.pattern_script` does not mention {name}")),
            None => Ok(build),
        }
    }

    /// The script tag for two URL paths; the application is served at `/`.
    pub(crate) fn script(&self, js: &str, wasm: &str) -> String {
        self.pattern_script.replace("{base}{js}", js).replace("{base}{wasm}", wasm).replace("{base}", "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_the_two_files() {
        let build = Build::parse(
            "[build]\ntarget = 't'\ncargo_profile = 'w'\npattern_script = '<s src=\"{base}boot.js\" a=\"{base}{js}\" b=\"{base}{wasm}\">'",
        )
        .unwrap();
        assert_eq!(build.script("/x.js", "/y.wasm"), r#"<s src="/boot.js" a="/x.js" b="/y.wasm">"#);
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = Build::parse("[build]\ntarget = 't'\npattern_script = ''").unwrap_err();
        assert_eq!(error, "`build.cargo_profile` must be a text");
        let error =
            Build::parse("[build]\ntarget = 't'\ncargo_profile = 'w'\npattern_script = '{js}'").unwrap_err();
        assert_eq!(error, "`build.pattern_script` does not mention {wasm}");
    }

    #[test]
    fn the_profile_and_the_bundle_have_folders_of_their_own() {
        let text = "[build]\ntarget = 't'\ncargo_profile = 'web'\npattern_script = '{js}{wasm}'";
        assert!(Build::parse(text).unwrap_err().contains("must not be \"web\""));
    }
}
