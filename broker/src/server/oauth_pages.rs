//! The two pages of an OAuth flow: the one that leads to the provider and the one that it comes back to.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use taiku_bridge::api::{Account, CHANNEL, Status};
use taiku_bridge::event;

use super::cookies::{self, SameSite};
use super::page::{Page, escape};
use super::session::with_cookie;
use crate::broker::Broker;
use crate::connect::{self, Callback, Connected, Ended, FlowError, StartPage, Toolkit};
use crate::store::connections::ANOTHER_ACCOUNT;
use crate::vault::SecretString;

/// The title of a page that ends a flow in vain.
const NOTHING: &str = "Nothing was connected";
/// Parameters of a callback that are kept although no standard names them.
const MAX_OTHERS: usize = 32;
/// Where the host page shows the user's connections.
const CONNECTIONS_PAGE: &str = "/connections";

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
        Err(error) => {
            let toolkit = connect::toolkit_of(&broker, &flow, flow_cookie(&broker, &headers, &flow)).await;
            failed("This link does not work here", &error, toolkit.as_ref(), None).into_response()
        }
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
        // Signing out or in has ended the flow, so only the address says what it was for.
        Err(error) => {
            let toolkit = connect::toolkit_at(&broker, &context).await;
            return failed(NOTHING, &error, toolkit.as_ref(), None).into_response();
        }
    };
    let cookie = flow_cookie(&broker, &headers, &flow.id).map(str::to_owned);
    let app = broker.origins.app.clone();
    let (id, own, again) = (flow.id.clone(), cookie.clone(), broker.clone());
    // On a task of its own: a browser that goes away must not leave a code redeemed and its tokens unsaved.
    let work = async move { connect::finish(&broker, flow, &context, cookie.as_deref(), callback).await };
    let finished = tokio::spawn(work).await;
    match finished.unwrap_or_else(|panic| Err(FlowError::Internal(format!("finishing panicked: {panic}")))) {
        Ok(ended) => {
            let name = cookies::flow_name(&ended.flow, &app);
            with_cookie(ended_page(&ended).into_response(), cookies::clear(&name, SameSite::Lax))
        }
        Err(error) => {
            let toolkit = connect::toolkit_of(&again, &id, own.as_deref()).await;
            failed(NOTHING, &error, toolkit.as_ref(), None).into_response()
        }
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
            "error_description" => callback.error_description.replace(value).is_some(),
            other => {
                if callback.others.len() < MAX_OTHERS {
                    callback.others.push((other.to_owned(), value));
                }
                false
            }
        };
        callback.ambiguous |= twice;
    }
    callback
}

fn ended_page(ended: &Ended) -> Page {
    let toolkit = escape(&ended.toolkit);
    match &ended.outcome {
        Ok(Connected::Active(account)) => Page {
            status: StatusCode::OK,
            title: format!("{} is connected", ended.toolkit),
            body: format!(
                "<p role=\"status\">{toolkit} is connected{}. You can close this page.</p>{}",
                named(" as ", account, ""),
                button("Back to taiku", &ended.callback_url)
            ),
            script: Some(script(ended, Status::Active, None, Some(&ended.callback_url))),
        },
        Ok(Connected::Undecided { account, other }) => Page {
            status: StatusCode::OK,
            title: "That is another account".to_owned(),
            body: format!(
                "<p role=\"status\">You signed in{}. The connection that you wanted to renew{}, and it stays as it \
                 was. Choose in taiku whether to add this account beside it.</p>{}",
                named(" as ", account, ""),
                named(" is of ", other, ""),
                button("Choose in taiku", CONNECTIONS_PAGE)
            ),
            script: Some(script(ended, Status::Initiated, Some(ANOTHER_ACCOUNT), Some(CONNECTIONS_PAGE))),
        },
        Err(error) => {
            let toolkit = Toolkit { slug: ended.slug.clone(), name: ended.toolkit.clone() };
            let script = script(ended, Status::Failed, Some(&connect::why(error)), None);
            failed(NOTHING, error, Some(&toolkit), Some(script))
        }
    }
}

/// The name of an account between two texts; nothing where the provider does not name it.
fn named(before: &str, account: &Account, after: &str) -> String {
    account.label.as_deref().map_or_else(String::new, |label| {
        format!("{before}<strong><bdi>{}</bdi></strong>{after}", escape(label))
    })
}

fn button(text: &str, href: &str) -> String {
    format!("<p><a class=\"button\" href=\"{}\">{}</a></p>", escape(href), escape(text))
}

/// What went wrong, and the one thing that mends it.
fn failed(title: &str, error: &FlowError, toolkit: Option<&Toolkit>, script: Option<String>) -> Page {
    if let FlowError::Internal(error) = error {
        tracing::error!(%error, "a flow failed on our side");
    }
    let said = error.said().map_or_else(String::new, |said| {
        format!("<p class=\"muted\">It says: <q><bdi>{}</bdi></q></p>", escape(said.for_page()))
    });
    let mend = match toolkit {
        Some(toolkit) if can_begin_again(error) => button(
            &format!("Connect {} again", toolkit.name),
            &format!("{CONNECTIONS_PAGE}?connect={}", toolkit.slug),
        ),
        Some(_) | None => button("Back to taiku", CONNECTIONS_PAGE),
    };
    Page {
        status: status(error),
        title: title.to_owned(),
        body: format!("<p role=\"status\">{}</p>{said}{mend}", escape(&error.to_string())),
        script,
    }
}

/// Whether beginning again may end otherwise.
fn can_begin_again(error: &FlowError) -> bool {
    !matches!(error, FlowError::Over | FlowError::Changed(_))
}

fn status(error: &FlowError) -> StatusCode {
    match error {
        FlowError::Declined => StatusCode::OK,
        FlowError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        FlowError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        FlowError::Exchange { .. } | FlowError::Unreachable => StatusCode::BAD_GATEWAY,
        FlowError::NotYours
        | FlowError::Over
        | FlowError::TooLate
        | FlowError::SessionEnded
        | FlowError::MixUp
        | FlowError::Changed(_)
        | FlowError::Provider { .. } => StatusCode::BAD_REQUEST,
    }
}

/// Tells the host page, and closes a window that a script has opened; a page that cannot be closed after it
/// worked moves on. The query leaves the address at once, because it holds the code.
fn script(ended: &Ended, status: Status, why: Option<&str>, next: Option<&str>) -> String {
    let message = json!({
        "type": event::CONNECTION_CHANGED,
        "data": {"connectionId": ended.connection_id, "toolkit": ended.slug, "status": status, "why": why},
    });
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
            outcome: Ok(Connected::Active(Account { label: Some("<img>".into()), ..Account::default() })),
        };
        let page = ended_page(&ended);
        assert!(!page.script.unwrap().contains('<'));
        assert!(!page.body.contains("<img>") && !page.body.contains("<script>"));
    }
}
