//! The first step: the URL that the user's browser goes to.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use url::Url;

use super::Provider;
use crate::random::Random;
use crate::toolkit::reserved;
use crate::vault::SecretString;

/// What [`begin`] hands back. Neither half is for logs: one holds the state, the other is a secret.
pub struct Begun {
    /// Where the user goes.
    pub authorize_url: Url,
    /// The PKCE verifier to keep until the exchange; none where the provider refuses PKCE.
    pub verifier: Option<SecretString>,
}

/// Builds the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
///
/// `state` is the caller's, at least 128 bit of randomness in URL-safe text; 256 bits of
/// `random` become the verifier. There is none for a provider that has no page of consent. The challenge is S256 whatever a provider's metadata says; `plain` is never sent.
#[must_use]
pub fn begin(provider: &Provider, state: &str, random: &Random) -> Option<Begun> {
    let authorize_url = provider.oauth.authorize_url.as_ref()?;
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(without_reserved(authorize_url)))
        .set_redirect_uri(RedirectUrl::from_url(provider.redirect_uri.clone()));
    let mut request = client.authorize_url(|| CsrfToken::new(state.to_owned()));
    if !provider.scopes.is_empty() {
        // The crate joins scopes with spaces; joined here they are one scope to it.
        request = request.add_scope(Scope::new(provider.scopes.join(&provider.oauth.habits.scope_separator)));
    }
    for (name, value) in &provider.oauth.habits.authorize_params {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    if !provider.oauth.habits.pkce {
        return Some(Begun { authorize_url: named(provider, request.url().0), verifier: None });
    }
    let verifier = random.token();
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
    let (authorize_url, _) = request.set_pkce_challenge(challenge).url();
    Some(Begun { authorize_url: named(provider, authorize_url), verifier: Some(SecretString::new(verifier)) })
}

/// Gives the parameters the names that the provider has for them.
fn named(provider: &Provider, url: Url) -> Url {
    let names = &provider.oauth.habits.authorize_names;
    if names.is_empty() {
        return url;
    }
    let mut named = url.clone();
    let pairs = url.query_pairs().map(|(name, value)| (names.get(&*name).map_or(name, Into::into), value));
    named.query_pairs_mut().clear().extend_pairs(pairs);
    named
}

/// The authorize URL may carry a query of its own. The toolkit's parameters were checked when it was loaded, but what
/// is in the query is only known once the settings are filled in, so what is reserved is taken out of it here.
fn without_reserved(url: &Url) -> Url {
    let mut clean = url.clone();
    clean.set_fragment(None);
    let reserved = |name: &str| reserved::AUTHORIZE.contains(&name);
    if url.query_pairs().any(|(name, _)| reserved(&name)) {
        let kept: Vec<_> = url.query_pairs().filter(|(name, _)| !reserved(name)).collect();
        clean.query_pairs_mut().clear().extend_pairs(kept);
    }
    clean
}

#[cfg(test)]
mod tests;
