//! `cargo xtask bench`: sizes, start and memory against their limits, and the bridge beside the bridges of others.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use crate::{
    dist,
    error::{Error, Result},
    packages, process,
    progress::step,
    web::sizes::Sizes,
    workspace::Workspace,
};

const RUNS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(20);
/// After this long the broker has nothing left to do from its start.
const IDLE_AFTER: Duration = Duration::from_secs(1);
const START_LIMIT_MS: f64 = 1000.0;
const MEMORY_LIMIT_MIB: f64 = 64.0;

/// One line of the table.
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
}

/// Builds the release binary, measures it and prints the table.
///
/// # Errors
/// When something cannot be built or the broker does not start.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    dist::build(workspace)?;
    let mut rows = sizes(workspace)?;
    rows.extend(step(&format!("Start the broker {RUNS} times"), || starts(&workspace.dist()))?);
    println!("{:<34} {:>10} {:>10}", "", "measured", "limit");
    for Row { name, value, unit, limit } in &rows {
        let limit_text = limit.map_or_else(|| "-".to_owned(), |limit| format!("{limit:.0} {unit}"));
        let verdict = if limit.is_some_and(|limit| *value > limit) { "  TOO MUCH" } else { "" };
        println!("{name:<34} {:>10} {limit_text:>10}{verdict}", format!("{value:.1} {unit}"));
    }
    bridge(workspace)
}

/// Measures the bridge in a real browser; `benches/bridge` prints its table itself.
fn bridge(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join("benches/bridge");
    packages::ensure_browser()?;
    packages::ensure_npm(&folder)?;
    step("Measure the bridge beside others", || {
        process::run(Command::new("node").arg("run.mjs").arg(workspace.dist()).current_dir(&folder))
    })
}

fn sizes(workspace: &Workspace) -> Result<Vec<Row>> {
    let kilobytes = |bytes: u64| bytes as f64 / 1000.0;
    let rows = Sizes::read(&workspace.web())?.rows();
    Ok(rows
        .into_iter()
        .map(|(name, bytes, limit)| Row {
            name,
            value: kilobytes(bytes),
            unit: "KB",
            limit: limit.map(kilobytes),
        })
        .collect())
}

/// Medians over several empty data folders: the first start, which makes keys and tables, the second, and the
/// memory of the second.
fn starts(binary: &Path) -> Result<[Row; 3]> {
    let (mut first, mut second, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        let data = DataFolder::create(run)?;
        first.push(Broker::start(binary, &data.0)?.ready_ms);
        let broker = Broker::start(binary, &data.0)?;
        second.push(broker.ready_ms);
        thread::sleep(IDLE_AFTER);
        memory.push(broker.resident_mib()?);
    }
    let start = |name, values| Row { name, value: median(values), unit: "ms", limit: Some(START_LIMIT_MS) };
    Ok([
        start("first start until ready", first),
        start("later start until ready", second),
        Row { name: "resident when idle", value: median(memory), unit: "MiB", limit: Some(MEMORY_LIMIT_MIB) },
    ])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A temporary folder, removed when dropped.
struct DataFolder(PathBuf);

impl DataFolder {
    fn create(run: usize) -> Result<Self> {
        let folder = env::temp_dir().join(format!("taiku-bench-{}-{run}", std::process::id()));
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        Ok(Self(folder))
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let _kept = fs::remove_dir_all(&self.0);
    }
}

/// A running broker, killed when dropped.
struct Broker {
    child: Child,
    ready_ms: f64,
}

impl Broker {
    /// Starts it and waits until `/readyz` answers 200.
    fn start(binary: &Path, data: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TAIKU_")) {
            command.env_remove(name);
        }
        command.arg("serve").env("TAIKU_LISTEN", "127.0.0.1:0").env("TAIKU_DATA_DIR", data);
        command.current_dir(data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let child = command
            .spawn()
            .map_err(|source| Error::Start { command: binary.display().to_string(), source })?;
        let mut broker = Self { child, ready_ms: 0.0 };
        broker.wait_until_ready(start)?;
        broker.ready_ms = start.elapsed().as_secs_f64() * 1000.0;
        Ok(broker)
    }

    fn wait_until_ready(&mut self, start: Instant) -> Result<()> {
        let lines = self.lines();
        let mut said = Vec::new();
        let mut port = None;
        while start.elapsed() < PATIENCE {
            match port {
                Some(port) if is_ready(port) => return Ok(()),
                Some(_) => thread::sleep(Duration::from_millis(1)),
                None => {
                    let Ok(line) = lines.recv_timeout(PATIENCE) else { break };
                    port = listening_port(&line);
                    said.push(line);
                }
            }
        }
        let last_words = said.into_iter().rev().take(3).collect::<Vec<_>>().join(" / ");
        Err(Error::NotReady { what: "the broker".to_owned(), seconds: start.elapsed().as_secs(), last_words })
    }

    /// What it prints, on either output, read to the end so that it never blocks.
    fn lines(&mut self) -> Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            self.child.stdout.take().map(|output| Box::new(output) as _),
            self.child.stderr.take().map(|output| Box::new(output) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                    let _nobody_reads = sender.send(line);
                }
            });
        }
        receiver
    }

    /// `VmRSS` of Linux.
    fn resident_mib(&self) -> Result<f64> {
        let path = PathBuf::from(format!("/proc/{}/status", self.child.id()));
        let status = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        let kib: f64 = kib.ok_or_else(|| Error::File { path, problem: "it has no VmRSS".to_owned() })?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The port in `listening on http://localhost:8080`.
fn listening_port(line: &str) -> Option<u16> {
    let (_, address) = line.split_once("listening on http://")?;
    let (_, port) = address.split_once(':')?;
    let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
    port[..end].parse().ok()
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_names_the_address() {
        assert_eq!(listening_port("INFO listening on http://localhost:4711\u{1b}[0m"), Some(4711));
        assert_eq!(listening_port("listening on http://localhost:4711/"), Some(4711));
        assert_eq!(listening_port("demo provider at http://127.0.0.1:8090"), None);
    }

    #[test]
    fn the_median_is_the_middle_value() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
    }
}
