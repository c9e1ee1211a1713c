//! The two pages of an OAuth flow: the one that leads to the provider and the one that it comes back to.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use taiku_bridge::api::CHANNEL;

use super::cookies::{self, SameSite};
use super::page::{Page, escape};
use super::session::with_cookie;
use crate::broker::Broker;
use crate::connect::{self, Callback, Ended, FlowError, StartPage};
use crate::vault::SecretString;

fn flow_cookie<'a>(broker: &Broker, headers: &'a HeaderMap, flow: &str) -> Option<&'a str> {
    cookies::get(headers, &cookies::flow_name(flow, &broker.origins.app))
}

/// `GET /oauth/start/{flow}`: says what is about to happen and has exactly one link.
pub(super) async fn start(
    State(broker): State<Broker>,
    Path(flow): Path<String>,
    headers: HeaderMap,
) -> Response {
    match connect::start_page(&broker, &flow, flow_cookie(&broker, &headers, &flow)).await {
        Ok(page) => start_page(&page).into_response(),
        Err(error) => failed("This link does not work here", &error, None).into_response(),
    }
}

fn start_page(page: &StartPage) -> Page {
    let toolkit = escape(&page.toolkit);
    let who = match &page.plugin {
        Some(plugin) => format!("The plugin <strong><bdi>{}</bdi></strong> wants", escape(plugin)),
        None => "You want".to_owned(),
    };
    let host = escape(page.authorize_url.host_str().unwrap_or_default());
    let scopes: String =
        page.scopes.iter().map(|scope| format!("<li><code>{}</code></li>", escape(scope))).collect();
    let scopes = if scopes.is_empty() {
        "<p>No rights in particular are asked for.</p>".to_owned()
    } else {
        format!("<p>These rights will be asked for:</p><ul>{scopes}</ul>")
    };
    Page {
        status: StatusCode::OK,
        title: format!("Connect {}", page.toolkit),
        body: format!(
            "<p>{who} to connect your {toolkit} account to taiku.</p>{scopes}\
             <p><a class=\"button\" rel=\"noreferrer\" href=\"{}\">Continue to {toolkit}</a></p>\
             <p class=\"muted\">You will be sent to <bdi>{host}</bdi>. Plugins never see your password or token. \
             Close this page if you did not ask for this.</p>",
            escape(page.authorize_url.as_str())
        ),
        script: None,
    }
}

/// `GET /oauth/callback/{context}`
pub(super) async fn callback(
    State(broker): State<Broker>,
    Path(context): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let callback = read(query.as_deref().unwrap_or_default());
    let flow = match connect::find(&broker, &callback).await {
        Ok(flow) => flow,
        Err(error) => return failed("Nothing was connected", &error, None).into_response(),
    };
    let cookie = flow_cookie(&broker, &headers, &flow.id).map(str::to_owned);
    let app = broker.origins.app.clone();
    // On a task of its own: a browser that goes away must not leave a code redeemed and its tokens unsaved.
    let work = async move { connect::finish(&broker, flow, &context, cookie.as_deref(), callback).await };
    let finished = tokio::spawn(work).await;
    match finished.unwrap_or_else(|panic| Err(FlowError::Internal(format!("finishing panicked: {panic}")))) {
        Ok(ended) => {
            let name = cookies::flow_name(&ended.flow, &app);
            with_cookie(ended_page(&ended).into_response(), cookies::clear(&name, SameSite::Lax))
        }
        Err(error) => failed("Nothing was connected", &error, None).into_response(),
    }
}

/// Reads the parameters; one that comes twice makes the whole answer ambiguous.
fn read(query: &str) -> Callback {
    let mut callback = Callback::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        let twice = match &*name {
            "code" => callback.code.replace(SecretString::new(value)).is_some(),
            "state" => callback.state.replace(value).is_some(),
            "iss" => callback.iss.replace(value).is_some(),
            "error" => callback.error.replace(value).is_some(),
            _ => false,
        };
        callback.ambiguous |= twice;
    }
    callback
}

fn ended_page(ended: &Ended) -> Page {
    match &ended.outcome {
        Ok(account) => {
            let label = account.label.as_deref().map_or_else(String::new, |label| {
                format!(" as <strong><bdi>{}</bdi></strong>", escape(label))
            });
            Page {
                status: StatusCode::OK,
                title: format!("{} is connected", ended.toolkit),
                body: format!(
                    "<p role=\"status\">{} is connected{label}. You can close this page.</p>\
                     <p><a class=\"button\" href=\"{}\">Back to taiku</a></p>",
                    escape(&ended.toolkit),
                    escape(&ended.callback_url)
                ),
                script: Some(script(ended, "ACTIVE")),
            }
        }
        Err(error) => failed("Nothing was connected", error, Some(ended)),
    }
}

fn failed(title: &str, error: &FlowError, ended: Option<&Ended>) -> Page {
    if let FlowError::Internal(error) = error {
        tracing::error!(%error, "a flow failed on our side");
    }
    let status = match error {
        FlowError::Declined => StatusCode::OK,
        FlowError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        FlowError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        FlowError::Exchange(_) => StatusCode::BAD_GATEWAY,
        FlowError::NotYours
        | FlowError::SessionEnded
        | FlowError::MixUp
        | FlowError::Changed(_)
        | FlowError::Provider(_) => StatusCode::BAD_REQUEST,
    };
    let text = match error {
        FlowError::Internal(_) => "Something went wrong on our side. Begin again.".to_owned(),
        error => error.to_string(),
    };
    let back = ended.map_or("/connections", |ended| &ended.callback_url);
    Page {
        status,
        title: title.to_owned(),
        body: format!(
            "<p role=\"status\">{}</p><p><a class=\"button\" href=\"{}\">Back to taiku</a></p>",
            escape(&text),
            escape(back)
        ),
        script: ended.map(|ended| script(ended, "FAILED")),
    }
}

/// Tells the host page, and closes a window that a script has opened; a page that cannot be closed after it
/// worked moves on. The query leaves the address at once, because it holds the code.
fn script(ended: &Ended, status: &str) -> String {
    let message = json!({
        "type": "connection_changed",
        "toolkit": ended.slug,
        "connectionId": ended.connection_id,
        "status": status,
    });
    let next = if status == "ACTIVE" { json!(ended.callback_url) } else { json!(null) };
    // `<` cannot end the script element when it is written as an escape.
    let data =
        json!({"channel": CHANNEL, "message": message, "next": next}).to_string().replace('<', "\\u003c");
    format!(
        "const d={data};history.replaceState(null,'',location.pathname);\
         new BroadcastChannel(d.channel).postMessage(d.message);\
         if(d.next){{window.close();if(!window.closed)location.replace(d.next)}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_is_ambiguous() {
        assert!(!read("code=a&state=b&x=1&x=2").ambiguous);
        for query in ["code=a&code=b", "state=a&state=a", "iss=a&iss=b", "error=a&error=b"] {
            assert!(read(query).ambiguous, "{query}");
        }
    }

    #[test]
    fn what_comes_from_outside_cannot_end_the_script() {
        let ended = Ended {
            toolkit: "<b>".into(),
            slug: "demo".into(),
            connection_id: "con_x".into(),
            callback_url: "/a?</script><script>alert(1)</script>".into(),
            flow: "flw_x".into(),
            outcome: Ok(taiku_bridge::api::Account { label: Some("<img>".into()), ..Default::default() }),
        };
        let page = ended_page(&ended);
        assert!(!page.script.unwrap().contains('<'));
        assert!(!page.body.contains("<img>") && !page.body.contains("<script>"));
    }
}
