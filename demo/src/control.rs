//! How the provider is told to misbehave, and what it tells about itself.

mod act;
mod routes;

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(crate) use act::{Dropped, interfere};
pub(crate) use routes::routes;

const MAX_MILLISECONDS: u64 = 120_000;
const MAX_TOKEN_SECONDS: u32 = 365 * 24 * 60 * 60;

/// How the provider behaves. The default is: well.
///
/// Every request to `/control…` needs the header `X-Demo-Control: 1`, which no website can send: the
/// provider answers no preflight request.
///
/// - `PUT /control` with this as JSON replaces all settings; `{}` is good behaviour. `GET /control` shows them.
/// - `GET /control/log` gives `{counts, living, requests}`: [`Counts`](crate::Counts), how many consents live, and the
///   last 1,000 [`Seen`](crate::Seen).
/// - `POST /control/advance` with `{"seconds": 61}` moves the clock ahead.
///
/// ```json
/// {
///   "token": { "fault": { "kind": "answer", "status": 429, "headers": { "retry-after": "2" } }, "times": 1 },
///   "api": { "fault": { "kind": "slow", "ms": 500 } },
///   "accessTokenSeconds": 1
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// What happens at `POST /token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Plan>,
    /// What happens at `POST /revoke`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<Plan>,
    /// What happens under `/api/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Plan>,
    /// How long access tokens live that are made from now on, in seconds; absent: as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_seconds: Option<u32>,
    /// For how many seconds the refresh token that was used last is honoured once more; absent: a token that comes a
    /// second time ends its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_grace_seconds: Option<u32>,
    /// Whether a refresh gives the same refresh token again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_refresh_token: bool,
}

/// A fault and how often it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// What happens.
    pub fault: Fault,
    /// For how many requests; absent: until told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// Answers this and does nothing: a 500, a 429 with `Retry-After`, HTML, a redirect, bytes that are not UTF-8.
    Answer {
        /// 200 to 599.
        status: u16,
        /// More headers, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The `Content-Type`; absent: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// The body as text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        body: String,
        /// The body as base64; wins over `body`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_base64: Option<String>,
    },
    /// Answers 400 with an error of RFC 6749 section 5.2, for example `invalid_grant`, and does nothing.
    OauthError {
        /// The value of `error`.
        error: String,
    },
    /// Waits, then does what was asked and answers.
    Slow {
        /// Milliseconds, at most 120,000.
        ms: u64,
    },
    /// Does what was asked, then waits before it answers.
    Late {
        /// Milliseconds, at most 120,000.
        ms: u64,
    },
    /// Drops the connection and does nothing.
    DropBefore,
    /// Does what was asked, rotation included, then drops the connection without an answer.
    DropAfter,
    /// Answers with the `Authorization` header of the request in the body, and does nothing.
    EchoAuthorization {
        /// 200 to 599.
        status: u16,
        /// How the body is written.
        r#as: EchoAs,
    },
}

/// How an echoed header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoAs {
    /// `{"message": "You sent Bearer …"}`
    Json,
    /// `<p>You sent Bearer …</p>`
    Html,
    /// The base64 of the token, and of the whole header, in JSON.
    Base64,
    /// The whole header, form-encoded, in plain text.
    UrlEncoded,
}

/// Where a fault acts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    Token,
    Revoke,
    Api,
}

/// A [`Control`] that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadControl {
    /// A status that is not final.
    #[error("status {0} is not between 200 and 599")]
    Status(u16),
    /// A header that HTTP does not allow.
    #[error("{0:?} is not a header, or its value is not allowed")]
    Header(String),
    /// A wait that is too long.
    #[error("{0} ms is longer than {MAX_MILLISECONDS} ms")]
    TooSlow(u64),
    /// A body that is not base64.
    #[error("bodyBase64 is not base64")]
    Base64,
    /// A lifetime that is too long.
    #[error("accessTokenSeconds is more than {MAX_TOKEN_SECONDS}")]
    TooLong,
}

impl Control {
    pub(crate) fn check(&self) -> Result<(), BadControl> {
        if self.access_token_seconds.is_some_and(|seconds| seconds > MAX_TOKEN_SECONDS) {
            return Err(BadControl::TooLong);
        }
        let plans = [&self.token, &self.revoke, &self.api];
        plans.into_iter().flatten().try_for_each(|plan| plan.fault.check())
    }

    pub(crate) fn take(&mut self, slot: Slot) -> Option<Plan> {
        let place = match slot {
            Slot::Token => &mut self.token,
            Slot::Revoke => &mut self.revoke,
            Slot::Api => &mut self.api,
        };
        let plan = place.as_mut()?;
        match &mut plan.times {
            None => Some(plan.clone()),
            Some(0 | 1) => place.take().filter(|plan| plan.times != Some(0)),
            Some(times) => {
                *times -= 1;
                Some(plan.clone())
            }
        }
    }
}

impl Fault {
    fn check(&self) -> Result<(), BadControl> {
        match self {
            Self::Answer { status, headers, content_type, body_base64, .. } => {
                check_status(*status)?;
                headers.iter().try_for_each(|(name, value)| check_header(name, value))?;
                content_type.iter().try_for_each(|value| check_header("content-type", value))?;
                let bad = body_base64.as_ref().is_some_and(|body| STANDARD.decode(body).is_err());
                if bad { Err(BadControl::Base64) } else { Ok(()) }
            }
            Self::EchoAuthorization { status, .. } => check_status(*status),
            Self::Slow { ms } | Self::Late { ms } if *ms > MAX_MILLISECONDS => Err(BadControl::TooSlow(*ms)),
            Self::Slow { .. }
            | Self::Late { .. }
            | Self::OauthError { .. }
            | Self::DropBefore
            | Self::DropAfter => Ok(()),
        }
    }
}

fn check_status(status: u16) -> Result<(), BadControl> {
    let usable = (200..600).contains(&status) && StatusCode::from_u16(status).is_ok();
    if usable { Ok(()) } else { Err(BadControl::Status(status)) }
}

fn check_header(name: &str, value: &str) -> Result<(), BadControl> {
    let usable = HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok();
    if usable { Ok(()) } else { Err(BadControl::Header(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn control(value: serde_json::Value) -> Result<Control, String> {
        let control: Control = serde_json::from_value(value).map_err(|error| error.to_string())?;
        control.check().map_err(|error| error.to_string())?;
        Ok(control)
    }

    #[test]
    fn every_fault_has_a_form_on_the_wire() {
        for fault in [
            json!({ "kind": "answer", "status": 500 }),
            json!({ "kind": "answer", "status": 429, "headers": { "retry-after": "2" }, "contentType": "text/html", "body": "<p>" }),
            json!({ "kind": "answer", "status": 200, "bodyBase64": "/w==" }),
            json!({ "kind": "oauth_error", "error": "invalid_grant" }),
            json!({ "kind": "slow", "ms": 1 }),
            json!({ "kind": "late", "ms": 1 }),
            json!({ "kind": "drop_before" }),
            json!({ "kind": "drop_after" }),
            json!({ "kind": "echo_authorization", "status": 500, "as": "url_encoded" }),
        ] {
            let control = control(json!({ "token": { "fault": fault } })).unwrap();
            let again: Control = serde_json::from_str(&serde_json::to_string(&control).unwrap()).unwrap();
            assert_eq!(again, control);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        for (bad, word) in [
            (json!({ "tokens": null }), "unknown field"),
            (json!({ "token": { "fault": { "kind": "explode" } } }), "unknown variant"),
            (json!({ "token": { "fault": { "kind": "slow", "ms": 1, "s": 1 } } }), "unknown field"),
            (json!({ "api": { "fault": { "kind": "answer", "status": 100 } } }), "status 100"),
            (
                json!({ "api": { "fault": { "kind": "answer", "status": 200, "headers": { "a b": "c" } } } }),
                "header",
            ),
            (json!({ "api": { "fault": { "kind": "answer", "status": 200, "bodyBase64": "!" } } }), "base64"),
            (json!({ "api": { "fault": { "kind": "slow", "ms": 120_001 } } }), "longer"),
            (json!({ "accessTokenSeconds": 99_999_999 }), "more than"),
        ] {
            let error = control(bad.clone()).unwrap_err();
            assert!(error.contains(word), "{bad}: {error}");
        }
    }

    #[test]
    fn a_plan_ends_after_its_times() {
        let mut control =
            control(json!({ "api": { "fault": { "kind": "drop_before" }, "times": 2 } })).unwrap();
        assert!(control.take(Slot::Token).is_none());
        assert!(control.take(Slot::Api).is_some());
        assert!(control.take(Slot::Api).is_some());
        assert!(control.take(Slot::Api).is_none());
        assert_eq!(control, Control::default());
    }
}
