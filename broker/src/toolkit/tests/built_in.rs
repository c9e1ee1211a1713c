//! The toolkits inside the binary.

use super::*;

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
