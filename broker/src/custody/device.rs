//! Device flows: the user's page asks again and again, and the provider is asked no more often than it allows.

use super::Custody;
use super::consent::{self, Secrets, Step};
use crate::clock::{Millis, SECOND};
use crate::connect::{FlowError, exchange_error};
use crate::execute;
use crate::failure::Failure;
use crate::integration::Ready;
use crate::oauth::device::{self, Device, Polled};
use crate::oauth::{Provider, Tokens};
use crate::store::flows::{self, Flow};
use crate::vault::{ContextHash, VaultError};

/// What the user of a device flow has to do next. `at` is when the provider may be asked again.
pub(super) async fn step(
    custody: &Custody,
    flow: &Flow,
    mut device: Device,
    at: Millis,
) -> Result<Step, Failure> {
    let now = custody.clock.now();
    if now < at {
        return Ok(page(&device, at - now));
    }
    // The next question is put off before this one is asked: two pages of one flow must not ask twice as often.
    keep(custody, flow, &device, now).await?;
    let (ready, provider) = match consent::current(custody, flow).await {
        Ok(current) => current,
        Err(error) => return end(custody, flow, error).await,
    };
    match device::poll(&custody.egress, &provider, &device).await {
        Ok(Polled::Pending) => Ok(page(&device, span(&device))),
        Ok(Polled::Slower) => {
            device.slow_down();
            keep(custody, flow, &device, now).await?;
            Ok(page(&device, span(&device)))
        }
        Ok(Polled::Done(tokens)) => done(custody, flow, (&ready, &provider), &tokens).await,
        Err(error) => end(custody, flow, exchange_error(error)).await,
    }
}

fn span(device: &Device) -> Millis {
    i64::try_from(device.interval).unwrap_or_default() * SECOND
}

fn page(device: &Device, wait: Millis) -> Step {
    Step::Device {
        user_code: device.user_code.clone(),
        verification_uri: device.verification_uri.clone(),
        complete_uri: device.complete_uri.clone(),
        wait: (wait + SECOND - 1) / SECOND,
    }
}

async fn keep(custody: &Custody, flow: &Flow, device: &Device, now: Millis) -> Result<(), Failure> {
    let context = <[u8; 32]>::try_from(flow.context_hash.as_slice()).map_err(|_| VaultError::Integrity)?;
    let device = Some((device.clone(), now + span(device)));
    let secrets = Secrets { authorize_url: None, verifier: None, device };
    let sealed = consent::seal(custody, (&flow.id, &flow.user_id), ContextHash::from(context), &secrets)?;
    let mut tx = custody.store.write().await?;
    flows::keep_secrets(&mut tx, &flow.id, &sealed).await?;
    Ok(tx.commit().await?)
}

async fn done(
    custody: &Custody,
    flow: &Flow,
    (ready, provider): (&Ready, &Provider),
    tokens: &Tokens,
) -> Result<Step, Failure> {
    if !consume(custody, flow).await? {
        consent::give_back(custody, provider, tokens).await;
        return Ok(Step::Ended(consent::ended(custody, flow, Err(FlowError::Over)).await?));
    }
    let account = execute::account(custody, ready, &tokens.access_token).await;
    let kept = consent::bring(custody, flow, (ready, provider), tokens, account).await;
    Ok(Step::Ended(consent::ended(custody, flow, kept).await?))
}

async fn end(custody: &Custody, flow: &Flow, error: FlowError) -> Result<Step, Failure> {
    consume(custody, flow).await?;
    Ok(Step::Ended(consent::ended(custody, flow, Err(error)).await?))
}

async fn consume(custody: &Custody, flow: &Flow) -> Result<bool, Failure> {
    let mut tx = custody.store.write().await?;
    let consumed = flows::consume(&mut tx, &flow.id, custody.clock.now()).await?;
    tx.commit().await?;
    Ok(consumed)
}
