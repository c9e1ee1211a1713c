//! Documents that a provider publishes for everybody, such as its OAuth metadata.

use http::header::{ACCEPT, LOCATION};
use http::{HeaderValue, StatusCode};
use url::Url;

use super::{AllowedHosts, Egress, EgressError, Inbound, Outbound};

/// How many redirects are followed from a public document's address.
pub const PUBLIC_REDIRECTS: usize = 3;

impl Egress {
    /// Fetches a public document and follows up to [`PUBLIC_REDIRECTS`] redirects to it. Nothing but `Accept` is
    /// sent, so there is no credential that could follow; every hop is one of `hosts`, vetted and pinned like any
    /// request. One redirect more is handed back as the answer that it is.
    ///
    /// # Errors
    /// As [`Egress::send`], of whichever hop failed.
    pub async fn fetch_public(
        &self,
        url: Url,
        accept: HeaderValue,
        hosts: &AllowedHosts,
    ) -> Result<Inbound, EgressError> {
        let mut url = url;
        for _ in 0..PUBLIC_REDIRECTS {
            let inbound = self.hop(url.clone(), &accept, hosts).await?;
            match target(&url, &inbound) {
                Some(next) => url = next,
                None => return Ok(inbound),
            }
        }
        self.hop(url, &accept, hosts).await
    }

    async fn hop(
        &self,
        url: Url,
        accept: &HeaderValue,
        hosts: &AllowedHosts,
    ) -> Result<Inbound, EgressError> {
        let mut request = Outbound::get(url);
        request.headers.insert(ACCEPT, accept.clone());
        self.send(request, hosts).await
    }
}

/// Where a redirect of a GET leads to (RFC 9110 section 15.4).
fn target(from: &Url, inbound: &Inbound) -> Option<Url> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = inbound.headers.get(LOCATION).filter(|_| redirects.contains(&inbound.status))?;
    from.join(location.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};

    use super::super::testing::{Canary, Scripted, loopback};
    use super::super::{EgressError, Refusal};
    use super::*;

    const ANY: HeaderValue = HeaderValue::from_static("application/json");

    /// A provider whose paths `/0`, `/1`, … each lead to the next, until `last` answers.
    async fn chain(last: usize) -> Scripted {
        Scripted::start(move |seen| {
            let number: usize = seen.path.trim_start_matches('/').parse().unwrap();
            let next = [(LOCATION, format!("/{}", number + 1)), (SET_COOKIE, "s=1".to_owned())];
            if number == last { Ok("found") } else { Err((StatusCode::FOUND, next)) }
        })
        .await
    }

    #[tokio::test]
    async fn three_redirects_are_followed_and_a_fourth_is_handed_back() {
        let short = chain(PUBLIC_REDIRECTS).await;
        let found = loopback().fetch_public(short.at("/0"), ANY, &short.hosts()).await.unwrap();
        assert_eq!((found.status, found.body.as_ref()), (StatusCode::OK, b"found".as_ref()));
        for seen in short.seen() {
            assert!(
                !seen.headers.contains_key(COOKIE) && !seen.headers.contains_key(AUTHORIZATION),
                "{seen:?}"
            );
        }
        for last in [PUBLIC_REDIRECTS + 1, 50, usize::MAX] {
            let long = chain(last).await;
            let found = loopback().fetch_public(long.at("/0"), ANY, &long.hosts()).await.unwrap();
            assert_eq!(found.status, StatusCode::FOUND, "{last}");
            assert_eq!(long.seen().len(), PUBLIC_REDIRECTS + 1, "{last}");
        }
    }

    #[tokio::test]
    async fn a_redirect_to_itself_ends() {
        let circle = Scripted::start(|_| (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "/")])).await;
        let found = loopback().fetch_public(circle.at("/"), ANY, &circle.hosts()).await.unwrap();
        assert_eq!(found.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(circle.seen().len(), PUBLIC_REDIRECTS + 1);
    }

    #[tokio::test]
    async fn every_hop_is_vetted() {
        let canary = Canary::start().await;
        let port = canary.port();
        for (to, refusal) in [
            (format!("http://127.0.0.1:{port}/"), Some(Refusal::Undeclared)),
            (format!("//127.0.0.1:{port}/"), Some(Refusal::Undeclared)),
            (format!("http://localhost:{port}/"), Some(Refusal::Scheme)),
            (format!("http://u:p@127.0.0.1:{port}/"), Some(Refusal::Userinfo)),
            (format!("https://0x7f.1:{port}/"), None),
            (format!("https://[::ffff:127.0.0.1]:{port}/"), None),
            ("file:///etc/passwd".to_owned(), None),
        ] {
            let location = to.clone();
            let provider =
                Scripted::start(move |_| (StatusCode::FOUND, [(LOCATION, location.clone())])).await;
            let refused =
                loopback().fetch_public(provider.at("/"), ANY, &provider.hosts()).await.unwrap_err();
            match refusal {
                Some(refusal) => assert_eq!(refused, EgressError::Refused(refusal), "{to}"),
                None => assert!(matches!(refused, EgressError::Refused(_)), "{to}: {refused}"),
            }
        }
        assert_eq!(canary.connects().await, 0);
    }
}
