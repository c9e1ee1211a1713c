//! Installing, updating and uninstalling; what admins allow; and that all brokers of one database agree.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::{Answer, TestApp, User};
use crate::plugin::{Files, archive};

const ID: &str = "up.plugin";
const ADMIN: &str = "/api/v1/admin/plugins";
const MEMBERS: &str = "/api/v1/plugins";
const POLICY: &str = "/api/v1/admin/plugin-policy";
const GRANT: &str = "/api/v1/plugins/up.plugin/grant";

fn packed(id: &str, version: &str, permissions: &[&str], panel: &str) -> Vec<u8> {
    let manifest = json!({
        "id": id, "name": "Uploaded", "version": version, "permissions": permissions, "integrations": ["demo"],
        "panels": [{"id": "p", "title": "P", "position": "sidebar", "htmlUrl": "panel.html"}],
    });
    let files = [("manifest.json", manifest.to_string()), ("panel.html", panel.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text.into()));
    archive::write(&Files::new(BTreeMap::from(files))).unwrap()
}

async fn upload_to(user: &User, path: &str, archive: &[u8]) -> Answer {
    user.ask(Method::POST, path).body("application/zip", archive).send().await
}

async fn upload(user: &User, version: &str) -> Answer {
    upload_to(user, ADMIN, &packed(ID, version, &["integrations.read"], "<p>")).await
}

async fn as_plugin(user: &User) -> Answer {
    user.ask(Method::GET, "/api/v1/connections").header("taiku-plugin", ID).send().await
}

async fn allow(user: &User, version: &str) -> Answer {
    let body = json!({"version": version, "permissions": ["integrations.read"], "integrations": ["demo"]});
    user.put(GRANT, &body).await
}

async fn panel(user: &User, files: &Value) -> Answer {
    let path = format!("{}/panel.html", files.as_str().unwrap());
    user.ask(Method::GET, &path).header("host", "127.0.0.1:8080").send().await
}

async fn plugin(user: &User) -> Value {
    user.get("/api/v1/plugins/up.plugin").await.ok()
}

/// The newest entries of the audit log: action and subject.
async fn audited(admin: &User, count: usize) -> Vec<(String, String)> {
    let audit = admin.get("/api/v1/admin/audit").await.ok();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let entries = audit["entries"].as_array().unwrap().iter().take(count);
    entries.map(|entry| (text(entry, "action"), text(entry, "subject"))).collect()
}

#[tokio::test]
async fn what_is_uploaded_is_served_as_it_is() {
    let (_, ada, bob) = TestApp::start().await;
    let answer = upload(&ada, "1.0.0").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.ok();
    assert_eq!((&answer["id"], &answer["previous"]), (&json!(ID), &Value::Null));
    let plugin = plugin(&bob).await;
    assert_eq!(plugin["files"], json!(format!("/{}", answer["hash"].as_str().unwrap())));
    assert_eq!((&plugin["source"], &plugin["publisher"]), (&json!("file"), &json!("Ada")));
    assert_eq!((&plugin["added"], &plugin["grant"]), (&json!(false), &Value::Null));
    assert!(panel(&bob, &plugin["files"]).await.text().ends_with("<p>"));
    assert_eq!(audited(&ada, 1).await, [("plugin.install".into(), ID.into())]);
    let row = ada.get(ADMIN).await.ok()["plugins"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&row["id"], &row["installed"], &row["users"]), (&json!(ID), &json!(true), &json!(0)));
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_its_fault() {
    let (_, ada, _) = TestApp::start().await;
    let wrong_manifest = {
        let files = BTreeMap::from([("manifest.json".to_owned(), r#"{"id":"a.","version":1}"#.into())]);
        archive::write(&Files::new(files)).unwrap()
    };
    for (bytes, says) in [
        (b"no zip".to_vec(), "not a .zip"),
        (wrong_manifest, "/id: "),
        (packed("a.b", "1.0.0", &["integrations.read"], "<p>")[..100].to_vec(), "not a .zip"),
    ] {
        let refused = upload_to(&ada, ADMIN, &bytes).await;
        assert_eq!(refused.status, 422);
        assert!(refused.refused("plugin_invalid").to_string().contains(says), "{}", refused.text());
    }
    let large = vec![0; archive::MAX_ARCHIVE + 1];
    upload_to(&ada, ADMIN, &large).await.refused("too_large");
    upload_to(&ada, ADMIN, b"").await.refused("plugin_invalid");
    assert_eq!(audited(&ada, 1).await[0].0, "toolkit.change", "nothing was installed");
}

/// B8: ids are unique without regard to case, and nothing that looks like one is one.
#[tokio::test]
async fn an_id_that_is_taken_stays_with_whom_it_is() {
    let (app, ada, bob) = TestApp::start().await;
    ada.put(POLICY, &json!({"members": "anything"})).await.ok();
    upload(&ada, "1.0.0").await.ok();
    for id in ["UP.plugin", "Up.Plugin"] {
        let other = packed(id, "2.0.0", &[], "<p>mine");
        let refused = upload_to(&bob, MEMBERS, &other).await;
        assert!(refused.refused("conflict").to_string().contains("somebody else's"), "{}", refused.text());
        let insisting = bob.ask(Method::POST, "/api/v1/plugins?replace=true");
        insisting.body("application/zip", other.clone()).send().await.refused("forbidden");
    }
    for id in ["up.plugin.", "up.plug\u{456}n", "up.plugin ", ".up.plugin", "up\u{2024}plugin"] {
        upload_to(&ada, ADMIN, &packed(id, "2.0.0", &[], "<p>")).await.refused("plugin_invalid");
    }
    let shipped = packed("Example.Integrations", "99.0.0", &[], "<p>");
    upload_to(&ada, ADMIN, &shipped).await.refused("conflict");
    let insisting = ada.ask(Method::POST, "/api/v1/admin/plugins?replace=true");
    insisting.body("application/zip", shipped).send().await.refused("conflict");
    app.write_plugin(
        &json!({"id": "in.folder", "name": "F", "version": "1.0.0", "permissions": [], "panels": []}),
        "",
    )
    .await;
    upload_to(&ada, ADMIN, &packed("in.Folder", "2.0.0", &[], "<p>")).await.refused("conflict");
    // The other way round the folder is refused, because users allowed something to what is installed.
    app.write_plugin(
        &json!({"id": "UP.PLUGIN", "name": "F", "version": "9.0.0", "permissions": [], "panels": []}),
        "",
    )
    .await;
    assert_eq!(plugin(&bob).await["version"], "1.0.0");
    assert!(ada.get(ADMIN).await.ok()["failed"].to_string().contains("UP.PLUGIN"));
}

#[tokio::test]
async fn a_version_follows_a_lower_one_unless_an_admin_insists() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.1.0").await.ok();
    assert_eq!(upload(&ada, "1.1.0").await.status, 200, "the same again changes nothing");
    upload(&ada, "1.0.9").await.refused("conflict");
    upload(&ada, "1.1.0-rc.1").await.refused("conflict");
    let changed = packed(ID, "1.1.0", &[], "<p>other");
    let refused = upload_to(&ada, ADMIN, &changed).await;
    assert!(refused.refused("conflict").to_string().contains("raise the version"), "{}", refused.text());
    let updated = upload(&ada, "1.2.0").await;
    assert_eq!((updated.status.as_u16(), &updated.ok()["previous"]), (200, &json!("1.1.0")));
    let older = ada.ask(Method::POST, "/api/v1/admin/plugins?replace=true");
    older.body("application/zip", changed).send().await.ok();
    assert_eq!(plugin(&bob).await["version"], "1.1.0");
    assert_eq!(audited(&ada, 1).await, [("plugin.update".into(), ID.into())]);
}

/// B4: what was allowed stays in force and no more; the panels that are open find their files.
#[tokio::test]
async fn an_update_keeps_the_grant_and_the_files_of_open_panels() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    let before = plugin(&bob).await;
    let asks = ["integrations.read", "integrations.connect"];
    upload_to(&ada, ADMIN, &packed(ID, "1.1.0", &asks, "<p>new")).await.ok();
    let after = plugin(&bob).await;
    assert_eq!((&after["version"], &after["grant"]["version"]), (&json!("1.1.0"), &json!("1.0.0")));
    assert_eq!(after["change"]["added"]["permissions"], json!(["integrations.connect"]));
    as_plugin(&bob).await.ok();
    let connect = bob.ask(Method::POST, "/api/v1/toolkits/demo/connections").header("taiku-plugin", ID);
    connect.json(&json!({})).send().await.refused("grant_missing");
    assert!(panel(&bob, &before["files"]).await.text().ends_with("<p>"));
    assert!(panel(&bob, &after["files"]).await.text().ends_with("<p>new"));
}

#[tokio::test]
async fn consent_is_for_the_content_that_was_shown() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    let seen = plugin(&bob).await;
    let body =
        |files: &Value| json!({"version": "1.0.0", "files": files, "permissions": [], "integrations": []});
    bob.put(GRANT, &body(&json!("/0000"))).await.refused("conflict");
    let replaced = ada.ask(Method::POST, "/api/v1/admin/plugins?replace=true");
    replaced.body("application/zip", packed(ID, "1.0.0", &["kv.read"], "<p>swapped")).send().await.ok();
    bob.put(GRANT, &body(&seen["files"])).await.refused("conflict");
    assert_eq!(plugin(&bob).await["grant"], Value::Null);
    bob.put(GRANT, &body(&plugin(&bob).await["files"])).await.ok();
}

/// B10: gone for the user at once; connections stay; adding it again asks again.
#[tokio::test]
async fn a_user_uninstalls() {
    let (_, ada, bob) = TestApp::start().await;
    bob.connect("robin").await;
    upload(&ada, "1.0.0").await.ok();
    as_plugin(&bob).await.refused("grant_missing");
    for user in [&ada, &bob] {
        allow(user, "1.0.0").await.ok();
    }
    assert_eq!(plugin(&bob).await["added"], true);
    assert_eq!(bob.delete("/api/v1/plugins/Up.Plugin").await.status, 204);
    as_plugin(&bob).await.refused("plugin_not_installed");
    as_plugin(&ada).await.ok();
    let gone = plugin(&bob).await;
    assert_eq!((&gone["added"], &gone["grant"]), (&json!(false), &Value::Null));
    let connections = bob.get("/api/v1/connections").await.ok();
    assert_eq!(connections["connections"][0]["status"], "ACTIVE");
    allow(&bob, "1.0.0").await.ok();
    as_plugin(&bob).await.ok();
    assert_eq!(plugin(&bob).await["added"], true);
    bob.delete("/api/v1/plugins/no.such").await.refused("not_found");
    // What this server brings is on everybody's page until it is uninstalled.
    let boundaries = "/api/v1/plugins/example.boundaries";
    assert_eq!(bob.get(boundaries).await.ok()["added"], true);
    assert_eq!(bob.delete(boundaries).await.status, 204);
    assert_eq!(bob.get(boundaries).await.ok()["added"], false);
    assert_eq!(ada.get(boundaries).await.ok()["added"], true);
}

#[tokio::test]
async fn an_admin_uninstalls_for_everybody() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    bob.delete("/api/v1/admin/plugins/up.plugin").await.refused("forbidden");
    assert_eq!(ada.delete("/api/v1/admin/plugins/up.plugin").await.status, 204);
    as_plugin(&bob).await.refused("plugin_not_installed");
    bob.get("/api/v1/plugins/up.plugin").await.refused("not_found");
    ada.delete("/api/v1/admin/plugins/up.plugin").await.refused("not_found");
    ada.delete("/api/v1/admin/plugins/example.boundaries").await.refused("not_found");
    assert_eq!(audited(&ada, 1).await, [("plugin.uninstall".into(), ID.into())]);
    upload(&ada, "1.0.0").await.ok();
    assert_eq!(plugin(&bob).await["grant"], Value::Null, "installing it again asks again");
}

#[tokio::test]
async fn what_is_blocked_ends_at_once() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    let files = plugin(&bob).await["files"].clone();
    let rule = "/api/v1/admin/plugins/UP.plugin";
    bob.put(rule, &json!({"rule": "blocked"})).await.refused("forbidden");
    let said = ada.put(rule, &json!({"rule": "blocked"})).await.ok();
    assert_eq!(said, json!({"plugin": ID, "rule": "blocked", "preinstalled": false}));
    as_plugin(&bob).await.refused("plugin_blocked");
    bob.get("/api/v1/plugins/up.plugin").await.refused("plugin_blocked");
    allow(&bob, "1.0.0").await.refused("plugin_blocked");
    assert_eq!(panel(&bob, &files).await.status, 404);
    let listed = |list: Value| list["plugins"].to_string().contains(ID);
    assert!(!listed(bob.get("/api/v1/plugins").await.ok()));
    assert!(listed(ada.get(ADMIN).await.ok()), "admins see what they have blocked");
    upload(&ada, "1.1.0").await.refused("plugin_blocked");
    assert_eq!(audited(&ada, 1).await, [("plugin.rule".into(), "UP.plugin".into())]);
    ada.put(rule, &json!({"rule": null})).await.ok();
    as_plugin(&bob).await.ok();
    assert_eq!(panel(&bob, &files).await.status, 200);
}

#[tokio::test]
async fn a_listed_server_runs_what_is_allowed_and_nothing_else() {
    let (_, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    bob.put(POLICY, &json!({"mode": "listed"})).await.refused("forbidden");
    bob.get(POLICY).await.refused("forbidden");
    assert_eq!(ada.put(POLICY, &json!({"mode": "listed"})).await.ok()["mode"], "listed");
    assert_eq!(bob.get("/api/v1/plugins").await.ok()["plugins"], json!([]));
    as_plugin(&bob).await.refused("plugin_blocked");
    // A plugin can be allowed before it is here.
    ada.put("/api/v1/admin/plugins/later.plugin", &json!({"rule": "allowed", "preinstalled": true}))
        .await
        .ok();
    ada.put("/api/v1/admin/plugins/up.plugin", &json!({"rule": "allowed"})).await.ok();
    as_plugin(&bob).await.ok();
    upload_to(&ada, ADMIN, &packed("later.plugin", "1.0.0", &[], "<p>")).await.ok();
    upload_to(&ada, ADMIN, &packed("other.plugin", "1.0.0", &[], "<p>")).await.refused("plugin_blocked");
    let later = bob.get("/api/v1/plugins/later.plugin").await.ok();
    assert_eq!(
        (&later["added"], &later["grant"]),
        (&json!(true), &Value::Null),
        "shown, and not yet allowed"
    );
    assert_eq!(bob.delete("/api/v1/plugins/later.plugin").await.status, 204);
    assert_eq!(bob.get("/api/v1/plugins/later.plugin").await.ok()["added"], false);
    let policy = ada.get(POLICY).await.ok();
    assert_eq!(policy["rules"].as_array().unwrap().len(), 2, "{policy}");
    assert_eq!(audited(&ada, 2).await[1].0, "plugin.rule");
    for wrong in [json!({"mode": "Listed"}), json!({"members": "all"}), json!({"registries": "x"})] {
        ada.put(POLICY, &wrong).await.refused("invalid_params");
    }
    ada.put("/api/v1/admin/plugins/a", &json!({"rule": "maybe"})).await.refused("invalid_params");
    ada.put("/api/v1/admin/plugins/a%20b", &json!({"rule": "blocked"})).await.refused("not_found");
}

#[tokio::test]
async fn members_install_what_admins_let_them() {
    let (_, ada, bob) = TestApp::start().await;
    let archive = packed(ID, "1.0.0", &[], "<p>");
    let by_url = json!({"url": "http://127.0.0.1:1/manifest.json"});
    upload_to(&bob, MEMBERS, &archive).await.refused("forbidden");
    bob.post(MEMBERS, &by_url).await.refused("forbidden");
    ada.put(POLICY, &json!({"members": "registries"})).await.ok();
    upload_to(&bob, MEMBERS, &archive).await.refused("forbidden");
    bob.post(MEMBERS, &by_url).await.refused("forbidden");
    bob.post(MEMBERS, &json!({"registry": "https://a.test/", "plugin": "x"})).await.refused("invalid_params");
    ada.put(POLICY, &json!({"members": "anything"})).await.ok();
    bob.post(MEMBERS, &by_url).await.refused("plugin_unreachable");
    upload_to(&bob, ADMIN, &archive).await.refused("forbidden");
    assert_eq!(upload_to(&bob, MEMBERS, &archive).await.status, 201);
    assert_eq!(plugin(&ada).await["publisher"], "Bob");
    let audit = ada.get("/api/v1/admin/audit").await.ok();
    assert_eq!(audit["entries"][0]["actor"], bob.id);
}

/// The content in the database is held to its hash whenever a broker loads it.
#[tokio::test]
async fn content_that_is_not_what_was_installed_is_refused() {
    let (app, ada, bob) = TestApp::start().await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    let other = app.replica().await;
    let there = other.browser_of(&bob.id, &bob.email).await;
    assert_eq!(plugin(&there).await["version"], "1.0.0", "every broker has it");
    let files = plugin(&there).await["files"].clone();
    assert_eq!(panel(&there, &files).await.status, 200);
    let swapped = packed(ID, "1.0.0", &["integrations.read"], "<p>swapped");
    app.sql_bytes("update plugin_contents set archive = $1", &swapped).await;
    let third = app.replica().await;
    let there = third.browser_of(&bob.id, &bob.email).await;
    there.get("/api/v1/plugins/up.plugin").await.refused("not_found");
    assert_eq!(panel(&there, &files).await.status, 404);
    as_plugin(&there).await.refused("plugin_not_installed");
    let admin = third.browser_of(&ada.id, &ada.email).await;
    let failed = admin.get(ADMIN).await.ok()["failed"].to_string();
    assert!(
        failed.contains("installed: up.plugin") && failed.contains("not those that were installed"),
        "{failed}"
    );
}

/// B10 on two brokers of one database: what one does holds on the other with its next call.
#[tokio::test]
async fn brokers_of_one_database_agree_at_once() {
    let (app, ada, bob) = TestApp::start().await;
    let other = app.replica().await;
    let there = other.browser_of(&bob.id, &bob.email).await;
    upload(&ada, "1.0.0").await.ok();
    allow(&bob, "1.0.0").await.ok();
    as_plugin(&there).await.ok();
    ada.put("/api/v1/admin/plugins/up.plugin", &json!({"rule": "blocked"})).await.ok();
    as_plugin(&there).await.refused("plugin_blocked");
    ada.put("/api/v1/admin/plugins/up.plugin", &json!({"rule": null})).await.ok();
    upload_to(&ada, ADMIN, &packed(ID, "1.1.0", &["integrations.read"], "<p>2")).await.ok();
    let files = plugin(&there).await["files"].clone();
    assert!(panel(&there, &files).await.text().ends_with("<p>2"));
    bob.delete("/api/v1/plugins/up.plugin").await;
    as_plugin(&there).await.refused("plugin_not_installed");
}
