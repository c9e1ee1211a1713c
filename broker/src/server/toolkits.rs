//! The toolkits that users may use, and their tools.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use taiku_bridge::api::{Toolkit, Toolkits};
use taiku_bridge::call::{self, clamp_limit};
use taiku_bridge::{Call, Method, Refusal, Slug};

use super::access::SignedIn;
use crate::broker::Broker;
use crate::failure::Failure;
use crate::store::integrations;
use crate::{caller, integration, toolkit};

/// `GET /toolkits`
pub(super) async fn list(State(broker): State<Broker>) -> Result<axum::Json<Toolkits>, Failure> {
    let integrations = {
        let mut tx = broker.store.read().await?;
        integrations::all(&mut tx).await?
    };
    let catalog = broker.toolkits.current().await;
    let enabled = |slug| integrations.get(slug).is_some_and(|integration| integration.enabled);
    let toolkits =
        catalog.iter().filter(|toolkit| enabled(&toolkit.slug)).map(|toolkit| view(toolkit)).collect();
    Ok(axum::Json(Toolkits { toolkits }))
}

fn view(toolkit: &toolkit::Toolkit) -> Toolkit {
    Toolkit {
        slug: toolkit.slug.clone(),
        name: toolkit.name.clone(),
        description: toolkit.description.clone(),
        categories: toolkit.categories.clone(),
        logo: logo(toolkit),
        auth_mode: toolkit.auth.mode().to_owned(),
        tool_count: toolkit.tool_count(),
    }
}

/// Where a toolkit's picture is served.
pub(super) fn logo(toolkit: &toolkit::Toolkit) -> Option<String> {
    toolkit.logo.as_ref().map(|_| format!("/logos/{}.svg", toolkit.slug))
}

#[derive(Deserialize)]
pub(super) struct Search {
    search: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    slug: &'a str,
    name: &'a str,
    description: &'a str,
    input_parameters: &'a RawValue,
    class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    tools: Vec<Tool<'a>>,
    next_cursor: Option<String>,
}

/// `GET /toolkits/{slug}/tools`
pub(super) async fn tools(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Path(slug): Path<String>,
    Query(search): Query<Search>,
) -> Result<Response, Failure> {
    let plugin = caller::plugin(&broker, &user, &headers).await?;
    let parse = || call(&slug, &search);
    let Call::Tools(call) =
        caller::decide(&broker, &user, plugin.as_ref(), Method::IntegrationsTools, parse).await?
    else {
        return Err(Failure::Internal("a search for tools became another call".into()));
    };
    let ready = integration::ready(&broker, &call.toolkit).await?;
    let limit = usize::try_from(call.limit).unwrap_or(usize::MAX);
    let page = ready.toolkit.tools(call.search.as_deref(), limit, search.cursor.as_deref())?;
    let tools = page.tools.iter().map(|tool| Tool {
        slug: &tool.slug,
        name: &tool.name,
        description: &tool.description,
        input_parameters: tool.input_parameters(),
        class: tool.class.as_str(),
    });
    let body = Tools { tools: tools.collect(), next_cursor: page.next_cursor.clone() };
    let text = serde_json::to_vec(&body).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

fn call(slug: &str, search: &Search) -> Result<Call, Refusal> {
    let toolkit = Slug::parse(slug).map_err(|error| Refusal::field("/toolkit", error))?;
    let limit = match &search.limit {
        None => call::DEFAULT_LIMIT,
        Some(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => clamp_limit(number),
            _ => return Err(Refusal::field("/limit", "must be a number")),
        },
    };
    let text = search.search.as_ref().map(|text| text.chars().take(call::MAX_SEARCH).collect());
    Ok(Call::Tools(call::Tools { toolkit, search: text, limit }))
}
