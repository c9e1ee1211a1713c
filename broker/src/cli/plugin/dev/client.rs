//! What the author's tool asks of a host.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response};
use taiku_bridge::PluginId;
use taiku_bridge::api::{self, NumberedCall, NumberedCalls, PACKED, Problem, segment};
use url::Url;

use crate::egress::tls;
use crate::plugin::{Files, archive};
use crate::vault::SecretString;

/// Longer than the host waits for calls.
const ANSWER: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);

/// A host, spoken to with an API key.
pub(super) struct Client {
    base: Url,
    key: SecretString,
    http: reqwest::Client,
}

/// Why a host did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The host is not known by this address.
    #[error(
        "{0} cannot be spoken to: give its address as the browser shows it, such as http://localhost:8080"
    )]
    Address(Url),
    /// There is no answer.
    #[error("{base} cannot be reached: {error}")]
    Unreachable {
        /// The host.
        base: Url,
        /// Why, without the address.
        error: reqwest::Error,
    },
    /// The plugin is not on trial there.
    #[error("the host does not have the plugin")]
    NotThere,
    /// It said no.
    #[error("{base} refuses ({status}): {detail}")]
    Refused {
        /// The host.
        base: Url,
        /// The HTTP status.
        status: u16,
        /// Its sentence.
        detail: String,
    },
    /// The files cannot be packed.
    #[error(transparent)]
    Pack(#[from] archive::ArchiveError),
}

impl Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the author's own tool, which speaks to the host that its author names and to nothing else"
    )]
    pub(super) fn new(base: &Url, key: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::Address(base.clone());
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config().map_err(|_| bad())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .user_agent(concat!("taiku/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| bad())?;
        Ok(Self { base: base.clone(), key: SecretString::new(key.to_owned()), http })
    }

    /// The address of a page of the host.
    pub(super) fn page(&self, segments: &[&str]) -> String {
        let path: Vec<String> = segments.iter().map(|text| segment(text)).collect();
        format!("{}/{}", self.base.as_str().trim_end_matches('/'), path.join("/"))
    }

    /// Gives the host a plugin, or its next content.
    pub(super) async fn put(&self, id: &PluginId, files: &Files) -> Result<(), ClientError> {
        let packed = archive::write(files)?;
        let request = self.http.put(self.at(&api::trial(id))).header(CONTENT_TYPE, PACKED).body(packed);
        self.send(request).await.map(|_| ())
    }

    /// Ends the trial.
    pub(super) async fn remove(&self, id: &PluginId) -> Result<(), ClientError> {
        self.send(self.http.delete(self.at(&api::trial(id)))).await.map(|_| ())
    }

    /// The calls after a number. The host waits for one if there is none.
    pub(super) async fn calls(&self, id: &PluginId, after: u64) -> Result<Vec<NumberedCall>, ClientError> {
        let address = format!("{}?after={after}", self.at(&api::trial_calls(id)));
        let response = self.send(self.http.get(address)).await?;
        let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
        let answer = serde_json::from_slice::<NumberedCalls>(&body).map_err(|_| self.no_taiku(200))?;
        Ok(answer.calls)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn unreachable(&self, error: reqwest::Error) -> ClientError {
        ClientError::Unreachable { base: self.base.clone(), error: error.without_url() }
    }

    fn refused(&self, status: u16, detail: String) -> ClientError {
        ClientError::Refused { base: self.base.clone(), status, detail }
    }

    /// The answer is none that a taiku gives.
    fn no_taiku(&self, status: u16) -> ClientError {
        self.refused(status, "this is not how a taiku host answers".into())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let sent = request.bearer_auth(self.key.expose()).send().await;
        let response = sent.map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        match status {
            200..300 => Ok(response),
            404 => Err(ClientError::NotThere),
            _ => {
                let body = response.bytes().await.map_err(|error| self.unreachable(error))?;
                let problem = serde_json::from_slice::<Problem>(&body);
                Err(problem
                    .map_or_else(|_| self.no_taiku(status), |problem| self.refused(status, problem.detail)))
            }
        }
    }
}
