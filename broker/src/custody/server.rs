//! Answers on a unix socket what is asked of a [`Custody`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::unix::{OwnedWriteHalf, SocketAddr};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, mpsc};

use super::wire::{self, Ask, Failed, Frame, Said};
use super::{Custody, News, operation};
use crate::failure::Failure;

/// Questions of one connection that are worked on at once; the next ones wait.
const AT_ONCE: usize = 256;
/// How long those who are connected may take to leave.
const DRAIN: Duration = Duration::from_secs(30);
/// How long to wait when no connection can be taken, for want of file descriptors for one.
const AGAIN: Duration = Duration::from_millis(50);
/// Answers that wait to be written.
const QUEUE: usize = 64;

/// Why somebody is not answered.
#[derive(Debug, thiserror::Error)]
enum Stranger {
    /// The kernel does not say who it is.
    #[error("the kernel does not say who has connected: {0}")]
    Unknown(#[from] io::Error),
    /// Another user of the machine.
    #[error("user {theirs} of this machine has connected, and this process is of user {ours}")]
    OtherUser {
        /// Who has connected.
        theirs: u32,
        /// Whose process this is.
        ours: u32,
    },
}

/// Answers everybody of the same user who connects. After `shutdown` has completed it goes on until those who are
/// connected have left and what they asked for is done, for at most 30 seconds.
pub async fn serve(custody: Custody, listener: UnixListener, shutdown: impl Future<Output = ()>) {
    let (alive, mut all_gone) = mpsc::channel(1);
    {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                accepted = listener.accept() => accept(&custody, accepted, &alive).await,
                () = &mut shutdown => break,
            }
        }
    }
    drop(alive);
    // Whoever is still connected may connect again.
    let (alive, _) = mpsc::channel(1);
    let drained = async {
        loop {
            tokio::select! {
                biased;
                _ = all_gone.recv() => return,
                accepted = listener.accept() => accept(&custody, accepted, &alive).await,
            }
        }
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("the vault stops although somebody is connected");
    }
}

async fn accept(custody: &Custody, accepted: io::Result<(UnixStream, SocketAddr)>, alive: &Alive) {
    match accepted {
        Ok((stream, _)) => {
            let (custody, alive) = (custody.clone(), alive.clone());
            tokio::spawn(async move { connection(custody, stream, alive).await });
        }
        Err(error) => {
            tracing::warn!(%error, "the vault could not take a connection");
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Is held by whatever has to come to its end.
pub(super) type Alive = mpsc::Sender<()>;

/// Answers one connection until the other side ends it.
pub(super) async fn connection(custody: Custody, stream: UnixStream, alive: Alive) {
    if let Err(stranger) = same_user(&stream) {
        tracing::warn!(%stranger, "the vault has turned somebody away");
        return;
    }
    let (mut from, to) = stream.into_split();
    let (answers, queue) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(write(to, queue, custody.news()));
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let ask = match wire::receive::<Ask>(&mut from).await {
            Ok(Some(ask)) => ask,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "the vault was sent something else than a question");
                break;
            }
        };
        let (custody, answers, alive) = (custody.clone(), answers.clone(), alive.clone());
        // On a task of its own: whoever goes away must not leave a code or refresh token spent and its successor unsaved.
        tokio::spawn(async move {
            let frame = answer(&custody, ask).await;
            drop((place, alive));
            // Nobody may be there any more to hear it.
            let _ = answers.send(frame).await;
        });
    }
    writer.abort();
}

fn same_user(stream: &UnixStream) -> Result<(), Stranger> {
    let theirs = stream.peer_cred()?.uid();
    let ours = rustix::process::geteuid().as_raw();
    if theirs == ours { Ok(()) } else { Err(Stranger::OtherUser { theirs, ours }) }
}

async fn answer(custody: &Custody, ask: Ask) -> Frame {
    let id = ask.id;
    let outcome = operation::dispatch(custody, &ask.operation, &ask.body).await.map_err(Failed::from);
    wire::frame(&Said::Answer { id, outcome }).unwrap_or_else(|error| {
        let failed = Failed::from(Failure::Internal(format!("an answer cannot be sent: {error}")));
        wire::frame(&Said::Answer { id, outcome: Err(failed) }).unwrap_or_default()
    })
}

/// Writes news before the answers that follow them, so that pages hear of a change no later than its caller.
async fn write(
    mut to: OwnedWriteHalf,
    mut answers: mpsc::Receiver<Frame>,
    mut news: broadcast::Receiver<News>,
) {
    loop {
        let frame = tokio::select! {
            biased;
            told = news.recv() => match told {
                Ok(News { user_id, event }) => wire::frame(&Said::News { user_id, event }).unwrap_or_default(),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "news came faster than they could be told");
                    continue;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            frame = answers.recv() => match frame {
                Some(frame) => frame,
                None => return,
            },
        };
        if wire::send(&mut to, &frame).await.is_err() {
            return;
        }
    }
}
