//! Rows that no version of the program writes: each is refused, naming table, column and row.

use super::connections::connect;
use super::{add_member, on_both_engines, sql, write};
use crate::store::{Result, Store, Tx, connections, grants, users};

on_both_engines!(migrated:
    the_schema_refuses_states_that_cannot_be
    impossible_connections_are_refused
    a_role_that_does_not_exist_is_refused
    lists_that_are_none_are_refused
    a_null_is_no_empty_text
);

async fn connected(store: &Store) -> Tx {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    tx
}

async fn the_schema_refuses_states_that_cannot_be(store: Store) {
    for statement in [
        "update connections set access_token = null",
        "update connections set status = 'active'",
        "update connections set scopes = null",
        "update users set role = 'root'",
        "update users set password_hash = null",
        "insert into integration_settings (toolkit, key, value) values ('none', 'A', '1')",
    ] {
        let mut tx = connected(&store).await;
        assert!(sql(&mut tx, statement).await.is_err(), "{statement}");
    }
    let mut tx = connected(&store).await;
    sql(&mut tx, "insert into integrations (toolkit, context_id, enabled, generation, updated_at) values ('a', 'b', true, 0, 0)")
        .await
        .unwrap();
    assert!(sql(&mut tx, "insert into integration_settings (toolkit, key) values ('a', 'A')").await.is_err());
}

/// Takes the checks of a table away, as a database would be that was written by hand.
async fn without_checks(tx: &mut Tx, table: Table) {
    match (tx, table) {
        (tx @ Tx::Sqlite(_), _) => {
            sql(tx, "pragma ignore_check_constraints = on").await.unwrap();
        }
        (tx, Table::Connections) => {
            for statement in [
                "alter table connections drop constraint connections_check",
                "alter table connections drop constraint connections_status_check",
            ] {
                sql(tx, statement).await.unwrap();
            }
        }
        (tx, Table::Users) => {
            sql(tx, "alter table users drop constraint users_role_check").await.unwrap();
        }
    }
}

#[derive(Clone, Copy)]
enum Table {
    Connections,
    Users,
}

async fn impossible_connections_are_refused(store: Store) {
    for (statement, expected) in [
        (
            "update connections set access_token = null",
            "table connections, column access_token, row con_a: is missing though ACTIVE",
        ),
        (
            "update connections set status = 'BROKEN'",
            "table connections, column status, row con_a: `BROKEN` is no status",
        ),
        (
            "update connections set status = 'EXPIRED', why = 'revoked'",
            "table connections, column access_token, row con_a: is there though EXPIRED",
        ),
        (
            "update connections set status = 'EXPIRED', access_token = null",
            "table connections, column why, row con_a: is missing",
        ),
        (
            "update connections set status = 'FAILED', access_token = null",
            "table connections, column why, row con_a: is missing",
        ),
        ("update connections set requested = 'x'", "table connections, column requested, row con_a: "),
        ("update connections set toolkit = 'git hub'", "table connections, column toolkit, row con_a: "),
        ("update connections set scopes = ''", "table connections, column scopes, row con_a: "),
    ] {
        let mut tx = connected(&store).await;
        without_checks(&mut tx, Table::Connections).await;
        sql(&mut tx, statement).await.unwrap();
        let found = connections::find(&mut tx, "usr_a", "con_a").await.unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
        let listed = connections::of_user(&mut tx, "usr_a").await.unwrap_err().to_string();
        assert_eq!(listed, found);
    }
}

async fn a_role_that_does_not_exist_is_refused(store: Store) {
    let mut tx = connected(&store).await;
    without_checks(&mut tx, Table::Users).await;
    sql(&mut tx, "update users set role = 'root'").await.unwrap();
    let Err(error) = users::by_email(&mut tx, "usr_a@example.org").await else { panic!("is accepted") };
    assert_eq!(error.to_string(), "table users, column role, row usr_a: `root` is no role");
}

async fn lists_that_are_none_are_refused(store: Store) {
    let mut tx = connected(&store).await;
    sql(
        &mut tx,
        "insert into grants values ('usr_a', 'example.a', '1.0.0', '[\"integrations.fly\"]', '[]', 0)",
    )
    .await
    .unwrap();
    let error = grants::of_user(&mut tx, "usr_a").await.unwrap_err().to_string();
    assert!(error.starts_with("table grants, column permissions, row example.a: "), "{error}");
}

/// SQLite would decode a NULL as `""`, `0` or `[]` where no `Option` is asked for, so each such column is `not null`.
async fn a_null_is_no_empty_text(store: Store) {
    let optional = [
        "activity.connection_id",
        "activity.plugin",
        "activity.upstream_status",
        "api_keys.expires_at",
        "api_keys.last_used_at",
        "api_keys.scopes",
        "bulletins.user_id",
        "connections.access_token",
        "connections.account_avatar",
        "connections.account_id",
        "connections.account_label",
        "connections.alias",
        "connections.attempt_gen",
        "connections.doubt_gen",
        "connections.expires_at",
        "connections.last_used_at",
        "connections.lease_owner",
        "connections.lifetime",
        "connections.refresh_token",
        "connections.replaces",
        "connections.why",
        "flows.plugin",
        "flows.refused_at",
        "flows.used_at",
        "idempotency.record",
        "integration_settings.sealed",
        "integration_settings.value",
        "integrations.client_id",
        "integrations.client_secret",
        "integrations.scopes",
        "key_rewrap.finished_at",
        "plugin_installs.location",
        "plugin_rules.rule",
        "plugin_shelves.user_id",
        "revocation_items.access_token",
        "revocation_items.account_label",
        "revocation_items.outcome",
        "revocation_items.refresh_token",
        "revocations.finished_at",
        "users.disabled_at",
    ];
    let mut tx = write(&store).await;
    assert_eq!(nullable(&mut tx).await.unwrap(), optional, "these columns are `Option`s in the row structs");
}

async fn nullable(tx: &mut Tx) -> Result<Vec<String>> {
    let columns: Vec<String> = match tx {
        // A primary key that is no integer may be NULL in SQLite unless it says otherwise.
        Tx::Sqlite(tx) => {
            sqlx::query_scalar(
                "select t.name || '.' || c.name from sqlite_master t join pragma_table_info(t.name) c \
                 where t.type = 'table' and t.name not like '\\_sqlx%' escape '\\' and c.\"notnull\" = 0 \
                 and c.pk = 0",
            )
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Postgres(tx) => {
            sqlx::query_scalar(
                "select table_name || '.' || column_name from information_schema.columns \
                 where table_schema = current_schema() and is_nullable = 'YES' \
                 and table_name not like '\\_sqlx%'",
            )
            .fetch_all(&mut **tx)
            .await?
        }
    };
    let mut columns = columns;
    columns.sort();
    Ok(columns)
}
