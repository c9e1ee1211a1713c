//! What is known about a provider and our client there.

use std::sync::Arc;

use url::Url;

use crate::egress::AllowedHosts;
use crate::toolkit::ResolvedOAuth;
use crate::vault::SecretString;

/// A toolkit's provider together with the client that an admin registered there.
#[derive(Clone)]
pub struct Provider {
    /// The provider and everything that it does differently. Its `scopes` are only what a toolkit proposes.
    pub oauth: ResolvedOAuth,
    /// Client identifier.
    pub client_id: String,
    /// Client secret; a public client has none.
    pub client_secret: Option<Arc<SecretString>>,
    /// Scopes to ask for; none leaves the parameter out.
    pub scopes: Vec<String>,
    /// Our callback, exactly as registered.
    pub redirect_uri: Url,
    /// The origins that requests for this provider may reach.
    pub hosts: AllowedHosts,
}
