//! Pages for people: escaping, the frame around every page, and the headers that keep it harmless.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The one stylesheet, served as `/style.css`.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Makes text safe as the content of an element or of a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A page. `title` is text and is escaped; `body` is markup whose text has been escaped by its author.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) body: String,
    /// Where a form of this page may end up: its own origin, and the origin that it redirects to.
    pub(crate) form_target: FormTarget,
}

/// The `form-action` of a page. Browsers also apply it to where the answer to a form redirects.
#[derive(Debug)]
pub(crate) enum FormTarget {
    /// The page has no form.
    None,
    /// A form to our own origin, whose answer stays there.
    SelfOnly,
    /// A form to our own origin whose answer redirects to this other origin.
    SelfThen(String),
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let document = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <title>{}</title><link rel=\"stylesheet\" href=\"/style.css\">\
             <link rel=\"icon\" href=\"/logo.svg\" type=\"image/svg+xml\"></head>\n<body>{}</body></html>\n",
            escape(&self.title),
            self.body,
        );
        let Ok(policy) = HeaderValue::try_from(self.form_target.policy()) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, policy),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // Not "no-referrer": with it, browsers send `Origin: null` with our own forms too.
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status, headers, document).into_response()
    }
}

impl FormTarget {
    fn policy(&self) -> String {
        let form_action = match self {
            Self::None => "'none'".to_owned(),
            Self::SelfOnly => "'self'".to_owned(),
            Self::SelfThen(origin) => format!("'self' {origin}"),
        };
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
             frame-ancestors 'none'; form-action {form_action}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_leaves_no_markup_and_no_way_out_of_an_attribute() {
        assert_eq!(
            escape(r#"<a b="c" d='e'>&</a>"#),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&lt;/a&gt;"
        );
        assert_eq!(escape("Grüße, 世界"), "Grüße, 世界");
    }
}
