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
/// Messages of one panel beyond those limits, in a row, after which it is stopped: refusing each of them would keep
/// the page from hearing the others. Forgotten at the sustained rate, so that a panel that sends twice as much as it
/// may is refused for ever and not stopped.
pub const FLOOD: f64 = 4_000.0;
/// Messages between two looks at the clock, which may cost as much as the rest of a call. A burst is longer by as many.
const BETWEEN_LOOKS: u32 = 16;

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
    refused: f64,
    filled_at: f64,
    unlooked: u32,
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
            refused: 0.0,
            filled_at: 0.0,
            unlooked: 0,
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

    /// Counts a message, whatever is in it. `now_ms` is a monotonic clock, which is not looked at each time.
    ///
    /// # Errors
    /// `rate_limited`. The message that makes a flood ends the document; see [`PanelDocument::is_flood`].
    pub fn count(&mut self, now_ms: impl FnOnce() -> f64) -> Result<(), Refusal> {
        if self.bucket < 1.0 || self.unlooked == 0 {
            self.fill(now_ms());
        }
        self.unlooked = (self.unlooked + 1) % BETWEEN_LOOKS;
        if self.bucket >= 1.0 {
            self.bucket -= 1.0;
            return Ok(());
        }
        self.refused += 1.0;
        if self.is_flood() {
            self.kill();
        }
        Err(Refusal::new(
            Code::RateLimited,
            "This panel sends more than 200 messages a second. Wait and send fewer.",
        ))
    }

    fn fill(&mut self, now_ms: f64) {
        let due = ((now_ms - self.filled_at) / 1000.0).max(0.0) * MESSAGES_PER_SECOND;
        self.filled_at = now_ms;
        self.bucket = (self.bucket + due).min(MESSAGE_BURST);
        self.refused = (self.refused - due).max(0.0);
    }

    /// Whether it has sent so much that only its end helps.
    #[must_use]
    pub fn is_flood(&self) -> bool {
        self.refused > FLOOD
    }

    /// Checks who a counted request claims to come from.
    ///
    /// # Errors
    /// `identity_mismatch` or `stale_panel`.
    pub fn admit(&self, request: &Request) -> Result<(), Refusal> {
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
        Ok(())
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
        assert_eq!(panel.admit(&request("", "", "")), Ok(()));
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Init);
        assert_eq!(panel.admit(&request("", "", "")), Ok(()));
        assert_eq!(panel.admit(&request("a.plugin", "main", &"t".repeat(64))), Ok(()));
    }

    #[test]
    fn a_claim_of_somebody_else_is_refused() {
        let panel = panel();
        let token = "t".repeat(64);
        assert_eq!(refused(panel.admit(&request("b.plugin", "main", &token))), Code::IdentityMismatch);
        assert_eq!(refused(panel.admit(&request("a.plugin", "other", ""))), Code::IdentityMismatch);
        assert_eq!(refused(panel.admit(&request("", "", "wrong"))), Code::StalePanel);
    }

    #[test]
    fn init_goes_to_one_document_only() {
        let mut panel = panel();
        assert_eq!(panel.hello("guess"), Hello::Ignored);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Init);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Died);
        assert_eq!(panel.life(), Life::Dead);
        assert_eq!(panel.hello(&"n".repeat(64)), Hello::Ignored);
        assert_eq!(refused(panel.admit(&request("", "", ""))), Code::StalePanel);
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

    /// How many of so many messages are heard.
    fn heard(panel: &mut PanelDocument, messages: u32, now_ms: f64) -> usize {
        (0..messages).filter(|_| panel.count(|| now_ms).is_ok()).count()
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate_holds() {
        let mut panel = panel();
        assert_eq!(heard(&mut panel, 5_000, 0.0), 2_000);
        assert_eq!(heard(&mut panel, 1_000, 1_000.0), 200);
        assert_eq!(heard(&mut panel, 100, 500.0), 0, "time that runs back gives nothing");
        assert_eq!(refused(panel.count(|| 500.0)), Code::RateLimited);
    }

    #[test]
    fn a_burst_after_a_pause_is_no_longer_than_one_before_it() {
        let mut panel = panel();
        assert_eq!(heard(&mut panel, 5, 0.0), 5);
        let burst = heard(&mut panel, 5_000, 60_000.0);
        assert!((2_000..2_000 + BETWEEN_LOOKS as usize).contains(&burst), "{burst}");
    }

    #[test]
    fn a_flood_ends_the_document() {
        let mut panel = panel();
        panel.hello(&"n".repeat(64));
        assert_eq!(heard(&mut panel, 6_000, 0.0), 2_000);
        assert_eq!((panel.life(), panel.is_flood()), (Life::Live, false));
        assert_eq!(refused(panel.count(|| 0.0)), Code::RateLimited);
        assert_eq!((panel.life(), panel.is_flood()), (Life::Dead, true));
    }

    #[test]
    fn twice_the_rate_is_refused_and_no_flood() {
        let mut panel = panel();
        for second in 1..=3_600 {
            heard(&mut panel, 400, f64::from(second) * 1_000.0);
        }
        assert!(!panel.is_flood());
    }
}
