//! How the role that answers requests asks the one that keeps the refresh tokens.

use tokio::sync::broadcast;

use super::{Custody, News, Operation};
use crate::failure::Failure;

/// Asks a [`Custody`]. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Client {
    custody: Custody,
}

impl Client {
    /// A client of a custody in this process.
    #[must_use]
    pub fn new(custody: Custody) -> Self {
        Self { custody }
    }

    /// What the custody tells open pages from now on.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.custody.news()
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// What the operation fails with.
    pub async fn ask<O: Operation>(&self, operation: O) -> Result<O::Answer, Failure> {
        operation.run(&self.custody).await
    }
}
