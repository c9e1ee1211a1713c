//! The toolkits inside the binary.

use url::Url;

use super::*;
use crate::egress::AllowedHosts;

/// The folders of whole toolkits; `catalogue.rs` looks at the entries.
fn whole() -> impl Iterator<Item = Folder> {
    embedded().into_iter().filter(|folder| folder.kind() == Kind::Whole)
}

#[test]
fn every_built_in_toolkit_is_whole() {
    let catalog = Catalog::load(whole(), &[]);
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
    let catalog = Catalog::load(whole(), &[]);
    for toolkit in catalog.iter() {
        let mut addresses = vec![&toolkit.api.base_url];
        if let Auth::OAuth2(oauth) = &toolkit.auth {
            addresses.extend(oauth.authorize_url.iter().chain(&oauth.token_url).chain(&oauth.device_url));
            addresses.extend(&oauth.par_url);
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
    let catalog = Catalog::load(whole(), &[]);
    for toolkit in catalog.iter() {
        let resolved =
            toolkit.resolve(&|_| Some("https://ghe.test/api/v3".to_owned()), LoopbackHttp::Refused).unwrap();
        let server = Url::parse("https://ghe.test").unwrap();
        assert_eq!(resolved.hosts, AllowedHosts::of([&server]), "{}", toolkit.slug);
        assert!(resolved.api.base_url.as_str().starts_with("https://ghe.test/api/v3"), "{}", toolkit.slug);
    }
}

/// A request that a provider documents, in `requests.json` of its toolkit.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Documented {
    tool: String,
    class: String,
    arguments: Value,
    method: String,
    url: String,
    body: Option<Value>,
}

#[test]
fn built_in_toolkits_make_the_requests_that_their_providers_document() {
    let mut seen = 0;
    for folder in whole() {
        let Some(text) = folder.read("requests.json", limits::SETTINGS_BYTES).unwrap() else { continue };
        let documented: Vec<Documented> = serde_json::from_slice(&text).unwrap();
        let toolkit = read(&folder).unwrap();
        let resolved = toolkit.resolve(&|_| None, LoopbackHttp::Allowed).unwrap();
        for wanted in documented {
            let tool = toolkit.find(&wanted.tool).unwrap();
            let request = tool.prepare(&resolved, &wanted.arguments.to_string()).unwrap();
            let body = request.body.map(|body| serde_json::from_slice::<Value>(&body.bytes).unwrap());
            assert_eq!(tool.class.as_str(), wanted.class, "{}", wanted.tool);
            assert_eq!((request.method.as_str(), request.url.as_str()), (&*wanted.method, &*wanted.url));
            assert_eq!(body, wanted.body, "{}", wanted.tool);
            seen += 1;
        }
    }
    assert!(seen > 0);
}
