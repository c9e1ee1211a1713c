//! One of the two processes that `taiku serve` keeps running.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep_until, timeout};

use super::CommandError;

/// How soon a process that has ended is started again, for the first time.
const FIRST: Duration = Duration::from_millis(50);
/// How long at most.
const LONGEST: Duration = Duration::from_secs(10);
/// A process that has lived for so long is not held to have failed again.
const STEADY: Duration = Duration::from_secs(30);

/// A process with what starts it.
pub(super) struct Role {
    name: &'static str,
    command: Box<dyn Fn() -> std::io::Result<Command> + Send>,
    state: State,
    wait: Duration,
}

enum State {
    /// Since when.
    Running(Box<Child>, Instant),
    /// Until when.
    Waiting(Instant),
}

impl Role {
    /// Starts a process for the first time, and gives its output as well.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        name: &'static str,
        command: impl Fn() -> std::io::Result<Command> + Send + 'static,
    ) -> Result<(Self, Output), CommandError> {
        let mut child = command()?.stdout(Stdio::piped()).spawn()?;
        let output =
            child.stdout.take().ok_or_else(|| CommandError::Said(format!("{name} has no output")))?;
        let state = State::Running(Box::new(child), Instant::now());
        let role = Self { name, command: Box::new(command), state, wait: FIRST };
        Ok((role, Output(BufReader::new(output).lines())))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) async fn end(&mut self) -> Result<Option<ExitStatus>, CommandError> {
        match &mut self.state {
            State::Running(child, _) => Ok(Some(child.wait().await?)),
            State::Waiting(_) => Ok(None),
        }
    }

    /// Keeps it running: whenever it ends it is started again, later and later if it does not last. Never completes,
    /// and may be dropped and called again at any moment.
    pub(super) async fn keep(&mut self) {
        loop {
            match &mut self.state {
                State::Running(child, since) => {
                    let status = child.wait().await;
                    if since.elapsed() >= STEADY {
                        self.wait = FIRST;
                    }
                    let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    let again_ms = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
                    tracing::error!(
                        role = self.name,
                        ended,
                        again_ms,
                        "a process has ended; starting it again"
                    );
                    self.state = State::Waiting(Instant::now() + self.wait);
                    self.wait = (self.wait * 2).min(LONGEST);
                }
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    self.state = match (self.command)()
                        .and_then(|mut command| command.stdout(Stdio::null()).spawn())
                    {
                        Ok(child) => State::Running(Box::new(child), Instant::now()),
                        Err(error) => {
                            tracing::error!(role = self.name, %error, "a process cannot be started");
                            State::Waiting(Instant::now() + LONGEST)
                        }
                    };
                }
            }
        }
    }

    /// Asks it to end, and kills it if it does not within a time.
    pub(super) async fn stop(&mut self, within: Duration) {
        let State::Running(child, _) = &mut self.state else { return };
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        if timeout(within, child.wait()).await.is_err() {
            tracing::warn!(role = self.name, "a process did not end in time; killing it");
            let _ = child.kill().await;
        }
    }
}

/// The lines that a process says.
pub(super) struct Output(Lines<BufReader<ChildStdout>>);

impl Output {
    /// The next line; `None` at the end.
    pub(super) async fn line(&mut self) -> Option<String> {
        self.0.next_line().await.ok().flatten()
    }

    /// Reads on, so that the process never waits for a reader.
    pub(super) fn ignore(mut self) {
        tokio::spawn(async move { while self.line().await.is_some() {} });
    }
}
