//! How the role that answers requests asks the one that keeps the refresh tokens: over a unix socket, which is opened
//! again by itself when that role was started anew.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::value::to_raw_value;
use taiku_bridge::{Code, Refusal};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, broadcast, mpsc};
use tokio::time::Instant;

use super::link::{Link, Lost};
use super::{Custody, News, Operation, QUEUE, server};
use crate::failure::Failure;

/// How long a caller waits for a vault that is being started anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a question may take: the longest is a code's exchange with the look-up of its account.
const ANSWER: Duration = Duration::from_secs(100);
/// How long to wait before a socket that cannot be opened is tried again.
const AGAIN: Duration = Duration::from_millis(25);
/// When a caller may ask again whose question was cut off, in seconds.
const RETRY_AFTER: u64 = 1;

/// Asks a [`Custody`]. Clones are cheap and share one connection.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    to: Address,
    link: Mutex<Option<Link>>,
    news: broadcast::Sender<News>,
}

/// Where the custody is.
enum Address {
    /// In another process, behind a socket.
    Socket(PathBuf),
    /// In this process, behind a socket as well.
    Here(Custody),
}

impl Address {
    async fn connect(&self) -> io::Result<UnixStream> {
        match self {
            Self::Socket(path) => UnixStream::connect(path).await,
            Self::Here(custody) => {
                let (ours, theirs) = UnixStream::pair()?;
                let (alive, _) = mpsc::channel(1);
                tokio::spawn(server::connection(custody.clone(), theirs, alive));
                Ok(ours)
            }
        }
    }
}

impl Client {
    /// A client of a custody in this process.
    #[must_use]
    pub fn here(custody: Custody) -> Self {
        Self::new(Address::Here(custody))
    }

    /// A client of a custody that listens on a socket.
    #[must_use]
    pub fn of_socket(path: PathBuf) -> Self {
        Self::new(Address::Socket(path))
    }

    fn new(to: Address) -> Self {
        let (news, _) = broadcast::channel(QUEUE);
        let inner = Arc::new(Inner { to, link: Mutex::new(None), news });
        tokio::spawn(stay_connected(Arc::downgrade(&inner)));
        Self(inner)
    }

    /// What the custody tells open pages from now on.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.0.news.subscribe()
    }

    /// Asks for one operation. A question that was cut off is asked again if that does no harm.
    ///
    /// # Errors
    /// What the operation fails with; `busy` when the vault cannot be asked, or may have been cut off half-way.
    pub async fn ask<O: Operation>(&self, operation: O) -> Result<O::Answer, Failure> {
        let body = to_raw_value(&operation)
            .map_err(|_| Failure::Internal(format!("{} cannot be asked", O::NAME)))?;
        let end = Instant::now() + PATIENCE;
        let outcome = loop {
            let link = self.0.link(end).await.ok_or_else(away)?;
            match tokio::time::timeout(ANSWER, link.ask(O::NAME, &body)).await {
                Ok(Ok(outcome)) => break outcome,
                Ok(Err(Lost::BeforeSending)) => {}
                Ok(Err(Lost::Unanswered)) if O::REPEATABLE => {}
                Ok(Err(Lost::Unanswered)) => return Err(cut_off()),
                Ok(Err(Lost::Unsendable)) => {
                    return Err(Failure::Internal(format!("{} cannot be sent", O::NAME)));
                }
                Err(_) => return Err(cut_off()),
            }
            tracing::info!(operation = O::NAME, "the vault was started anew; asking again");
        };
        serde_json::from_str(outcome?.get())
            .map_err(|_| Failure::Internal(format!("the answer to {} cannot be read", O::NAME)))
    }
}

impl Inner {
    /// The connection, opened if there is none; nothing if that does not succeed in time.
    async fn link(&self, end: Instant) -> Option<Link> {
        let mut link = self.link.lock().await;
        if let Some(open) = link.as_ref().filter(|link| link.is_open()) {
            return Some(open.clone());
        }
        loop {
            match self.to.connect().await {
                Ok(stream) => {
                    let open = Link::new(stream, self.news.clone());
                    return Some(link.insert(open).clone());
                }
                Err(error) if Instant::now() >= end => {
                    tracing::error!(%error, "the vault cannot be reached");
                    return None;
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

/// Keeps a connection open, so that news arrive when nobody asks, for as long as there is a client.
async fn stay_connected(client: Weak<Inner>) {
    while let Some(inner) = client.upgrade() {
        let link = inner.link(Instant::now() + PATIENCE).await;
        drop(inner);
        if let Some(link) = link {
            link.closed().await;
        }
    }
}

/// Nothing was asked.
fn away() -> Failure {
    let message =
        "The part of this server that keeps the access is being started. Nothing was done; try again.";
    Failure::Wait(Refusal::new(Code::Busy, message), RETRY_AFTER)
}

/// It may have been done, or not.
fn cut_off() -> Failure {
    let message = "The part of this server that keeps the access was stopped in the middle. \
                   Look whether it was done, and try again.";
    Failure::Wait(Refusal::new(Code::Busy, message), RETRY_AFTER)
}
