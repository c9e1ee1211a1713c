//! The front end out of the binary, and the headers of the host page.
//!
//! `cargo xtask web` bundles it into `target/web`: `index.html`, and below `assets/` files whose names carry a hash
//! of their content, each with its `.br` beside it. A debug build reads them from the disk.

mod encoding;
pub(crate) mod etag;
pub(crate) mod features;
mod host_page;

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use rust_embed::RustEmbed;

pub use self::host_page::host_page_headers;

use self::encoding::Encoding;
use crate::panel::content_type;
use crate::plugin::into_bytes;

#[derive(RustEmbed)]
#[folder = "../target/web"]
#[allow_missing = true]
struct Web;

/// The path below which files are, or are not; every other path is a page of the app.
const ASSETS: &str = "/assets/";
const INDEX: &str = "index.html";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>taiku</title>\
    <h1>The front end is not built</h1><p>The front end is not built: run <code>cargo xtask web</code>.</p>";

/// Answers a GET of the front end. [`host_page_headers`] are to be added, as to every answer of the app's origin.
///
/// `path` is the path as it came. `accept_encoding` and `if_none_match` are the headers of those names.
#[must_use]
pub fn serve(path: &str, accept_encoding: Option<&str>, if_none_match: Option<&str>) -> Response<Body> {
    Bundle(&embedded).serve(path, accept_encoding, if_none_match)
}

fn embedded(name: &str) -> Option<Bytes> {
    Web::get(name).map(|file| into_bytes(file.data))
}

/// The files of a bundle by their names.
struct Bundle<'a>(&'a dyn Fn(&str) -> Option<Bytes>);

impl Bundle<'_> {
    fn serve(&self, path: &str, accept: Option<&str>, if_none_match: Option<&str>) -> Response<Body> {
        let (name, cache) = if path.starts_with(ASSETS) {
            (&path[1..], "public, max-age=31536000, immutable")
        } else {
            (INDEX, "no-cache")
        };
        let mut response = match self.find(name, accept) {
            Some((content, encoding)) => file(name, content, encoding, if_none_match),
            None if name == INDEX => return page(StatusCode::SERVICE_UNAVAILABLE, "text/html", NOT_BUILT),
            None => return page(StatusCode::NOT_FOUND, "text/plain", "There is no such file."),
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }

    /// The content in the encoding that the browser likes best.
    fn find(&self, name: &str, accept: Option<&str>) -> Option<(Bytes, Encoding)> {
        if name.ends_with(".br") || name.ends_with(".gz") {
            return None;
        }
        let plain = (self.0)(name)?;
        encoding::preferred(accept)
            .into_iter()
            .find_map(|encoding| {
                let suffix = encoding.suffix()?;
                Some(((self.0)(&format!("{name}{suffix}"))?, encoding))
            })
            .or(Some((plain, Encoding::Identity)))
    }
}

fn file(name: &str, content: Bytes, encoding: Encoding, if_none_match: Option<&str>) -> Response<Body> {
    // The tag is of the bytes that are sent, so each encoding has its own.
    let tag = etag::of(&content);
    let mut response = Response::new(Body::empty());
    if if_none_match.is_some_and(|sent| etag::matches(sent, &tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type::of(name));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
        if let Some(coding) = encoding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        *response.body_mut() = Body::from(content);
    }
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn page(status: StatusCode, kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = if kind == "text/html" { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Where a debug build reads the front end, the plugins and the toolkits from; a release build holds them inside.
#[must_use]
pub fn on_disk() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    workspace.filter(|_| cfg!(debug_assertions)).map(Path::to_owned)
}

#[cfg(test)]
mod tests;
