//! Hands events to open streams, each behind a short queue: who does not read is let go, not waited for.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use taiku_bridge::event::{self, RESYNC, SESSION_ENDED};
use tokio::sync::{mpsc, watch};

use super::{Event, wire};

/// Events that wait for one reader; the next one lets the reader go.
const QUEUE: usize = 64;
/// Streams of one user; the next one ends the oldest, which may be of a computer that is asleep.
const PER_USER: usize = 16;
/// Streams in all: well below the connections that the listener takes, so that requests always find one.
const IN_ALL: usize = 600;

/// The events that brokers pass on to each other, by their names on the wire.
const PASSED_ON: [&str; 6] = [
    event::CONNECTION_CHANGED,
    event::GRANT_CHANGED,
    event::PLUGINS_CHANGED,
    event::TOOLKITS_CHANGED,
    event::DATA_CHANGED,
    event::PLUGIN_EVENT,
];

/// Where events are told and heard. What is told here is also told to the other brokers over the same database,
/// once [`wire::run`] runs.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Arc<Mutex<State>>,
    /// The name of this process among the brokers.
    origin: String,
    outgoing: mpsc::Sender<Notice>,
    /// Taken by whoever passes events on.
    taken_by_wire: Mutex<Option<mpsc::Receiver<Notice>>>,
    /// Whether an event found no room among the outgoing ones.
    overflow: AtomicBool,
    /// Counts what may have taken a right away.
    rights: watch::Sender<u64>,
}

/// An event on its way to the other brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// Whom it is for; everybody without one.
    pub(super) user: Option<String>,
    /// The event's name.
    pub(super) name: &'static str,
    /// What it says, as JSON.
    pub(super) data: String,
}

/// What let a reader in; the stream ends with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A browser's session, by the SHA-256 of its cookie.
    Session(Vec<u8>),
    /// An API key, by its id.
    Key(String),
}

/// An event as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Grows with each event of this process. Nobody else's ids look like this process's.
    pub id: String,
    /// The event's name.
    pub name: &'static str,
    /// What it says, as JSON.
    pub data: String,
}

#[derive(Debug)]
struct State {
    /// Tells the ids of one process from those of another.
    name: String,
    /// By user, the oldest first.
    streams: HashMap<String, Vec<Open>>,
    next_stream: u64,
    last_event: u64,
    closed: bool,
}

#[derive(Debug)]
struct Open {
    number: u64,
    credential: Credential,
    queue: mpsc::Sender<Arc<Message>>,
    end: Arc<OnceLock<End>>,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its reader was too slow.
    Lagged,
    /// Its session or key is over.
    SessionEnded,
    /// The user has opened too many others, or the server stops: the reader comes back by itself.
    Quiet,
}

/// All streams are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many event streams are open on this server")
    }
}

impl std::error::Error for Full {}

/// An open stream. It is closed by dropping it.
#[derive(Debug)]
pub struct Subscription {
    queue: mpsc::Receiver<Arc<Message>>,
    end: Arc<OnceLock<End>>,
    said_farewell: bool,
    number: u64,
    user: String,
    hub: Weak<Mutex<State>>,
}

impl Hub {
    /// A hub whose event ids begin with `name`.
    #[must_use]
    pub fn new(name: String) -> Self {
        let state = State {
            name: name.clone(),
            streams: HashMap::new(),
            next_stream: 0,
            last_event: 0,
            closed: false,
        };
        let (outgoing, waiting) = mpsc::channel(wire::WAITING);
        Self(Arc::new(Shared {
            state: Arc::new(Mutex::new(state)),
            origin: name,
            outgoing,
            taken_by_wire: Mutex::new(Some(waiting)),
            overflow: AtomicBool::new(false),
            rights: watch::Sender::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of this process among the brokers.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// What is told from now on, for the one who passes it on.
    pub(super) fn take_outgoing(&self) -> Option<mpsc::Receiver<Notice>> {
        self.0.taken_by_wire.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether an event was lost since this was asked last.
    pub(super) fn take_overflow(&self) -> bool {
        self.0.overflow.swap(false, Ordering::Relaxed)
    }

    /// Changes whenever something was told that may have taken a right away, here or at another broker.
    #[must_use]
    pub fn rights(&self) -> watch::Receiver<u64> {
        self.0.rights.subscribe()
    }

    /// Opens a stream of a user. It begins with `resync`, unless `last_event` is the newest there is.
    ///
    /// # Errors
    /// When too many are open.
    pub fn subscribe(
        &self,
        user: &str,
        credential: Credential,
        last_event: Option<&str>,
    ) -> Result<Subscription, Full> {
        let mut state = self.state();
        let own = state.streams.get(user).map_or(0, Vec::len);
        if state.closed || (own < PER_USER && state.count() >= IN_ALL) {
            return Err(Full);
        }
        let number = state.next_stream;
        state.next_stream += 1;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let end = Arc::new(OnceLock::new());
        let newest = state.id();
        if last_event != Some(&newest) {
            let missed = Message { id: newest, name: RESYNC, data: "{}".into() };
            // A new queue has room.
            let _ = queue.try_send(Arc::new(missed));
        }
        let open = Open { number, credential, queue, end: Arc::clone(&end) };
        let streams = state.streams.entry(user.to_owned()).or_default();
        streams.push(open);
        if streams.len() > PER_USER {
            streams.remove(0).close(End::Quiet);
        }
        let hub = Arc::downgrade(&self.0.state);
        Ok(Subscription { queue: receiver, end, said_farewell: false, number, user: user.to_owned(), hub })
    }

    /// Tells a user's pages.
    pub fn tell(&self, user: &str, event: &Event) {
        self.told(Notice { user: Some(user.to_owned()), name: event.name(), data: event.data().to_string() });
    }

    /// Tells everybody's pages.
    pub fn tell_all(&self, event: &Event) {
        self.told(Notice { user: None, name: event.name(), data: event.data().to_string() });
    }

    fn told(&self, notice: Notice) {
        self.deliver(notice.user.as_deref(), notice.name, notice.data.clone());
        if self.0.outgoing.try_send(notice).is_err() {
            self.0.overflow.store(true, Ordering::Relaxed);
        }
    }

    /// Tells the pages here what another broker has told its own. Returns whether it is a known event.
    pub(super) fn hear(&self, user: Option<&str>, name: &str, data: String) -> bool {
        let known = PASSED_ON.iter().find(|known| **known == name);
        known.map(|name| self.deliver(user, name, data)).is_some()
    }

    fn deliver(&self, user: Option<&str>, name: &'static str, data: String) {
        if !matches!(name, event::DATA_CHANGED | event::PLUGIN_EVENT) {
            self.0.rights.send_modify(|count| *count += 1);
        }
        let mut state = self.state();
        let message = state.message(name, data);
        match user {
            Some(user) => {
                if let Some(streams) = state.streams.get_mut(user) {
                    hand(streams, &message);
                }
            }
            None => state.streams.values_mut().for_each(|streams| hand(streams, &message)),
        }
    }

    /// Tells everybody's pages here to read everything again.
    pub(super) fn resync(&self) {
        self.deliver(None, RESYNC, "{}".into());
    }

    /// Ends the streams that a credential let in.
    pub fn end(&self, credential: &Credential) {
        for streams in self.state().streams.values_mut() {
            streams.retain(|open| open.credential != *credential || open.close(End::SessionEnded));
        }
    }

    /// Ends every stream and opens no other: the server stops.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        for open in state.streams.drain().flat_map(|(_, streams)| streams) {
            open.close(End::Quiet);
        }
    }

    /// Every credential that has a stream.
    #[must_use]
    pub fn credentials(&self) -> HashSet<Credential> {
        self.state().streams.values().flatten().map(|open| open.credential.clone()).collect()
    }

    /// How many streams are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().count()
    }
}

impl State {
    fn count(&self) -> usize {
        self.streams.values().map(Vec::len).sum()
    }

    fn id(&self) -> String {
        format!("{}.{}", self.name, self.last_event)
    }

    fn message(&mut self, name: &'static str, data: String) -> Arc<Message> {
        self.last_event += 1;
        Arc::new(Message { id: self.id(), name, data })
    }
}

fn hand(streams: &mut Vec<Open>, message: &Arc<Message>) {
    streams.retain(|open| open.queue.try_send(Arc::clone(message)).is_ok() || open.close(End::Lagged));
}

impl Open {
    /// Notes why the stream ends. Returns false: it is not among the open ones any more, and its queue ends with it.
    fn close(&self, end: End) -> bool {
        // The first cause holds.
        let _ = self.end.set(end);
        false
    }
}

impl Subscription {
    /// Waits for the next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Arc<Message>> {
        if let Some(message) = self.queue.recv().await {
            return Some(message);
        }
        let farewell = match self.end.get() {
            Some(End::Lagged) => RESYNC,
            Some(End::SessionEnded) => SESSION_ENDED,
            Some(End::Quiet) | None => return None,
        };
        if std::mem::replace(&mut self.said_farewell, true) {
            return None;
        }
        // Without an id: who comes back with the last one it heard is told that it missed something.
        Some(Arc::new(Message { id: String::new(), name: farewell, data: "{}".into() }))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade() else { return };
        let mut state = hub.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = state.streams.get_mut(&self.user) {
            streams.retain(|open| open.number != self.number);
            if streams.is_empty() {
                state.streams.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn hub() -> Hub {
        Hub::new("boot".into())
    }

    fn session(name: &str) -> Credential {
        Credential::Session(name.as_bytes().to_vec())
    }

    fn open(hub: &Hub, user: &str) -> Subscription {
        let newest = hub.state().id();
        hub.subscribe(user, session(user), Some(&newest)).unwrap()
    }

    async fn names(stream: &mut Subscription) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(message) = stream.next().await {
            names.push(message.name);
        }
        names
    }

    #[tokio::test]
    async fn a_user_hears_what_concerns_the_user() {
        let hub = hub();
        let (mut ada, mut bob) = (open(&hub, "ada"), open(&hub, "bob"));
        hub.tell("ada", &Event::GrantChanged { plugin: "a.b".into() });
        hub.tell_all(&Event::PluginsChanged);
        hub.close();
        assert_eq!(names(&mut ada).await, ["grant_changed", "plugins_changed"]);
        assert_eq!(names(&mut bob).await, ["plugins_changed"]);
    }

    #[tokio::test]
    async fn what_another_broker_tells_is_heard_here_and_not_passed_on() {
        let hub = hub();
        let mut outgoing = hub.take_outgoing().unwrap();
        let mut ada = open(&hub, "ada");
        hub.tell("ada", &Event::PluginsChanged);
        assert_eq!(outgoing.try_recv().unwrap().name, "plugins_changed");
        assert!(hub.hear(Some("ada"), "grant_changed", "{}".into()));
        assert!(!hub.hear(None, "something_newer", "{}".into()));
        hub.resync();
        assert!(outgoing.try_recv().is_err());
        hub.close();
        assert_eq!(names(&mut ada).await, ["plugins_changed", "grant_changed", RESYNC]);
    }

    #[tokio::test]
    async fn an_event_that_finds_no_room_on_its_way_out_is_told_of() {
        let hub = hub();
        (0..wire::WAITING).for_each(|_| hub.tell_all(&Event::PluginsChanged));
        assert!(!hub.take_overflow());
        hub.tell_all(&Event::PluginsChanged);
        assert!(hub.take_overflow() && !hub.take_overflow());
    }

    #[tokio::test]
    async fn who_comes_back_is_told_whether_anything_was_missed() {
        let hub = hub();
        let mut stream = open(&hub, "ada");
        hub.tell("ada", &Event::PluginsChanged);
        let last = stream.next().await.unwrap().id.clone();
        drop(stream);
        let back = |last: Option<&str>| hub.subscribe("ada", session("ada"), last).unwrap();
        assert!(back(Some(&last)).queue.is_empty());
        for missed in [None, Some("boot.0"), Some("another.1")] {
            let first = back(missed).next().now_or_never().flatten();
            assert_eq!(first.unwrap().name, RESYNC, "{missed:?}");
        }
    }

    #[tokio::test]
    async fn who_does_not_read_is_let_go_and_told_so_and_others_are_not() {
        let hub = hub();
        let (mut slow, mut quick) = (open(&hub, "ada"), open(&hub, "ada"));
        for _ in 0..QUEUE + 10 {
            hub.tell("ada", &Event::PluginsChanged);
            quick.next().await.unwrap();
        }
        assert_eq!(hub.count(), 1);
        let heard = names(&mut slow).await;
        assert_eq!(heard.len(), QUEUE + 1);
        assert_eq!(heard.last(), Some(&RESYNC));
    }

    #[tokio::test]
    async fn a_session_that_ends_takes_its_streams_and_no_other() {
        let hub = hub();
        let mut here = open(&hub, "ada");
        let mut there = hub.subscribe("ada", session("another browser"), Some("boot.0")).unwrap();
        hub.end(&session("ada"));
        assert_eq!(names(&mut here).await, [SESSION_ENDED]);
        hub.close();
        assert!(names(&mut there).await.is_empty());
    }

    #[tokio::test]
    async fn the_streams_of_a_user_are_bounded_and_the_oldest_gives_way() {
        let hub = hub();
        let mut oldest = open(&hub, "ada");
        let others: Vec<_> = (0..PER_USER).map(|_| open(&hub, "ada")).collect();
        assert_eq!(hub.count(), PER_USER);
        assert!(names(&mut oldest).await.is_empty());
        drop(oldest);
        assert_eq!(hub.count(), PER_USER);
        drop(others);
        assert!(hub.state().streams.is_empty(), "users without streams are forgotten");
    }

    #[test]
    fn streams_are_bounded_in_all() {
        let hub = hub();
        let streams: Vec<_> = (0..IN_ALL).map(|user| open(&hub, &user.to_string())).collect();
        assert_eq!(hub.subscribe("another", session("x"), None).err(), Some(Full));
        drop(streams);
        assert!(hub.subscribe("another", session("x"), None).is_ok());
        hub.close();
        assert_eq!(hub.subscribe("another", session("x"), None).err(), Some(Full));
    }
}
