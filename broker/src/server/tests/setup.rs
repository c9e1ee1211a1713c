//! The first admin.

use serde_json::{Value, json};
use taiku_bridge::api::Role;

use super::TestApp;
use super::app::{ORIGIN, PASSWORD};

fn body(token: &str, email: &str) -> Value {
    json!({"token": token, "email": email, "name": "Ada", "password": PASSWORD})
}

#[tokio::test]
async fn the_link_makes_one_admin_once() {
    let app = TestApp::empty(&[]).await;
    let visitor = app.visitor();
    visitor.post("/api/v1/setup", &body("", "eve@example.test")).await.refused("not_found");
    let link = app.broker.setup.make(ORIGIN, &app.broker.random);
    let token = link.strip_prefix("http://localhost:8080/setup#").unwrap();
    visitor.post("/api/v1/setup", &body("guessed", "eve@example.test")).await.refused("not_found");
    let weak = json!({"token": token, "email": "ada@example.test", "name": "", "password": "short"});
    let refused = visitor.post("/api/v1/setup", &weak).await;
    assert_eq!(refused.refused("invalid_params")["pointer"], "/password");
    let made = visitor.post("/api/v1/setup", &body(token, "ada@example.test")).await.ok();
    assert_eq!(made["user"]["role"], "admin");
    visitor.get("/api/v1/admin/users").await.ok();
    let audit = visitor.get("/api/v1/admin/audit").await.ok();
    assert_eq!(audit["entries"][0]["action"], "user.add");
    app.visitor().post("/api/v1/setup", &body(token, "eve@example.test")).await.refused("not_found");
    assert_eq!(visitor.get("/api/v1/admin/users").await.ok()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_who_use_the_link_at_once_one_becomes_admin() {
    let app = TestApp::empty(&[]).await;
    let link = app.broker.setup.make(ORIGIN, &app.broker.random);
    let token = link.split_once('#').unwrap().1;
    let (one, two) = (app.visitor(), app.visitor());
    let (bodies, path) = ([body(token, "a@example.test"), body(token, "b@example.test")], "/api/v1/setup");
    let (first, second) = tokio::join!(one.post(path, &bodies[0]), two.post(path, &bodies[1]));
    let mut codes = [first.code(), second.code()];
    codes.sort();
    assert_eq!(codes, ["", "not_found"]);
}

#[tokio::test]
async fn a_link_is_worth_nothing_once_there_is_an_admin() {
    let app = TestApp::empty(&[]).await;
    let link = app.broker.setup.make(ORIGIN, &app.broker.random);
    app.add_user("ada@example.test", "Ada", Role::Admin).await;
    let token = link.split_once('#').unwrap().1;
    app.visitor().post("/api/v1/setup", &body(token, "eve@example.test")).await.refused("not_found");
}
