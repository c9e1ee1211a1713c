//! The OAuth flow: begun by a user's browser, finished by the same browser, session, user and context, once.

mod begin;
mod browser;
mod callback;
mod callback_url;
mod finish;
mod flow_error;
mod mismatch;
mod page;
mod scopes;
mod toolkit;

pub use self::begin::{Begun, begin};
pub use self::callback::Callback;
pub use self::finish::{Connected, Ended, find, finish};
pub use self::flow_error::{FlowError, why};
pub(crate) use self::flow_error::{exchange_error, provider_error};
pub use self::page::{Opened, Sent, StartPage, start_page, supply};
pub use self::scopes::checked_scopes;
pub(crate) use self::scopes::union;
pub use self::toolkit::{Toolkit, toolkit_at, toolkit_of};
use crate::broker::Broker;
use crate::events::Event;
use crate::store::StoreError;
use crate::store::connections;

/// Tells a user's pages what a connection is now.
async fn tell(broker: &Broker, user_id: &str, id: &str) -> Result<(), StoreError> {
    let mut tx = broker.store.read().await?;
    if let Some(connection) = connections::find(&mut tx, user_id, id).await? {
        broker.events.tell(user_id, &Event::connection(&connection));
    }
    Ok(())
}
