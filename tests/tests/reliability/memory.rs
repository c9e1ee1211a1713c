//! The memory of a server at rest.

use serde_json::json;
use taiku_tests::{Goal, Role, TestApp, connect, figure};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

#[tokio::test]
async fn both_processes_are_small_at_rest_sqlite() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    connect(&app, &user).await;
    let _ = user.post(LIST, &json!({ "arguments": {} })).await.expect(200);
    let resident: u64 = Role::ALL.map(|role| app.role(role).expect("it runs").resident()).iter().sum();
    // The goal is that of a release build; this one has no optimisation.
    let goal = if cfg!(debug_assertions) { 192.0 } else { 64.0 };
    figure("idle memory of both processes", "sqlite", (resident >> 20) as f64, "MiB", Goal::AtMost(goal));
}
