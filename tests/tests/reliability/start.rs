//! Starts over existing data: a restart must be no event for users, and an upgrade is one.

use std::time::Instant;

use taiku_tests::{Goal, Launch, Scale, TestApp, figure};

const NAME: &str = "worst start over existing data until requests are answered";

#[tokio::test]
async fn a_restart_is_over_soon_sqlite() {
    let mut app = TestApp::start().await;
    let mut worst = 0.0_f64;
    for _ in 0..Scale::now().pick(2, 20) {
        let launch = Launch::in_folder(app.kill());
        let began = Instant::now();
        app = launch.start().await;
        let _ = app.anonymous().get("/readyz").await.expect(200);
        worst = worst.max(began.elapsed().as_secs_f64());
    }
    // Generous: this is a debug build on a busy machine; `cargo xtask bench` measures the release build.
    figure(NAME, "sqlite", worst, "s", Goal::AtMost(10.0));
}
