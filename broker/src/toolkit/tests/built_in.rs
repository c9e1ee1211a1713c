//! The toolkits inside the binary.

use url::Url;

use super::*;
use crate::egress::AllowedHosts;

#[test]
fn every_built_in_toolkit_is_whole() {
    let catalog = Catalog::load(embedded(), &[]);
    assert_eq!(catalog.faults(), []);
    assert!(catalog.iter().count() > 0);
    for toolkit in catalog.iter() {
        assert!(toolkit.logo.is_some(), "{} has no logo", toolkit.slug);
        let resolved = toolkit.resolve(&|_| None, LoopbackHttp::Allowed).unwrap();
        assert!(resolved.may_reach(&resolved.api.base_url));
        for tool in &toolkit.tools {
            arguments::compile(tool.input.get()).unwrap_or_else(|why| panic!("{}: {why}", tool.slug));
            assert!(tool.description != tool.name, "{} is not described", tool.slug);
        }
    }
}

#[test]
fn every_address_of_a_built_in_toolkit_is_a_setting() {
    let catalog = Catalog::load(embedded(), &[]);
    for toolkit in catalog.iter() {
        let mut addresses = vec![&toolkit.api.base_url];
        if let Auth::OAuth2(oauth) = &toolkit.auth {
            addresses.extend([&oauth.authorize_url, &oauth.token_url]);
            addresses.extend(&oauth.issuer);
            addresses.extend(oauth.revoke.iter().map(|revoke| &revoke.url));
        }
        for address in addresses {
            assert!(address.as_str().starts_with('{'), "{}: {}", toolkit.slug, address.as_str());
        }
    }
}

#[test]
fn another_server_needs_no_change_of_files() {
    let catalog = Catalog::load(embedded(), &[]);
    for toolkit in catalog.iter() {
        let resolved =
            toolkit.resolve(&|_| Some("https://ghe.test/api/v3".to_owned()), LoopbackHttp::Refused).unwrap();
        let server = Url::parse("https://ghe.test").unwrap();
        assert_eq!(resolved.hosts, AllowedHosts::of([&server]), "{}", toolkit.slug);
        assert_eq!(resolved.api.base_url.as_str(), "https://ghe.test/api/v3");
    }
}

#[test]
fn the_first_toolkit_makes_the_requests_of_its_providers_documentation() {
    let catalog = Catalog::load(embedded(), &[]);
    let github = catalog.get(&Slug::parse("github").unwrap()).unwrap();
    let resolved = github.resolve(&|_| None, LoopbackHttp::Refused).unwrap();
    assert!(github.tool_count() >= 15);

    let create = github.find("GITHUB_CREATE_AN_ISSUE").unwrap();
    assert_eq!((create.class, create.scopes.as_slice()), (Class::Write, ["repo".to_owned()].as_slice()));
    let arguments = r#"{"owner": "octocat", "repo": "hello.world", "title": "Ünï", "milestone": null}"#;
    let request = create.prepare(&resolved, arguments).unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.url.as_str(), "https://api.github.com/repos/octocat/hello.world/issues");
    assert_eq!(request.headers["accept"], "application/vnd.github+json");
    assert_eq!(request.body.unwrap().bytes, r#"{"title":"Ünï","milestone":null}"#);

    let content = github.find("GITHUB_GET_REPOSITORY_CONTENT").unwrap();
    let request =
        content.prepare(&resolved, r#"{"owner": "o", "repo": "r", "path": "src/a b.rs", "ref": "x&y"}"#);
    assert_eq!(
        request.unwrap().url.as_str(),
        "https://api.github.com/repos/o/r/contents/src%2Fa%20b.rs?ref=x%26y"
    );

    let Some(revoke) = resolved.auth.unwrap().revoke else { panic!("no revocation") };
    assert_eq!(revoke.url("Iv1.8a").unwrap().as_str(), "https://api.github.com/applications/Iv1.8a/token");
    let body = revoke.body("gho_x", TokenKind::AccessToken, "Iv1.8a", Some("s")).unwrap();
    assert_eq!(body.bytes.as_slice(), br#"{"access_token":"gho_x"}"#);
}
