//! The routes of the API. A route cannot be added without saying who may use it.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use http::Method;
use taiku_bridge::Code;

use super::access::{self, Access, Takes};
use super::plugin_data::{self, Files, Kv, UserData};
use super::{
    activity, admin, api_keys, connections, events, installing, openapi, plugins, session, setup, toolkits,
    tools, trials,
};
use crate::broker::Broker;
use crate::failure::Failure;

/// A route and who may use it.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What its body may be.
    pub takes: Takes,
}

struct Routes {
    broker: Broker,
    router: Router<Broker>,
    table: Vec<Route>,
}

impl Routes {
    fn on<H, T>(self, method: MethodFilter, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Broker>,
        T: 'static,
    {
        self.taking(Takes::Json, method, path, access, handler)
    }

    fn taking<H, T>(
        mut self,
        takes: Takes,
        method: MethodFilter,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Broker>,
        T: 'static,
    {
        let guard = from_fn_with_state((self.broker.clone(), access, takes), access::guard);
        self.router = self.router.route(path, on(method, handler).layer(guard));
        self.table.push(Route { method: name(method), path, access, takes });
        self
    }
}

fn name(method: MethodFilter) -> Method {
    [
        (MethodFilter::POST, Method::POST),
        (MethodFilter::PUT, Method::PUT),
        (MethodFilter::PATCH, Method::PATCH),
        (MethodFilter::DELETE, Method::DELETE),
    ]
    .into_iter()
    .find(|(filter, _)| *filter == method)
    .map_or(Method::GET, |(_, method)| method)
}

/// The router of the API.
pub(super) fn api(broker: &Broker) -> Router {
    let router = build(broker).router;
    router
        .fallback(|| async { Failure::not_found("path in this API") })
        .method_not_allowed_fallback(|| async {
            Failure::new(Code::MethodNotAllowed, "This path does not have that method.")
        })
        .with_state(broker.clone())
}

/// Every route with who may use it.
#[must_use]
pub fn table(broker: &Broker) -> Vec<Route> {
    build(broker).table
}

fn build(broker: &Broker) -> Routes {
    use Access::{Admin, Anyone, Browser, Integrations, Stream, User, Visitor};
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const PUT: MethodFilter = MethodFilter::PUT;
    const PATCH: MethodFilter = MethodFilter::PATCH;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    Routes { broker: broker.clone(), router: Router::new(), table: Vec::new() }
        .on(GET, "/api/v1/openapi.json", Anyone, openapi::show)
        .on(GET, "/api/v1/session", Anyone, session::show)
        .on(POST, "/api/v1/session", Anyone, session::begin)
        .on(DELETE, "/api/v1/session", Anyone, session::end)
        .on(POST, "/api/v1/setup", Anyone, setup::make_first_admin)
        .on(GET, "/api/v1/api-keys", User, api_keys::list)
        .on(POST, "/api/v1/api-keys", User, api_keys::add)
        .on(DELETE, "/api/v1/api-keys/{id}", User, api_keys::revoke)
        .on(GET, "/api/v1/plugins", Visitor, plugins::list)
        .taking(Takes::JsonOrPacked, POST, "/api/v1/plugins", User, installing::install)
        .on(GET, "/api/v1/plugins/{id}", Visitor, plugins::show)
        .on(DELETE, "/api/v1/plugins/{id}", User, plugins::uninstall)
        .on(PUT, "/api/v1/plugins/{id}/grant", User, plugins::grant)
        .on(DELETE, "/api/v1/plugins/{id}/grant", User, plugins::revoke)
        .on(GET, "/api/v1/plugins/{id}/user-data", User, plugin_data::list::<UserData>)
        .on(DELETE, "/api/v1/plugins/{id}/user-data", User, plugin_data::clear::<UserData>)
        .on(GET, "/api/v1/plugins/{id}/user-data/{key}", User, plugin_data::read::<UserData>)
        .on(PUT, "/api/v1/plugins/{id}/user-data/{key}", User, plugin_data::write::<UserData>)
        .on(DELETE, "/api/v1/plugins/{id}/user-data/{key}", User, plugin_data::delete::<UserData>)
        .on(GET, "/api/v1/plugins/{id}/kv", User, plugin_data::list::<Kv>)
        .on(GET, "/api/v1/plugins/{id}/kv/{key}", User, plugin_data::read::<Kv>)
        .on(PUT, "/api/v1/plugins/{id}/kv/{key}", User, plugin_data::write::<Kv>)
        .on(DELETE, "/api/v1/plugins/{id}/kv/{key}", User, plugin_data::delete::<Kv>)
        .on(GET, "/api/v1/plugins/{id}/files", User, plugin_data::list::<Files>)
        .on(DELETE, "/api/v1/plugins/{id}/files", User, plugin_data::clear::<Files>)
        .on(GET, "/api/v1/plugins/{id}/files/{name}", User, plugin_data::read::<Files>)
        .on(PUT, "/api/v1/plugins/{id}/files/{name}", User, plugin_data::write::<Files>)
        .on(DELETE, "/api/v1/plugins/{id}/files/{name}", User, plugin_data::delete::<Files>)
        .taking(Takes::JsonOrPacked, PUT, "/api/v1/trials/{id}", Admin, trials::put)
        .on(DELETE, "/api/v1/trials/{id}", Admin, trials::remove)
        .on(GET, "/api/v1/trials/{id}/calls", User, trials::calls)
        .on(POST, "/api/v1/trials/{id}/calls", User, trials::note)
        .on(GET, "/api/v1/connections", Integrations, connections::list)
        .on(PATCH, "/api/v1/connections/{id}", User, connections::change)
        .on(DELETE, "/api/v1/connections/{id}", User, connections::disconnect)
        .on(POST, "/api/v1/connections/{id}/accept", User, connections::accept)
        .on(GET, "/api/v1/toolkits", Integrations, toolkits::list)
        .on(GET, "/api/v1/toolkits/{slug}/tools", Integrations, toolkits::tools)
        .on(POST, "/api/v1/toolkits/{slug}/connections", Browser, connections::connect)
        .on(POST, "/api/v1/toolkits/{slug}/tools/{tool}", Integrations, tools::run)
        .on(GET, "/api/v1/activity", User, activity::list)
        .on(GET, "/api/v1/events", Stream, events::stream)
        .on(POST, "/api/v1/events", User, events::tell)
        .on(GET, "/api/v1/admin/toolkits", Admin, admin::toolkits)
        .on(GET, "/api/v1/admin/toolkits/{slug}", Admin, admin::toolkit)
        .on(PUT, "/api/v1/admin/toolkits/{slug}", Admin, admin::change_toolkit)
        .on(GET, "/api/v1/admin/toolkits/{slug}/revocations", Admin, admin::revocations::list)
        .on(POST, "/api/v1/admin/toolkits/{slug}/revocations", Admin, admin::revocations::begin)
        .on(GET, "/api/v1/admin/toolkits/{slug}/revocations/{id}", Admin, admin::revocations::show)
        .on(GET, "/api/v1/registries", User, installing::registries)
        .on(GET, "/api/v1/admin/plugins", Admin, admin::plugins::list)
        .taking(Takes::JsonOrPacked, POST, "/api/v1/admin/plugins", Admin, installing::install)
        .on(PUT, "/api/v1/admin/plugins/{id}", Admin, admin::plugins::rule)
        .on(DELETE, "/api/v1/admin/plugins/{id}", Admin, installing::uninstall)
        .on(POST, "/api/v1/admin/plugins/{id}/update", Admin, installing::update)
        .on(POST, "/api/v1/admin/plugins/{id}/reload", Admin, admin::plugins::reload)
        .on(GET, "/api/v1/admin/plugin-policy", Admin, admin::plugins::policy)
        .on(PUT, "/api/v1/admin/plugin-policy", Admin, admin::plugins::change_policy)
        .on(DELETE, "/api/v1/admin/plugins/{id}/kv", Admin, plugin_data::clear_shared)
        .on(GET, "/api/v1/admin/users", Admin, admin::users)
        .on(GET, "/api/v1/admin/audit", Admin, admin::audit)
}
