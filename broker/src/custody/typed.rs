//! Flows that the user ends on our own page: a credential is typed, or the client's own token is wanted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::consent::{self, Completed};
use super::{Custody, Operation, exposed};
use crate::connect::FlowError;
use crate::execute::{self, Looked};
use crate::failure::Failure;
use crate::oauth::{self, Provider, Tokens};
use crate::store::flows;
use crate::toolkit::Mode;
use crate::vault::SecretString;

/// Completes a flow with what its user has typed. Whoever asks has made sure that it is the user's browser and that the
/// session lives.
#[derive(Serialize, Deserialize)]
pub struct Supply {
    /// The flow's id.
    pub flow: String,
    /// What was typed.
    pub values: Vec<Typed>,
}

/// What was typed into one field.
#[derive(Serialize, Deserialize)]
pub struct Typed {
    /// The field's name.
    pub name: String,
    /// What it holds.
    #[serde(with = "exposed")]
    pub value: SecretString,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supplied {
    /// Something can be mended on the page; the flow goes on.
    Wrong(String),
    /// The flow has ended.
    Ended(Completed),
}

impl Operation for Supply {
    type Answer = Supplied;
    const NAME: &'static str = "consent.supply";
    /// A flow ends once.
    const REPEATABLE: bool = false;

    async fn run(self, custody: &Custody) -> Result<Supplied, Failure> {
        let flow = {
            let mut tx = custody.store.read().await?;
            flows::by_id(&mut tx, &self.flow).await?.ok_or_else(|| Failure::not_found("flow"))?
        };
        let (ready, provider) = match consent::current(custody, &flow).await {
            Ok(current) => current,
            Err(error) => return Ok(Supplied::Wrong(error.to_string())),
        };
        let tokens = match tokens(custody, &provider, self.values).await {
            Ok(tokens) => tokens,
            Err(why) => return Ok(Supplied::Wrong(why)),
        };
        let account = match execute::whose(custody, &ready, &tokens.access_token).await {
            Looked::Account(account) => account,
            Looked::Unknown => Default::default(),
            Looked::Refused => {
                let why = format!("{} does not accept this. Check it and try again.", ready.toolkit.name);
                return Ok(Supplied::Wrong(why));
            }
        };
        let mut tx = custody.store.write().await?;
        let consumed = flows::consume(&mut tx, &flow.id, custody.clock.now()).await?;
        tx.commit().await?;
        if !consumed {
            return Ok(Supplied::Wrong(FlowError::Over.to_string()));
        }
        let kept = consent::bring(custody, &flow, (&ready, &provider), &tokens, account).await;
        Ok(Supplied::Ended(consent::ended(custody, &flow, kept).await?))
    }
}

async fn tokens(custody: &Custody, provider: &Provider, values: Vec<Typed>) -> Result<Tokens, String> {
    let habits = &provider.oauth.habits;
    match habits.mode {
        Mode::ClientCredentials => {
            let tokens = oauth::client_credentials(&custody.egress, provider).await;
            tokens.map_err(|error| error.to_string())
        }
        Mode::ApiKey | Mode::Basic => {
            let values: BTreeMap<String, SecretString> =
                values.into_iter().map(|typed| (typed.name, typed.value)).collect();
            oauth::typed(habits, &values)
                .map_err(|label| format!("{label} is empty or cannot be sent like this."))
        }
        Mode::Code | Mode::Device => Err("This service is connected on its own page.".to_owned()),
    }
}
