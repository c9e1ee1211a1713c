use serde::Serialize;
use taiku_bridge::api::{
    Account, Activities, Activity, AdminPlugin, AdminPlugins, AdminToolkit, AdminToolkits, ApiKey, ApiKeys,
    Change, Connection, Connections, FailedFolder, FailedRevocation, Items, Members, Offer, Plugin,
    PluginPolicy, PluginRule, Plugins, PolicyMode, Problem, Receipt, Registries, Registry, Revocation,
    RevocationDetail, Revocations, Revoked, Role, SecretState, Session, Setting, Source, Status, StoredFile,
    StoredGrant, Toolkit, Toolkits, User, Verdict,
};
use taiku_bridge::manifest::Fault;
use taiku_bridge::{Code, Grant, Manifest, PluginId, Refusal, Slug};

use super::{FromJson, read};

/// What serde writes is read back, and what lacks a field is refused rather than guessed.
#[track_caller]
fn comes_back<T: FromJson + Serialize + PartialEq + std::fmt::Debug>(value: &T) {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(read::<T>(&json).as_ref(), Some(value), "{json}");
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn slug() -> Slug {
    Slug::parse("demo").unwrap()
}

#[test]
fn a_session() {
    let user = User { id: "u".into(), email: "e".into(), name: "n".into(), role: Role::Member };
    let session = Session {
        user: Some(user),
        session_id: some("s"),
        anonymous: true,
        integrations: true,
        panel_origin: "http://127.0.0.1:1".into(),
    };
    comes_back(&session);
    comes_back(&Session { user: None, session_id: None, anonymous: false, integrations: false, ..session });
    assert!(read::<Session>(&serde_json::json!({"user": {"id": "u"}, "panelOrigin": ""})).is_none());
}

#[test]
fn what_a_plugin_stores() {
    let (next_cursor, used_bytes, max_bytes) = (some("b"), 7, 1_048_576);
    comes_back(&Items::Keys { keys: vec!["a".into(), "b".into()], next_cursor, used_bytes, max_bytes });
    let file = StoredFile { name: "f".into(), size: 3, updated_at: "2026-11-21T09:00:00Z".into() };
    comes_back(&Items::Files { files: vec![file], next_cursor: None, used_bytes, max_bytes });
    comes_back(&Items::Files { files: vec![], next_cursor: None, used_bytes, max_bytes });
    assert!(read::<Items>(&serde_json::json!({"keys": ["a"]})).is_none());
}

#[test]
fn every_status_and_every_code() {
    for status in [Status::Initiated, Status::Active, Status::Expired, Status::Failed, Status::Revoked] {
        comes_back(&status);
    }
    for code in Code::ALL {
        comes_back(&Problem::from(Refusal { code: *code, message: "m".into(), pointer: some("/p") }));
    }
}

#[test]
fn a_plugin() {
    let manifest = r#"{
        "id": "a.b", "name": "A", "version": "1.2.3-rc.1", "author": "x", "description": "d", "tagline": "t",
        "categories": ["c"], "permissions": ["integrations.read", "chat.write", "integrations.execute"],
        "integrations": ["demo"],
        "panels": [
            {"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "p.html", "defaultWidth": 1, "defaultHeight": 2},
            {"id": "q", "title": "Q", "position": "overlay", "htmlUrl": "q.html", "background": true}
        ],
        "toolbarActions": [{"id": "o", "label": "O", "icon": "<svg/>", "panelId": "p"}]
    }"#;
    let manifest = Manifest::parse(manifest).unwrap().manifest;
    let grant = Grant { integrations: [slug()].into(), ..Grant::default() };
    let plugin = Plugin {
        id: PluginId::parse("a.b").unwrap(),
        name: "A".into(),
        version: "1.2.3-rc.1".into(),
        source: Source::Folder,
        publisher: "folder".into(),
        added: true,
        change: Change::between(&grant, &manifest),
        manifest,
        files: "/p/x".into(),
        grant: Some(StoredGrant { version: "1".into(), grant, granted_at: "now".into() }),
    };
    assert!(plugin.change.is_some());
    let stranger = Plugin { grant: None, change: None, source: Source::Url, added: false, ..plugin.clone() };
    comes_back(&Plugins { plugins: vec![plugin, stranger] });
}

#[test]
fn accounts() {
    let connection = Connection {
        id: "c".into(),
        toolkit: slug(),
        status: Status::Expired,
        why: some("revoked"),
        account: Account { id: some("1"), label: some("ada"), avatar: some("https://a.test") },
        alias: some("work"),
        default: true,
        scopes: vec!["s".into()],
        requested_scopes: vec!["s".into(), "t".into()],
        missing_scopes: vec!["t".into()],
        replaces: some("con_other"),
        created_at: "t".into(),
        last_used_at: some("u"),
        expires_at: some("v"),
    };
    let bare = Connection {
        why: None,
        account: Account::default(),
        default: false,
        replaces: None,
        ..connection.clone()
    };
    comes_back(&Connections { connections: vec![connection, bare] });
    let revoked = vec![Revoked { token: "refresh_token".into(), outcome: "revoked".into() }];
    comes_back(&Receipt { connection_id: "c".into(), revoked, deleted_at: "t".into() });
    let toolkit = Toolkit {
        slug: slug(),
        name: "Demo".into(),
        description: "d".into(),
        categories: vec!["c".into()],
        logo: some("/l"),
        auth_mode: "oauth2".into(),
        tool_count: 6,
    };
    comes_back(&Toolkits { toolkits: vec![toolkit] });
}

#[test]
fn keys_and_activity() {
    let key = ApiKey {
        id: "k".into(),
        name: "n".into(),
        scopes: vec![],
        created_at: "t".into(),
        expires_at: None,
        last_used_at: some("u"),
    };
    comes_back(&ApiKeys { api_keys: vec![key] });
    let entry = Activity {
        id: "1".into(),
        at: "t".into(),
        plugin: some("a.b"),
        toolkit: "demo".into(),
        action: "DEMO_X".into(),
        connection_id: some("c"),
        outcome: "ok".into(),
        upstream_status: Some(201),
        duration_ms: 12,
    };
    comes_back(&Activities { entries: vec![entry], next_cursor: some("2") });
}

#[test]
fn what_admins_see() {
    let setting = Setting {
        key: "URL".into(),
        description: "d".into(),
        required: true,
        secret: true,
        default: some("x"),
        value: some("y"),
        set: true,
        source: "database".into(),
        fingerprint: some("12345678"),
    };
    let toolkit = AdminToolkit {
        slug: slug(),
        name: "Demo".into(),
        description: "d".into(),
        categories: vec!["c".into()],
        logo: None,
        docs: some("https://d.test"),
        auth_mode: "oauth2".into(),
        tool_count: 6,
        enabled: true,
        redirect_uri: "http://r".into(),
        client_id: some("id"),
        client_secret: SecretState { set: true, fingerprint: some("1") },
        scopes: vec!["s".into()],
        settings: vec![setting],
    };
    let errors = vec![Fault { pointer: "/id".into(), what: "is missing".into() }];
    comes_back(&AdminToolkits {
        toolkits: vec![toolkit],
        failed: vec![FailedFolder { folder: "f".into(), errors, reload: PluginId::parse("a.b").ok() }],
    });
}

#[test]
fn what_admins_see_of_plugins() {
    let plugin = AdminPlugin {
        id: PluginId::parse("a.b").unwrap(),
        name: "A".into(),
        version: "1.0.0".into(),
        source: Source::Url,
        publisher: "https://a.test".into(),
        location: some("https://a.test/manifest.json"),
        hash: "h".into(),
        rule: Some(Verdict::Blocked),
        preinstalled: true,
        installed: true,
        users: 3,
        warnings: vec![Fault { pointer: "/x".into(), what: "w".into() }],
    };
    let bare = AdminPlugin { location: None, rule: None, preinstalled: false, ..plugin.clone() };
    comes_back(&AdminPlugins { plugins: vec![plugin, bare], failed: Vec::new() });
    let rule = PluginRule { plugin: "a.b".into(), rule: Some(Verdict::Allowed), preinstalled: false };
    comes_back(&PluginPolicy {
        mode: PolicyMode::Listed,
        members: Members::Registries,
        registries: vec!["https://a.test/r.json".into()],
        rules: vec![rule],
    });
    assert!(read::<PluginPolicy>(&serde_json::json!({"mode": "closed", "members": "nothing"})).is_none());
}

#[test]
fn what_registries_offer() {
    let offer = Offer {
        id: PluginId::parse("a.b").unwrap(),
        name: "A".into(),
        version: "1.0.0".into(),
        author: some("x"),
        description: None,
        installed: some("0.9.0"),
    };
    let good = Registry { url: "https://a.test/r.json".into(), error: None, plugins: vec![offer] };
    let bad = Registry { url: "https://b.test/r.json".into(), error: some("gone"), plugins: Vec::new() };
    comes_back(&Registries { registries: vec![good, bad] });
}

#[test]
fn revocations() {
    let running = Revocation {
        id: "r".into(),
        toolkit: "demo".into(),
        per_minute: 600,
        total: 3,
        revoked: 1,
        failed: 1,
        created_at: "t".into(),
        finished_at: None,
    };
    let finished = Revocation { finished_at: some("u"), ..running.clone() };
    comes_back(&Revocations { revocations: vec![running.clone(), finished] });
    let tokens = vec![Revoked { token: "refresh_token".into(), outcome: "refused".into() }];
    let failed = FailedRevocation {
        connection_id: "c".into(),
        email: "ada@example.test".into(),
        account: some("ada"),
        tokens,
    };
    comes_back(&RevocationDetail { revocation: running, failures: vec![failed], next_cursor: some("c") });
}
