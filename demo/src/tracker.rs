//! A small issue tracker: accounts, their issues, an API for programs and a page for people.

mod account;
mod api;
mod api_error;
mod auth;
mod draft;
mod issues;
mod page;

use axum::Router;
use axum::routing::{get, post};

use crate::demo::Demo;

pub(crate) use account::{ACCOUNTS, Account, AccountId};
pub(crate) use issues::Tracker;
pub(crate) use page::nothing_here;

/// Everything behind a bearer token.
pub(crate) fn api() -> Router<Demo> {
    Router::new()
        .route("/api/user", get(api::user))
        .route("/api/issues", get(api::list).post(api::create))
        .route("/api/issues/{number}", get(api::show).delete(api::delete))
        .route("/api/issues/{number}/close", post(api::close))
        .route("/api/{*rest}", get(api::unknown).fallback(api::unknown))
        .method_not_allowed_fallback(api::wrong_method)
}

/// What people look at.
pub(crate) fn pages() -> Router<Demo> {
    Router::new()
        .route("/", get(page::show))
        .route("/accounts/{login}/revoke", post(page::revoke))
        .route("/avatars/{file}", get(account::avatar))
        .route("/logo.svg", get(account::logo))
        .route("/style.css", get(page::style))
}
