//! The entries of the catalogue, every one of them.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::*;

/// What issue and documents promise.
const AT_LEAST: usize = 150;

fn entries() -> Vec<Folder> {
    embedded().into_iter().filter(|folder| folder.kind() == Kind::Entry).collect()
}

/// What a setting of an entry could be, so that its addresses can be looked at.
fn example(setting: &Setting) -> Option<String> {
    let pattern = setting.pattern.as_ref()?;
    let examples = ["acme", "acme.example.com", "na1", "us6", "acme-1"];
    examples.iter().find(|example| pattern.matches(example)).map(|example| (*example).to_owned())
}

#[test]
fn every_entry_can_be_used() {
    let mut providers = BTreeSet::new();
    for folder in entries() {
        let slug = folder.name().to_owned();
        let toolkit = read(&folder).unwrap_or_else(|faults| panic!("{slug}: {}", lines(&faults)));
        assert!(toolkit.source.as_deref().is_some_and(|source| source.starts_with("https://")), "{slug}");
        assert!(!toolkit.categories.is_empty(), "{slug}");
        for required in toolkit.settings.iter().filter(|setting| setting.required) {
            assert!(example(required).is_some(), "{slug}: no example of {} is known", required.key);
        }
        let value = |key: &str| {
            let setting = toolkit.settings.iter().find(|setting| setting.key == key)?;
            if setting.required { example(setting) } else { None }
        };
        let resolved = toolkit.resolve(&value, LoopbackHttp::Refused);
        let resolved = resolved.unwrap_or_else(|faults| panic!("{slug}: {}", lines(&faults)));
        let oauth = resolved.auth.as_ref().unwrap_or_else(|| panic!("{slug}: no OAuth"));
        for url in [oauth.authorize_url.as_ref().unwrap(), &oauth.token_url, &resolved.api.base_url] {
            assert_eq!(url.scheme(), "https", "{slug}: {url}");
        }
        assert!(resolved.may_reach(&resolved.api.base_url) && resolved.may_reach(&oauth.token_url), "{slug}");
        providers.insert(oauth.token_url.as_str().to_owned());
        let tools: Vec<&str> = toolkit.tools.iter().map(|tool| tool.slug.as_str()).collect();
        assert_eq!(tools, [format!("{}_HTTP_REQUEST", naming::screaming(&slug))]);
    }
    assert!(providers.len() >= AT_LEAST, "{} providers", providers.len());
}

#[test]
fn what_varies_in_an_address_is_a_setting_with_a_pattern_that_keeps_it_in_its_place() {
    for folder in entries() {
        let toolkit = read(&folder).unwrap();
        for address in &toolkit.settings {
            for key in address.keys_in_default() {
                let setting = toolkit.settings.iter().find(|setting| setting.key == key).unwrap();
                let pattern = setting.pattern.as_ref().unwrap_or_else(|| panic!("{key} has no pattern"));
                for hostile in
                    ["", ".", "..", "evil.test/", "a@b", "a:1", "a#", "a?", "a b", "a\n", "127.0.0.1/x"]
                {
                    assert!(!pattern.matches(hostile), "{key} may be {hostile:?}");
                }
            }
        }
    }
}

#[test]
fn no_slug_is_there_twice_and_no_toolkit_is_an_entry_as_well() {
    let mut seen: BTreeMap<String, Kind> = BTreeMap::new();
    for folder in embedded() {
        let other = seen.insert(folder.name().to_owned(), folder.kind());
        assert!(other.is_none(), "{} is there twice", folder.name());
    }
    assert_eq!(Catalog::load(embedded(), &[]).faults(), []);
}

#[test]
fn each_entry_can_be_pointed_at_another_server() {
    for folder in entries() {
        let toolkit = read(&folder).unwrap();
        let elsewhere = |key: &str| {
            let setting = toolkit.settings.iter().find(|setting| setting.key == key)?;
            if setting.pattern.is_some() {
                example(setting)
            } else {
                Some("http://127.0.0.1:8090".to_owned())
            }
        };
        let resolved = toolkit.resolve(&elsewhere, LoopbackHttp::Allowed).unwrap();
        let server = Url::parse("http://127.0.0.1:8090").unwrap();
        assert_eq!(resolved.hosts, crate::egress::AllowedHosts::of([&server]), "{}", toolkit.slug);
        assert_eq!(resolved.auth.unwrap().authorize_url.unwrap().port(), Some(8090), "{}", toolkit.slug);
    }
}

#[test]
fn a_tenant_that_is_not_set_or_wrong_is_named() {
    let folder = entries().into_iter().find(|folder| folder.name() == "shopify").unwrap();
    let toolkit = read(&folder).unwrap();
    let missing = lines(&toolkit.resolve(&|_| None, LoopbackHttp::Refused).unwrap_err());
    assert!(missing.contains("SHOPIFY_SHOP is required"), "{missing}");
    for wrong in ["evil.test#", "a.b", "-", "localhost:1", "a/b", "a@b"] {
        let shop = |key: &str| (key == "SHOPIFY_SHOP").then(|| wrong.to_owned());
        let faults = lines(&toolkit.resolve(&shop, LoopbackHttp::Refused).unwrap_err());
        assert!(faults.contains("SHOPIFY_SHOP"), "{wrong}: {faults}");
    }
    let shop = |key: &str| (key == "SHOPIFY_SHOP").then(|| "acme".to_owned());
    let resolved = toolkit.resolve(&shop, LoopbackHttp::Refused).unwrap();
    assert_eq!(resolved.api.base_url.as_str(), "https://acme.myshopify.com/");
}
