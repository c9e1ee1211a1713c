//! A client of the DevTools protocol, as far as it is needed: calls, and events in their order.
//! <https://chromedevtools.github.io/devtools-protocol/>

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long the browser may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// A connection to a browser.
pub(super) struct DevTools {
    socket: WebSocketStream<TcpStream>,
    last: u64,
    events: VecDeque<Event>,
}

/// Something happened in the browser.
#[derive(Debug)]
pub(super) struct Event {
    /// Such as `Runtime.exceptionThrown`.
    pub(super) method: String,
    /// What it says.
    pub(super) params: Value,
}

/// Why the browser cannot be driven.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum DevToolsError {
    /// The address is none.
    #[error("the browser gave the address `{0}`, which is none")]
    Address(String),
    /// The connection failed.
    #[error("the connection to the browser failed: {0}")]
    Socket(#[from] Box<SocketError>),
    /// It went away.
    #[error("the browser ended before it was done")]
    Gone,
    /// It did not answer.
    #[error("the browser did not answer {0}")]
    Slow(String),
    /// It refused.
    #[error("the browser refused {method}: {message}")]
    Refused {
        /// What was asked.
        method: String,
        /// What it said.
        message: String,
    },
}

impl From<SocketError> for DevToolsError {
    fn from(error: SocketError) -> Self {
        Self::Socket(Box::new(error))
    }
}

impl DevTools {
    pub(super) async fn connect(address: &str) -> Result<Self, DevToolsError> {
        let bad = || DevToolsError::Address(address.to_owned());
        let authority =
            address.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).ok_or_else(bad)?;
        let stream = TcpStream::connect(authority).await.map_err(SocketError::Io)?;
        let (socket, _) = client_async(address, stream).await?;
        Ok(Self { socket, last: 0, events: VecDeque::new() })
    }

    /// Sends a call whose answer does not matter.
    pub(super) async fn send(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<(), DevToolsError> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        if !params.is_null() {
            message["params"] = params.clone();
        }
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    /// Sends a call and waits for its answer. Events that come before it are kept.
    pub(super) async fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, DevToolsError> {
        self.send(session, method, &params).await?;
        let (id, end) = (self.last, Instant::now() + ANSWER);
        loop {
            let message = self.receive(end).await?;
            let mut message = message.ok_or_else(|| DevToolsError::Slow(method.to_owned()))?;
            if message["id"].as_u64() != Some(id) {
                self.keep(message);
                continue;
            }
            if let Some(error) = message.get("error") {
                let message = error["message"].as_str().unwrap_or_default().to_owned();
                return Err(DevToolsError::Refused { method: method.to_owned(), message });
            }
            return Ok(message["result"].take());
        }
    }

    /// The next event, or nothing when none came in time.
    pub(super) async fn event(&mut self, end: Instant) -> Result<Option<Event>, DevToolsError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.receive(end).await? {
                Some(message) => self.keep(message),
                None => return Ok(None),
            }
        }
    }

    fn keep(&mut self, mut message: Value) {
        if let Some(method) = message["method"].as_str() {
            let method = method.to_owned();
            self.events.push_back(Event { method, params: message["params"].take() });
        }
    }

    async fn receive(&mut self, end: Instant) -> Result<Option<Value>, DevToolsError> {
        let Ok(received) = timeout_at(end, self.socket.next()).await else { return Ok(None) };
        let message = received.ok_or(DevToolsError::Gone)??;
        // What is no JSON text, such as a ping, is answered by the socket and says nothing to us.
        Ok(Some(message.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()))
    }
}
