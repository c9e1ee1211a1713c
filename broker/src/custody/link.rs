//! One open connection to the vault: questions go out as they come, answers come back in any order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::News;
use super::wire::{self, Ask, Frame, Said};
use crate::failure::Failure;

/// Questions that wait to be written.
const QUEUE: usize = 64;

/// A connection. Clones are cheap and share it; it is closed when the last one is gone.
#[derive(Clone)]
pub(super) struct Link {
    outgoing: mpsc::Sender<Frame>,
    pending: Arc<Mutex<Pending>>,
    /// Its sender is gone once no answer can come any more.
    end: watch::Receiver<()>,
}

type Answer = Result<Box<RawValue>, Failure>;

#[derive(Default)]
struct Pending {
    last: u64,
    /// By the question's id; nothing once the connection is closed.
    waiting: Option<HashMap<u64, oneshot::Sender<Answer>>>,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It was not sent.
    BeforeSending,
    /// It may have been acted on.
    Unanswered,
    /// It is too long to be sent.
    Unsendable,
}

impl Link {
    pub(super) fn new(stream: UnixStream, news: broadcast::Sender<News>) -> Self {
        let (from, to) = stream.into_split();
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let pending = Pending { last: 0, waiting: Some(HashMap::new()) };
        let (open, end) = watch::channel(());
        let link = Self { outgoing, pending: Arc::new(Mutex::new(pending)), end };
        let writer = tokio::spawn(write(to, queue));
        let pending = Arc::clone(&link.pending);
        tokio::spawn(async move {
            read(from, &pending, &news).await;
            // Whoever waits learns that no answer comes.
            lock(&pending).waiting = None;
            writer.abort();
            drop(open);
        });
        link
    }

    /// Whether answers can still come.
    pub(super) fn is_open(&self) -> bool {
        !self.outgoing.is_closed() && lock(&self.pending).waiting.is_some()
    }

    /// Waits until no answer can come any more, without keeping the connection open.
    pub(super) fn closed(self) -> impl Future<Output = ()> {
        let mut end = self.end;
        async move {
            // Nothing is ever sent: it is the sender's end that is waited for.
            while end.changed().await.is_ok() {}
        }
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, operation: &'static str, body: &RawValue) -> Result<Answer, Lost> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut pending = lock(&self.pending);
            pending.last += 1;
            let id = pending.last;
            pending.waiting.as_mut().ok_or(Lost::BeforeSending)?.insert(id, answer);
            id
        };
        let ask = Ask { id, operation: operation.to_owned(), body: body.to_owned() };
        let frame = wire::frame(&ask).map_err(|_| Lost::Unsendable)?;
        self.outgoing.send(frame).await.map_err(|_| Lost::BeforeSending)?;
        answered.await.map_err(|_| Lost::Unanswered)
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut to: OwnedWriteHalf, mut queue: mpsc::Receiver<Frame>) {
    while let Some(frame) = queue.recv().await {
        if wire::send(&mut to, &frame).await.is_err() {
            return;
        }
    }
}

async fn read(mut from: OwnedReadHalf, pending: &Mutex<Pending>, news: &broadcast::Sender<News>) {
    loop {
        match wire::receive::<Said>(&mut from).await {
            Ok(Some(Said::Answer { id, outcome })) => {
                let waiting = lock(pending).waiting.as_mut().and_then(|waiting| waiting.remove(&id));
                // Whoever asked may have gone away.
                let _ = waiting.map(|answer| answer.send(outcome.map_err(Failure::from)));
            }
            Ok(Some(Said::News { user_id, event })) => {
                let _ = news.send(News { user_id, event });
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the connection to the vault has broken");
                return;
            }
        }
    }
}
