//! What somebody can do who can write to the database. Case E2.

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};
use taiku_bridge::api::Connection;
use taiku_tests::{Answer, Client, TestApp, connect, connect_the_other};

const LIST: &str = "/api/v1/toolkits/demo/tools/DEMO_LIST_ISSUES";

async fn database(app: &TestApp) -> SqlitePool {
    let file = SqliteConnectOptions::new().filename(app.data().join("taiku.db"));
    SqlitePoolOptions::new().max_connections(1).connect_with(file).await.expect("the database can be opened")
}

async fn sealed(database: &SqlitePool, id: &str) -> (Vec<u8>, Vec<u8>) {
    let query =
        sqlx::query_as::<Sqlite, _>("select access_token, refresh_token from connections where id = $1");
    query.bind(id).fetch_one(database).await.expect("the connection has sealed tokens")
}

/// Exchanges the sealed tokens of two connections.
async fn swap(app: &TestApp, one: &Connection, other: &Connection) {
    let database = database(app).await;
    let (first, second) = (sealed(&database, &one.id).await, sealed(&database, &other.id).await);
    assert_ne!(first, second);
    for (id, (access, refresh)) in [(&one.id, second), (&other.id, first)] {
        let query = sqlx::query("update connections set access_token = $1, refresh_token = $2 where id = $3");
        let done = query.bind(access).bind(refresh).bind(id).execute(&database).await;
        assert_eq!(done.expect("the row can be written").rows_affected(), 1);
    }
}

async fn run(user: &Client, connection: &Connection) -> Answer {
    user.post(LIST, &json!({ "arguments": {}, "connectionId": connection.id })).await
}

#[tokio::test]
async fn tokens_do_not_open_in_another_row() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let (first, second, theirs) =
        (connect(&app, &ada).await, connect_the_other(&app, &ada).await, connect(&app, &bob).await);
    assert_eq!(run(&ada, &first).await.status, 200);
    let before = app.demo.api_requests().await;

    swap(&app, &first, &second).await;
    for connection in [&first, &second] {
        assert_eq!(
            run(&ada, connection).await.problem(),
            (500, "vault_integrity".into()),
            "another row of the user"
        );
    }
    swap(&app, &first, &second).await;
    swap(&app, &first, &theirs).await;
    assert_eq!(run(&ada, &first).await.problem(), (500, "vault_integrity".into()), "another user's row");
    assert_eq!(run(&bob, &theirs).await.problem(), (500, "vault_integrity".into()));
    assert_eq!(app.demo.api_requests().await, before, "nothing was sent to the provider");

    swap(&app, &first, &theirs).await;
    assert_eq!(run(&ada, &first).await.status, 200, "nobody touched the rows because of it");
    assert_eq!(app.demo.count("refreshes").await, 0);
}
