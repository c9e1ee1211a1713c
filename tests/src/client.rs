//! A script, or a browser without a screen, that talks to the broker.

use std::sync::{Mutex, Once, PoisonError};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use serde::Serialize;
use serde_json::json;
use taiku_bridge::api::{self, REQUEST_HEADER};
use taiku_bridge::{Manifest, PluginId};
use url::Url;

use crate::answer::Answer;
use crate::listening::Listening;

/// A cookie as it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its attributes as they stood: `Path=/`, `Secure`, ….
    pub attributes: Vec<String>,
}

impl Cookie {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes = parts.map(str::to_owned).collect();
        Some(Self { name: name.to_owned(), value: value.to_owned(), attributes })
    }

    /// The value of an attribute, without regard to its case; empty for a flag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| {
            let (found, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn is_gone(&self) -> bool {
        self.value.is_empty() || self.attribute("max-age") == Some("0")
    }
}

/// A user agent with its own cookies, which it sends as a browser on the host page would.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Where requests go.
    base: Url,
    /// What the server is called: another address than `base` where a load balancer is left out.
    site: Url,
    cookies: Mutex<Vec<Cookie>>,
    headers: HeaderMap,
}

/// A request before it leaves.
#[must_use]
pub struct Sent<'a> {
    client: &'a Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Client {
    /// A user agent without cookies for the server at `base`.
    #[must_use]
    pub fn new(base: &Url) -> Self {
        Self::at(base, base)
    }

    /// A user agent for the server `site`, of which one broker is at `base`.
    #[must_use]
    pub fn at(base: &Url, site: &Url) -> Self {
        let mut headers = HeaderMap::new();
        if base != site {
            headers.insert(HOST, header(authority(site)));
        }
        Self { http: http(), base: base.clone(), site: site.clone(), cookies: Mutex::default(), headers }
    }

    /// A script that uses an API key.
    #[must_use]
    pub fn with_key(base: &Url, key: &str) -> Self {
        let mut client = Self::new(base);
        client.headers.insert("authorization", header(&format!("Bearer {key}")));
        client
    }

    /// Adds a header to each request of the host page, such as `Taiku-Plugin`.
    #[must_use]
    pub fn always(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), header(value));
        self
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        self.request(Method::PUT, path).json(body).send().await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    /// Signs in; the cookie stays with this client.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(api::SESSION, &json!({ "email": email, "password": password })).await.expect(200)
    }

    /// Allows a plugin all that its manifest asks for.
    ///
    /// # Panics
    /// When there is no such plugin.
    pub async fn grant_all(&self, plugin: &str) {
        let id = PluginId::parse(plugin).expect("a plugin of the tests has an id");
        let found: api::Plugin = self.get(&api::plugin(&id)).await.read();
        let files = Some(found.files);
        let Manifest { version, permissions, integrations, .. } = found.manifest;
        let body = api::GrantBody { version: version.to_string(), files, permissions, integrations };
        let _ = self.put(&api::grant(&id), &body).await.expect(200);
    }

    /// Listens to the stream of events.
    pub async fn listen(&self) -> Listening {
        Listening::begin(self.bare(Method::GET, "/api/v1/events").open().await)
    }

    /// A request as the host page sends it: with what protects against other sites, where that is needed.
    pub fn request(&self, method: Method, path: &str) -> Sent<'_> {
        let sent = self.bare(method, path);
        if sent.method.is_safe() || sent.headers.contains_key("authorization") {
            return sent;
        }
        let origin = self.site.origin().ascii_serialization();
        sent.header(REQUEST_HEADER, "1").header(ORIGIN.as_str(), &origin)
    }

    /// A request with cookies and nothing else.
    ///
    /// # Panics
    /// When `path` is no address.
    pub fn bare(&self, method: Method, path: &str) -> Sent<'_> {
        let mut url = self.site.join(path).unwrap_or_else(|error| panic!("{path} is no address: {error}"));
        let own = url.origin() == self.site.origin();
        if own {
            url.set_host(self.base.host_str()).expect("a host can be another");
            url.set_port(self.base.port()).expect("a port can be another");
        }
        let headers = if own { self.headers.clone() } else { HeaderMap::new() };
        Sent { client: self, method, url, headers, body: None }
    }

    /// The cookies of now.
    pub fn cookies(&self) -> Vec<Cookie> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Plants a cookie, or replaces its value.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.keep(Cookie { name: name.into(), value: value.into(), attributes: vec!["Path=/".into()] });
    }

    /// Forgets every cookie whose name `unwanted` takes.
    pub fn forget(&self, unwanted: impl Fn(&str) -> bool) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|cookie| !unwanted(&cookie.name));
    }

    fn keep(&self, cookie: Cookie) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|other| other.name != cookie.name);
        if !cookie.is_gone() {
            cookies.push(cookie);
        }
    }

    fn cookie_header(&self, path: &str) -> String {
        let fits = |cookie: &&Cookie| path.starts_with(cookie.attribute("path").unwrap_or("/"));
        let cookies = self.cookies();
        let pairs: Vec<_> =
            cookies.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        pairs.join("; ")
    }
}

impl Sent<'_> {
    /// Sets a header.
    ///
    /// # Panics
    /// When HTTP does not allow it.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap_or_else(|_| panic!("{name} is no header"));
        self.headers.insert(name, header(value));
        self
    }

    /// Takes a header away.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Asks under another name of the same address.
    pub fn host(self, host: &str) -> Self {
        self.header(HOST.as_str(), host)
    }

    /// A JSON body.
    ///
    /// # Panics
    /// When the value cannot be JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        let text = serde_json::to_vec(body).expect("a body of a test is JSON");
        self.body("application/json", text)
    }

    /// A body of any type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends it, keeps the cookies of the answer and follows no redirect.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(self) -> Answer {
        let what = format!("{} {}", self.method, self.url);
        let response = self.open().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        Answer { status, headers, text }
    }

    /// The same, as far as the head of the answer.
    async fn open(self) -> reqwest::Response {
        let what = format!("{} {}", self.method, self.url);
        self.attempt().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it to a server that may be gone: none when there is no whole answer.
    pub async fn try_send(self) -> Option<Answer> {
        let response = self.attempt().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some(Answer { status, headers, text: response.text().await.ok()? })
    }

    async fn attempt(self) -> reqwest::Result<reqwest::Response> {
        let Self { client, method, url, headers, body } = self;
        let cookies = client.cookie_header(url.path());
        let mut request = client.http.request(method, url).headers(headers);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        for cookie in response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some(cookie) = Cookie::parse(cookie) {
                client.keep(cookie);
            }
        }
        Ok(response)
    }
}

/// An HTTP client that follows nothing and keeps nothing.
pub(crate) fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Somebody else may have been first; then there is one all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests are the outside: what they send is not the broker's"
    )]
    let builder = reqwest::Client::builder();
    builder.redirect(Policy::none()).no_proxy().build().expect("a client without files can be built")
}

/// Host and port, as in a `Host` header.
fn authority(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

fn header(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or_else(|_| panic!("{value:?} cannot be in a header"))
}
