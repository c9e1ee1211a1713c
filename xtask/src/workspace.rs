//! Where things are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::{Error, Result};

/// The folders that commands read and write.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Where the root `Cargo.toml` is.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds; another folder than `root/target` when the caller's cargo says so.
    pub(crate) cargo_target: PathBuf,
    /// When cargo linked the running xtask: another text whenever it changed.
    pub(crate) built_at: String,
}

impl Workspace {
    /// Of the running xtask, which cargo built into `<target>/<profile>/`.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let exe = env::current_exe().map_err(Error::io("find the running program in", &root))?;
        let built_at = exe.metadata().and_then(|data| data.modified()).map_err(Error::io("read", &exe))?;
        let cargo_target = exe.ancestors().nth(2).map_or_else(|| root.join("target"), Path::to_path_buf);
        Ok(Self { root, cargo_target, built_at: format!("{built_at:?}") })
    }

    /// The front end as the broker serves and embeds it.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("target/web")
    }

    /// Files of xtask's own between two runs.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("target/xtask")
    }

    /// The self-contained release binary.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("target/dist/taiku")
    }

    /// The broker as `cargo build` leaves it.
    pub(crate) fn debug_binary(&self) -> PathBuf {
        self.cargo_target.join("debug/taiku")
    }

    /// The cargo that started us, working in the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }
}
