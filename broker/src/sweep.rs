//! Forgets what has ended: sessions, flows, unfinished connections, old answers and old activity.

use std::time::Duration;

use tokio::sync::watch;

use crate::broker::Broker;
use crate::clock::Millis;
use crate::custody::disconnect::Disconnect;
use crate::events::Event;
use crate::store::{
    self, activity, allowances, bulletins, connections, flows, idempotency, installs, known_browsers,
    revocations, sessions,
};

const EVERY: Duration = Duration::from_secs(60);

/// Sweeps every minute until told to stop.
pub async fn run(broker: Broker, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        if let Err(error) = once(&broker).await {
            tracing::warn!(%error, "could not sweep; trying again in a minute");
        }
    }
}

/// Sweeps once.
///
/// # Errors
/// When the database fails.
pub async fn once(broker: &Broker) -> store::Result<()> {
    let now = broker.clock.now();
    give_back_what_nobody_chose(broker, now).await?;
    let mut tx = broker.store.write().await?;
    let given_up = connections::give_up(&mut tx, now).await?;
    let swept = sessions::sweep(&mut tx, now).await?
        + flows::sweep(&mut tx, now).await?
        + connections::sweep(&mut tx, now).await?
        + idempotency::sweep(&mut tx, now).await?
        + activity::sweep(&mut tx, now).await?
        + installs::sweep(&mut tx, now).await?
        + revocations::sweep(&mut tx, now).await?
        + bulletins::sweep(&mut tx, now).await?
        + allowances::sweep(&mut tx, now).await?
        + known_browsers::sweep(&mut tx, now).await?;
    tx.commit().await?;
    for connection in &given_up {
        broker.events.tell(&connection.user_id, &Event::connection(connection));
    }
    tracing::debug!(swept, given_up = given_up.len(), "swept");
    Ok(())
}

/// Accounts that users neither added nor refused are not kept for them.
async fn give_back_what_nobody_chose(broker: &Broker, now: Millis) -> store::Result<()> {
    let waiting = {
        let mut tx = broker.store.read().await?;
        connections::undecided_too_long(&mut tx, now).await?
    };
    for connection in waiting {
        let disconnect =
            Disconnect { user_id: connection.user_id.clone(), connection_id: connection.id.clone() };
        if let Err(failure) = broker.custody.ask(disconnect).await {
            tracing::warn!(connection = %connection.id, code = %failure.code(), "could not be given back; trying again");
        }
    }
    Ok(())
}
