//! One document of one panel: who it is, and what it has under way.
//!
//! The host page keeps one of these per frame and finds it by the window that a message came from; nothing in
//! a message says who speaks. This is state without I/O: the host passes the time in.

use crate::call::Way;
use crate::message::Request;
use crate::refusal::{Code, Refusal};

/// Calls of one panel that may be under way to the broker at once.
pub const MAX_NETWORK_CALLS: usize = 16;
/// Calls of one panel that may wait for the host itself at once.
pub const MAX_HOST_CALLS: usize = 2_000;
/// Messages of one panel in a second, sustained.
pub const MESSAGES_PER_SECOND: f64 = 200.0;
/// Messages of one panel at once.
pub const MESSAGE_BURST: f64 = 2_000.0;

/// The life of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The frame loads; its document has not said its nonce yet.
    Loading,
    /// The document that the host inserted is there and has its token.
    Live,
    /// The frame has navigated or has been closed. Nothing is answered any more.
    Dead,
}

/// What became of a `taiku:hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// It is the document that the host inserted: once it has loaded, send `taiku:init`.
    Init,
    /// The nonce is not this frame's. Nothing happens.
    Ignored,
    /// A second document: the panel has navigated and is dead now.
    Died,
}

/// A panel's document.
#[derive(Clone, Debug)]
pub struct PanelDocument {
    plugin_id: String,
    panel_id: String,
    token: String,
    nonce: String,
    life: Life,
    loads: u32,
    /// A short list: looking through it costs less than a map weighs in the front end.
    in_flight: Vec<(String, Way)>,
    bucket: f64,
    filled_at: f64,
}

impl PanelDocument {
    /// A frame that is about to be inserted, with a fresh token and nonce of 256 random bits each.
    #[must_use]
    pub fn new(plugin_id: &str, panel_id: &str, token: String, nonce: String) -> Self {
        Self {
            plugin_id: plugin_id.to_owned(),
            panel_id: panel_id.to_owned(),
            token,
            nonce,
            life: Life::Loading,
            loads: 0,
            in_flight: Vec::new(),
            bucket: MESSAGE_BURST,
            filled_at: 0.0,
        }
    }

    /// The life of the document.
    #[must_use]
    pub fn life(&self) -> Life {
        self.life
    }

    /// The second factor, for `taiku:init`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The document says which frame it was loaded for.
    pub fn hello(&mut self, nonce: &str) -> Hello {
        match self.life {
            Life::Loading if same(nonce, &self.nonce) => {
                self.life = Life::Live;
                Hello::Init
            }
            Life::Loading | Life::Dead => Hello::Ignored,
            Life::Live => {
                self.kill();
                Hello::Died
            }
        }
    }

    /// The frame fired `load`. Returns whether that killed the panel: a second load means a second document.
    pub fn loaded(&mut self) -> bool {
        self.loads += 1;
        let second = self.loads > 1 && self.life != Life::Dead;
        if second {
            self.kill();
        }
        second
    }

    /// Ends the document: its calls are forgotten and nothing is answered any more.
    pub fn kill(&mut self) {
        self.life = Life::Dead;
        self.in_flight.clear();
    }

    /// Checks who a request claims to come from and whether the panel has time left. `now_ms` is monotonic.
    ///
    /// # Errors
    /// `identity_mismatch`, `stale_panel` or `rate_limited`.
    pub fn admit(&mut self, request: &Request, now_ms: f64) -> Result<(), Refusal> {
        let claims = [(&request.plugin_id, &self.plugin_id), (&request.panel_id, &self.panel_id)];
        if claims.iter().any(|(claimed, own)| !claimed.is_empty() && !same(claimed, own)) {
            return Err(Refusal::new(
                Code::IdentityMismatch,
                "This message names another plugin or panel than the one that sent it.",
            ));
        }
        let wrong_token = !request.auth_token.is_empty() && !same(&request.auth_token, &self.token);
        if self.life == Life::Dead || wrong_token {
            return Err(Refusal::new(
                Code::StalePanel,
                "This panel has navigated or was reloaded; use the token of its last taiku:init.",
            ));
        }
        self.take(now_ms)
    }

    /// Notes a call as under way until [`PanelDocument::finish`].
    ///
    /// # Errors
    /// `duplicate_id` or `rate_limited`.
    pub fn start(&mut self, id: &str, way: Way) -> Result<(), Refusal> {
        if self.in_flight.iter().any(|(other, _)| other == id) {
            return Err(Refusal::new(Code::DuplicateId, "A request with this id is still under way."));
        }
        let most = match way {
            Way::Broker => MAX_NETWORK_CALLS,
            Way::Host => MAX_HOST_CALLS,
        };
        if self.in_flight.iter().filter(|(_, other)| *other == way).count() >= most {
            return Err(Refusal::new(
                Code::RateLimited,
                format!("This panel has {most} calls under way. Wait for their answers."),
            ));
        }
        self.in_flight.push((id.to_owned(), way));
        Ok(())
    }

    /// Ends a call. Returns whether it may still be answered: exactly once, and only by a living document.
    pub fn finish(&mut self, id: &str) -> bool {
        let Some(at) = self.in_flight.iter().position(|(other, _)| other == id) else { return false };
        self.in_flight.swap_remove(at);
        self.life != Life::Dead
    }

    fn take(&mut self, now_ms: f64) -> Result<(), Refusal> {
        let seconds = ((now_ms - self.filled_at) / 1000.0).max(0.0);
        self.bucket = (self.bucket + seconds * MESSAGES_PER_SECOND).min(MESSAGE_BURST);
        self.filled_at = now_ms;
        if self.bucket < 1.0 {
            return Err(Refusal::new(
                Code::RateLimited,
                "This panel sends more than 200 messages a second. Wait and send fewer.",
            ));
        }
        self.bucket -= 1.0;
        Ok(())
    }
}

/// Compares without telling by its time where two texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> PanelDocument {
        PanelDocument::new("a.plugin", "main", "t".repeat(64), "n".repeat(64))
    }

    fn request(plugin_id: &str, panel_id: &str, auth_token: &str) -> Request {
        Request {
            id: "1".into(),
            plugin_id: plugin_id.into(),
            panel_id: panel_id.into(),
            auth_token: auth_token.into(),
            method: "integrations.list".into(),
            params: "{}".into(),
        }
    }

    fn refused(result: Result<(), Refusal>) -> Code {
        result.unwrap_err().code
    }

    #[test]
    fn empty_identity_is_accepted_before_and_after_init() {
        let mut panel = panel();
        assert_eq!(panel.admit(&request("", "", ""), 0.0), Ok(()));
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Init);
        assert_eq!(panel.admit(&request("", "", ""), 0.0), Ok(()));
        assert_eq!(panel.admit(&request("a.plugin", "main", &"t".repeat(64)), 0.0), Ok(()));
    }

    #[test]
    fn a_claim_of_somebody_else_is_refused() {
        let mut panel = panel();
        let token = "t".repeat(64);
        assert_eq!(refused(panel.admit(&request("b.plugin", "main", &token), 0.0)), Code::IdentityMismatch);
        assert_eq!(refused(panel.admit(&request("a.plugin", "other", ""), 0.0)), Code::IdentityMismatch);
        assert_eq!(refused(panel.admit(&request("", "", "wrong"), 0.0)), Code::StalePanel);
    }

    #[test]
    fn init_goes_to_one_document_only() {
        let mut panel = panel();
        assert_eq!(panel.hello("guess"), Hello::Ignored);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Init);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Died);
        assert_eq!(panel.life(), Life::Dead);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Ignored);
        assert_eq!(refused(panel.admit(&request("", "", ""), 0.0)), Code::StalePanel);
    }

    #[test]
    fn a_second_load_kills_and_forgets_what_was_under_way() {
        let mut panel = panel();
        assert!(!panel.loaded());
        panel.start("1", Way::Broker).unwrap();
        assert!(panel.loaded());
        assert!(!panel.finish("1"));
        assert!(!panel.loaded(), "it dies once");
    }

    #[test]
    fn an_id_is_free_again_after_its_answer() {
        let mut panel = panel();
        panel.start("1", Way::Broker).unwrap();
        assert_eq!(refused(panel.start("1", Way::Host)), Code::DuplicateId);
        assert!(panel.finish("1"));
        assert!(!panel.finish("1"), "one answer only");
        assert_eq!(panel.start("1", Way::Broker), Ok(()));
    }

    #[test]
    fn network_calls_and_host_calls_have_their_own_limits() {
        let mut panel = panel();
        for id in 0..MAX_NETWORK_CALLS {
            panel.start(&id.to_string(), Way::Broker).unwrap();
        }
        assert_eq!(refused(panel.start("x", Way::Broker)), Code::RateLimited);
        assert_eq!(panel.start("x", Way::Host), Ok(()));
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate_holds() {
        let mut panel = panel();
        let admitted = |panel: &mut PanelDocument, now: f64| {
            (0..10_000).filter(|_| panel.admit(&request("", "", ""), now).is_ok()).count()
        };
        assert_eq!(admitted(&mut panel, 0.0), 2_000);
        assert_eq!(admitted(&mut panel, 1_000.0), 200);
        assert_eq!(admitted(&mut panel, 500.0), 0, "time that runs back gives nothing");
    }
}
