//! Resolves a name and lets only public addresses through to the connection.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address;
use super::error::{Refusal, ResolveError};

/// Answers with the addresses of a name; the port is 0.
pub(super) trait Lookup: Send + Sync {
    fn lookup(&self, name: &str) -> LookingUp;
}

/// A look-up on its way.
pub(super) type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The operating system's resolver.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> LookingUp {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// The client's resolver. The client connects to the very addresses that it answers, so a name that changes its
/// mind between the check and the connection gains nothing.
pub(super) struct VettingResolver {
    lookup: Arc<dyn Lookup>,
}

impl VettingResolver {
    pub(super) fn new(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup }
    }
}

impl Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looking_up = self.lookup.lookup(name.as_str());
        Box::pin(async move {
            let found = looking_up.await.map_err(|_| ResolveError::Unknown)?;
            Ok(Box::new(vetted(found)?.into_iter()) as Addrs)
        })
    }
}

/// One address that is not public refuses the name as a whole: an honest provider has none.
pub(super) fn vetted(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, ResolveError> {
    if found.is_empty() {
        return Err(ResolveError::Unknown);
    }
    for socket in &found {
        address::vet(socket.ip()).map_err(|range| ResolveError::Refused(Refusal::Address { range }))?;
    }
    Ok(found)
}
