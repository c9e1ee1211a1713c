//! The tool that makes any request to a toolkit's API, for providers whose operations are not described: the caller
//! says method and path, and gets no further than the API's hosts.

use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use taiku_bridge::Refusal;
use url::Url;

use super::address::is_dot_segment;
use super::arguments::ARGUMENTS;
use super::fault::pointer;
use super::request::form::Form;
use super::request::{Body, Prepared, form_body, scalar};
use super::resolved::{Resolved, ResolvedApi};
use super::tool::{Class, Haystack, Style, Tool, Work};
use super::{headers, limits};

/// What its slug ends with.
const NAME: &str = "HTTP_REQUEST";
const FORM: &str = "application/x-www-form-urlencoded";

/// Parameters that make some servers take a request for one of another method, whose class is another.
const OTHER_METHOD: [&str; 4] = ["x-http-method-override", "x-http-method", "x-method-override", "_method"];

/// One schema for all toolkits.
static INPUT: LazyLock<Arc<RawValue>> = LazyLock::new(|| {
    let one = json!({ "type": ["string", "number", "boolean"] });
    let many = json!({ "type": "array", "items": one });
    let schema = json!({
        "type": "object",
        "properties": {
            "method": { "enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] },
            "path": {
                "type": "string",
                "pattern": "^/",
                "description": "Path below the API's address, percent-encoded, without a query: `/v1/items/7`."
            },
            "query": {
                "type": "object",
                "additionalProperties": { "anyOf": [one, many] },
                "description": "Parameters of the query; a list is repeated."
            },
            "headers": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Further headers. Those of the connection and of signing in are taiku's."
            },
            "body": {
                "description": "JSON, unless headers has a Content-Type: a form is made of an object, and a text is sent as it is."
            },
            "host": {
                "type": "string",
                "description": "Which of the API's hosts, where it has several; the first one unless said."
            }
        },
        "required": ["method", "path"],
        "additionalProperties": false
    });
    RawValue::from_string(schema.to_string()).map_or_else(|_| RawValue::NULL.to_owned().into(), Arc::from)
});

/// The tool of a toolkit. It can do anything, so it is of the class of the worst that it can do; a single request is
/// of the class of its method.
pub(super) fn tool(prefix: &str, toolkit: &str) -> Tool {
    let slug = format!("{prefix}_{NAME}");
    let name = "HTTP request".to_owned();
    let description = format!("Makes a request of your own to the API of {toolkit}, signed in as you.");
    Tool {
        haystack: Haystack::new(&slug, &name, &description),
        slug,
        name,
        description,
        class: Class::Destructive,
        scopes: Vec::new(),
        token: None,
        input: INPUT.clone(),
        schema: OnceLock::new(),
        plan: Work::AnyRequest,
    }
}

/// Makes the request of arguments that fit the schema.
pub(super) fn prepare(resolved: &Resolved, arguments: &Map<String, Value>) -> Result<Prepared, Refusal> {
    let api = &resolved.api;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let method = Method::from_bytes(text("method").unwrap_or_default().as_bytes());
    let method = method.map_err(|_| wrong("method", "is not a method"))?;
    let server = server(api, text("host"))?;
    let url = address(server, text("path").unwrap_or_default(), arguments.get("query"))?;
    let (headers, content_type) = header_map(api, arguments.get("headers"))?;
    let body = match arguments.get("body") {
        None | Some(Value::Null) => None,
        Some(_) if method == Method::GET || method == Method::HEAD => {
            return Err(wrong("body", "is for other methods than GET and HEAD; remove it"));
        }
        Some(value) => Some(body(value, content_type)?),
    };
    Ok(Prepared { method, url, headers, body })
}

fn wrong(argument: &str, what: &str) -> Refusal {
    Refusal::field(pointer(ARGUMENTS, argument), what)
}

fn inner(argument: &str, name: &str, what: &str) -> Refusal {
    Refusal::field(pointer(&pointer(ARGUMENTS, argument), name), what)
}

fn server<'a>(api: &'a ResolvedApi, host: Option<&str>) -> Result<&'a Url, Refusal> {
    let Some(host) = host else { return Ok(&api.base_url) };
    let mut servers = std::iter::once(&api.base_url).chain(&api.more);
    servers.find(|server| server.host_str() == Some(host)).ok_or_else(|| {
        let all: Vec<&str> =
            std::iter::once(&api.base_url).chain(&api.more).filter_map(Url::host_str).collect();
        wrong("host", &format!("is no host of this API; it has: {}", all.join(", ")))
    })
}

/// Appends path and query, and checks that the parser reads them exactly as they were written.
fn address(server: &Url, path: &str, query: Option<&Value>) -> Result<Url, Refusal> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&b);
    if !path.bytes().all(allowed) || !is_percent_encoded(path) {
        return Err(wrong(
            "path",
            "must be a path as it stands in an address: percent-encoded, without `?` and `#`",
        ));
    }
    if path.starts_with("//") || path.split('/').any(is_dot_segment) || hides_a_separator(path) {
        return Err(wrong("path", "must not begin with `//` or contain the segments `.` and `..`"));
    }
    let mut form = Form::default();
    for (name, value) in query.and_then(Value::as_object).into_iter().flatten() {
        refuse_other_method("query", name)?;
        form.add(name, value, Style::Repeated).map_err(|why| inner("query", name, why))?;
    }
    let path = format!("{}{path}", server.path().trim_end_matches('/'));
    let query = form.finish();
    if path.len() + query.len() > limits::ADDRESS {
        return Err(wrong("path", &format!("makes an address of more than {} bytes", limits::ADDRESS)));
    }
    let mut url = server.clone();
    url.set_path(&path);
    url.set_query((!query.is_empty()).then_some(&query));
    let unchanged = url.path() == path && url.origin() == server.origin();
    if unchanged && Url::parse(url.as_str()).is_ok_and(|again| again == url) {
        Ok(url)
    } else {
        Err(wrong("path", "does not fit into an address"))
    }
}

/// Whether each `%` begins an encoded byte, and none of them is a control character.
fn is_percent_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let byte = rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_some_and(|byte| byte >= b' ' && byte != 0x7f)
    })
}

/// Whether a server that decodes twice, or takes a backslash for a slash, would see another path.
fn hides_a_separator(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/").replace("%25", "%");
    path.split('/').any(is_dot_segment)
}

fn refuse_other_method(argument: &str, name: &str) -> Result<(), Refusal> {
    if OTHER_METHOD.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(inner(argument, name, "would make it a request of another method; set `method` instead"));
    }
    Ok(())
}

/// The toolkit's fixed headers and the caller's, and the type of the body.
fn header_map(api: &ResolvedApi, given: Option<&Value>) -> Result<(HeaderMap, Option<HeaderValue>), Refusal> {
    let mut map = api.headers.clone();
    let mut content_type = None;
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        let fault = |what: &str| inner("headers", name, what);
        refuse_other_method("headers", name)?;
        let parsed = HeaderName::try_from(name.as_str()).map_err(|_| fault("is not a header name"))?;
        let text = value.as_str().unwrap_or_default();
        if !headers::is_value(text) || text.len() > limits::HEADER {
            return Err(fault("must be visible ASCII of at most 8192 characters"));
        }
        let value = HeaderValue::from_str(text).map_err(|_| fault("does not fit into a header"))?;
        if parsed == CONTENT_TYPE {
            content_type = Some(value);
        } else if headers::is_owned(&parsed)
            || api.authorization.as_ref().is_some_and(|slot| slot.is_in(&parsed))
        {
            return Err(fault("is set by taiku or by nobody; remove it"));
        } else {
            map.insert(parsed, value);
        }
    }
    Ok((map, content_type))
}

fn body(value: &Value, content_type: Option<HeaderValue>) -> Result<Body, Refusal> {
    let content_type = content_type.unwrap_or_else(|| HeaderValue::from_static("application/json"));
    let kind = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let bytes: Bytes = match value {
        _ if kind == "application/json" || kind.ends_with("+json") => value.to_string().into(),
        Value::Object(_) if kind == FORM => form_body(value, &[])?,
        Value::String(text) => text.clone().into(),
        other => match scalar(other) {
            Some(text) => text.into(),
            None => {
                return Err(wrong(
                    "body",
                    &format!("must be a text, because {kind} is neither JSON nor a form"),
                ));
            }
        },
    };
    Ok(Body { content_type, bytes })
}
