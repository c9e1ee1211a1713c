//! Events between the brokers over one database.
//!
//! What this broker tells its own pages is also put up in the database; what others put up is told to the pages
//! here. Postgres rings when there is something new (`LISTEN`); on SQLite, and should the bell be lost, the list is
//! looked at every quarter of a second. Nothing depends on hearing an event: whoever misses one reads again.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::{mpsc, watch};

use super::hub::{Hub, Notice};
use crate::broker::Broker;
use crate::clock::Millis;
use crate::store::bulletins::{self, Bulletin, News};
use crate::store::{self, Store};

/// How long a bulletin is unheard at most where nothing rings.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Events that wait to be put up; when there are more, the others are told to read everything again.
pub(super) const WAITING: usize = 4096;
/// Bulletins that are put up in one transaction.
const AT_ONCE: usize = 256;
/// How long to wait after the database has failed.
const PAUSE: Duration = Duration::from_millis(500);
/// The bulletin that tells everybody to read everything again.
const EVERYTHING: &str = "resync";

/// Passes events on until told to stop.
pub async fn run(broker: Broker, stopped: watch::Receiver<bool>) {
    let Some(outgoing) = broker.events.take_outgoing() else { return };
    tokio::join!(post(&broker, outgoing, stopped.clone()), hear(&broker, stopped));
}

/// Puts up what happens here.
async fn post(broker: &Broker, mut outgoing: mpsc::Receiver<Notice>, mut stopped: watch::Receiver<bool>) {
    let mut batch = Vec::new();
    loop {
        if batch.is_empty() {
            tokio::select! {
                count = outgoing.recv_many(&mut batch, AT_ONCE) => if count == 0 { return },
                _ = stopped.changed() => {
                    // What has happened is told before the end.
                    while let Ok(notice) = outgoing.try_recv() {
                        batch.push(notice);
                    }
                    let _best_effort = put_up(broker, &batch).await;
                    return;
                }
            }
        }
        match put_up(broker, &batch).await {
            Ok(()) => batch.clear(),
            Err(error) => {
                tracing::warn!(%error, "could not tell other brokers what has changed; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn put_up(broker: &Broker, batch: &[Notice]) -> store::Result<()> {
    let (origin, now) = (broker.events.origin(), broker.clock.now());
    let mut list: Vec<Bulletin> = batch.iter().map(|notice| bulletin(origin, notice, now)).collect();
    if broker.events.take_overflow() {
        list.push(bulletin(origin, &Notice { user: None, name: EVERYTHING, data: "{}".into() }, now));
    }
    if list.is_empty() {
        return Ok(());
    }
    let mut tx = broker.store.write().await?;
    bulletins::post(&mut tx, &list).await?;
    tx.commit().await
}

fn bulletin(origin: &str, notice: &Notice, told_at: Millis) -> Bulletin {
    Bulletin {
        origin: origin.to_owned(),
        user_id: notice.user.clone(),
        name: notice.name.to_owned(),
        data: notice.data.clone(),
        told_at,
    }
}

/// Tells the pages here what happens elsewhere.
async fn hear(broker: &Broker, mut stopped: watch::Receiver<bool>) {
    let mut bell = Bell::new(&broker.store);
    let mut last = None;
    loop {
        match look(broker, last).await {
            Ok(News { last: read, missed, bulletins }) => {
                let more = !bulletins.is_empty();
                tell(broker, missed, bulletins);
                last = Some(read);
                if more {
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not hear what other brokers tell; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::select! {
            () = bell.rings() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Reads on. Without a place to read on from it begins with what comes next.
async fn look(broker: &Broker, last: Option<i64>) -> store::Result<News> {
    let mut tx = broker.store.read().await?;
    match last {
        Some(last) => bulletins::after(&mut tx, last).await,
        None => Ok(News { last: bulletins::newest(&mut tx).await?, missed: false, bulletins: Vec::new() }),
    }
}

fn tell(broker: &Broker, missed: bool, bulletins: Vec<Bulletin>) {
    let hub: &Hub = &broker.events;
    if missed {
        hub.resync();
    }
    for bulletin in bulletins.into_iter().filter(|bulletin| bulletin.origin != hub.origin()) {
        let lag = (broker.clock.now() - bulletin.told_at).max(0).unsigned_abs();
        broker.metrics.heard(Duration::from_millis(lag));
        if bulletin.name == EVERYTHING {
            hub.resync();
        } else if !hub.hear(bulletin.user_id.as_deref(), &bulletin.name, bulletin.data) {
            tracing::debug!(
                name = bulletin.name,
                "another broker tells something that this version does not know"
            );
        }
    }
}

/// What rings when another broker has put something up.
enum Bell {
    /// SQLite has none.
    None,
    /// Postgres has one, which is fetched again when its connection is lost.
    Postgres { pool: sqlx::PgPool, listener: Option<PgListener> },
}

impl Bell {
    fn new(store: &Store) -> Self {
        match store {
            Store::Sqlite(_) => Self::None,
            Store::Postgres(pool) => Self::Postgres { pool: pool.clone(), listener: None },
        }
    }

    /// Completes when it rings, and when it may have rung unheard.
    async fn rings(&mut self) {
        let Self::Postgres { pool, listener } = self else { return std::future::pending().await };
        if let Some(heard) = listener {
            match heard.try_recv().await {
                // `None` is a lost connection that was made again: somebody may have rung meanwhile.
                Ok(Some(_) | None) => return,
                Err(error) => {
                    tracing::debug!(%error, "the bell of the database was lost; fetching it again");
                    *listener = None;
                }
            }
        }
        match fetch(pool).await {
            Ok(fetched) => *listener = Some(fetched),
            // Until it is back the list is looked at.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn fetch(pool: &sqlx::PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(bulletins::CHANNEL).await?;
    Ok(listener)
}
