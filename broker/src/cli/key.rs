//! `taiku key`

mod change;
mod compromise;
mod retire;
mod status;

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CommandError, Context, say};
use crate::config::Config;
use crate::rotation::rebind::{self, RebindError};
use crate::rotation::rewrap::{self, Outcome, Step, Unreadable, Work};
use crate::store::audit::{self, Actor};
use crate::vault::Ring;
use crate::vault::keyring::EditError;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show every key, how many records need it, and which brokers have loaded it.
    Status,
    /// Make a new key that opens only, for brokers to load.
    Add {
        /// The ring: `at`, `rt`, `cfg`, or `all`.
        #[arg(value_parser = rings)]
        rings: Rings,
    },
    /// Let the newest key seal, once every running broker has loaded it.
    Promote {
        /// The ring: `at`, `rt`, `cfg`, or `all`.
        #[arg(value_parser = rings)]
        rings: Rings,
        #[command(flatten)]
        forced: Forced,
        #[command(flatten)]
        patience: Patience,
    },
    /// Seal every record again under the active keys, while brokers serve. It can be stopped and run again.
    Rewrap {
        /// Records a second at most.
        #[arg(long, default_value_t = FASTEST, value_name = "RECORDS")]
        per_second: u32,
        #[command(flatten)]
        patience: Patience,
    },
    /// Destroy a key that no record and no backup needs any more.
    Retire {
        /// The ring: `at`, `rt` or `cfg`.
        #[arg(value_parser = ring)]
        ring: Ring,
        /// The version of its key.
        version: u32,
        #[command(flatten)]
        forced: Forced,
    },
    /// A key, or what it protects, may be known to somebody else: let a new key seal at once, get new tokens for
    /// everybody, and have the old ones taken back at the providers.
    Compromise {
        /// The ring: `at`, `rt`, `cfg`, or `all`.
        #[arg(value_parser = rings)]
        rings: Rings,
        /// What has happened; kept in the audit log.
        #[arg(long)]
        reason: String,
        /// Connections for which a provider is asked in a minute to take back the old tokens.
        #[arg(long, default_value_t = 60, value_name = "CONNECTIONS", value_parser = clap::value_parser!(i64).range(1..))]
        per_minute: i64,
        #[command(flatten)]
        patience: Patience,
    },
    /// Seal the tokens of a connection for its present owner, after its user id was changed in the database.
    Rebind {
        /// The connection's id.
        connection: String,
        /// The id of the user that the tokens were sealed for.
        #[arg(long, value_name = "USER ID")]
        from_user: String,
        /// Why; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}

/// Going on although a check says no.
#[derive(clap::Args)]
pub(super) struct Forced {
    /// Do it although a check says no. The reason is kept in the audit log.
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why.
    #[arg(long, requires = "force")]
    reason: Option<String>,
}

/// How long a command waits for brokers to read the keyring again. They look twice a second; one that was killed is
/// taken to be gone after 15 s.
#[derive(clap::Args)]
pub(super) struct Patience {
    /// How long to wait for brokers that have not loaded the keys yet.
    #[arg(long = "wait", default_value_t = 20, value_name = "SECONDS")]
    seconds: u64,
}

/// The rings that a command is for.
#[derive(Clone)]
pub(super) struct Rings(Vec<Ring>);

fn rings(text: &str) -> Result<Rings, String> {
    if text == "all" { Ok(Rings(Ring::ALL.to_vec())) } else { Ok(Rings(vec![ring(text)?])) }
}

fn ring(text: &str) -> Result<Ring, String> {
    Ring::from_name(text).ok_or_else(|| "the rings are at, rt and cfg".to_owned())
}

impl From<EditError> for CommandError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Keys(error) => Self::Start(error.into()),
            EditError::Missing { .. }
            | EditError::NothingToPromote { .. }
            | EditError::NotNewer { .. }
            | EditError::Waits { .. }
            | EditError::Active { .. }
            | EditError::NotUsedYet { .. } => Self::Said(error.to_string()),
        }
    }
}

pub(super) async fn run(command: Command, context: &Context, config: &Config) -> Result<(), CommandError> {
    match command {
        Command::Status => status::run(context).await,
        Command::Add { rings: Rings(rings) } => change::add(context, &rings).await,
        Command::Promote { rings: Rings(rings), forced, patience } => {
            change::promote(context, &rings, &forced, &patience).await
        }
        Command::Rewrap { per_second, patience } => rewrap(context, per_second, &patience).await,
        Command::Retire { ring, version, forced } => {
            retire::run(context, ring, version, &forced, config.backup_days).await
        }
        Command::Compromise { rings: Rings(rings), reason, per_minute, patience } => {
            let told = compromise::Told { rings: &rings, reason: &reason, per_minute, patience: &patience };
            compromise::run(context, config, &told).await
        }
        Command::Rebind { connection, from_user, reason } => {
            rebind(context, &connection, &from_user, &reason).await
        }
    }
}

/// Writes the entry before the act that it is about: a keyring file knows no transaction, and there is no act without
/// an entry.
async fn audit(context: &Context, action: &str, subject: &str, detail: &Value) -> Result<(), CommandError> {
    let mut tx = context.opened.store.write().await?;
    audit::add(&mut tx, context.clock.now(), Actor::System, action, subject, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Records a second; each is written by itself.
const FASTEST: u32 = 10_000;
/// How often the command says how far it has come.
const TELL_EVERY: Duration = Duration::from_secs(2);

async fn rewrap(context: &Context, per_second: u32, patience: &Patience) -> Result<(), CommandError> {
    change::wait_until_sealing(context, patience).await?;
    seal_again(context, per_second).await
}

async fn seal_again(context: &Context, per_second: u32) -> Result<(), CommandError> {
    let opened = &context.opened;
    audit(context, "key.rewrap", "vault", &json!({ "perSecond": per_second })).await?;
    let work = Work { store: &opened.store, vault: &opened.vault, per_second };
    let mut told = std::time::Instant::now();
    let outcome = rewrap::run(work, |Step { place, sealed, left }| {
        if told.elapsed() >= TELL_EVERY {
            told = std::time::Instant::now();
            // Nobody may be reading; sealing goes on.
            let _ = say(&format!("{place}: {sealed} records sealed again, about {left} left"));
        }
    })
    .await?;
    report(&outcome)
}

fn report(outcome: &Outcome) -> Result<(), CommandError> {
    let Outcome { sealed, left, unreadable, took } = outcome;
    say(&format!("{sealed} records sealed again in {} s, {left} left under older keys", took.as_secs()))?;
    for Unreadable { place, key: (first, second), why } in unreadable {
        let row = if second.is_empty() { first.clone() } else { format!("{first}, {second}") };
        say(&format!("{place} of {row}: {why}"))?;
    }
    match left {
        0 => Ok(()),
        _ => Err(CommandError::Said(format!(
            "{left} records still need older keys; run `taiku key rewrap` again, and look at the rows named above"
        ))),
    }
}

async fn rebind(
    context: &Context,
    connection: &str,
    from_user: &str,
    reason: &str,
) -> Result<(), CommandError> {
    let detail = json!({ "fromUser": from_user, "reason": reason });
    audit(context, "key.rebind", connection, &detail).await?;
    let opened = &context.opened;
    match rebind::run(&opened.store, &opened.vault, connection, from_user).await {
        Ok(bound) => say(&format!("{bound} records of {connection} are bound to its present owner")),
        Err(RebindError::Store(error)) => Err(error.into()),
        Err(error) => Err(CommandError::Said(error.to_string())),
    }
}
