//! Fetches a plugin from its address: a packed one, or a manifest with the files that it names.
//!
//! Which files belong to a manifest is said by the manifest alone, never guessed from HTML: the `htmlUrl` of every
//! panel, and the list `files`. All are fetched relative to the manifest, so that they come from its origin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;
use taiku_bridge::manifest::{Fault, Manifest, path_fault};
use taiku_bridge::{Code, Refusal};
use url::Url;

use super::{Candidate, invalid, unpack, wrong};
use crate::broker::Broker;
use crate::egress::{AllowedHosts, Egress, EgressError, Outbound};
use crate::failure::Failure;
use crate::plugin::{Files, MANIFEST, MAX_BYTES};
use crate::store::installs::Origin;

/// Longest address.
const MAX_URL: usize = 1000;
/// Most files beside a manifest; a plugin of more is packed.
const MAX_FILES: usize = 200;
/// How long all files together may take.
const TIME: Duration = Duration::from_secs(60);

/// Fetches the plugin at an address that somebody typed.
///
/// # Errors
/// `invalid_params` when the address may not be asked, `plugin_unreachable` when it does not answer,
/// `plugin_invalid` when it answers something else.
pub async fn candidate(broker: &Broker, text: &str) -> Result<Candidate, Failure> {
    let url = address(&broker.egress, text, "/url")?;
    let origin = url.origin().ascii_serialization();
    let files = tokio::time::timeout(TIME, files(&broker.egress, &url)).await.map_err(|_| slow(&url))??;
    Ok(Candidate { files, origin: Origin::Url { origin, location: url.into() }, promised: None })
}

/// An address that may be asked at all. Its query and fragment say nothing about a plugin and are refused, so that
/// one plugin has one address.
///
/// # Errors
/// `invalid_params` at `pointer`, with the rule that the address breaks.
pub fn address(egress: &Egress, text: &str, pointer: &str) -> Result<Url, Refusal> {
    let field = |what: &str| Refusal::field(pointer, what);
    if text.len() > MAX_URL {
        return Err(field("must have at most 1000 bytes"));
    }
    let url = Url::parse(text.trim()).map_err(|error| field(&format!("is not an address: {error}")))?;
    egress.vet_url(&url).map_err(|refusal| field(&format!("cannot be asked: {refusal}")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(field("must have neither query nor fragment"));
    }
    Ok(url)
}

async fn files(egress: &Egress, url: &Url) -> Result<Files, Failure> {
    let first = get(egress, url).await?;
    if first.starts_with(b"PK") {
        return unpack(first).await;
    }
    let text = std::str::from_utf8(&first).map_err(|_| invalid("the manifest is not UTF-8"))?;
    let manifest = Manifest::parse(text).map_err(|faults| wrong(&faults))?.manifest;
    let mut paths: BTreeSet<String> = manifest.panels.into_iter().map(|panel| panel.html_url).collect();
    paths.extend(listed(text).map_err(|fault| wrong(&[fault]))?);
    paths.remove(MANIFEST);
    if paths.len() > MAX_FILES {
        return Err(invalid(format!("it names more than {MAX_FILES} files; pack it into a .zip instead")));
    }
    let mut files = BTreeMap::from([(MANIFEST.to_owned(), first)]);
    let mut left = MAX_BYTES;
    for path in paths {
        let content = get(egress, &beside(url, &path)?).await?;
        left = left
            .checked_sub(content.len())
            .ok_or_else(|| invalid(format!("its files have more than {MAX_BYTES} bytes together")))?;
        files.insert(path, content);
    }
    Ok(Files::new(files))
}

/// The paths in the manifest's list `files`, which only installing from an address needs.
fn listed(manifest: &str) -> Result<Vec<String>, Fault> {
    let value: Value = serde_json::from_str(manifest).unwrap_or_default();
    let at = |index: usize| format!("/files/{index}");
    let items = match value.get("files") {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Fault { pointer: "/files".into(), what: "must be a list of paths".into() }),
    };
    let path = |(index, item): (usize, &Value)| {
        let path = item.as_str().unwrap_or_default();
        match path_fault(path) {
            Some(what) => Err(Fault { pointer: at(index), what: what.into() }),
            None => Ok(path.to_owned()),
        }
    };
    items.iter().take(MAX_FILES + 1).enumerate().map(path).collect()
}

/// The address of a file beside the manifest. The path's rule keeps it there; that is looked at once more here.
fn beside(manifest: &Url, path: &str) -> Result<Url, Failure> {
    let file = manifest.join(path).map_err(|_| invalid(format!("`{path}` is not a path")))?;
    let folder = manifest.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    let within = file.origin() == manifest.origin()
        && file.path().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    if within { Ok(file) } else { Err(invalid(format!("`{path}` is not beside the manifest"))) }
}

/// The body of an address that answers 200. Redirects are not followed: who publishes is who was asked.
pub(super) async fn get(egress: &Egress, url: &Url) -> Result<Bytes, Failure> {
    let unreachable =
        |what: String| Failure::new(Code::PluginUnreachable, format!("{url} could not be fetched: {what}."));
    let answer = egress.send(Outbound::get(url.clone()), &AllowedHosts::of([url])).await;
    let answer = answer.map_err(|error| unreachable(cause(error)))?;
    match answer.status {
        StatusCode::OK => Ok(answer.body),
        status if status.is_redirection() => {
            Err(unreachable("it leads to another address; give that one".into()))
        }
        status => Err(unreachable(format!("it answered {}", status.as_u16()))),
    }
}

fn cause(error: EgressError) -> String {
    match error {
        EgressError::Refused(refusal) => refusal.to_string(),
        EgressError::NotSent(why) => why.to_string(),
        EgressError::Unknown(why) => why.to_string(),
        EgressError::TooLarge(what) => what.to_string(),
    }
}

pub(super) fn slow(url: &Url) -> Failure {
    let message = format!("{url} could not be fetched: its files did not come within 60 s.");
    Failure::new(Code::PluginUnreachable, message)
}
