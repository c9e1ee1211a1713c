//! The issues of all accounts.

use std::collections::BTreeMap;

use super::account::AccountId;
use super::draft::Draft;

const MAX_PER_ACCOUNT: usize = 1000;

/// Whether an issue still asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// With the date of closing, RFC 3339.
    Closed(String),
}

/// One issue.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) account: AccountId,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    /// RFC 3339.
    pub(crate) created_at: String,
    pub(crate) state: State,
}

/// The account has as many issues as it may have.
#[derive(Debug)]
pub(crate) struct Full;

/// All issues. Numbers count over all accounts and are never given twice.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    issues: BTreeMap<u64, Issue>,
    last: u64,
}

impl Tracker {
    /// Adds an open issue.
    pub(crate) fn create(&mut self, account: AccountId, draft: Draft, date: String) -> Result<Issue, Full> {
        if self.of(account).count() >= MAX_PER_ACCOUNT {
            return Err(Full);
        }
        self.last += 1;
        let issue = Issue {
            number: self.last,
            account,
            title: draft.title,
            body: draft.body,
            created_at: date,
            state: State::Open,
        };
        self.issues.insert(issue.number, issue.clone());
        Ok(issue)
    }

    /// The issues of an account, the newest first.
    pub(crate) fn of(&self, account: AccountId) -> impl Iterator<Item = &Issue> {
        self.issues.values().rev().filter(move |issue| issue.account == account)
    }

    /// One issue of an account; those of others look as if they did not exist.
    pub(crate) fn get(&self, account: AccountId, number: u64) -> Option<&Issue> {
        self.issues.get(&number).filter(|issue| issue.account == account)
    }

    /// Closes an issue; one that is closed stays as it is.
    pub(crate) fn close(&mut self, account: AccountId, number: u64, date: String) -> Option<&Issue> {
        let issue = self.issues.get_mut(&number).filter(|issue| issue.account == account)?;
        if issue.state == State::Open {
            issue.state = State::Closed(date);
        }
        Some(issue)
    }

    /// Removes an issue for good.
    pub(crate) fn delete(&mut self, account: AccountId, number: u64) -> Option<Issue> {
        self.get(account, number)?;
        self.issues.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(title: &str) -> Draft {
        Draft { title: title.into(), body: None }
    }

    #[test]
    fn accounts_do_not_see_or_touch_each_others_issues() {
        let mut tracker = Tracker::default();
        let number = tracker.create(1, draft("mine"), "now".into()).unwrap().number;
        assert!(tracker.get(1, number).is_some());
        assert!(tracker.get(2, number).is_none());
        assert!(tracker.close(2, number, "now".into()).is_none());
        assert!(tracker.delete(2, number).is_none());
        assert_eq!(tracker.of(2).count(), 0);
        assert!(tracker.delete(1, number).is_some());
    }

    #[test]
    fn numbers_are_never_given_twice_and_closing_twice_keeps_the_first_date() {
        let mut tracker = Tracker::default();
        let first = tracker.create(1, draft("a"), "1".into()).unwrap().number;
        tracker.delete(1, first);
        let second = tracker.create(1, draft("b"), "2".into()).unwrap().number;
        assert!(second > first);
        tracker.close(1, second, "3".into());
        assert_eq!(tracker.close(1, second, "4".into()).unwrap().state, State::Closed("3".into()));
    }

    #[test]
    fn an_account_holds_a_bounded_number_of_issues() {
        let mut tracker = Tracker::default();
        for _ in 0..MAX_PER_ACCOUNT {
            tracker.create(1, draft("a"), "1".into()).unwrap();
        }
        assert!(tracker.create(1, draft("a"), "1".into()).is_err());
        assert!(tracker.create(2, draft("a"), "1".into()).is_ok());
    }
}
