//! The providers of the enabled toolkits: where they send people back to, and whether they can be reached.

use http::header::DATE;
use taiku_bridge::Slug;
use url::Url;

use super::{Finding, distance};
use crate::clock::Millis;
use crate::common::Common;
use crate::egress::Outbound;
use crate::integration::{self, Ready};
use crate::store::integrations;

/// Looks at each enabled toolkit.
pub(super) async fn examine(common: &Common) -> Vec<Finding> {
    let enabled = async {
        let mut tx = common.store.read().await?;
        integrations::all(&mut tx).await
    };
    let enabled: Vec<Slug> = match enabled.await {
        Ok(all) => all.into_iter().filter(|(_, row)| row.enabled).map(|(slug, _)| slug).collect(),
        Err(error) => return vec![Finding::fail("toolkits", error.to_string(), "look at the database")],
    };
    if enabled.is_empty() {
        return vec![Finding::ok("toolkits", "none is enabled")];
    }
    let mut findings = Vec::new();
    for slug in enabled {
        match integration::ready(common, &slug).await {
            Ok(ready) => findings.extend(of_toolkit(common, &ready).await),
            Err(failure) => {
                let todo = format!("look at {slug} under Admin, or in its folder");
                findings.push(Finding::fail(slug.as_str(), format!("cannot be used: {failure:?}"), todo));
            }
        }
    }
    findings
}

async fn of_toolkit(common: &Common, ready: &Ready) -> Vec<Finding> {
    let slug = ready.toolkit.slug.as_str();
    let mut findings = Vec::new();
    if ready.resolved.auth.is_some() {
        findings.push(match integration::redirect_uri(common, &ready.context_id) {
            Ok(uri) => Finding::ok(slug, format!("sends people back to {uri}, which its provider must know")),
            Err(failure) => Finding::fail(slug, format!("{failure:?}"), "look at TAIKU_PUBLIC_URL"),
        });
    }
    let token_url = ready.resolved.auth.as_ref().map(|auth| auth.token_url.clone());
    let mut origins: Vec<Url> = token_url.into_iter().chain([ready.resolved.api.base_url.clone()]).collect();
    for url in &mut origins {
        url.set_path("/");
        url.set_query(None);
    }
    origins.dedup();
    for origin in origins {
        findings.extend(reach(common, ready, origin).await);
    }
    findings
}

/// Any answer will do: it is there. Its clock comes along.
async fn reach(common: &Common, ready: &Ready, origin: Url) -> Vec<Finding> {
    let slug = ready.toolkit.slug.as_str();
    let host = origin.host_str().unwrap_or_default().to_owned();
    match common.egress.send(Outbound::get(origin), &ready.resolved.hosts).await {
        Ok(answer) => {
            let mut findings = vec![Finding::ok(slug, format!("{host} answers"))];
            let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date);
            // To the second, and as old as the way here.
            let off = date.map(|date| distance(slug, &host, common.clock.now() - date));
            findings.extend(off.filter(|finding| finding.status != super::Status::Ok));
            findings
        }
        Err(error) => {
            let todo = "look at this machine's DNS, routes and firewall, and at the toolkit's addresses";
            vec![Finding::fail(slug, format!("{host} cannot be reached: {error}"), todo)]
        }
    }
}

/// The time in a `Date` header (RFC 9110, section 5.6.7), which every server writes in one form.
fn http_date(text: &str) -> Option<Millis> {
    use time::format_description::well_known::Rfc2822;
    let text = text.strip_suffix("GMT")?;
    let at = time::OffsetDateTime::parse(&format!("{text}+0000"), &Rfc2822).ok()?;
    Some(at.unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(http_date("yesterday"), None);
    }
}
