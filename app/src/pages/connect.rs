//! Begins a connection from this page itself.

use leptos::task::spawn_local;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, ConnectBody, Connecting};

use crate::bridge_host::{Popup, is_safe_target};
use crate::http::{self, HttpError, Request};
use crate::state::{App, BlockedPopup};

/// Opens the connect page of a toolkit in a window. Must be called within a click.
pub(super) fn connect(app: App, toolkit: Slug) {
    let popup = Popup::open();
    spawn_local(async move {
        match begin(&toolkit).await {
            Ok(url) => {
                if !popup.go(&url) {
                    app.offer_link(BlockedPopup { plugin: None, toolkit: toolkit.to_string(), url });
                }
                leptos::prelude::Update::update(&app.connections_changed, |changes| *changes += 1);
            }
            Err(error) => {
                popup.close();
                app.fail(&error);
            }
        }
    });
}

async fn begin(toolkit: &Slug) -> Result<String, HttpError> {
    let body = http::json(&ConnectBody::default());
    let begun = Request::post(&api::connect(toolkit), body).read::<Connecting>().await?;
    is_safe_target(&begun.redirect_url).ok_or(HttpError::Unreadable(201))
}
