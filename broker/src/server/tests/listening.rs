//! Somebody who listens to events.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{Ask, User};

/// An open stream of events.
pub(crate) struct Listening {
    pub(crate) headers: HeaderMap,
    body: Body,
    text: String,
}

/// One event: its name and what it says.
pub(crate) type Heard = (String, Value);

impl User {
    /// Opens a stream that has heard its `resync`.
    pub(crate) async fn listen(&self) -> Listening {
        let mut stream = Listening::open(&self.ask(Method::GET, "/api/v1/events"), self).await;
        assert_eq!(stream.name().await.as_deref(), Some("resync"));
        stream
    }
}

impl Listening {
    pub(crate) async fn open(ask: &Ask, user: &User) -> Self {
        let response = user.app.open(ask.request()).await;
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        Self { headers: parts.headers, body, text: String::new() }
    }

    /// The next block of lines as it came; none at the end.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await;
            let frame = frame.expect("nothing was said for 30 s")?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// The next event; none at the end. Heartbeats are no events and do not let a test wait for ever.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        let event = async {
            loop {
                let block = self.block().await?;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                if let Some(name) = field("event: ") {
                    return Some((name.to_owned(), serde_json::from_str(field("data: ").unwrap()).unwrap()));
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), event).await.expect("no event came within 10 s")
    }

    pub(crate) async fn name(&mut self) -> Option<String> {
        self.next().await.map(|(name, _)| name)
    }
}
