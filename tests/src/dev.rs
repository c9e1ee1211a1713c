//! `taiku plugin dev`, running beside a test.

use std::path::Path;
use std::process::Command;

use url::Url;

use crate::app::binary;
use crate::process::Process;

/// A running `taiku plugin dev`; it is killed when this is dropped.
pub struct Dev(Process);

impl Dev {
    /// Tries a folder out in a host that is running.
    #[must_use]
    pub fn start(folder: &Path, host: &Url, key: &str) -> Self {
        let mut command = Command::new(binary());
        command.args(["plugin", "dev"]).arg(folder).args(["--url", host.as_str()]).env("TAIKU_API_KEY", key);
        Self(Process::start("taiku plugin dev", &mut command))
    }

    /// Tries a folder out in a demo host of its own, which keeps its data in `data`.
    #[must_use]
    pub fn with_demo(folder: &Path, data: &Path) -> Self {
        let mut command = Command::new(binary());
        command.args(["plugin", "dev"]).arg(folder).arg("--data").arg(data);
        command.env("TAIKU_LISTEN", "127.0.0.1:0").env("TAIKU_DEMO_LISTEN", "127.0.0.1:0");
        Self(Process::start("taiku plugin dev", &mut command))
    }

    /// Waits for a line that `find` takes.
    pub fn line<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.0.line(what, find)
    }

    /// Ends it as a person would, and gives all that it said.
    ///
    /// # Panics
    /// When it does not end well.
    #[must_use]
    pub fn stop(self) -> String {
        let (status, said) = self.0.terminate();
        assert!(status.success(), "{status}: {said}");
        said
    }
}
