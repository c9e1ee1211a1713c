//! Whether a browser is the one that began a flow.

use super::FlowError;
use super::mismatch::{self, Mismatch};
use crate::broker::Broker;
use crate::store::flows::Flow;
use crate::vault::hash::{eq, sha256};

/// Whether a browser is the one that began a flow.
pub(super) fn is_own(flow: &Flow, cookie: Option<&str>) -> bool {
    cookie.is_some_and(|cookie| eq(&sha256(cookie.as_bytes()), &flow.cookie_hash))
}

/// Whether a flow goes on in this browser.
pub(super) async fn of_this_browser(
    broker: &Broker,
    flow: &Flow,
    cookie: Option<&str>,
) -> Result<(), FlowError> {
    if !is_own(flow, cookie) {
        mismatch::note(broker, flow, Mismatch::Browser).await;
        return Err(FlowError::NotYours);
    }
    match flow.used_at {
        Some(_) => Err(FlowError::Over),
        None if broker.clock.now() >= flow.expires_at => Err(FlowError::TooLate),
        None => Ok(()),
    }
}
