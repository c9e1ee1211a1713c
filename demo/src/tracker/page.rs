//! The page at `/`: every issue of every demo account, so that a newcomer sees that it is really there.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::account::{ACCOUNTS, Account};
use super::issues::{Issue, State as IssueState};
use crate::demo::Demo;
use crate::html::{FormTarget, Page, STYLE, escape};

/// `GET /`
pub(crate) async fn show(State(demo): State<Demo>) -> Page {
    let accounts: String = ACCOUNTS.iter().map(|account| section(&demo, account)).collect();
    let body = format!(
        "<main class=\"wide\"><header><img class=\"logo\" src=\"/logo.svg\" alt=\"\" width=\"48\" height=\"48\">\
         <div><h1>Demo tracker</h1><p class=\"quiet\">An offline provider with two accounts. \
         What applications do with them shows up here.</p></div>\
         <a class=\"button\" href=\"/\">Refresh</a></header>{accounts}\
         <p class=\"quiet foot\">Everything here is kept in memory and ends with the process.</p></main>"
    );
    let title = "Demo tracker".to_owned();
    Page { status: StatusCode::OK, title, body, form_target: FormTarget::SelfOnly }
}

fn section(demo: &Demo, account: &Account) -> String {
    let issues: Vec<Issue> = demo.tracker(|tracker| tracker.of(account.id).cloned().collect());
    let list = if issues.is_empty() {
        "<p class=\"empty\">No issues yet.</p>".to_owned()
    } else {
        format!("<ul class=\"issues\">{}</ul>", issues.iter().map(item).collect::<String>())
    };
    format!(
        "<section aria-labelledby=\"{login}\"><header>\
         <img src=\"/avatars/{login}.svg\" alt=\"\" width=\"36\" height=\"36\">\
         <div><h2 id=\"{login}\">{name}</h2><small>{login}</small></div>{access}</header>{list}</section>",
        login = escape(account.login),
        name = escape(account.name),
        access = access(demo, account),
    )
}

fn access(demo: &Demo, account: &Account) -> String {
    let grants = match demo.grants(|grants, _| grants.living(account.id)) {
        0 => return "<span class=\"quiet\">Not connected</span>".to_owned(),
        1 => "1 connection".to_owned(),
        several => format!("{several} connections"),
    };
    format!(
        "<form method=\"post\" action=\"/accounts/{login}/revoke\"><span class=\"quiet\">{grants}</span>\
         <button aria-label=\"Revoke the access that {name} gave\">Revoke</button></form>",
        login = escape(account.login),
        name = escape(account.name),
    )
}

fn item(issue: &Issue) -> String {
    let (class, word) = match &issue.state {
        IssueState::Open => ("open", "Open"),
        IssueState::Closed(_) => ("closed", "Closed"),
    };
    let body = issue.body.as_deref().filter(|body| !body.is_empty());
    let body = body.map(|body| format!("<p class=\"body\">{}</p>", escape(body))).unwrap_or_default();
    format!(
        "<li id=\"issue-{number}\"><p class=\"line\"><span class=\"state {class}\">{word}</span>\
         <strong>{title}</strong> <span class=\"quiet\">#{number}</span></p>{body}\
         <small><time datetime=\"{date}\">{shown}</time></small></li>",
        number = issue.number,
        title = escape(&issue.title),
        date = escape(&issue.created_at),
        shown = escape(&issue.created_at.replace('T', " ").replace('Z', " UTC")),
    )
}

/// `POST /accounts/{login}/revoke`: the account takes back everything that it allowed.
pub(crate) async fn revoke(
    State(demo): State<Demo>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !demo.is_own_form(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(account) = ACCOUNTS.iter().find(|account| account.login == login) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    demo.grants(|grants, _| grants.end_account(account.id));
    (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response()
}

/// `GET /style.css`
pub(crate) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")], STYLE).into_response()
}

/// Any address that there is not.
pub(crate) async fn nothing_here() -> Page {
    let body = "<main class=\"card\"><img class=\"logo\" src=\"/logo.svg\" alt=\"\" width=\"48\" height=\"48\">\
                <h1>There is nothing here</h1><p>The demo provider does not know this address.</p>\
                <p class=\"actions\"><a class=\"button\" href=\"/\">Show the issues</a></p></main>";
    let title = "There is nothing here – Demo tracker".to_owned();
    Page { status: StatusCode::NOT_FOUND, title, body: body.to_owned(), form_target: FormTarget::None }
}
