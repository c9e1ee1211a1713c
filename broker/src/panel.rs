//! How panels are served: files of plugins, on an origin of their own, under headers that leave them one way out,
//! the bridge.
//!
//! ```text
//! GET /<content hash>/<file> ──▶ Panels::respond ──▶ the file; HTML begins with the guard
//! ```

pub(crate) mod content_type;
mod guard;
mod headers;
mod path;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;

use crate::assets::etag;
use crate::config::Origins;
use crate::plugin::Files;
use headers::Kind;

/// Serves the panel origin.
#[derive(Clone, Debug)]
pub struct Panels {
    app: String,
    panels: String,
}

/// The content hash that a path of the panel origin begins with.
#[must_use]
pub fn content_hash(path: &str) -> Option<&str> {
    path::hash(path)
}

/// What of a request counts.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Only GET and HEAD are answered.
    pub method: &'a Method,
    /// The path as it came, percent-encoded.
    pub path: &'a str,
    /// The header `If-None-Match`.
    pub if_none_match: Option<&'a str>,
}

/// Why there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("Only GET and HEAD are answered here.")]
    Method,
    #[error("There is no such panel file here.")]
    Missing,
}

impl Panels {
    /// For these origins.
    #[must_use]
    pub fn new(origins: &Origins) -> Self {
        Self { app: origins.app.as_str().to_owned(), panels: origins.panels.as_str().to_owned() }
    }

    /// Answers a request. It sets no cookie and reads none.
    ///
    /// `by_hash` finds the files that are served under a content hash.
    #[must_use]
    pub fn respond(
        &self,
        request: Request<'_>,
        by_hash: impl FnOnce(&str) -> Option<Arc<Files>>,
    ) -> Response<Body> {
        let hash = path::hash(request.path);
        let (mut response, kind) = match find(request, by_hash) {
            Ok((name, content)) => (serve(request, &name, content), Kind::of(&name)),
            Err(refused) => (refuse(refused), Kind::Other),
        };
        if *request.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        headers::extend(response.headers_mut(), &self.app, &self.panels, hash, kind);
        response
    }

    /// The headers that every answer of the panel origin carries, for answers that are made elsewhere.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        headers::extend(&mut map, &self.app, &self.panels, None, Kind::Other);
        map
    }
}

/// The file that a path of the panel origin names, with the author's content.
pub(crate) fn file<'a>(path: &str, files: &'a Files) -> Option<(String, &'a Bytes)> {
    let (_, name) = path::parse(path).filter(|(hash, _)| *hash == files.hash())?;
    files.get(&name).map(|content| (name, content))
}

/// The line of the author's file that is served as `line`, both from 1; nothing for a line of the guard.
pub(crate) fn author_line(name: &str, content: &[u8], line: usize) -> Option<usize> {
    if content_type::is_html(name) { guard::author_line(content, line) } else { Some(line) }
}

fn find(
    request: Request<'_>,
    by_hash: impl FnOnce(&str) -> Option<Arc<Files>>,
) -> Result<(String, Bytes), Refused> {
    if !matches!(*request.method, Method::GET | Method::HEAD) {
        return Err(Refused::Method);
    }
    let (hash, name) = path::parse(request.path).ok_or(Refused::Missing)?;
    let files = by_hash(hash).filter(|files| files.hash() == hash).ok_or(Refused::Missing)?;
    let content = files.get(&name).ok_or(Refused::Missing)?.clone();
    Ok((name, content))
}

fn serve(request: Request<'_>, name: &str, content: Bytes) -> Response<Body> {
    let content = if content_type::is_html(name) { guard::inject(&content) } else { content };
    let tag = etag::of(&content);
    let unchanged = request.if_none_match.is_some_and(|sent| etag::matches(sent, &tag));
    let mut response = Response::new(Body::empty());
    let length = content.len();
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Body::from(content);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        response.headers_mut().insert(CONTENT_TYPE, content_type::of(name));
    }
    // A document carries the guard of this version of taiku besides the author's bytes, so it is asked for anew.
    let cache = if content_type::is_html(name) { "no-cache" } else { "public, max-age=31536000, immutable" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn refuse(refused: Refused) -> Response<Body> {
    let mut response = Response::new(Body::from(refused.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.status_mut() = match refused {
        Refused::Missing => StatusCode::NOT_FOUND,
        Refused::Method => {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            StatusCode::METHOD_NOT_ALLOWED
        }
    };
    response
}

#[cfg(test)]
mod tests;
