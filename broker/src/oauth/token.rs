//! Exchanging a code and refreshing, over the crate `oauth2`.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, TokenResponse, TokenUrl,
};
use url::{Url, form_urlencoded};

use super::answer::{self, Answer};
use super::error::Unusable;
use super::{Provider, TokenError};
use crate::egress::{Egress, Outbound, TOKEN_TOTAL};
use crate::toolkit::{ClientAuth, TokenBody};
use crate::vault::SecretString;

/// What a provider granted. Its `Debug` shows no token.
pub struct Tokens {
    /// Visible ASCII, so that it can be sent in a header.
    pub access_token: SecretString,
    /// None also where the provider sent an empty one; after a refresh that means: keep the old one.
    pub refresh_token: Option<SecretString>,
    /// Seconds from the answer on; none where the provider did not say, or said nothing that makes sense.
    pub expires_in: Option<u64>,
    /// What was granted; none where the provider did not say, which means: what was asked for (RFC 6749 section 5.1).
    pub scopes: Option<Vec<String>>,
    /// Always `bearer`: other types are refused, an absent one is taken as this.
    pub token_type: &'static str,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("refreshable", &self.refresh_token.is_some())
            .field("expires_in", &self.expires_in)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Exchanges an authorization code (RFC 6749 section 4.1.3). `verifier` is what [`begin`](super::begin) gave.
///
/// # Errors
/// [`TokenError`]; a code is good for one attempt, whatever the error.
pub async fn exchange(
    egress: &Egress,
    provider: &Provider,
    code: &SecretString,
    verifier: Option<&SecretString>,
) -> Result<Tokens, TokenError> {
    let client = client(provider);
    let mut request = client.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
    if let Some(verifier) = verifier {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    }
    for (name, value) in &provider.oauth.token_params {
        request = request.add_extra_param(name, value);
    }
    let http = sender(egress, provider);
    tokens(request.request_async(&http).await)
}

/// Refreshes (RFC 6749 section 6). The scope parameter is left out, which means the same scopes again.
///
/// # Errors
/// [`TokenError`]; only [`TokenError::InvalidGrant`] says that the refresh token is dead, and after
/// [`TokenError::InDoubt`] it may be spent.
pub async fn refresh(
    egress: &Egress,
    provider: &Provider,
    refresh_token: &SecretString,
) -> Result<Tokens, TokenError> {
    let client = client(provider);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let mut request = client.exchange_refresh_token(&refresh_token);
    for (name, value) in &provider.oauth.token_params {
        request = request.add_extra_param(name, value);
    }
    let http = sender(egress, provider);
    tokens(request.request_async(&http).await)
}

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn client(provider: &Provider) -> Client {
    let auth = match provider.oauth.client_auth {
        ClientAuth::Basic => AuthType::BasicAuth,
        ClientAuth::Body => AuthType::RequestBody,
    };
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(provider.oauth.token_url.clone()))
        .set_redirect_uri(RedirectUrl::from_url(provider.redirect_uri.clone()))
        .set_auth_type(auth);
    match &provider.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => client,
    }
}

/// The HTTP client of the crate `oauth2`. It owns what it needs: a future that borrows from a closure is not `Send`
/// for every lifetime, and refreshes run on tasks of their own.
fn sender(
    egress: &Egress,
    provider: &Provider,
) -> impl Fn(HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TokenError>> + Send>>
+ Send
+ Sync
+ 'static {
    let (egress, provider) = (egress.clone(), provider.clone());
    move |request| {
        let (egress, provider) = (egress.clone(), provider.clone());
        Box::pin(async move { send(&egress, &provider, request).await })
    }
}

/// Sends through the egress, and hands over only what is a token answer
/// after [`answer::normalise`].
async fn send(
    egress: &Egress,
    provider: &Provider,
    request: HttpRequest,
) -> Result<HttpResponse, TokenError> {
    let outbound = outbound(provider, request)?;
    let inbound = egress.send(outbound, &provider.hosts).await?;
    let even = answer::normalise(&Answer::from(&inbound), &provider.oauth.token_pointer)?;
    let mut response = Response::new(even);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn outbound(provider: &Provider, request: HttpRequest) -> Result<Outbound, TokenError> {
    let (mut parts, mut body) = request.into_parts();
    if provider.oauth.token_body == TokenBody::Json {
        body = json_of_form(&body);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // The crate writes the URL as text; the parsed one is what was configured.
    let url: Url = provider.oauth.token_url.clone();
    Ok(Outbound {
        method: parts.method,
        url,
        headers: parts.headers,
        body: Bytes::from(body),
        timeout: TOKEN_TOTAL,
    })
}

fn json_of_form(form: &[u8]) -> Vec<u8> {
    let fields = form_urlencoded::parse(form).map(|(name, value)| (name.into_owned(), value.into()));
    serde_json::Value::Object(fields.collect()).to_string().into_bytes()
}

type Failure = RequestTokenError<TokenError, BasicErrorResponse>;

fn tokens(result: Result<BasicTokenResponse, Failure>) -> Result<Tokens, TokenError> {
    let answer = result.map_err(|failure| match failure {
        RequestTokenError::Request(error) => error,
        // What remains are answers that the crate cannot read although they were evened out.
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            TokenError::Unusable(Unusable::NotAnObject)
        }
    })?;
    Ok(Tokens {
        access_token: secret(answer.access_token().secret()),
        refresh_token: answer.refresh_token().map(|token| secret(token.secret())),
        expires_in: answer.expires_in().as_ref().map(Duration::as_secs),
        scopes: answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
        token_type: "bearer",
    })
}

fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

#[cfg(test)]
mod tests;
