use taiku_bridge::api::{Account, Status};

use super::{NOW, add_member, on_both_engines, slug, sql, write};
use crate::clock::{DAY, rfc3339};
use crate::store::connections::{self, Activation, Connection, Pending, SealedTokens, State};
use crate::store::{Store, StoreError, Tx, flows};

on_both_engines!(migrated:
    a_connection_begins_without_tokens
    another_users_connection_looks_non_existent
    activating_stores_everything
    activating_what_has_changed_is_an_error
    the_first_account_becomes_the_default_and_stays_it
    a_pending_or_failed_connection_does_not_keep_others_from_being_the_default
    each_user_and_toolkit_has_its_own_default
    the_same_account_takes_the_place_of_the_older_connection
    the_same_account_of_another_user_or_toolkit_is_left_alone
    accounts_without_an_id_take_no_place
    the_users_own_choices_outlive_a_take_over
    of_two_refreshes_of_one_generation_one_is_stored
    only_an_active_connection_is_refreshed
    expiring_destroys_the_tokens_once
    expiring_others_spares_the_current_context
    failing_leaves_an_active_connection
    choosing_a_default_unchooses_the_other
    using_and_naming_are_noted
    active_ones_come_first_then_the_newest
    sweeping_gives_up_and_forgets
);

/// Begins a connection.
pub(super) async fn begin(tx: &mut Tx, id: &str, user_id: &str, toolkit: &str) {
    begin_at(tx, id, user_id, toolkit, NOW).await;
}

async fn begin_at(tx: &mut Tx, id: &str, user_id: &str, toolkit: &str, now: i64) {
    let toolkit = &slug(toolkit);
    let pending = Pending { id, user_id, toolkit, context_hash: b"context", replaces: None, requested: &[] };
    connections::begin(tx, &pending, now).await.unwrap();
}

async fn get(tx: &mut Tx, user: &str, id: &str) -> Connection {
    connections::find(tx, user, id).await.unwrap().unwrap()
}

/// Sealed tokens that are told apart by a number.
pub(super) fn tokens(number: u8) -> SealedTokens {
    SealedTokens {
        access: vec![0, 255, number],
        refresh: Some(vec![number]),
        lifetime: Some(3_600_000),
        expires_at: Some(NOW + 3_600_000),
    }
}

fn account(id: &str) -> Account {
    Account { id: Some(id.to_owned()), label: Some(format!("@{id}")), avatar: None }
}

/// Connects an account, from the beginning to the end.
pub(super) async fn connect(
    tx: &mut Tx,
    id: &str,
    user: &str,
    toolkit: &str,
    account_id: &str,
) -> Connection {
    begin(tx, id, user, toolkit).await;
    let connection = get(tx, user, id).await;
    activate(tx, &connection, &account(account_id)).await.unwrap();
    get(tx, user, id).await
}

async fn activate(tx: &mut Tx, connection: &Connection, account: &Account) -> crate::store::Result<()> {
    let scopes = ["repo".to_owned()];
    let requested = ["repo".to_owned(), "gist".to_owned()];
    let activation = Activation {
        connection,
        context_hash: b"context",
        tokens: &tokens(1),
        account,
        requested: &requested,
        scopes: &scopes,
    };
    connections::activate(tx, &activation).await.map(|_| ())
}

fn access(connection: &Connection) -> &[u8] {
    match &connection.state {
        State::Active(tokens) => &tokens.access,
        state => panic!("is {state:?}"),
    }
}

async fn ids(tx: &mut Tx, user: &str) -> Vec<String> {
    connections::of_user(tx, user).await.unwrap().into_iter().map(|connection| connection.id).collect()
}

async fn a_connection_begins_without_tokens(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, "con_a", "usr_a", "github").await;
    let connection = get(&mut tx, "usr_a", "con_a").await;
    assert!(matches!(connection.state, State::Initiated));
    assert_eq!(
        (connection.toolkit.as_str(), connection.context_hash.as_slice()),
        ("github", &b"context"[..])
    );
    assert_eq!((connection.is_default, connection.generation), (false, 0));
    assert_eq!((connection.alias, connection.account), (None, Account::default()));
    assert_eq!((connection.created_at, connection.last_used_at), (NOW, None));
    assert!(connection.scopes.is_empty());
}

async fn another_users_connection_looks_non_existent(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    let own = connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    assert!(connections::find(&mut tx, "usr_b", "con_a").await.unwrap().is_none());
    assert!(connections::of_user(&mut tx, "usr_b").await.unwrap().is_empty());
    assert!(!connections::remove(&mut tx, "usr_b", "con_a").await.unwrap());
    let named = connections::set_alias(&mut tx, "usr_b", "con_a", Some("mine")).await;
    assert!(matches!(named, Err(StoreError::Rows { rows: 0, .. })), "{named:?}");
    let stolen = Connection { user_id: "usr_b".to_owned(), ..own };
    let chosen = connections::make_default(&mut tx, &stolen).await;
    assert!(matches!(chosen, Err(StoreError::Rows { rows: 0, .. })), "{chosen:?}");
    let untouched = get(&mut tx, "usr_a", "con_a").await;
    assert_eq!((untouched.alias, untouched.is_default), (None, true));
    assert!(connections::remove(&mut tx, "usr_a", "con_a").await.unwrap());
    assert!(connections::find(&mut tx, "usr_a", "con_a").await.unwrap().is_none());
    assert!(!connections::remove(&mut tx, "usr_a", "con_a").await.unwrap());
}

async fn activating_stores_everything(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let connection = connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    let State::Active(stored) = &connection.state else { panic!("{:?}", connection.state) };
    assert_eq!(format!("{stored:?}"), format!("{:?}", tokens(1)));
    assert_eq!(connection.generation, 1);
    assert_eq!(connection.account, account("anna"));
    assert_eq!(connection.scopes, ["repo"]);
    assert_eq!(connection.requested, ["repo", "gist"]);
    assert_eq!(connection.view().missing_scopes, ["gist"]);
    let view = connection.view();
    assert_eq!((view.status, view.why, view.default), (Status::Active, None, true));
    assert_eq!(view.expires_at, Some(rfc3339(NOW + 3_600_000)));
}

async fn activating_what_has_changed_is_an_error(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, "con_a", "usr_a", "github").await;
    let read = get(&mut tx, "usr_a", "con_a").await;
    connections::fail(&mut tx, "con_a", "declined").await.unwrap();
    let late = activate(&mut tx, &read, &account("anna")).await;
    assert!(matches!(late, Err(StoreError::Rows { rows: 0, .. })), "{late:?}");
    assert_eq!(get(&mut tx, "usr_a", "con_a").await.status(), Status::Failed);
}

async fn the_first_account_becomes_the_default_and_stays_it(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    assert!(connect(&mut tx, "con_1", "usr_a", "github", "anna").await.is_default);
    assert!(!connect(&mut tx, "con_2", "usr_a", "github", "work").await.is_default);
    // A default that has expired is still the user's choice: reconnecting it is what is asked for.
    assert!(connections::expire(&mut tx, "con_1", 1, "revoked").await.unwrap());
    assert!(!connect(&mut tx, "con_3", "usr_a", "github", "third").await.is_default);
    assert!(get(&mut tx, "usr_a", "con_1").await.is_default);
    // A default that is gone is not chosen anew while others work.
    assert!(connections::remove(&mut tx, "usr_a", "con_1").await.unwrap());
    assert!(!connect(&mut tx, "con_4", "usr_a", "github", "fourth").await.is_default);
}

async fn a_pending_or_failed_connection_does_not_keep_others_from_being_the_default(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, "con_1", "usr_a", "github").await;
    begin(&mut tx, "con_2", "usr_a", "github").await;
    connections::fail(&mut tx, "con_2", "declined").await.unwrap();
    assert!(connect(&mut tx, "con_3", "usr_a", "github", "anna").await.is_default);
}

async fn each_user_and_toolkit_has_its_own_default(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    assert!(connect(&mut tx, "con_1", "usr_a", "github", "anna").await.is_default);
    assert!(connect(&mut tx, "con_2", "usr_a", "linear", "anna").await.is_default);
    assert!(connect(&mut tx, "con_3", "usr_b", "github", "bob").await.is_default);
}

async fn the_same_account_takes_the_place_of_the_older_connection(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    connect(&mut tx, "con_2", "usr_a", "github", "work").await;
    connections::expire(&mut tx, "con_1", 1, "revoked").await.unwrap();
    let again = connect(&mut tx, "con_3", "usr_a", "github", "anna").await;
    assert!(again.is_default, "it was the default before");
    let mut left = ids(&mut tx, "usr_a").await;
    left.sort();
    assert_eq!(left, ["con_2", "con_3"]);
    assert!(!connect(&mut tx, "con_4", "usr_a", "github", "work").await.is_default);
}

async fn the_same_account_of_another_user_or_toolkit_is_left_alone(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    connect(&mut tx, "con_1", "usr_a", "github", "shared").await;
    connect(&mut tx, "con_2", "usr_a", "linear", "shared").await;
    connect(&mut tx, "con_3", "usr_b", "github", "shared").await;
    assert_eq!(ids(&mut tx, "usr_a").await.len(), 2);
    assert_eq!(ids(&mut tx, "usr_b").await, ["con_3"]);
}

async fn accounts_without_an_id_take_no_place(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    for id in ["con_1", "con_2"] {
        begin(&mut tx, id, "usr_a", "github").await;
        let connection = get(&mut tx, "usr_a", id).await;
        activate(&mut tx, &connection, &Account::default()).await.unwrap();
    }
    assert_eq!(ids(&mut tx, "usr_a").await, ["con_1", "con_2"]);
}

async fn the_users_own_choices_outlive_a_take_over(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    let work = connect(&mut tx, "con_2", "usr_a", "github", "work").await;
    connections::set_alias(&mut tx, "usr_a", "con_2", Some("at work")).await.unwrap();
    connections::make_default(&mut tx, &work).await.unwrap();
    let again = connect(&mut tx, "con_3", "usr_a", "github", "work").await;
    assert_eq!((again.alias.as_deref(), again.is_default), (Some("at work"), true));
    assert!(!get(&mut tx, "usr_a", "con_1").await.is_default);
}

async fn of_two_refreshes_of_one_generation_one_is_stored(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    connect(&mut tx, "con_b", "usr_a", "github", "work").await;
    assert!(connections::refreshed(&mut tx, "con_a", 1, &tokens(2)).await.unwrap());
    assert!(!connections::refreshed(&mut tx, "con_a", 1, &tokens(3)).await.unwrap());
    assert!(!connections::expire(&mut tx, "con_a", 1, "revoked").await.unwrap());
    let connection = get(&mut tx, "usr_a", "con_a").await;
    assert_eq!((access(&connection), connection.generation), (&tokens(2).access[..], 2));
    assert_eq!(access(&get(&mut tx, "usr_a", "con_b").await), tokens(1).access);
    let without = SealedTokens { refresh: None, lifetime: None, expires_at: None, ..tokens(4) };
    assert!(connections::refreshed(&mut tx, "con_a", 2, &without).await.unwrap());
    let State::Active(stored) = get(&mut tx, "usr_a", "con_a").await.state else { panic!("is not active") };
    assert_eq!(format!("{stored:?}"), format!("{without:?}"));
}

async fn only_an_active_connection_is_refreshed(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    begin(&mut tx, "con_a", "usr_a", "github").await;
    assert!(!connections::refreshed(&mut tx, "con_a", 0, &tokens(2)).await.unwrap());
    assert!(!connections::expire(&mut tx, "con_a", 0, "revoked").await.unwrap());
    assert_eq!(get(&mut tx, "usr_a", "con_a").await.generation, 0);
    assert!(!connections::refreshed(&mut tx, "con_none", 0, &tokens(2)).await.unwrap());
}

async fn expiring_destroys_the_tokens_once(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    assert!(connections::expire(&mut tx, "con_a", 1, "revoked").await.unwrap());
    assert!(!connections::expire(&mut tx, "con_a", 2, "in_doubt").await.unwrap());
    let connection = get(&mut tx, "usr_a", "con_a").await;
    assert_eq!((connection.status(), connection.generation), (Status::Expired, 2));
    assert_eq!(connection.view().why.as_deref(), Some("revoked"));
    let kept = "select count(*) from connections where access_token is not null or refresh_token is not null";
    assert_eq!(super::count(&mut tx, kept).await, 0);
}

async fn expiring_others_spares_the_current_context(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    connect(&mut tx, "con_2", "usr_a", "linear", "anna").await;
    begin(&mut tx, "con_3", "usr_a", "github").await;
    assert_eq!(connections::expire_others(&mut tx, &slug("github"), b"context").await.unwrap().len(), 0);
    assert_eq!(connections::expire_others(&mut tx, &slug("github"), b"new").await.unwrap().len(), 1);
    let ended = get(&mut tx, "usr_a", "con_1").await;
    assert_eq!(ended.view().why.as_deref(), Some("integration_changed"));
    assert_eq!(ended.generation, 2);
    assert_eq!(get(&mut tx, "usr_a", "con_2").await.status(), Status::Active);
    assert_eq!(get(&mut tx, "usr_a", "con_3").await.status(), Status::Initiated);
    let kept = "select count(*) from connections where access_token is not null or refresh_token is not null";
    assert_eq!(super::count(&mut tx, kept).await, 1);
}

async fn failing_leaves_an_active_connection(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    begin(&mut tx, "con_2", "usr_a", "github").await;
    connections::fail(&mut tx, "con_1", "declined").await.unwrap();
    connections::fail(&mut tx, "con_2", "declined").await.unwrap();
    connections::fail(&mut tx, "con_2", "timed_out").await.unwrap();
    assert_eq!(get(&mut tx, "usr_a", "con_1").await.status(), Status::Active);
    let failed = get(&mut tx, "usr_a", "con_2").await.view();
    assert_eq!((failed.status, failed.why.as_deref()), (Status::Failed, Some("declined")));
}

async fn choosing_a_default_unchooses_the_other(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    add_member(&mut tx, "usr_b").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    let second = connect(&mut tx, "con_2", "usr_a", "github", "work").await;
    connect(&mut tx, "con_3", "usr_a", "linear", "anna").await;
    connect(&mut tx, "con_4", "usr_b", "github", "bob").await;
    for _ in 0..2 {
        connections::make_default(&mut tx, &second).await.unwrap();
        assert!(!get(&mut tx, "usr_a", "con_1").await.is_default);
        assert!(get(&mut tx, "usr_a", "con_2").await.is_default);
        assert!(get(&mut tx, "usr_a", "con_3").await.is_default, "at another toolkit");
        assert!(get(&mut tx, "usr_b", "con_4").await.is_default, "of another user");
    }
    // The schema itself knows of one default at most.
    assert!(sql(&mut tx, "update connections set is_default = true").await.is_err());
}

async fn using_and_naming_are_noted(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    connect(&mut tx, "con_2", "usr_a", "github", "work").await;
    connections::used(&mut tx, "con_1", NOW + 5).await.unwrap();
    connections::set_alias(&mut tx, "usr_a", "con_1", Some("home 🏠")).await.unwrap();
    let connection = get(&mut tx, "usr_a", "con_1").await;
    assert_eq!((connection.last_used_at, connection.alias.as_deref()), (Some(NOW + 5), Some("home 🏠")));
    let other = get(&mut tx, "usr_a", "con_2").await;
    assert_eq!((other.last_used_at, other.alias), (None, None));
    connections::set_alias(&mut tx, "usr_a", "con_1", None).await.unwrap();
    assert_eq!(get(&mut tx, "usr_a", "con_1").await.alias, None);
}

async fn active_ones_come_first_then_the_newest(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_active", "usr_a", "github", "anna").await;
    begin_at(&mut tx, "con_newest", "usr_a", "github", NOW + 2).await;
    begin_at(&mut tx, "con_newer", "usr_a", "github", NOW + 1).await;
    assert_eq!(ids(&mut tx, "usr_a").await, ["con_active", "con_newest", "con_newer"]);
}

async fn sweeping_gives_up_and_forgets(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_1", "usr_a", "github", "anna").await;
    begin(&mut tx, "con_2", "usr_a", "github").await;
    assert!(connections::give_up(&mut tx, NOW + flows::LIFETIME).await.unwrap().is_empty());
    assert_eq!(connections::give_up(&mut tx, NOW + flows::LIFETIME + 1).await.unwrap().len(), 1);
    let given_up = get(&mut tx, "usr_a", "con_2").await.view();
    assert_eq!((given_up.status, given_up.why.as_deref()), (Status::Failed, Some("timed_out")));
    assert_eq!(connections::sweep(&mut tx, NOW + DAY).await.unwrap(), 0);
    assert_eq!(connections::sweep(&mut tx, NOW + DAY + 1).await.unwrap(), 1);
    assert_eq!(ids(&mut tx, "usr_a").await, ["con_1"]);
}
