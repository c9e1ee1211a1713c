//! The page of ours that a flow begins on, and what is typed on it where the provider has no page of its own.

use super::Ended;
use super::FlowError;
use super::browser::of_this_browser;
use super::finish::{ended, session_lives};
use crate::broker::Broker;
use crate::custody::consent::{Next, Step};
use crate::custody::typed::{Supplied, Supply, Typed};
use crate::integration;
use crate::store::flows;

/// What the start page shows.
pub struct StartPage {
    /// The toolkit's name.
    pub toolkit: String,
    /// The plugin that asked.
    pub plugin: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What the user has to do.
    pub step: Step,
}

/// What opening a flow's page shows.
pub enum Opened {
    /// What to do.
    Start(StartPage),
    /// A device flow has ended.
    Ended(Ended),
}

/// Prepares the page that leads to the provider. `cookie` is the flow cookie that came with the request.
///
/// # Errors
/// When the flow is not this browser's or is over.
pub async fn start_page(broker: &Broker, flow: &str, cookie: Option<&str>) -> Result<Opened, FlowError> {
    let began = broker.clock.now();
    let flow = {
        let mut tx = broker.store.read().await?;
        flows::by_id(&mut tx, flow).await?.ok_or(FlowError::NotYours)?
    };
    of_this_browser(broker, &flow, cookie).await?;
    let slug = integration::slug(&flow.toolkit)?;
    let toolkit = integration::toolkit(broker, &slug).await?;
    if !session_lives(broker, &flow, began).await? {
        return Err(FlowError::SessionEnded);
    }
    let step = match broker.custody.ask(Next { flow: flow.id.clone() }).await? {
        Step::Ended(completed) => {
            return ended(broker, &toolkit, flow, completed, began).await.map(Opened::Ended);
        }
        step => step,
    };
    let page = StartPage { toolkit: toolkit.name.clone(), plugin: flow.plugin, scopes: flow.scopes, step };
    Ok(Opened::Start(page))
}

/// What came of what the user typed.
pub enum Sent {
    /// Something is wrong with it: the page again, and what to mend.
    Again(StartPage, String),
    /// The flow has ended.
    Ended(Ended),
}

/// Completes a flow with what its user has typed on our own page. `cookie` is the flow cookie.
///
/// # Errors
/// When the flow is not this browser's or is over.
pub async fn supply(
    broker: &Broker,
    flow: &str,
    cookie: Option<&str>,
    values: Vec<Typed>,
) -> Result<Sent, FlowError> {
    let page = match start_page(broker, flow, cookie).await? {
        Opened::Start(page) => page,
        Opened::Ended(ended) => return Ok(Sent::Ended(ended)),
    };
    let began = broker.clock.now();
    let flow = {
        let mut tx = broker.store.read().await?;
        flows::by_id(&mut tx, flow).await?.ok_or(FlowError::NotYours)?
    };
    let toolkit = integration::toolkit(broker, &integration::slug(&flow.toolkit)?).await?;
    match broker.custody.ask(Supply { flow: flow.id.clone(), values }).await? {
        Supplied::Wrong(why) => Ok(Sent::Again(page, why)),
        Supplied::Ended(completed) => ended(broker, &toolkit, flow, completed, began).await.map(Sent::Ended),
    }
}
