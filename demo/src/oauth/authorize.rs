//! `GET /authorize`: checks a request and shows the consent page.
//!
//! Nothing is redirected without a click, errors included: a browser that is sent here by a stranger stays here.

use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::consent;
use super::grants::Request;
use super::pkce::Challenge;
use super::scope::{Scopes, UnknownScope};
use crate::client::Client;
use crate::demo::Demo;
use crate::form::{Form, Repeated};
use crate::html::{FormTarget, Page, escape};
use crate::random::{Kind, NoRandom, Token, digest};

const MAX_QUERY: usize = 8 * 1024;

/// Why a request cannot be answered by sending the browser back: nobody knows where to.
#[derive(Debug, thiserror::Error)]
enum Untrusted {
    #[error("The request is longer than 8 KiB.")]
    TooLong,
    #[error("The request is malformed: {0}.")]
    Repeated(#[from] Repeated),
    #[error("No application is registered with this client_id.")]
    Client,
    #[error("The redirect_uri is not one that the application registered.")]
    RedirectUri,
}

/// Why a request is refused; the application may learn it (RFC 6749 section 4.1.2.1).
#[derive(Debug, thiserror::Error)]
enum Invalid {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("response_type must be code")]
    ResponseType,
    #[error("code_challenge is missing or is not 43 characters of base64url")]
    Challenge,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error(transparent)]
    Scope(#[from] UnknownScope),
}

impl Invalid {
    const fn code(&self) -> &'static str {
        match self {
            Self::Repeated(_) | Self::Challenge | Self::ChallengeMethod => "invalid_request",
            Self::ResponseType => "unsupported_response_type",
            Self::Scope(_) => "invalid_scope",
        }
    }
}

/// Shows the consent page, or says what is wrong.
pub(crate) async fn show(
    State(demo): State<Demo>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    demo.count(|counts| counts.authorize_requests += 1);
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes());
    let (client, redirect_uri) = match trusted(&demo, &query, &form) {
        Ok(known) => known,
        Err(error) => return problem(&error.to_string(), ""),
    };
    match read(&client, redirect_uri, &form) {
        Ok(request) => {
            ask(&demo, &client, request, &headers).unwrap_or_else(|error| problem(&error.to_string(), ""))
        }
        Err(error) => refuse(&demo, &client, &form, redirect_uri, &error),
    }
}

fn trusted<'a>(demo: &Demo, query: &str, form: &'a Form) -> Result<(Client, &'a str), Untrusted> {
    if query.len() > MAX_QUERY {
        return Err(Untrusted::TooLong);
    }
    let client = form.get("client_id")?.and_then(|id| demo.client(id)).ok_or(Untrusted::Client)?;
    let redirect_uri = form.get("redirect_uri")?.ok_or(Untrusted::RedirectUri)?;
    if client.redirect_uris.iter().any(|registered| registered == redirect_uri) {
        Ok((client, redirect_uri))
    } else {
        Err(Untrusted::RedirectUri)
    }
}

fn read(client: &Client, redirect_uri: &str, form: &Form) -> Result<Request, Invalid> {
    let state = form.get("state")?.map(str::to_owned);
    if form.get("response_type")? != Some("code") {
        return Err(Invalid::ResponseType);
    }
    let challenge = form.get("code_challenge")?.and_then(Challenge::parse).ok_or(Invalid::Challenge)?;
    if form.get("code_challenge_method")? != Some("S256") {
        return Err(Invalid::ChallengeMethod);
    }
    let scopes = form.get("scope")?.map_or_else(|| Ok(Scopes::least()), Scopes::parse)?;
    let client_id = client.id.clone();
    Ok(Request { client_id, redirect_uri: redirect_uri.to_owned(), state, scopes, challenge })
}

fn ask(demo: &Demo, client: &Client, request: Request, headers: &HeaderMap) -> Result<Response, NoRandom> {
    let key = Token::new(Kind::Request)?;
    let known = consent::browser(demo, headers);
    let fresh = Token::new(Kind::Browser)?;
    let browser = known.unwrap_or_else(|| fresh.expose());
    let page = consent::page(demo, client, &request, &key);
    let cookie = consent::cookie(demo, browser);
    let browser = digest(browser);
    demo.grants(|grants, now| grants.ask(now, key.digest(), browser, request));
    let mut response = page.into_response();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn refuse(demo: &Demo, client: &Client, form: &Form, redirect_uri: &str, error: &Invalid) -> Response {
    let description = error.to_string();
    let state = form.get("state").ok().flatten();
    let params = [("error", error.code()), ("error_description", &description)];
    let back = consent::back(demo, redirect_uri, &params, state);
    let link = format!(
        "<p class=\"actions\"><a class=\"button\" href=\"{}\">Back to {}</a></p>",
        escape(&back),
        escape(&client.name)
    );
    problem(&format!("The application asked in a wrong way: {description}."), &link)
}

/// A page that says what is wrong and where nothing happens by itself. `more` is markup.
pub(crate) fn problem(sentence: &str, more: &str) -> Response {
    let body = format!(
        "<main class=\"card\"><img class=\"logo\" src=\"/logo.svg\" alt=\"\" width=\"48\" height=\"48\">\
         <h1>This request cannot be granted</h1><p>{}</p>{more}</main>",
        escape(sentence)
    );
    let title = "This request cannot be granted – Demo tracker".to_owned();
    Page { status: StatusCode::BAD_REQUEST, title, body, form_target: FormTarget::None }.into_response()
}
