//! Arguments as a request that cannot leave its place.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};
use taiku_bridge::Refusal;
use url::Url;

use super::any_request;
use super::arguments::{self, ARGUMENTS};
use super::fault::pointer;
use super::headers;
use super::limits;
use super::resolved::Resolved;
use super::template::NOT_UNRESERVED;
use super::tool::{BodyPlan, BodyShape, Encoding, Parameter, Piece, Plan, Style, Tool, Work};

pub(super) mod form;

/// A request that is ready to be sent, but for its credentials.
#[derive(Debug)]
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// The address, on the host of the toolkit's API.
    pub url: Url,
    /// The toolkit's fixed headers and those of the arguments.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Body>,
}

/// A body and its content type.
#[derive(Debug)]
pub struct Body {
    /// Such as `application/json`.
    pub content_type: HeaderValue,
    /// The bytes.
    pub bytes: Bytes,
}

impl Tool {
    /// Checks the arguments, a JSON text, and makes the request of them.
    ///
    /// # Errors
    /// [`taiku_bridge::Code::InvalidParams`] with the pointer of the argument that is wrong, below `/arguments`.
    pub fn prepare(&self, resolved: &Resolved, arguments: &str) -> Result<Prepared, Refusal> {
        let mut arguments = arguments::check(self, arguments)?;
        let plan = match &self.plan {
            Work::Operation(plan) => plan,
            Work::AnyRequest => return any_request::prepare(resolved, &arguments),
        };
        let url = address(plan, &resolved.api.base_url, &arguments)?;
        let headers = header_map(plan, &resolved.api.headers, &arguments)?;
        let body = match &plan.body {
            Some(body) => {
                take_parameters(plan, &mut arguments);
                write_body(body, arguments)?
            }
            None => None,
        };
        Ok(Prepared { method: plan.method.clone(), url, headers, body })
    }
}

fn wrong(argument: &str, what: &str) -> Refusal {
    Refusal::field(pointer(ARGUMENTS, argument), what)
}

/// Builds the address and checks that the parser reads it exactly as it was built.
fn address(plan: &Plan, base: &Url, arguments: &Map<String, Value>) -> Result<Url, Refusal> {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in &plan.path {
        path.push('/');
        push_segment(&mut path, segment, arguments)?;
    }
    if path.is_empty() {
        path.push('/');
    }
    let query = query(&plan.query, arguments)?;
    if path.len() + query.len() > limits::ADDRESS {
        let why = format!("make an address of more than {} bytes; shorten them", limits::ADDRESS);
        return Err(Refusal::field(ARGUMENTS, why));
    }
    let mut url = base.clone();
    url.set_path(&path);
    url.set_query((!query.is_empty()).then_some(&query));
    let unchanged =
        url.path() == path && url.origin() == base.origin() && url.query().unwrap_or_default() == query;
    let parsed_again = Url::parse(url.as_str()).is_ok_and(|again| again == url);
    if unchanged && parsed_again {
        Ok(url)
    } else {
        Err(Refusal::field(ARGUMENTS, "do not fit into the address of the request"))
    }
}

fn push_segment(path: &mut String, segment: &[Piece], arguments: &Map<String, Value>) -> Result<(), Refusal> {
    let start = path.len();
    let mut last = None;
    for piece in segment {
        match piece {
            Piece::Text(text) => path.push_str(text),
            Piece::Argument(name) => {
                let value = arguments.get(name).ok_or_else(|| wrong(name, "is missing"))?;
                path.push_str(&path_value(name, value)?);
                last = Some(name);
            }
        }
    }
    match (last, &path[start..]) {
        (Some(name), "." | "..") => Err(wrong(name, "must not be `.` or `..`")),
        _ => Ok(()),
    }
}

/// One value as part of a path segment: everything but unreserved characters is encoded.
fn path_value(name: &str, value: &Value) -> Result<String, Refusal> {
    let texts = match value {
        Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>(),
        one => scalar(one).map(|text| vec![text]),
    };
    let texts = texts.ok_or_else(|| wrong(name, "must be a text, a number or a list of these"))?;
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(wrong(name, "must not be empty"));
    }
    if texts.iter().any(|text| text.chars().any(char::is_control)) {
        return Err(wrong(name, "must not contain control characters"));
    }
    let encoded: Vec<String> =
        texts.iter().map(|text| utf8_percent_encode(text, NOT_UNRESERVED).to_string()).collect();
    Ok(encoded.join(","))
}

/// A value that is not a list or object, as text; `None` for those and for null.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn query(parameters: &[Parameter], arguments: &Map<String, Value>) -> Result<String, Refusal> {
    let mut form = form::Form::default();
    for parameter in parameters {
        if let Some(value) = arguments.get(&parameter.argument) {
            let added = form.add(&parameter.name, value, parameter.style);
            added.map_err(|why| wrong(&parameter.argument, why))?;
        }
    }
    Ok(form.finish())
}

fn header_map(plan: &Plan, fixed: &HeaderMap, arguments: &Map<String, Value>) -> Result<HeaderMap, Refusal> {
    let mut map = fixed.clone();
    for (name, argument) in &plan.headers {
        let text = match arguments.get(argument) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => {
                items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
            }
            Some(one) => scalar(one),
        };
        let text = text.ok_or_else(|| wrong(argument, "must be a text, a number or a list of these"))?;
        if !headers::is_value(&text) {
            return Err(wrong(argument, "must be visible ASCII, because it is sent as a header"));
        }
        if text.len() > limits::HEADER {
            return Err(wrong(argument, "is too long for a header"));
        }
        let value =
            HeaderValue::from_str(&text).map_err(|_| wrong(argument, "does not fit into a header"))?;
        map.insert(name.clone(), value);
    }
    Ok(map)
}

/// Takes away the arguments that are in the path, query or headers; what is left is the body's.
fn take_parameters(plan: &Plan, arguments: &mut Map<String, Value>) {
    let in_path = plan.path.iter().flatten().filter_map(|piece| match piece {
        Piece::Argument(name) => Some(name),
        Piece::Text(_) => None,
    });
    let in_query = plan.query.iter().map(|parameter| &parameter.argument);
    let in_headers = plan.headers.iter().map(|(_, argument)| argument);
    for name in in_path.chain(in_query).chain(in_headers) {
        arguments.shift_remove(name);
    }
}

fn write_body(plan: &BodyPlan, mut arguments: Map<String, Value>) -> Result<Option<Body>, Refusal> {
    let value = match &plan.shape {
        BodyShape::Whole(argument) => match arguments.shift_remove(argument) {
            Some(value) => value,
            None => return Ok(None),
        },
        BodyShape::Fields { .. } if arguments.is_empty() && !plan.required => return Ok(None),
        BodyShape::Fields { renamed } => Value::Object(rename(renamed, arguments)),
    };
    match &plan.encoding {
        Encoding::Json(content_type) => {
            let content_type = HeaderValue::from_str(content_type)
                .unwrap_or_else(|_| HeaderValue::from_static("application/json"));
            Ok(Some(Body { content_type, bytes: value.to_string().into() }))
        }
        Encoding::GraphQl { query, operation } => {
            let body = json!({"query": query, "operationName": operation, "variables": value});
            let content_type = HeaderValue::from_static("application/json");
            Ok(Some(Body { content_type, bytes: body.to_string().into() }))
        }
        Encoding::Form { deep } => {
            let bytes = form_body(&value, deep)?;
            let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            Ok(Some(Body { content_type, bytes }))
        }
    }
}

fn rename(renamed: &[(String, String)], arguments: Map<String, Value>) -> Map<String, Value> {
    let field = |argument: String| match renamed.iter().find(|(from, _)| *from == argument) {
        Some((_, to)) => to.clone(),
        None => argument,
    };
    arguments.into_iter().map(|(argument, value)| (field(argument), value)).collect()
}

/// Lists are repeated, objects are JSON (OpenAPI 3.0.4 section 4.8.15) unless the document asks for brackets.
pub(super) fn form_body(value: &Value, deep: &[String]) -> Result<Bytes, Refusal> {
    let mut form = form::Form::default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let style = match value {
            _ if deep.contains(name) => Style::Deep,
            Value::Object(_) => Style::Json,
            _ => Style::Repeated,
        };
        form.add(name, value, style).map_err(|why| wrong(name, why))?;
    }
    Ok(form.finish().into())
}
