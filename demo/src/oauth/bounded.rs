//! A map that forgets its oldest entries, so that strangers cannot fill the memory.

use std::collections::{HashMap, VecDeque};

use crate::random::Digest;

/// At most `cap` values by the digest of their token.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    cap: usize,
    values: HashMap<Digest, V>,
    /// Keys in the order in which they came; those of removed values may still be among them.
    order: VecDeque<Digest>,
}

impl<V> Bounded<V> {
    /// An empty map that holds `cap` values.
    pub(crate) fn new(cap: usize) -> Self {
        Self { cap, values: HashMap::new(), order: VecDeque::new() }
    }

    /// Adds a value and forgets the oldest if there are too many.
    pub(crate) fn insert(&mut self, key: Digest, value: V) {
        self.values.insert(key, value);
        self.order.push_back(key);
        while self.order.len() > self.cap {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &Digest) -> Option<&V> {
        self.values.get(key)
    }

    /// The value of `key`, to change it.
    pub(crate) fn get_mut(&mut self, key: &Digest) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    /// Takes the value of `key` out.
    pub(crate) fn remove(&mut self, key: &Digest) -> Option<V> {
        self.values.remove(key)
    }

    /// Removes every value for which `keep` says no.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.values.retain(|_, value| keep(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_value_makes_room() {
        let mut map = Bounded::new(2);
        for n in 0..3u8 {
            map.insert([n; 32], n);
        }
        assert_eq!(map.get(&[0; 32]), None);
        assert_eq!(map.get(&[1; 32]), Some(&1));
        assert_eq!(map.get(&[2; 32]), Some(&2));
        assert!(map.order.len() <= 2);
    }
}
