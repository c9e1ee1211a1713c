//! The API of the tracker.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::account::Account;
use super::api_error::ApiError;
use super::auth::Caller;
use super::draft::Draft;
use super::issues::{Issue, State as IssueState};
use crate::demo::Demo;
use crate::oauth::Scope;

type Number = Result<Path<String>, PathRejection>;
type Answer = Result<Json<Value>, ApiError>;

/// `GET /api/user`
pub(crate) async fn user(State(demo): State<Demo>, caller: Caller) -> Answer {
    let account = caller.with(Scope::Profile)?;
    Ok(Json(json!({
        "id": account.id,
        "login": account.login,
        "name": account.name,
        "avatar_url": format!("{}/avatars/{}.svg", demo.issuer(), account.login),
    })))
}

/// `GET /api/issues`
pub(crate) async fn list(State(demo): State<Demo>, caller: Caller) -> Answer {
    let account = caller.with(Scope::IssuesRead)?;
    let issues: Vec<Value> =
        demo.tracker(|tracker| tracker.of(account.id).map(|issue| shown(&demo, issue)).collect());
    Ok(Json(json!({ "total": issues.len(), "issues": issues })))
}

/// `POST /api/issues`
pub(crate) async fn create(
    State(demo): State<Demo>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let account = caller.with(Scope::IssuesWrite)?;
    let draft = Draft::read(&read_json(&headers, body)?).map_err(ApiError::Invalid)?;
    let date = demo.date();
    let issue =
        demo.tracker(|tracker| tracker.create(account.id, draft, date)).map_err(|_| ApiError::Full)?;
    demo.count(|counts| counts.issues_created += 1);
    Ok((StatusCode::CREATED, Json(shown(&demo, &issue))))
}

/// `GET /api/issues/{number}`
pub(crate) async fn show(State(demo): State<Demo>, caller: Caller, number: Number) -> Answer {
    let account = caller.with(Scope::IssuesRead)?;
    let number = read_number(number)?;
    demo.tracker(|tracker| tracker.get(account.id, number).map(|issue| shown(&demo, issue)))
        .map(Json)
        .ok_or_else(|| no_issue(number))
}

/// `POST /api/issues/{number}/close`
pub(crate) async fn close(State(demo): State<Demo>, caller: Caller, number: Number) -> Answer {
    let account = caller.with(Scope::IssuesWrite)?;
    let number = read_number(number)?;
    let date = demo.date();
    demo.tracker(|tracker| tracker.close(account.id, number, date).map(|issue| shown(&demo, issue)))
        .map(Json)
        .ok_or_else(|| no_issue(number))
}

/// `DELETE /api/issues/{number}`
pub(crate) async fn delete(
    State(demo): State<Demo>,
    caller: Caller,
    number: Number,
) -> Result<StatusCode, ApiError> {
    let account = caller.with(Scope::IssuesWrite)?;
    let number = read_number(number)?;
    demo.tracker(|tracker| tracker.delete(account.id, number)).ok_or_else(|| no_issue(number))?;
    demo.count(|counts| counts.issues_deleted += 1);
    Ok(StatusCode::NO_CONTENT)
}

/// Any other address under `/api/`.
pub(crate) async fn unknown() -> ApiError {
    ApiError::NotFound("such address in this API".to_owned())
}

/// A known address with another method.
pub(crate) async fn wrong_method() -> ApiError {
    ApiError::WrongMethod
}

fn read_number(number: Number) -> Result<u64, ApiError> {
    let Ok(Path(text)) = number else { return Err(ApiError::NotFound("such issue".to_owned())) };
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or_else(|| ApiError::NotFound(format!("issue {text:?}; issues have numbers")))
}

fn no_issue(number: u64) -> ApiError {
    ApiError::NotFound(format!("issue {number} of this account"))
}

fn read_json(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::NotJson(format!("its content type is {kind:?}")));
    }
    let body = body.map_err(|_| ApiError::TooLarge)?;
    serde_json::from_slice(&body).map_err(|error| ApiError::NotJson(error.to_string()))
}

fn shown(demo: &Demo, issue: &Issue) -> Value {
    let (state, closed_at) = match &issue.state {
        IssueState::Open => ("open", None),
        IssueState::Closed(date) => ("closed", Some(date)),
    };
    json!({
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": state,
        "author": Account::of(issue.account).map(|account| account.login),
        "created_at": issue.created_at,
        "closed_at": closed_at,
        "url": format!("{}/#issue-{}", demo.issuer(), issue.number),
    })
}
