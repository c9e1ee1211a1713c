//! How much memory the answers that are being read may take together.
//!
//! Small answers are read at once. What grows beyond that takes a seat first, and beyond a second measure a seat of
//! the few that are wide enough for [`MAX_BODY`](super::MAX_BODY). A request that finds none waits within its own
//! time. Nobody who holds a wide seat waits for another, so the seats cannot be locked against each other; and one
//! origin gets a share of each kind only, so that a hostile provider cannot keep the answers of others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of an answer that need no seat. Few, because the HTTP library reads ahead by a multiple of what it has read.
const FREE: usize = 16 * 1024;
/// Bytes of an answer in an ordinary seat.
const ORDINARY: usize = 256 * 1024;

/// How many seats of a kind there are, and how many of them one origin may hold.
#[derive(Clone, Copy)]
struct Measure {
    all: usize,
    of_one: usize,
}

const ORDINARY_SEATS: Measure = Measure { all: 8, of_one: 4 };
const WIDE_SEATS: Measure = Measure { all: 2, of_one: 1 };

/// The seats of one client. Clones share them.
#[derive(Clone)]
pub(super) struct Buffers {
    all: Kinds,
    of_origin: Arc<Mutex<HashMap<String, Kinds>>>,
}

#[derive(Clone)]
struct Kinds {
    ordinary: Arc<Semaphore>,
    wide: Arc<Semaphore>,
}

impl Kinds {
    fn new(seats: impl Fn(Measure) -> usize) -> Self {
        let semaphore = |measure| Arc::new(Semaphore::new(seats(measure)));
        Self { ordinary: semaphore(ORDINARY_SEATS), wide: semaphore(WIDE_SEATS) }
    }

    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.ordinary) == 1 && Arc::strong_count(&self.wide) == 1
    }
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { all: Kinds::new(|measure| measure.all), of_origin: Arc::default() }
    }

    /// What one answer of `origin` holds; nothing yet.
    pub(super) fn answer(&self, origin: &str) -> Seats {
        let mut origins = self.of_origin.lock().unwrap_or_else(PoisonError::into_inner);
        origins.retain(|_, kinds| !kinds.is_idle());
        let own = origins.entry(origin.to_owned()).or_insert_with(|| Kinds::new(|measure| measure.of_one));
        Seats { all: self.all.clone(), own: own.clone(), ordinary: None, wide: None }
    }
}

/// A seat: the origin's share of it, then the seat itself, in this order for everybody.
type Seat = Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>;

/// The seats of one answer; dropped, they are free.
pub(super) struct Seats {
    all: Kinds,
    own: Kinds,
    ordinary: Seat,
    wide: Seat,
}

impl Seats {
    /// Waits until an answer may have so many bytes.
    pub(super) async fn grow_to(&mut self, bytes: usize) {
        if bytes > FREE && self.ordinary.is_none() {
            self.ordinary = seat(&self.own.ordinary, &self.all.ordinary).await;
        }
        if bytes > ORDINARY && self.wide.is_none() {
            self.wide = seat(&self.own.wide, &self.all.wide).await;
        }
    }
}

/// Semaphores that are never closed give a seat sooner or later.
async fn seat(own: &Arc<Semaphore>, all: &Arc<Semaphore>) -> Seat {
    let own = own.clone().acquire_owned().await.ok()?;
    Some((own, all.clone().acquire_owned().await.ok()?))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Whether an answer may grow without waiting.
    fn grows(seats: &mut Seats, bytes: usize) -> bool {
        seats.grow_to(bytes).now_or_never().is_some()
    }

    #[test]
    fn small_answers_need_no_seat() {
        let buffers = Buffers::new();
        let mut many: Vec<Seats> = (0..1000).map(|_| buffers.answer("https://a.test")).collect();
        assert!(many.iter_mut().all(|seats| grows(seats, FREE)));
    }

    #[test]
    fn one_origin_gets_its_share_and_no_more() {
        let buffers = Buffers::new();
        let mut of_a: Vec<Seats> = (0..20).map(|_| buffers.answer("https://a.test")).collect();
        assert_eq!(of_a.iter_mut().filter_map(|seats| grows(seats, FREE + 1).then_some(())).count(), 4);
        let mut of_b = buffers.answer("https://b.test");
        assert!(grows(&mut of_b, FREE + 1));
        assert_eq!(
            of_a[..4].iter_mut().filter_map(|seats| grows(seats, ORDINARY + 1).then_some(())).count(),
            1
        );
        assert!(grows(&mut of_b, ORDINARY + 1), "another origin's answer is not kept waiting");
    }

    #[test]
    fn a_seat_is_free_again_when_its_answer_is_dropped() {
        let buffers = Buffers::new();
        let mut first = buffers.answer("https://a.test");
        assert!(grows(&mut first, ORDINARY + 1));
        let mut next = buffers.answer("https://a.test");
        assert!(!grows(&mut next, ORDINARY + 1));
        drop(first);
        assert!(grows(&mut next, ORDINARY + 1));
    }

    #[test]
    fn origins_that_nobody_asks_are_forgotten() {
        let buffers = Buffers::new();
        for number in 0..100 {
            drop(buffers.answer(&format!("https://{number}.test")));
        }
        assert_eq!(buffers.of_origin.lock().unwrap().len(), 1);
    }
}
