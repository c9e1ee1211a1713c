//! Begins a connection from this page itself.

use leptos::prelude::*;
use leptos::task::spawn_local;
use taiku_bridge::Slug;
use taiku_bridge::api::{self, ConnectBody, Connecting};

use crate::bridge_host::{Popup, is_safe_target};
use crate::http::{self, HttpError, Request};
use crate::state::{App, Mend, Unfinished, begun};

/// Opens the connect page of a toolkit in a window; `renewed` is the connection to renew, if it is one. Must be
/// called within a click.
pub(crate) fn connect(app: App, toolkit: Slug, renewed: Option<String>) {
    let popup = Popup::open();
    app.finished(toolkit.as_str());
    spawn_local(async move {
        match begin(&toolkit, renewed).await {
            Ok(Connecting { redirect_url, provider_host, connection_id, .. }) => {
                begun(&connection_id);
                if !popup.go(&redirect_url) {
                    let mend = Mend::Open { url: redirect_url, host: provider_host };
                    app.leave_unfinished(Unfinished { plugin: None, toolkit: toolkit.to_string(), mend });
                }
                app.connections_changed.update(|changes| *changes += 1);
            }
            Err(error) => {
                popup.close();
                app.fail(&error);
            }
        }
    });
}

async fn begin(toolkit: &Slug, connection_id: Option<String>) -> Result<Connecting, HttpError> {
    let body = http::json(&ConnectBody { connection_id, ..ConnectBody::default() });
    let begun = Request::post(&api::connect(toolkit), body).read::<Connecting>().await?;
    let redirect_url = is_safe_target(&begun.redirect_url).ok_or(HttpError::Unreadable(201))?;
    Ok(Connecting { redirect_url, ..begun })
}

/// What became of a consent that brought nothing, in words.
pub(crate) fn reason(why: &str) -> String {
    let (why, code) = why.split_once(':').map_or((why, None), |(why, code)| (why, Some(code)));
    let sentence = match why {
        "declined" => "You did not allow the access at the service.",
        "timed_out" => "Nobody finished it within 10 minutes.",
        "unreachable" => "The service could not be reached.",
        "exchange_failed" => "The service did not complete the sign-in.",
        "refused" => "It was not finished as it was begun.",
        "provider_error" => match code {
            Some(code) => {
                return format!("The service answered with the error {}.", crate::text::shown(code, 64));
            }
            None => "The service answered with an error.",
        },
        "revoked" => "It was taken back at the service.",
        "in_doubt" => "The service may have renewed it without our hearing of it.",
        "restore" => "The server was restored from a backup that is older than its keys.",
        "by_admin" => "An admin has taken back every access to this service.",
        "no_refresh_token" => "The access has ended, and the service does not renew it.",
        "integration_changed" => "An admin has changed the integration.",
        "key_compromised" => "A key of this server may be known to others, so the access was taken back.",
        "another_account" => "You signed in with another account than the one to renew.",
        _ => "Something went wrong on our side.",
    };
    sentence.to_owned()
}
