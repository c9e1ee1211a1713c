//! A program that runs beside the test and says on its output when it is ready.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::wait::DEADLINE;

/// A running program; it is killed when this is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
    listeners: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    /// When it cannot be started.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started ({command:?}): {error}"));
        let (sender, lines) = channel();
        let said = Arc::new(Mutex::new(String::new()));
        let listeners =
            vec![listen(child.stdout.take(), &said, Some(sender)), listen(child.stderr.take(), &said, None)];
        Self { name: name.to_owned(), child, lines, said, listeners }
    }

    /// Waits for a line of the standard output that `find` takes.
    ///
    /// # Panics
    /// When the program ends or the deadline passes without one.
    pub(crate) fn line<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.line_unless_ended(what, find)
            .unwrap_or_else(|| panic!("{} ended before it said {what}:\n{}", self.name, self.said()))
    }

    /// The same of a program that may end without it.
    ///
    /// # Panics
    /// When the deadline passes.
    pub(crate) fn line_unless_ended<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let end = Instant::now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = find(&line) {
                        return Some(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{} never said {what}:\n{}", self.name, self.said()),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Waits for the program's own end.
    ///
    /// # Panics
    /// When it goes on beyond the deadline.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let end = Instant::now() + DEADLINE;
        // The output ends with the program, so this waits without asking again and again.
        while self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
        assert!(Instant::now() < end, "{} did not end:\n{}", self.name, self.said());
        let status = self.child.wait().expect("a child can be waited for");
        for listener in self.listeners.drain(..) {
            listener.join().expect("reading lines does not panic");
        }
        (status, self.said())
    }

    /// Asks the program to end, as a service manager does, and waits for it.
    ///
    /// # Panics
    /// When it goes on beyond the deadline.
    pub(crate) fn terminate(self) -> (ExitStatus, String) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(asked.is_ok_and(|status| status.success()), "{} could not be asked to end", self.name);
        self.end()
    }

    /// Its number at the operating system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that was said until now.
    pub(crate) fn said(&self) -> String {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- {} said:\n{}---", self.name, self.said());
        }
    }
}

fn listen(
    output: Option<impl Read + Send + 'static>,
    said: &Arc<Mutex<String>>,
    lines: Option<Sender<String>>,
) -> JoinHandle<()> {
    let said = Arc::clone(said);
    let output = output.expect("the output is piped");
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Ok(mut said) = said.lock() {
                said.push_str(&line);
                said.push('\n');
            }
            if let Some(lines) = &lines {
                // Nobody may be waiting any more; the output is read on so that the program is not stopped.
                let _ = lines.send(line);
            }
        }
    })
}
