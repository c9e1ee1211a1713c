//! The consent page, and what happens when somebody clicks.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::authorize::problem;
use super::grants::{REQUEST_LIFE, Request};
use crate::client::Client;
use crate::demo::Demo;
use crate::form::{Form, Repeated, append};
use crate::html::{FormTarget, Page, escape};
use crate::random::{Kind, NoRandom, Token, digest};
use crate::tracker::{ACCOUNTS, Account, AccountId};

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
enum Undecided {
    #[error("The answer did not come from the consent page.")]
    ForeignOrigin,
    #[error("The form could not be read; go back to the application and begin again.")]
    Unreadable,
    #[error("The form is malformed: {0}.")]
    Repeated(#[from] Repeated),
    #[error(
        "This request was answered already, is older than ten minutes, or began in another browser. Go back to the application and begin again."
    )]
    Gone,
    #[error("{0}")]
    Server(#[from] NoRandom),
}

enum Decision {
    Allow(AccountId),
    Deny,
}

/// The page that asks.
pub(crate) fn page(demo: &Demo, client: &Client, request: &Request, key: &Token) -> Page {
    let wishes: String =
        request.scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope.sentence()))).collect();
    let accounts: String =
        ACCOUNTS.iter().enumerate().map(|(place, account)| choice(account, place)).collect();
    let origin = origin(&request.redirect_uri);
    let name = escape(&client.name);
    let body = format!(
        "<main class=\"card\">\
         <img class=\"logo\" src=\"/logo.svg\" alt=\"\" width=\"48\" height=\"48\">\
         <h1>{name} wants to use your Demo tracker account</h1>\
         <p class=\"quiet\">You will return to <strong>{origin_text}</strong>.</p>\
         <form method=\"post\" action=\"/authorize/decision\" autocomplete=\"off\">\
         <input type=\"hidden\" name=\"request\" value=\"{key}\">\
         <h2>It would like to</h2><ul class=\"wishes\">{wishes}</ul>\
         <fieldset><legend>Continue as</legend>{accounts}</fieldset>\
         <p class=\"actions\"><button name=\"decision\" value=\"deny\">Deny</button>\
         <button class=\"primary\" name=\"decision\" value=\"allow\">Allow</button></p></form>\
         <p class=\"quiet foot\">This is the offline demo provider at {issuer}. Its accounts are not real.</p></main>",
        origin_text = escape(&origin),
        key = escape(key.expose()),
        issuer = escape(demo.issuer()),
    );
    let title = format!("{} wants to use your account – Demo tracker", client.name);
    Page { status: StatusCode::OK, title, body, form_target: FormTarget::SelfThen(origin) }
}

fn choice(account: &Account, place: usize) -> String {
    let checked = if place == 0 { " checked" } else { "" };
    format!(
        "<label class=\"account\"><input type=\"radio\" name=\"account\" value=\"{login}\"{checked}>\
         <img src=\"/avatars/{login}.svg\" alt=\"\" width=\"36\" height=\"36\">\
         <span><strong>{name}</strong><small>{login}</small></span></label>",
        login = escape(account.login),
        name = escape(account.name),
    )
}

/// `POST /authorize/decision`: sends the browser back with a code, or with `access_denied`.
pub(crate) async fn decide(
    State(demo): State<Demo>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    taken(&demo, &headers, body).unwrap_or_else(|error| problem(&error.to_string(), ""))
}

fn taken(
    demo: &Demo,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Undecided> {
    if !demo.is_own_form(headers) {
        return Err(Undecided::ForeignOrigin);
    }
    let form = Form::parse(&body.map_err(|_| Undecided::Unreadable)?);
    let key = digest(form.get("request")?.ok_or(Undecided::Unreadable)?);
    let decision = read(&form)?;
    let browser = digest(browser(demo, headers).ok_or(Undecided::Gone)?);
    let code = Token::new(Kind::Code)?;
    let request = demo.grants(|grants, now| grants.answer(now, &key, &browser)).ok_or(Undecided::Gone)?;
    let (uri, state) = (request.redirect_uri.clone(), request.state.clone());
    let location = match decision {
        Decision::Allow(account) => {
            demo.count(|counts| counts.consents_allowed += 1);
            demo.grants(|grants, now| grants.allow(now, code.digest(), account, request));
            back(demo, &uri, &[("code", code.expose())], state.as_deref())
        }
        Decision::Deny => {
            demo.count(|counts| counts.consents_denied += 1);
            let params = [("error", "access_denied"), ("error_description", "The request was denied.")];
            back(demo, &uri, &params, state.as_deref())
        }
    };
    redirect(&location)
}

fn read(form: &Form) -> Result<Decision, Undecided> {
    match form.get("decision")? {
        Some("deny") => Ok(Decision::Deny),
        Some("allow") => {
            let login = form.get("account")?.ok_or(Undecided::Unreadable)?;
            let account = ACCOUNTS.iter().find(|account| account.login == login);
            Ok(Decision::Allow(account.ok_or(Undecided::Unreadable)?.id))
        }
        _ => Err(Undecided::Unreadable),
    }
}

fn redirect(location: &str) -> Result<Response, Undecided> {
    let location = HeaderValue::try_from(location).map_err(|_| Undecided::Unreadable)?;
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The address that ends a request: the answer, the state as it came, and who answers (RFC 9207).
pub(crate) fn back(demo: &Demo, redirect_uri: &str, params: &[(&str, &str)], state: Option<&str>) -> String {
    let mut params = params.to_vec();
    params.extend(state.map(|state| ("state", state)));
    params.push(("iss", demo.issuer()));
    append(redirect_uri, &params)
}

/// The token of the browser that sends `headers`, if it has one.
pub(crate) fn browser<'a>(demo: &Demo, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = cookie_name(demo);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split("; "))
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| *key == name && Kind::Browser.is_shape_of(value))
        .map(|(_, value)| value)
}

/// Binds the consent page to the browser that it is shown in. Lax, since the page itself is reached from
/// another site; a form of another site still does not send it.
pub(crate) fn cookie(demo: &Demo, browser: &str) -> String {
    let (name, seconds) = (cookie_name(demo), REQUEST_LIFE.as_secs());
    format!("{name}={browser}; Path=/authorize; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

fn cookie_name(demo: &Demo) -> String {
    format!("demo_browser_{}", demo.port())
}

fn origin(uri: &str) -> String {
    Url::parse(uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}
