//! The toolkit that pages of a flow name.

use super::browser::is_own;
use crate::broker::Broker;
use crate::integration;
use crate::store::{flows, integrations};

/// A toolkit that pages of a flow name.
pub struct Toolkit {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The toolkit of a flow, for the browser that began it.
pub async fn toolkit_of(broker: &Broker, flow: &str, cookie: Option<&str>) -> Option<Toolkit> {
    let mut tx = broker.store.read().await.ok()?;
    let flow = flows::by_id(&mut tx, flow).await.ok()?.filter(|flow| is_own(flow, cookie))?;
    drop(tx);
    let toolkit = integration::toolkit(broker, &integration::slug(&flow.toolkit).ok()?).await.ok()?;
    Some(Toolkit { slug: flow.toolkit, name: toolkit.name.clone() })
}

/// The toolkit whose answers come to a redirect path.
pub async fn toolkit_at(broker: &Broker, context_id: &str) -> Option<Toolkit> {
    let all = {
        let mut tx = broker.store.read().await.ok()?;
        integrations::all(&mut tx).await.ok()?
    };
    let (slug, _) = all.into_iter().find(|(_, integration)| integration.context_id == context_id)?;
    let toolkit = integration::toolkit(broker, &slug).await.ok()?;
    Some(Toolkit { slug: slug.to_string(), name: toolkit.name.clone() })
}
