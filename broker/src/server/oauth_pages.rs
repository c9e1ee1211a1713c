//! The two pages of an OAuth flow: the one that leads to the provider and the one that it comes back to.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use taiku_bridge::api::{Account, CHANNEL, Status};
use taiku_bridge::event;
use url::Url;

use super::cookies::{self, SameSite};
use super::page::{Page, escape};
use super::session::with_cookie;
use crate::broker::Broker;
use crate::connect::{self, Callback, Connected, Ended, FlowError, Opened, Sent, StartPage, Toolkit};
use crate::custody::consent::Step;
use crate::custody::typed::Typed;
use crate::oauth::Field;
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

/// `GET /oauth/start/{flow}`: says what is about to happen and what the user has to do: to follow the one link, to type
/// a code there, or to type a credential here.
pub(super) async fn start(
    State(broker): State<Broker>,
    Path(flow): Path<String>,
    headers: HeaderMap,
) -> Response {
    let cookie = flow_cookie(&broker, &headers, &flow).map(str::to_owned);
    let (own, again, id) = (cookie.clone(), broker.clone(), flow.clone());
    // On a task of its own, as the callback: opening this page may complete a device flow.
    let work = async move { connect::start_page(&broker, &flow, cookie.as_deref()).await };
    match tokio::spawn(work).await.unwrap_or_else(|panic| Err(FlowError::Internal(panic.to_string()))) {
        Ok(Opened::Start(page)) => start_page(&page, None),
        Ok(Opened::Ended(ended)) => over(&again, &ended),
        Err(error) => {
            let toolkit = connect::toolkit_of(&again, &id, own.as_deref()).await;
            failed("This link does not work here", &error, toolkit.as_ref(), None).into_response()
        }
    }
}

/// `POST /oauth/start/{flow}`: what the user has typed.
pub(super) async fn supply(
    State(broker): State<Broker>,
    Path(flow): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let title = "This link does not work here";
    if !is_from_our_page(&headers, broker.origins.app.as_str()) || body.len() > MAX_FORM {
        return failed(title, &FlowError::NotYours, None, None).into_response();
    }
    let fields = url::form_urlencoded::parse(&body).into_owned();
    let values = fields.map(|(name, value)| Typed { name, value: SecretString::new(value) }).collect();
    let cookie = flow_cookie(&broker, &headers, &flow).map(str::to_owned);
    let (own, again, id) = (cookie.clone(), broker.clone(), flow.clone());
    let work = async move { connect::supply(&broker, &flow, cookie.as_deref(), values).await };
    match tokio::spawn(work).await.unwrap_or_else(|panic| Err(FlowError::Internal(panic.to_string()))) {
        Ok(Sent::Again(page, why)) => start_page(&page, Some(&why)),
        Ok(Sent::Ended(ended)) => over(&again, &ended),
        Err(error) => {
            let toolkit = connect::toolkit_of(&again, &id, own.as_deref()).await;
            failed(title, &error, toolkit.as_ref(), None).into_response()
        }
    }
}

/// Bytes of what a user types.
const MAX_FORM: usize = 64 * 1024;

/// A browser says by itself where a form comes from. Because our pages send no referrer, `Origin` is `null` then; it
/// counts only for browsers that do not say it better.
fn is_from_our_page(headers: &HeaderMap, own_origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text("origin") == Some(own_origin),
    }
}

/// The page of a flow that has ended here, which takes its cookie along.
fn over(broker: &Broker, ended: &Ended) -> Response {
    let name = cookies::flow_name(&ended.flow, &broker.origins.app);
    with_cookie(ended_page(ended).into_response(), cookies::clear(&name, SameSite::Lax))
}

fn start_page(page: &StartPage, wrong: Option<&str>) -> Response {
    let toolkit = escape(&page.toolkit);
    let who = match &page.plugin {
        Some(plugin) => format!("The plugin <strong><bdi>{}</bdi></strong> wants", escape(plugin)),
        None => "You want".to_owned(),
    };
    let scopes: String =
        page.scopes.iter().map(|scope| format!("<li><code>{}</code></li>", escape(scope))).collect();
    let typed = matches!(&page.step, Step::Type { fields, .. } if !fields.is_empty());
    let scopes = match scopes.is_empty() {
        true if typed => String::new(),
        true => "<p>No rights in particular are asked for.</p>".to_owned(),
        false => format!("<p>These rights will be asked for:</p><ul>{scopes}</ul>"),
    };
    let wrong = wrong.map_or_else(String::new, |why| format!("<p role=\"alert\">{}</p>", escape(why)));
    let step = step(&page.step, &toolkit);
    let html = Page {
        status: StatusCode::OK,
        title: format!("Connect {}", page.toolkit),
        body: format!("<p>{who} to connect your {toolkit} account to taiku.</p>{scopes}{wrong}{step}"),
        script: None,
    };
    let mut response = html.into_response();
    if let Step::Device { wait, .. } = &page.step {
        // The page asks again by itself; without a script it has no other way.
        let seconds = (*wait).clamp(1, 300);
        response.headers_mut().insert(header::REFRESH, HeaderValue::from(seconds));
    }
    response
}

/// What the user has to do, as HTML; `toolkit` is escaped.
fn step(step: &Step, toolkit: &str) -> String {
    const CLOSE: &str =
        "Plugins never see your password or token. Close this page if you did not ask for this.";
    let link = |url: &Url| {
        format!(
            "<p><a class=\"button\" rel=\"noreferrer\" href=\"{}\">Continue to {toolkit}</a></p>",
            escape(url.as_str())
        )
    };
    let host = |url: &Url| escape(url.host_str().unwrap_or_default());
    match step {
        Step::Go(url) => format!(
            "{}<p class=\"muted\">You will be sent to <bdi>{}</bdi>. {CLOSE}</p>",
            link(url),
            host(url)
        ),
        Step::Device { user_code, verification_uri, complete_uri, .. } => format!(
            "<p>Type this code at {toolkit}:</p><p><strong><code id=\"code\">{}</code></strong></p>{}\
             <p class=\"muted\">The place is <bdi>{}</bdi>. This page goes on by itself when you have allowed it \
             there. {CLOSE}</p>",
            escape(user_code),
            // In a window of its own: this page has to stay.
            link(complete_uri.as_ref().unwrap_or(verification_uri)).replace("<a ", "<a target=\"_blank\" "),
            host(verification_uri)
        ),
        Step::Type { fields, help } => {
            let inputs: String = fields.iter().map(input).collect();
            let help = help.as_ref().map_or_else(String::new, |help| {
                format!(
                    "<p class=\"muted\"><a rel=\"noreferrer\" target=\"_blank\" href=\"{}\">Where to find it</a></p>",
                    escape(help)
                )
            });
            format!(
                "<form method=\"post\">{inputs}<p><button class=\"button\">Connect {toolkit}</button></p></form>\
                 {help}<p class=\"muted\">{CLOSE}</p>"
            )
        }
        Step::Ended(_) => String::new(),
    }
}

fn input(field: &Field) -> String {
    let (name, label) = (escape(&field.name), escape(&field.label));
    let kind = if field.secret { "password" } else { "text" };
    format!(
        "<p><label>{label}<br><input name=\"{name}\" type=\"{kind}\" autocomplete=\"off\" \
         spellcheck=\"false\" maxlength=\"8192\"></label></p>"
    )
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
