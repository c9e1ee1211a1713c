//! The lines of a backup.

use serde::{Deserialize, Serialize};

use super::tables::{Table, Value};
use crate::clock::Millis;

/// One line, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Line {
    /// What follows; the first line.
    Header(Header),
    /// A row of the table of that number.
    Row(usize, Vec<Value>),
    /// The last line.
    End {
        /// How many rows there were.
        rows: u64,
    },
}

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The format.
    pub(super) taiku: u32,
    /// When it was made.
    pub(super) made_at: Millis,
    /// The migrations that the database had.
    pub(super) migrations: Vec<i64>,
    /// In an order in which each comes after those that it refers to.
    pub(super) tables: Vec<Table>,
}
