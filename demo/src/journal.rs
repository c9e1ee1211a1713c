//! What the provider saw: counts, and the last requests without anything secret.

use std::collections::VecDeque;

use serde::Serialize;

use crate::random::redact;

const MAX_SEEN: usize = 1000;

/// How often something happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counts {
    /// Requests to `/authorize`, valid or not.
    pub authorize_requests: u64,
    /// Clicks on "Allow".
    pub consents_allowed: u64,
    /// Clicks on "Deny".
    pub consents_denied: u64,
    /// Requests to `/token` that reached it, whatever it answered; those that a fault kept away are not counted.
    pub token_requests: u64,
    /// Codes that were exchanged for tokens.
    pub codes_exchanged: u64,
    /// Refresh tokens that were exchanged for new ones.
    pub refreshes: u64,
    /// Codes and refresh tokens that came a second time.
    pub reuses_detected: u64,
    /// Refresh tokens that came a second time within the grace, and were honoured.
    pub reuses_honoured: u64,
    /// Requests to `/revoke` that reached it.
    pub revocations: u64,
    /// Requests to the API that reached it, with a living token or not.
    pub api_requests: u64,
    /// Issues that were created.
    pub issues_created: u64,
    /// Issues that were deleted.
    pub issues_deleted: u64,
    /// Requests on which a fault acted.
    pub faults: u64,
}

/// One request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path, byte for byte and not decoded; tokens of this provider are replaced by `…`.
    pub path: String,
    /// The query of requests to the API, treated like the path; of others it is left out, since it holds
    /// states and challenges.
    pub query: Option<String>,
    /// The status of the answer; none while there is none, and for ever if the connection ended without one.
    pub status: Option<u16>,
}

/// The memory of both.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) counts: Counts,
    seen: VecDeque<Seen>,
    /// How many requests came before those in `seen`.
    forgotten: u64,
}

/// Where the answer to a request is to be noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u64);

impl Journal {
    /// Adds a request as it arrives, without its secrets, and forgets the oldest if there are too many.
    pub(crate) fn arrived(&mut self, method: &str, path: &str, query: Option<&str>) -> Place {
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
            self.forgotten += 1;
        }
        let place = Place(self.forgotten + self.seen.len() as u64);
        let query = query.filter(|_| path.starts_with("/api/")).map(redact);
        self.seen.push_back(Seen { method: method.to_owned(), path: redact(path), query, status: None });
        place
    }

    /// Notes the answer to a request, unless the request is forgotten.
    pub(crate) fn answered(&mut self, place: Place, status: u16) {
        let index = place.0.checked_sub(self.forgotten).and_then(|index| usize::try_from(index).ok());
        if let Some(seen) = index.and_then(|index| self.seen.get_mut(index)) {
            seen.status = Some(status);
        }
    }

    /// The requests, the oldest first.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_shows_its_query_and_the_oldest_entry_goes_first() {
        let mut journal = Journal::default();
        let first = journal.arrived("GET", "/authorize", Some("state=secret"));
        let second = journal.arrived("GET", "/api/issues/%2e%2e", Some("a=%2F"));
        journal.answered(first, 400);
        let seen = journal.seen();
        assert_eq!(seen[0].query, None);
        assert_eq!((seen[1].path.as_str(), seen[1].query.as_deref()), ("/api/issues/%2e%2e", Some("a=%2F")));
        assert_eq!((seen[0].status, seen[1].status), (Some(400), None));
        for _ in 0..MAX_SEEN - 1 {
            journal.arrived("GET", "/", None);
        }
        journal.answered(first, 500);
        journal.answered(second, 404);
        let seen = journal.seen();
        assert_eq!(seen.len(), MAX_SEEN);
        assert_eq!((seen[0].path.as_str(), seen[0].status), ("/api/issues/%2e%2e", Some(404)));
        assert!(seen[1..].iter().all(|request| request.status.is_none()));
    }
}
