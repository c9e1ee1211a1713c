//! What a process gives up before it does anything for others, and what of that the kernel does not offer.
//!
//! Both roles hide their memory from other processes of the same user. The one that answers requests also gives up every
//! file that it does not need, the root key, the keyring and the vault's socket folder among them, and every program.

use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

mod files;

pub use files::{Allowed, confine};

/// What is missing, in sentences for the log. None is missing on a current Linux.
#[derive(Debug, Default)]
#[must_use]
pub struct Gaps(Vec<String>);

impl Gaps {
    fn note<E: std::fmt::Display>(&mut self, what: &str, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            self.0.push(format!("{what}: {error}"));
        }
    }

    /// Adds what another step has found missing.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Tells the log, for a role by its name.
    pub fn tell(&self, role: &str) {
        for gap in &self.0 {
            tracing::warn!(role, gap, "a protection of the kernel is not available");
        }
        if self.0.is_empty() {
            tracing::info!(role, "every protection of the kernel holds");
        }
    }
}

/// Lets no process of the same user read this one's memory, no crash write it to a file, and no program that it
/// starts have more rights. Call it before there are threads.
pub fn hide() -> Gaps {
    let mut gaps = Gaps::default();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    gaps.note("core dumps cannot be switched off", setrlimit(Resource::Core, none));
    gaps.note(
        "other processes of this user can read the memory",
        set_dumpable_behavior(DumpableBehavior::NotDumpable),
    );
    gaps.note("set-user-id programs keep their rights", rustix::thread::set_no_new_privs(true));
    gaps
}

/// Ends this process with the one that started it.
///
/// # Errors
/// When the kernel does not do that, or the parent has ended already.
pub fn end_with_parent(parent: i32) -> Result<(), Errno> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before the kernel was asked.
    if getppid().map(Pid::as_raw_nonzero).map(std::num::NonZeroI32::get) == Some(parent) {
        Ok(())
    } else {
        Err(Errno::SRCH)
    }
}

/// A path as the kernel knows it, or as it was given if it is not there.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
