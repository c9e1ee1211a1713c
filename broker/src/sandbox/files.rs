//! The files that a process may open, by Landlock (Linux 5.13).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};

use super::{Gaps, real};

/// The newest version of Landlock whose rights are known here.
const KNOWN: ABI = ABI::V5;

/// What a process may open from now on.
#[derive(Debug, Default)]
pub struct Allowed {
    /// Files and folders that may be read, with all below them.
    pub read: Vec<PathBuf>,
    /// Files that may be read and written.
    pub write: Vec<PathBuf>,
    /// Files and folders that are never opened, even below a folder that may be read.
    pub never: Vec<PathBuf>,
}

/// Gives up every file but these, every program, and signals to processes outside. Call it before there are threads.
pub fn confine(allowed: &Allowed) -> Gaps {
    let mut gaps = Gaps::default();
    match restrict(allowed) {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => gaps.note(
            "Landlock is older than this program",
            Err("the files are guarded, but not every way to change them or to signal other processes"),
        ),
        Ok(RulesetStatus::NotEnforced) => gaps.note(
            "this kernel has no Landlock",
            Err("the process that answers requests can open every file of its user, the keys included"),
        ),
        Err(error) => gaps.note("Landlock cannot be used", Err(error)),
    }
    gaps
}

fn restrict(allowed: &Allowed) -> Result<RulesetStatus, RulesetError> {
    let names = AccessFs::ReadDir;
    let all: BitFlags<AccessFs> = landlock::Access::from_all(KNOWN);
    let write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let never: Vec<PathBuf> = allowed.never.iter().map(|path| real(path)).collect();
    let read: Vec<PathBuf> = allowed.read.iter().flat_map(|path| without(&real(path), &never)).collect();
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        // What a folder holds is no secret, and paths are looked for in many.
        .handle_access(all & !names)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(read, AccessFs::ReadFile))?
        .add_rules(path_beneath_rules(&allowed.write, write))?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// Takes paths out of a folder: Landlock knows no exceptions, so the folder becomes what is in it.
fn without(root: &Path, never: &[PathBuf]) -> Vec<PathBuf> {
    if never.iter().any(|path| root.starts_with(path)) {
        return Vec::new();
    }
    if !never.iter().any(|path| path.starts_with(root)) {
        return vec![root.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let entries = entries.filter_map(Result::ok).map(|entry| entry.path());
    // A link leads where it leads: what is taken out must not come back under another name.
    entries.filter(|path| !path.is_symlink()).flat_map(|path| without(&path, never)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_of_a_folder_leaves_its_neighbours() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["a/data", "a/other", "b"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("a/data/root.key"), "").unwrap();
        std::os::unix::fs::symlink(root.join("a/data"), root.join("a/link")).unwrap();
        let mut found = without(&root, &[root.join("a/data")]);
        found.sort();
        assert_eq!(found, [root.join("a/other"), root.join("b")]);
        assert_eq!(without(&root, std::slice::from_ref(&root)), [] as [PathBuf; 0]);
        assert_eq!(without(&root.join("b"), &[root.join("a")]), [root.join("b")]);
        assert_eq!(without(&root.join("a/data/root.key"), &[root.join("a/data")]), [] as [PathBuf; 0]);
    }
}
