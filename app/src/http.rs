//! Requests to the broker, through the browser's `fetch`.

use std::cell::RefCell;

use js_sys::JsString;
use leptos::prelude::window;
use serde::Serialize;
use serde_json::Value;
use taiku_bridge::Code;
use taiku_bridge::api::{self, PACKED, Problem, REQUEST_HEADER, SESSION_HEADER};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

use crate::wire::{self, FromJson};

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HttpError {
    /// No answer came: the server is down or the network is.
    Unreachable,
    /// The server refused.
    Refused(Problem),
    /// The server answered what this page does not understand.
    Unreadable(u16),
}

impl HttpError {
    /// One sentence for people.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Unreachable => "The server cannot be reached. Check your connection and try again.".into(),
            Self::Refused(problem) => problem.detail.clone(),
            Self::Unreadable(status) => {
                format!(
                    "The server gave an answer that this page does not understand ({status}). Reload the page."
                )
            }
        }
    }

    /// The sentence for the field at `pointer`, if that is what is wrong.
    pub(crate) fn sentence_at(&self, pointer: &str) -> Option<String> {
        if self.pointer() != Some(pointer) {
            return None;
        }
        let sentence = self.sentence();
        let short = sentence.strip_prefix(pointer).and_then(|rest| rest.strip_prefix(": "));
        Some(short.map_or_else(|| sentence.clone(), str::to_owned))
    }

    /// The machine name, where there is one.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable | Self::Unreadable(_) => None,
        }
    }

    /// The JSON pointer of the wrong field.
    pub(crate) fn pointer(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.pointer.as_deref(),
            Self::Unreachable | Self::Unreadable(_) => None,
        }
    }
}

thread_local! {
    static SESSION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Names the session that requests are sent in from now on. The server refuses them in any other, so that this page
/// never acts for a user who has signed in in another tab.
pub(crate) fn speak_in(session: Option<String>) {
    SESSION.set(session);
}

/// What a request carries.
enum Body<'a> {
    Json(String),
    /// A packed plugin.
    Packed(&'a web_sys::File),
}

/// A request before it is sent.
pub(crate) struct Request<'a> {
    method: &'static str,
    path: &'a str,
    body: Option<Body<'a>>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, body: None, headers: Vec::new() }
    }

    pub(crate) fn delete(path: &'a str) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub(crate) fn post(path: &'a str, body: String) -> Self {
        Self { method: "POST", body: Some(Body::Json(body)), ..Self::get(path) }
    }

    pub(crate) fn put(path: &'a str, body: String) -> Self {
        Self { method: "PUT", body: Some(Body::Json(body)), ..Self::get(path) }
    }

    pub(crate) fn patch(path: &'a str, body: String) -> Self {
        Self { method: "PATCH", body: Some(Body::Json(body)), ..Self::get(path) }
    }

    /// Sends a packed plugin.
    pub(crate) fn upload(path: &'a str, file: &'a web_sys::File) -> Self {
        Self { method: "POST", body: Some(Body::Packed(file)), ..Self::get(path) }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it. Every answer counts, whatever its status.
    pub(crate) async fn send(self) -> Result<Response, HttpError> {
        let response = self.fetch().await.map_err(|_| HttpError::Unreachable)?;
        response.dyn_into().map_err(|_| HttpError::Unreachable)
    }

    async fn fetch(self) -> Result<JsValue, JsValue> {
        let headers = Headers::new()?;
        headers.set(REQUEST_HEADER, "1")?;
        headers.set("accept", "application/json")?;
        // Who is signed in is asked, and changed, whoever it was before.
        if self.path != api::SESSION || self.method == "DELETE" {
            SESSION.with_borrow(|session| match session {
                Some(session) => headers.set(SESSION_HEADER, session),
                None => Ok(()),
            })?;
        }
        for (name, value) in &self.headers {
            headers.set(name, value)?;
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        let body = match self.body {
            None => None,
            Some(Body::Json(text)) => Some(("application/json", JsValue::from_str(&text))),
            Some(Body::Packed(file)) => Some((PACKED, file.into())),
        };
        if let Some((kind, body)) = body {
            headers.set("content-type", kind)?;
            init.set_body(&body);
        }
        init.set_headers(&headers);
        JsFuture::from(window().fetch_with_str_and_init(self.path, &init)).await
    }

    /// Sends it and reads the answer as `T`.
    pub(crate) async fn read<T: FromJson>(self) -> Result<T, HttpError> {
        let value = self.json().await?;
        wire::read(&value).ok_or(HttpError::Unreadable(200))
    }

    /// Sends it and reads the answer as JSON.
    pub(crate) async fn json(self) -> Result<Value, HttpError> {
        let (status, body) = self.text().await?;
        serde_json::from_str(&body).map_err(|_| HttpError::Unreadable(status))
    }

    /// Sends it; an answer without a body is enough.
    pub(crate) async fn done(self) -> Result<(), HttpError> {
        self.text().await.map(|_| ())
    }

    /// Sends it and reads the status and the text of the answer.
    pub(crate) async fn text(self) -> Result<(u16, String), HttpError> {
        let response = self.send().await?;
        let body = body(&response).await?;
        if response.ok() { Ok((response.status(), body)) } else { Err(refused(response.status(), &body)) }
    }
}

/// The body of an answer as text.
pub(crate) async fn body(response: &Response) -> Result<String, HttpError> {
    text_of(response).await.map(String::from)
}

/// The body of an answer as text that stays with the browser.
pub(crate) async fn text_of(response: &Response) -> Result<JsString, HttpError> {
    let promise = response.text().map_err(|_| HttpError::Unreachable)?;
    let text = JsFuture::from(promise).await.map_err(|_| HttpError::Unreachable)?;
    text.dyn_into().map_err(|_| HttpError::Unreadable(response.status()))
}

/// What a refusal's body says.
pub(crate) fn refused(status: u16, body: &str) -> HttpError {
    let problem = serde_json::from_str::<Value>(body).ok().and_then(|value| wire::read(&value));
    problem.map_or(HttpError::Unreadable(status), HttpError::Refused)
}

/// A body as JSON text.
pub(crate) fn json<T: Serialize>(body: &T) -> String {
    // These bodies are plain structures of texts, which always serialise.
    serde_json::to_string(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_from_its_problem() {
        let body =
            r#"{"type":"about:blank","title":"not found","status":404,"detail":"Gone.","code":"not_found"}"#;
        let error = refused(404, body);
        assert_eq!(error.code(), Some(Code::NotFound));
        assert_eq!(error.sentence(), "Gone.");
    }

    #[test]
    fn a_field_is_not_told_its_own_place() {
        let body = r#"{"type":"","title":"","status":422,"detail":"/email: is taken","code":"invalid_params","pointer":"/email"}"#;
        let error = refused(422, body);
        assert_eq!(error.sentence_at("/email").as_deref(), Some("is taken"));
        assert_eq!(error.sentence_at("/name"), None);
    }

    #[test]
    fn a_page_of_a_proxy_is_not_a_problem() {
        assert_eq!(refused(502, "<html>"), HttpError::Unreadable(502));
    }
}
