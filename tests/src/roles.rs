//! The processes that the program consists of, as the kernel shows them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::process::Command;

use crate::app::TestApp;

/// One of the two processes behind `taiku serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers requests.
    Http,
    /// Keeps refresh tokens and client secrets.
    Vault,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http, Self::Vault];

    fn argument(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Vault => "vault",
        }
    }
}

/// Memory of a process that can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    id: u32,
}

impl TestApp {
    /// The process of a role, unless it is just being started.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<Running> {
        running(self.id(), role)
    }
}

/// The process of a role that a supervisor has started, unless it is just being started.
pub(crate) fn running(supervisor: u32, role: Role) -> Option<Running> {
    let runs = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(role.argument().as_bytes())
    };
    children(supervisor).find(runs).map(|id| Running { id })
}

/// The processes that a process has started.
pub(crate) fn children(parent: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(move |id| field(*id, "PPid:") == Some(u64::from(parent)))
}

/// A number of `/proc/<id>/status`.
fn field(id: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

impl Running {
    /// The memory that it has in use, in bytes.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn resident(self) -> u64 {
        field(self.id, "VmRSS:").expect("a running process has memory") * 1024
    }

    /// Kills it as a crash would.
    ///
    /// # Panics
    /// When it has ended.
    pub fn kill(self) {
        let done = Command::new("kill").args(["-9", &self.id.to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "there is a process to be killed");
    }

    /// How often each of some texts is in its memory; `None` if the kernel does not let us look.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn count(self, texts: &[&str]) -> Option<Vec<usize>> {
        let memory = File::open(format!("/proc/{}/mem", self.id)).ok()?;
        let maps = File::open(format!("/proc/{}/maps", self.id)).ok()?;
        let mut counts = vec![0; texts.len()];
        for line in BufReader::new(maps).lines().map_while(Result::ok) {
            let Some((from, to)) = writable(&line) else { continue };
            let mut bytes = vec![0; usize::try_from(to - from).expect("a range fits into memory")];
            // A range may be given back while it is read.
            let Ok(length) = memory.read_at(&mut bytes, from) else { continue };
            for (count, text) in counts.iter_mut().zip(texts) {
                *count += memchr::memmem::find_iter(&bytes[..length], text).count();
            }
        }
        Some(counts)
    }
}

/// The range of a line of `/proc/<id>/maps`, if the process can write to it: what is read only was read from a file.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let parse = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some((parse(from)?, parse(to)?))
}
