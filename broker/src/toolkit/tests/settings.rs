//! `toolkit.toml`: what is refused and how it is filled in.

use url::Url;

use super::*;
use crate::egress::AllowedHosts;

const OAUTH: &str = r#"
name = "Test"
description = "A toolkit of the tests"

[[settings]]
key = "SITE"
description = "Address of the site"
default = "https://site.test"

[[settings]]
key = "TENANT"
description = "Name of the tenant"
required = true

[[settings]]
key = "HIDDEN"
description = "Something secret"
secret = true

[auth]
mode = "oauth2"
issuer = "{SITE}"
authorize_url = "{SITE}/authorize"
token_url = "{SITE}/token"
revoke = { url = "https://revoke.test/{client_id}" }

[api]
base_url = "https://{TENANT}.api.test/v1"

[tools]
openapi = "openapi.json"
"#;

fn with(from: &str, to: &str) -> Result<Toolkit, Vec<Fault>> {
    assert!(OAUTH.contains(from), "{from}");
    read_files(&OAUTH.replacen(from, to, 1), &document("3.1.0", &json!({}), &json!({})))
}

#[test]
fn every_fault_names_its_key() {
    for (from, to, fault) in [
        ("name = \"Test\"", "", "toolkit.toml: missing field `name`"),
        ("name = \"Test\"", "nmae = \"Test\"", "toolkit.toml: nmae: unknown field `nmae`"),
        ("name = \"Test\"", "name = \"\"", "toolkit.toml: name: must have 1 to 300 characters"),
        ("name = \"Test\"", "name = ", "toolkit.toml: is not TOML"),
        (
            "name = \"Test\"",
            "docs = \"javascript:1\"\nname = \"x\"",
            "toolkit.toml: docs: must be an absolute",
        ),
        ("key = \"SITE\"", "key = \"site\"", "toolkit.toml: settings[0].key: must be"),
        ("key = \"SITE\"", "key = \"TENANT\"", "toolkit.toml: settings[1].key: TENANT is there twice"),
        (
            "key = \"HIDDEN\"",
            "key = \"TAIKU_X\"",
            "toolkit.toml: settings[2].key: must not begin with TAIKU_",
        ),
        ("secret = true", "secret = 1", "toolkit.toml: settings[2].secret: invalid type"),
        ("secret = true", "secret = true\ndefault = \"x\"", "settings[2].default: a secret setting"),
        ("\"oauth2\"", "\"api_key\"", "auth.authorize_url: is not for `api_key`; remove it"),
        ("\"oauth2\"", "\"oauth3\"", "auth.mode: `oauth3` is not a mode; there are `oauth2`"),
        ("\"oauth2\"", "\"device_code\"", "auth.device_url: is needed for `device_code`"),
        ("\"oauth2\"", "\"client_credentials\"", "auth.authorize_url: is not for `client_credentials`"),
        ("[api]", "device_url = \"{SITE}/d\"\n[api]", "auth.device_url: is not for `oauth2`; remove it"),
        ("[api]", "labels = { pin = \"PIN\" }\n[api]", "auth.labels.pin: is not known"),
        ("[api]", "help = \"x\"\n[api]", "auth.help: must be an absolute address"),
        ("authorize_url = \"{SITE}/authorize\"", "", "auth.authorize_url: is needed for `oauth2`"),
        ("\"{SITE}/token\"", "\"{SITE/token\"", "auth.token_url: has a `{` without a `}`"),
        ("\"{SITE}/token\"", "\"{OTHER}/token\"", "auth.token_url: {OTHER} is not among the settings"),
        (
            "\"{SITE}/token\"",
            "\"{client_id}/token\"",
            "auth.token_url: {client_id} is not among the settings",
        ),
        ("\"{SITE}/token\"", "\"{HIDDEN}/token\"", "auth.token_url: {HIDDEN} is secret"),
        (
            "[api]",
            "client_auth = \"none\"\n[api]",
            "auth.client_auth: unknown variant `none`, expected one of `body`, `basic`, `basic_raw`",
        ),
        ("[api]", "scopes = [\"a b\"]\n[api]", "auth.scopes[0]: must be visible ASCII"),
        (
            "[api]",
            "authorize_params = { state = \"x\" }\n[api]",
            "auth.authorize_params.state: is set by taiku",
        ),
        (
            "[api]",
            "token_params = { client_secret = \"x\" }\n[api]",
            "auth.token_params.client_secret: is set by taiku",
        ),
        (
            "[api]",
            "[[auth.values]]\nkey = \"a\"\nfrom = \"token\"\nat = \"/a\"\npattern = \"[a-z]+\"\nexample = \"1\"\n[api]",
            "auth.values[0].example: does not look",
        ),
        (
            "[api]",
            "[[auth.values]]\nkey = \"A\"\nfrom = \"token\"\nat = \"/a\"\npattern = \"a\"\nexample = \"a\"\n[api]",
            "auth.values[0].key: must be",
        ),
        (
            "[api]",
            "[[auth.values]]\nkey = \"a\"\nfrom = \"user\"\nat = \"a\"\npattern = \"a\"\nexample = \"a\"\n[api]",
            "auth.values[0].from: must be `token`",
        ),
        (
            "[api]",
            "[[auth.values]]\nkey = \"a\"\nfrom = \"lookup\"\nat = \"/a\"\npattern = \"a\"\nexample = \"a\"\n[api]",
            "auth.values[0].url: is needed for `lookup`",
        ),
        (
            "[api]",
            "[[auth.values]]\nkey = \"a\"\nfrom = \"lookup\"\nat = \"/a\"\nurl = \"{SITE}/{a}\"\npattern = \"a\"\nexample = \"a\"\n[api]",
            "auth.values.url: {a} is not among the settings",
        ),
        ("\"{SITE}/token\"", "\"{company}/token\"", "auth.token_url: {company} is not among the settings"),
        ("[tools]", "headers = { X-Y = \"{NO}\" }\n[tools]", "api.headers: {NO} is not among the settings"),
        ("[api]", "token_pointer = \"a\"\n[api]", "auth.token_pointer: must be a JSON pointer"),
        (
            "[api]",
            "account = { tool = \"NO\", id = \"/id\" }\n[api]",
            "auth.account.tool: there is no tool NO",
        ),
        ("[tools]", "headers = { Cookie = \"x\" }\n[tools]", "api.headers.Cookie: is set by taiku"),
        ("[tools]", "headers = { X = \"a\\r\\nb\" }\n[tools]", "api.headers.X: must be visible ASCII"),
        ("[tools]", "authorization = \"Bearer\"\n[tools]", "api.authorization: must contain {access_token}"),
        ("[tools]", "dead_token = [200]\n[tools]", "api.dead_token: 200 would end every token"),
        ("[tools]", "rate_limited = [\"x\"]\n[tools]", "api.rate_limited: must be"),
        ("[tools]", "authorization_header = \"Host\"\n[tools]", "api.authorization_header: is set by taiku"),
        (
            "[tools]",
            "authorization_header = \"X-Token\"\nauthorization_query = \"t\"\n[tools]",
            "api.authorization_query: is a second place for the token",
        ),
        (
            "required = true",
            "required = true\npattern = \"(\"",
            "settings[1].pattern: `(` is not a regular expression",
        ),
        ("[api]", "token_names = { cod = \"x\" }\n[api]", "auth.token_names.cod: is not known; there are"),
        (
            "[api]",
            "callback_names = { code = \"\" }\n[api]",
            "auth.callback_names.code: must be visible ASCII",
        ),
        ("[api]", "authorize_names = { state = \"s\" }\n[api]", "auth.authorize_names.state: is not known"),
        (
            "[api]",
            "token_names = { code = \"x\", client_id = \"x\" }\n[api]",
            "auth.token_names.client_id: `x` is there twice",
        ),
        (
            "[api]",
            "token_fields = { scope = \"s\" }\n[api]",
            "auth.token_fields.scope: must be a JSON pointer",
        ),
        ("[api]", "default_lifetime = 0\n[api]", "auth.default_lifetime: must be at least one second"),
        (
            "[api]",
            "refresh = { url = \"{NO}/x\" }\n[api]",
            "auth.refresh.url: {NO} is not among the settings",
        ),
        ("[tools]", "failure = \"ok\"\n[tools]", "api.failure: must be"),
        ("[tools]", "retry_after = [\"a b\"]\n[tools]", "api.retry_after: `a b` is not a header name"),
        ("\"openapi.json\"", "\"../openapi.json\"", "tools.openapi: must be the name of a file"),
        ("\"openapi.json\"", "\"other.json\"", "other.json: is missing"),
    ] {
        let faults = lines(&with(from, to).unwrap_err());
        assert!(faults.contains(fault), "{to}:\n{faults}");
    }
}

#[test]
fn what_only_the_protocol_sets_is_refused() {
    let tables = [("authorize_params", reserved::AUTHORIZE), ("token_params", reserved::TOKEN)];
    for (table, names) in tables {
        for name in names {
            let faults =
                lines(&with("[api]", &format!("{table} = {{ {name} = \"x\" }}\n[api]")).unwrap_err());
            assert_eq!(
                faults,
                format!(
                    "toolkit.toml: auth.{table}.{name}: is set by taiku and cannot be replaced; remove it"
                )
            );
        }
        assert!(with("[api]", &format!("{table} = {{ audience = \"x\" }}\n[api]")).is_ok());
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let faults =
        with("mode = \"oauth2\"", "mode = \"oauth2\"\nscopes = [\"\"]\ntoken_pointer = \"x\"").unwrap_err();
    assert_eq!(faults.len(), 2);
}

fn resolve(values: &[(&str, &str)], loopback: LoopbackHttp) -> Result<Resolved, String> {
    let toolkit = with("mode", "mode").unwrap();
    let lookup =
        |key: &str| values.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned());
    toolkit.resolve(&lookup, loopback).map_err(|faults| lines(&faults))
}

#[test]
fn settings_fill_every_address() {
    let resolved =
        resolve(&[("TENANT", "acme"), ("SITE", "https://other.test/")], LoopbackHttp::Refused).unwrap();
    let auth = resolved.auth.as_ref().unwrap();
    assert_eq!(auth.issuer.as_deref(), Some("https://other.test/"));
    assert_eq!(auth.token_url.as_str(), "https://other.test/token");
    assert_eq!(auth.authorize_url.as_ref().unwrap().as_str(), "https://other.test/authorize");
    assert_eq!(resolved.api.base_url.as_str(), "https://acme.api.test/v1");
    for (text, reach) in [
        ("https://acme.api.test/else", true),
        ("https://acme.api.test:444/", false),
        ("http://acme.api.test/", false),
        ("https://evil.test/", false),
    ] {
        assert_eq!(resolved.may_reach(&Url::parse(text).unwrap()), reach, "{text}");
    }
}

#[test]
fn requests_reach_the_api_and_every_endpoint_but_not_the_page_of_consent() {
    let toolkit = with(
        "issuer = \"{SITE}\"\nauthorize_url = \"{SITE}/authorize\"",
        "issuer = \"https://issuer.test\"\nauthorize_url = \"https://page.test\"",
    );
    let tenant = |key: &str| (key == "TENANT").then(|| "acme".to_owned());
    let resolved = toolkit.unwrap().resolve(&tenant, LoopbackHttp::Refused).unwrap();
    let origins =
        ["https://acme.api.test", "https://issuer.test", "https://site.test", "https://revoke.test:443"];
    let origins = origins.map(|origin| Url::parse(origin).unwrap());
    assert_eq!(resolved.hosts, AllowedHosts::of(&origins));
}

#[test]
fn the_default_counts_where_nothing_is_set() {
    let resolved = resolve(&[("TENANT", "acme"), ("SITE", "")], LoopbackHttp::Refused).unwrap();
    assert_eq!(resolved.auth.unwrap().token_url.as_str(), "https://site.test/token");
}

#[test]
fn values_that_make_no_good_address_are_refused() {
    let missing = resolve(&[], LoopbackHttp::Refused).unwrap_err();
    assert!(missing.contains("settings: TENANT is required and has no value"), "{missing}");
    for (key, value, why) in [
        (
            "TENANT",
            "evil.test/",
            "api.base_url: https://{TENANT}.api.test/v1: the value of TENANT must be one label",
        ),
        ("TENANT", "a@b", "must be one label"),
        ("SITE", "http://site.test", "must begin with https://"),
        ("SITE", "http://127.0.0.1:8090", "TAIKU_ALLOW_LOOPBACK_HTTP"),
        ("SITE", "http://localhost:8090", "must begin with https://"),
        ("SITE", "https://localhost", "must not name localhost"),
        ("SITE", "https://u:p@site.test", "without `?`, `#`, `@`"),
        ("SITE", "https://site.test#", "without `?`, `#`, `@`"),
        ("SITE", "site.test", "must be an address"),
        ("SITE", "https://site.test/..", "path segments"),
    ] {
        let mut values = vec![(key, value)];
        if key != "TENANT" {
            values.push(("TENANT", "acme"));
        }
        let faults = resolve(&values, LoopbackHttp::Refused).unwrap_err();
        assert!(faults.contains(why), "{value}: {faults}");
    }
    let loopback = [("TENANT", "acme"), ("SITE", "http://127.0.0.1:8090")];
    assert!(resolve(&loopback, LoopbackHttp::Allowed).is_ok());
    let localhost = [("TENANT", "acme"), ("SITE", "http://localhost:8090")];
    assert!(resolve(&localhost, LoopbackHttp::Allowed).is_err());
}

#[test]
fn a_base_address_has_no_query() {
    let toolkit = with("https://{TENANT}.api.test/v1", "https://api.test/v1?key={TENANT}").unwrap();
    let faults = toolkit.resolve(&|_| Some("https://x.test".to_owned()), LoopbackHttp::Refused).unwrap_err();
    assert!(lines(&faults).contains("api.base_url"), "{faults:?}");
}

#[test]
fn a_value_that_does_not_look_like_its_pattern_is_refused() {
    let toolkit = with("required = true", "required = true\npattern = \"[a-z]+\"").unwrap();
    let resolve = |tenant: &str| {
        toolkit
            .resolve(&|key| (key == "TENANT").then(|| tenant.to_owned()), LoopbackHttp::Refused)
            .map_err(|faults| lines(&faults))
    };
    assert!(resolve("acme").is_ok());
    assert!(resolve("acme1").unwrap_err().contains("TENANT must look like `[a-z]+`"));
}
