//! The command line.

mod api_key;
mod audit;
mod backup;
mod demo;
mod doctor;
mod http;
mod key;
mod plugin;
mod role;
mod serve;
mod supervise;
mod toolkit;
mod user;
mod vault;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::broker::{self, Opened, StartError};
use crate::clock::Clock;
use crate::config::{self, Config, LogFormat, Source};
use crate::failure::Failure;
use crate::random::Random;
use crate::sandbox::{self, Gaps};

/// Plugins from strangers that act in your users' accounts, without ever seeing a token.
#[derive(Parser)]
#[command(name = "taiku", version, about, max_term_width = 100)]
struct Arguments {
    /// Configuration file; `taiku.toml` in the current folder if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the host page, the API and the panels.
    Serve {
        /// Start the offline demo provider as well, with two users and everything set up.
        #[arg(long)]
        demo: bool,
    },
    /// Keep refresh tokens and client secrets, and answer on a socket; `taiku serve` starts it.
    Vault(vault::Vault),
    /// Answer requests; `taiku serve` starts it.
    #[command(hide = true)]
    Http(http::Http),
    /// Users of this server.
    #[command(subcommand)]
    User(user::Command),
    /// API keys for scripts.
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Toolkits: the services that plugins can use.
    #[command(subcommand)]
    Toolkit(toolkit::Command),
    /// Plugins: begin one, check it, try it, pack it.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// The keys that seal tokens: change them while brokers serve.
    #[command(subcommand)]
    Key(key::Command),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Write one encrypted file of the whole database, while brokers serve.
    Backup(backup::Arguments),
    /// Bring a backup into an empty database.
    Restore(backup::Arguments),
    /// Look at keys, database, clock, addresses and providers, and say what to do.
    Doctor(doctor::Arguments),
    /// Print the annotated configuration.
    Config,
    /// Print the description of the HTTP API (OpenAPI 3.1).
    Openapi,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The configuration, keys or database cannot be used.
    Start(StartError),
    /// Anything else, in a sentence.
    Said(String),
    /// What was found has been printed; the exit status is what is left to say.
    Found(u8),
    /// What was named cannot be used: a sentence and the exit status.
    Unusable(String, u8),
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<config::ConfigError> for CommandError {
    fn from(error: config::ConfigError) -> Self {
        Self::Start(error.into())
    }
}

impl From<crate::vault::KeysError> for CommandError {
    fn from(error: crate::vault::KeysError) -> Self {
        Self::Start(error.into())
    }
}

impl From<crate::store::StoreError> for CommandError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Start(error.into())
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Said(match failure {
            Failure::Refused(refusal)
            | Failure::Choose(refusal, _)
            | Failure::Wait(refusal, _)
            | Failure::Ended(refusal) => refusal.message,
            Failure::Internal(text) => text,
        })
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::Said(error.to_string())
    }
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = prepare(arguments).and_then(|(command, context)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run(command, context))
    });
    let (text, status) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(CommandError::Start(error)) => (error.to_string(), error.exit_status()),
        Err(CommandError::Said(text)) => (text, 1),
        Err(CommandError::Unusable(text, status)) => (text, status),
        Err(CommandError::Found(status)) => return ExitCode::from(status),
    };
    // Nothing can be done for a standard error that cannot be written to.
    let _ = writeln!(std::io::stderr(), "taiku: {text}");
    ExitCode::from(status)
}

/// What was found and given up before there were threads, which would not share it.
struct Prepared {
    /// The configuration file that was named.
    file: Option<PathBuf>,
    gaps: Gaps,
}

/// Lets a process that serves give up what it does not need.
fn prepare(arguments: Arguments) -> Result<(Command, Prepared), CommandError> {
    let Arguments { config: file, command } = arguments;
    let supervisor = match &command {
        Command::Vault(vault) => vault.supervisor,
        Command::Http(http) => http.supervisor,
        _ => None,
    };
    if let Some(supervisor) = supervisor {
        let ended = |error| CommandError::Said(format!("whoever started this role has ended: {error}"));
        sandbox::end_with_parent(supervisor).map_err(ended)?;
    }
    let gaps = match &command {
        Command::Serve { .. } | Command::Vault(_) => sandbox::hide(),
        Command::Http(_) => {
            let source = Source::of(std::env::vars());
            sandbox::hide().and(http::Http::confine(&read(&source)?, &source))
        }
        _ => Gaps::default(),
    };
    Ok((command, Prepared { file, gaps }))
}

async fn run(command: Command, prepared: Prepared) -> Result<(), CommandError> {
    let Prepared { file, gaps } = prepared;
    let load = || Source::load(file.as_deref(), std::env::vars());
    match command {
        Command::Config => say(&config::annotated()),
        Command::Openapi => say(crate::server::OPENAPI),
        Command::Toolkit(command) => toolkit::run(command, &read(&load()?)?).await,
        Command::Plugin(command) => plugin::run(command).await,
        Command::Serve { demo } => {
            let source = load()?;
            let config = read(&source)?;
            log(&config)?;
            supervise::run(source, config, file, demo, gaps).await
        }
        Command::Vault(vault) => {
            let source = load()?;
            let config = read(&source)?;
            log(&config)?;
            vault.run(source, config, gaps).await
        }
        Command::Http(http) => {
            let source = Source::of(std::env::vars());
            let config = read(&source)?;
            log(&config)?;
            http.run(source, config, gaps).await
        }
        Command::User(command) => user::run(command, &Context::open(&read(&load()?)?).await?).await,
        Command::ApiKey(command) => api_key::run(command, &Context::open(&read(&load()?)?).await?).await,
        Command::Key(command) => {
            let config = read(&load()?)?;
            key::run(command, &Context::open(&config).await?, &config).await
        }
        Command::Doctor(arguments) => {
            let source = load()?;
            let config = read(&source)?;
            doctor::run(&arguments, source, config).await
        }
        Command::Backup(arguments) => backup::create(&arguments, &read(&load()?)?).await,
        Command::Restore(arguments) => backup::restore(&arguments, &read(&load()?)?).await,
        Command::Audit(command) => audit::run(&command, &Context::open(&read(&load()?)?).await?).await,
    }
}

fn read(source: &Source) -> Result<Config, CommandError> {
    Ok(Config::read(source, std::io::stderr().is_terminal())?)
}

/// What commands that work on the database need.
struct Context {
    opened: Opened,
    clock: Clock,
    random: Random,
}

impl Context {
    async fn open(config: &Config) -> Result<Self, CommandError> {
        let (clock, random) = (Clock::System, Random::system());
        Ok(Self { opened: broker::open(config, &clock, &random).await?, clock, random })
    }
}

/// Prints a line for the person or script that runs the command.
fn say(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end())?;
    out.flush()?;
    Ok(())
}

fn log(config: &Config) -> Result<(), CommandError> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| CommandError::Said(format!("TAIKU_LOG: `{}`: {error}", config.log)))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Pretty => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// Reads a password from standard input: typed by a person, or piped by a script.
fn read_password(prompt: &str) -> Result<String, CommandError> {
    if std::io::stdin().is_terminal() {
        let mut err = std::io::stderr().lock();
        write!(err, "{prompt}: ")?;
        err.flush()?;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
