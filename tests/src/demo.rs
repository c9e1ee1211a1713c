//! What a test tells the demo provider and asks of it.

use serde_json::{Value, json};
use url::Url;

use crate::client::http;

/// The way to the demo provider's control.
#[derive(Clone, Debug)]
pub struct DemoControl {
    /// Its address.
    pub url: Url,
    http: reqwest::Client,
}

impl DemoControl {
    pub(crate) fn new(url: Url) -> Self {
        Self { url, http: http() }
    }

    /// A count by its name, such as `tokenRequests`.
    ///
    /// # Panics
    /// When there is no such count.
    pub async fn count(&self, name: &str) -> u64 {
        let log = self.log().await;
        log["counts"][name].as_u64().unwrap_or_else(|| panic!("{name} is not counted: {}", log["counts"]))
    }

    /// The requests to the API, as `METHOD /path?query`, byte for byte.
    pub async fn api_requests(&self) -> Vec<String> {
        let log = self.log().await;
        let requests = log["requests"].as_array().cloned().unwrap_or_default();
        let text = |request: &Value, name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let line = |request: &Value| {
            let query = request["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", text(request, "method"), text(request, "path"))
        };
        requests.iter().filter(|request| text(request, "path").starts_with("/api/")).map(line).collect()
    }

    /// Makes it misbehave, or behave again with `{}`.
    pub async fn set(&self, control: &Value) {
        self.send(self.http.put(self.at("control")).body(control.to_string())).await;
    }

    /// Moves its clock ahead.
    pub async fn advance(&self, seconds: u32) {
        let body = json!({ "seconds": seconds }).to_string();
        self.send(self.http.post(self.at("control/advance")).body(body)).await;
    }

    async fn log(&self) -> Value {
        let text = self.send(self.http.get(self.at("control/log"))).await;
        serde_json::from_str(&text).expect("the log is JSON")
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> String {
        let request = request.header("x-demo-control", "1").header("content-type", "application/json");
        let response = request.send().await.expect("the demo provider answers");
        let status = response.status();
        let text = response.text().await.expect("the demo provider answers in full");
        assert!(status.is_success(), "the demo provider's control answered {status}: {text}");
        text
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("a path of the control is one")
    }
}
