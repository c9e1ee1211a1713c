//! What plugins store: three shelves with the same routes.

use axum::extract::{FromRequest as _, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use taiku_bridge::api::{PLUGIN_HEADER, User};
use taiku_bridge::call::{Act, DEFAULT_ENTRIES, Data, Encoding, Listing, Shelf, Verb};
use taiku_bridge::{Call, Code, Method, PluginId, Refusal};

use super::access::SignedIn;
use super::body::JsonText;
use crate::broker::Broker;
use crate::caller;
use crate::failure::Failure;
use crate::plugin_data::{self, Answer};
use crate::store::audit::{self, Actor};
use crate::store::plugin_data::{self as shelves, Place};

/// A shelf, as a type: each route is of one.
pub(super) trait On: Send + Sync + 'static {
    /// Which.
    const SHELF: Shelf;
}

/// Values of one plugin for one user.
pub(super) struct UserData;
/// Values of one plugin, shared by all users.
pub(super) struct Kv;
/// Files of one plugin for one user.
pub(super) struct Files;

impl On for UserData {
    const SHELF: Shelf = Shelf::UserData;
}

impl On for Kv {
    const SHELF: Shelf = Shelf::Kv;
}

impl On for Files {
    const SHELF: Shelf = Shelf::Files;
}

#[derive(Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    encoding: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    limit: Option<String>,
}

/// `GET /plugins/{id}/kv/{key}` and the like
pub(super) async fn read<S: On>(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
    Query(written): Query<Written>,
) -> Result<Response, Failure> {
    let method = S::SHELF.method(Verb::Get);
    let parse = || {
        let encoding = match S::SHELF {
            Shelf::UserData | Shelf::Kv => Encoding::Json,
            Shelf::Files => Encoding::of_file(written.encoding.as_deref())?,
        };
        Data { shelf: S::SHELF, act: Act::Get { name, encoding } }.checked()
    };
    run(&broker, &user, &headers, &id, method, parse).await
}

/// `PUT /plugins/{id}/kv/{key}` and the like
pub(super) async fn write<S: On>(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let JsonText(body) = JsonText::from_request(request, &()).await?;
    let parse = || Data::from_body(S::SHELF, name, &body);
    run(&broker, &user, &headers, &id, S::SHELF.method(Verb::Set), parse).await
}

/// `DELETE /plugins/{id}/kv/{key}` and the like
pub(super) async fn delete<S: On>(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let parse = || Data { shelf: S::SHELF, act: Act::Delete { name } }.checked();
    run(&broker, &user, &headers, &id, S::SHELF.method(Verb::Delete), parse).await
}

/// `GET /plugins/{id}/kv` and the like
pub(super) async fn list<S: On>(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(search): Query<Search>,
) -> Result<Response, Failure> {
    let parse = || {
        let limit = match search.limit.as_deref().map(str::parse::<f64>) {
            None => DEFAULT_ENTRIES,
            Some(Ok(number)) if number.is_finite() => Listing::clamp(number),
            Some(_) => return Err(Refusal::field("/limit", "must be a number")),
        };
        let listing = Listing { prefix: search.prefix, cursor: search.cursor, limit };
        Data { shelf: S::SHELF, act: Act::List(listing) }.checked()
    };
    run(&broker, &user, &headers, &id, S::SHELF.method(Verb::List), parse).await
}

/// `DELETE /plugins/{id}/user-data` and `DELETE /plugins/{id}/files`: the user's own wish, whatever became of the
/// plugin.
pub(super) async fn clear<S: On>(
    State(broker): State<Broker>,
    SignedIn(user): SignedIn,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = plugin_id(&id)?;
    if headers.contains_key(PLUGIN_HEADER) {
        let message = "Only the user deletes everything at once: leave out the header Taiku-Plugin.";
        return Err(Failure::new(Code::BadMessage, message));
    }
    plugin_data::clear(&broker, &user.id, &id, S::SHELF).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /admin/plugins/{id}/kv`
pub(super) async fn clear_shared(
    State(broker): State<Broker>,
    SignedIn(admin): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = plugin_id(&id)?;
    let mut tx = broker.store.write().await?;
    let used = shelves::used(&mut tx, &Place::new(Shelf::Kv, &id, &admin.id)).await?;
    shelves::clear(&mut tx, &Place::new(Shelf::Kv, &id, &admin.id)).await?;
    let detail = json!({"keys": used.entries, "bytes": used.bytes});
    let now = broker.clock.now();
    audit::add(&mut tx, now, Actor::User(&admin.id), "plugin.kv_delete", id.as_str(), &detail).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn plugin_id(text: &str) -> Result<PluginId, Failure> {
    PluginId::parse(text).map_err(|_| Failure::not_found("plugin"))
}

async fn run(
    broker: &Broker,
    user: &User,
    headers: &HeaderMap,
    id: &str,
    method: Method,
    parse: impl FnOnce() -> Result<Data, Refusal>,
) -> Result<Response, Failure> {
    let id = plugin_id(id)?;
    let data = match caller::plugin(broker, user, headers).await? {
        None => by_user(parse()?)?,
        Some(plugin) if plugin.manifest.id.key() != id.key() => {
            let message = "A plugin reaches its own data only, and Taiku-Plugin names another one.";
            return Err(Failure::new(Code::IdentityMismatch, message));
        }
        Some(plugin) => {
            let parse = || parse().map(Call::Data);
            match caller::decide(broker, user, Some(&plugin), method, parse).await? {
                Call::Data(data) => data,
                other => return Err(Failure::Internal(format!("{:?} stores nothing", other.method()))),
            }
        }
    };
    Ok(match plugin_data::run(broker, &user.id, &id, &data).await? {
        Answer::Value(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Answer::Items(items) => axum::Json(items).into_response(),
        Answer::Done => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Users see and delete what plugins store for them. What is shared belongs to no user, and only plugins store.
fn by_user(data: Data) -> Result<Data, Failure> {
    let allowed = match (data.shelf, &data.act) {
        (Shelf::Kv, _) | (_, Act::Set(_)) => false,
        (Shelf::UserData | Shelf::Files, Act::Get { .. } | Act::Delete { .. } | Act::List(_)) => true,
    };
    if allowed {
        return Ok(data);
    }
    let message = "Only a plugin does this: name it in the header Taiku-Plugin.";
    Err(Failure::new(Code::BadMessage, message))
}
