//! A toolkit with its settings filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Toolkit;
use super::address::{self, LoopbackHttp};
use super::api::{Api, Authorization};
use super::auth::{Auth, Habits, OAuth2};
use super::condition::Condition;
use super::fault::{Fault, Faults};
use super::file;
use super::headers;
use super::revoke::ResolvedRevoke;
use super::template::Template;
use super::value::{ConnectionValue, Source};
use crate::egress::AllowedHosts;

/// What the broker needs to sign in to a toolkit and to call it.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// How to sign in; `None` if the API is open.
    pub auth: Option<ResolvedOAuth>,
    /// How to call the API.
    pub api: ResolvedApi,
    /// The origins that requests for this toolkit may go to: those of the API, of the token and revocation
    /// endpoints and of the issuer, for its metadata. The page of consent is not among them: only the browser goes
    /// there.
    pub hosts: AllowedHosts,
    /// What it was filled in with, to fill it in again with the values of a connection.
    settings: Arc<BTreeMap<String, String>>,
    loopback: LoopbackHttp,
}

/// An OAuth provider that can be called. The fields are those of [`OAuth2`].
#[derive(Clone, Debug)]
pub struct ResolvedOAuth {
    /// The issuer, exactly as the provider must name itself.
    pub issuer: Option<String>,
    /// Where the user consents, if that is how to sign in.
    pub authorize_url: Option<Url>,
    /// Where authorization requests are pushed first.
    pub par_url: Option<Url>,
    /// Where the codes of a device flow come from.
    pub device_url: Option<Url>,
    /// Where tokens come from. Where users type their credential it is the API, which that is bound to.
    pub token_url: Url,
    /// Where tokens are refreshed.
    pub refresh_url: Url,
    /// How to revoke a token.
    pub revoke: Option<ResolvedRevoke>,
    /// Where to look up values of a connection, by their keys.
    pub lookups: BTreeMap<String, Url>,
    /// Everything that it does in its own way.
    pub habits: Arc<Habits>,
}

/// An API that can be called.
#[derive(Clone, Debug)]
pub struct ResolvedApi {
    /// The address that the paths of the tools are appended to.
    pub base_url: Url,
    /// Its other addresses, on further hosts.
    pub more: Vec<Url>,
    /// Headers of every request; a prepared request has them already.
    pub headers: HeaderMap,
    /// How the access token is sent.
    pub authorization: Option<Authorization>,
    /// What tells that the access token no longer lives.
    pub dead_token: Vec<Condition>,
    /// What tells that a 2xx answer is a failure.
    pub failure: Vec<Condition>,
    /// What tells that the call was one too many.
    pub rate_limited: Vec<Condition>,
    /// Headers that say when to try again.
    pub retry_after: Vec<HeaderName>,
}

impl Resolved {
    /// The same for one connection, whose values are these.
    ///
    /// # Errors
    /// Every value that does not look as it must, and every address that it makes unusable.
    pub fn with(&self, toolkit: &Toolkit, values: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let lookup = |key: &str| values.get(key).or_else(|| self.settings.get(key)).cloned();
        resolve(toolkit, &lookup, self.loopback)
    }

    /// Whether requests for this toolkit may go to that address.
    #[must_use]
    pub fn may_reach(&self, url: &Url) -> bool {
        self.hosts.contains(url)
    }
}

/// Fills templates and gathers what is wrong with the results.
struct Resolver<'a> {
    value: &'a dyn Fn(&str) -> Option<String>,
    loopback: LoopbackHttp,
    faults: Faults,
}

impl Resolver<'_> {
    fn text(&mut self, at: &str, template: &Template) -> Option<(String, Url)> {
        let filled = template.fill(self.value).and_then(|text| {
            let url = address::check(&text, self.loopback).map_err(|why| format!("{text} {why}"))?;
            Ok((text, url))
        });
        self.faults.take(at, filled.map_err(|why| explain(template, &why)))
    }

    fn url(&mut self, at: &str, template: &Template) -> Option<Url> {
        self.text(at, template).map(|(_, url)| url)
    }

    fn maybe(&mut self, at: &str, template: Option<&Template>) -> Option<Url> {
        template.and_then(|template| self.url(at, template))
    }

    /// `api` is the address of the API.
    fn oauth(&mut self, oauth: &OAuth2, api: Option<&Url>) -> Option<ResolvedOAuth> {
        let issuer = oauth.issuer.as_ref().map(|issuer| self.text("auth.issuer", issuer));
        let authorize_url = self.maybe("auth.authorize_url", oauth.authorize_url.as_ref());
        let par_url = self.maybe("auth.par_url", oauth.par_url.as_ref());
        let device_url = self.maybe("auth.device_url", oauth.device_url.as_ref());
        let token_url = match &oauth.token_url {
            Some(template) => self.url("auth.token_url", template),
            None => api.cloned(),
        };
        let refresh_url = oauth.refresh_url.as_ref().map(|url| self.url("auth.refresh.url", url));
        let revoke = oauth.revoke.as_ref().and_then(|revoke| {
            let resolved = revoke.resolve(self.value, self.loopback);
            self.faults.take("auth.revoke.url", resolved.map_err(|why| explain(&revoke.url, &why)))
        });
        let mut lookups = BTreeMap::new();
        for value in &oauth.habits.values {
            if let Source::Lookup(url, _) = &value.source
                && let Some(url) = self.url("auth.values.url", url)
            {
                lookups.insert(value.key.clone(), url);
            }
        }
        Some(ResolvedOAuth {
            issuer: match issuer {
                Some(issuer) => Some(issuer?.0),
                None => None,
            },
            authorize_url,
            par_url,
            device_url,
            refresh_url: match refresh_url {
                Some(url) => url?,
                None => token_url.clone()?,
            },
            token_url: token_url?,
            revoke,
            lookups,
            habits: oauth.habits.clone(),
        })
    }

    fn headers(&mut self, api: &Api) -> HeaderMap {
        let mut map = api.headers.clone();
        for (name, text) in &api.filled_headers {
            let value = text.fill(self.value).and_then(|text| {
                let fits = headers::is_value(&text).then(|| HeaderValue::from_str(&text).ok()).flatten();
                fits.ok_or_else(|| "is not visible ASCII once it is filled in".to_owned())
            });
            if let Some(value) = self.faults.take(&format!("api.headers.{name}"), value) {
                map.insert(name.clone(), value);
            }
        }
        map
    }

    fn api_url(&mut self, at: &str, template: &Template) -> Option<Url> {
        let url = self.url(at, template)?;
        if url.query().is_some() {
            self.faults.push(at, explain(template, "must not have a query (`?`)"));
            return None;
        }
        Some(url)
    }
}

/// Names the template with what is wrong, since the value alone does not show where it went.
fn explain(template: &Template, why: &str) -> String {
    format!("{}: {why}", template.as_str())
}

/// Fills in the settings of a toolkit.
pub(crate) fn resolve(
    toolkit: &Toolkit,
    lookup: &dyn Fn(&str) -> Option<String>,
    loopback: LoopbackHttp,
) -> Result<Resolved, Vec<Fault>> {
    let own: &[ConnectionValue] = match &toolkit.auth {
        Auth::OAuth2(oauth) => &oauth.habits.values,
        Auth::None => &[],
    };
    let default = |key: &str| toolkit.settings.iter().find(|setting| setting.key == key)?.default.as_deref();
    let given = |key: &str| lookup(key).filter(|value| !value.is_empty());
    let plain = |key: &str| given(key).or_else(|| default(key).map(str::to_owned));
    let example = |key: &str| own.iter().find(|value| value.key == key).map(|value| value.example.clone());
    let value =
        |key: &str| given(key).or_else(|| default_with(default(key)?, &plain)).or_else(|| example(key));
    let mut resolver = Resolver { value: &value, loopback, faults: Faults::of(file::NAME) };
    for setting in toolkit.settings.iter().filter(|setting| setting.required) {
        if value(&setting.key).is_none() {
            resolver.faults.push("settings", format!("{} is required and has no value", setting.key));
        }
    }
    for setting in &toolkit.settings {
        if let Some(why) = value(&setting.key).and_then(|value| setting.refuses(&value)) {
            resolver.faults.push("settings", format!("{} {why}", setting.key));
        }
    }
    for one in own {
        if value(&one.key).is_none_or(|value| !one.pattern.matches(&value)) {
            let pattern = one.pattern.as_str();
            resolver.faults.push("auth.values", format!("{} must look like `{pattern}`", one.key));
        }
    }
    let base_url = resolver.api_url("api.base_url", &toolkit.api.base_url);
    let headers = resolver.headers(&toolkit.api);
    let auth = match &toolkit.auth {
        Auth::OAuth2(oauth) => Some(resolver.oauth(oauth, base_url.as_ref())),
        Auth::None => None,
    };
    let more = toolkit.api.more.iter().filter_map(|url| resolver.api_url("api.hosts", url)).collect();
    let faults = resolver.faults.into_list();
    let (Some(base_url), true) = (base_url, faults.is_empty()) else {
        return Err(faults);
    };
    let auth = match auth {
        Some(None) => return Err(faults),
        Some(some) => some,
        None => None,
    };
    let api = ResolvedApi { headers, ..resolved_api(toolkit, base_url, more) };
    let hosts = hosts(auth.as_ref(), &api);
    let plain = toolkit.settings.iter().filter(|setting| !setting.secret);
    let settings = plain.filter_map(|setting| Some((setting.key.clone(), lookup(&setting.key)?))).collect();
    Ok(Resolved { auth, api, hosts, settings: Arc::new(settings), loopback })
}

/// A default with the values of other settings in it; none as long as one of them has none.
fn default_with(default: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if !default.contains('{') {
        return Some(default.to_owned());
    }
    Template::parse(default).ok()?.fill(value).ok()
}

fn resolved_api(toolkit: &Toolkit, base_url: Url, more: Vec<Url>) -> ResolvedApi {
    let api = &toolkit.api;
    ResolvedApi {
        base_url,
        more,
        headers: api.headers.clone(),
        authorization: api.authorization.clone(),
        dead_token: api.dead_token.clone(),
        failure: api.failure.clone(),
        rate_limited: api.rate_limited.clone(),
        retry_after: api.retry_after.clone(),
    }
}

fn hosts(auth: Option<&ResolvedOAuth>, api: &ResolvedApi) -> AllowedHosts {
    let mut hosts = AllowedHosts::of(std::iter::once(&api.base_url).chain(&api.more));
    if let Some(auth) = auth {
        let issuer = auth.issuer.as_deref().and_then(|issuer| Url::parse(issuer).ok());
        let revoke = auth.revoke.as_ref().map(ResolvedRevoke::host_url);
        for url in [
            Some(&auth.token_url),
            Some(&auth.refresh_url),
            auth.par_url.as_ref(),
            auth.device_url.as_ref(),
            issuer.as_ref(),
            revoke,
        ]
        .into_iter()
        .flatten()
        {
            hosts.allow(url);
        }
        auth.lookups.values().for_each(|url| hosts.allow(url));
    }
    hosts
}
