//! Running a tool.

use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use taiku_bridge::api::IDEMPOTENCY_HEADER;
use taiku_bridge::call::Execute;
use taiku_bridge::{Call, Code, Method, Refusal, Slug, json};

use super::access::{Identity, SignedIn};
use super::body::JsonText;
use crate::broker::Broker;
use crate::caller;
use crate::execute::{self, Answer, Right};
use crate::failure::Failure;
use crate::idempotent;
use crate::integration;
use crate::limits;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    arguments: Option<Box<RawValue>>,
    #[serde(default)]
    connection_id: Option<String>,
}

/// `POST /toolkits/{slug}/tools/{tool}`
pub(super) async fn run(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    identity: Identity,
    Path((toolkit, tool)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let JsonText(body) = JsonText::from_request(request, &()).await?;
    let plugin = caller::plugin(&broker, &user, &headers).await?;
    let parse = || call(&toolkit, &tool, &body, &headers);
    let call =
        match caller::decide(&broker, &user, plugin.as_ref(), Method::IntegrationsExecute, parse).await? {
            Call::Execute(call) => call,
            other => return Err(Failure::Internal(format!("{:?} is not a tool call", other.method()))),
        };
    limits::calls::call(&broker, &user.id).await?;
    let ready = integration::ready(&broker, &call.toolkit).await?;
    let credential = identity.credential().ok_or_else(Refusal::not_signed_in)?;
    let right = Right { user: &user, credential, plugin: plugin.as_ref(), call: &call };
    let work = || execute::run(&broker, &ready, &right);
    let answer: Answer = match &call.idempotency_key {
        None => work().await?,
        Some(key) => idempotent::once(&broker, &user.id, key, right.plugin_id(), &call, work).await?,
    };
    Ok(answer.into_response())
}

/// The typed call out of path, body and headers, by the rules of the bridge.
fn call(toolkit: &str, tool: &str, body: &str, headers: &HeaderMap) -> Result<Call, Refusal> {
    let body: Body = json::parse(body).map_err(|error| Refusal::field(error.pointer, error.what))?;
    let toolkit = Slug::parse(toolkit).map_err(|error| Refusal::field("/toolkit", error))?;
    let key = match headers.get(IDEMPOTENCY_HEADER) {
        None => None,
        Some(value) => match value.to_str() {
            Ok(key) => Some(key.to_owned()),
            Err(_) => return Err(Refusal::field("/idempotencyKey", "must be visible ASCII")),
        },
    };
    let arguments = match body.arguments {
        Some(arguments) if arguments.get().starts_with('{') => arguments,
        Some(_) => return Err(Refusal::field("/arguments", "must be an object")),
        None => RawValue::from_string("{}".into())
            .map_err(|error| Refusal::new(Code::Internal, error.to_string()))?,
    };
    Execute {
        toolkit,
        action: tool.to_owned(),
        arguments,
        connection_id: body.connection_id,
        idempotency_key: key,
    }
    .checked()
    .map(Call::Execute)
}
