//! A stream of events, as a page hears it.

use serde_json::Value;

use crate::wait::DEADLINE;

/// An open stream of events.
#[derive(Debug)]
pub struct Listening {
    response: reqwest::Response,
    heard: String,
}

impl Listening {
    pub(crate) fn begin(response: reqwest::Response) -> Self {
        assert!(response.status().is_success(), "the stream was refused: {}", response.status());
        Self { response, heard: String::new() }
    }

    /// The next event's name and what it says; none when the stream has ended.
    ///
    /// # Panics
    /// When nothing comes within the deadline.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.heard.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.heard = rest;
                if let Some(event) = event(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await;
            let chunk = chunk.expect("waited in vain for an event").ok()??;
            self.heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Waits for an event of that name and gives what it says.
    ///
    /// # Panics
    /// When the stream ends before.
    pub async fn until(&mut self, name: &str) -> Value {
        loop {
            let (heard, data) = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}"));
            if heard == name {
                return data;
            }
        }
    }
}

/// The event in a block of lines; comments are none.
fn event(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).expect("what an event says is JSON");
    Some((field("event: ")?.to_owned(), data))
}
