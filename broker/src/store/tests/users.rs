use taiku_bridge::api::{Role, User};

use super::{NOW, add_member, count, member, on_both_engines, with_members, write};
use crate::store::{Store, StoreError, sessions, users};

on_both_engines!(migrated:
    an_address_is_found_whatever_its_case
    an_address_is_taken_whatever_its_case
    every_user_is_listed_oldest_first
    an_admin_who_is_disabled_does_not_count
    a_new_password_ends_the_sessions_of_that_user_alone
    disabling_keeps_the_user_and_ends_the_sessions
    what_concerns_nobody_is_an_error
    removing_a_user_removes_what_is_theirs
);

async fn an_address_is_found_whatever_its_case(store: Store) {
    let mut tx = write(&store).await;
    let user = User { email: " Anna.Ä@Example.ORG ".to_owned(), ..member("usr_a") };
    assert!(users::add(&mut tx, &user, "$hash", NOW).await.unwrap());
    for email in ["anna.ä@example.org", "ANNA.Ä@EXAMPLE.ORG", " Anna.ä@example.org\n"] {
        let account = users::by_email(&mut tx, email).await.unwrap().unwrap();
        assert_eq!(account.user.id, "usr_a");
        assert_eq!(account.user.email, "anna.ä@example.org");
        assert_eq!(
            (account.password_hash.as_str(), account.disabled_at, account.created_at),
            ("$hash", None, NOW)
        );
    }
    assert!(users::by_email(&mut tx, "anna@example.org").await.unwrap().is_none());
}

async fn an_address_is_taken_whatever_its_case(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let second = User { id: "usr_b".to_owned(), email: "USR_A@example.org".to_owned(), ..member("usr_b") };
    assert!(!users::add(&mut tx, &second, "$other", NOW).await.unwrap());
    assert_eq!(
        users::by_email(&mut tx, "usr_a@example.org").await.unwrap().unwrap().password_hash,
        "$argon2id$"
    );
    assert_eq!(users::all(&mut tx).await.unwrap().len(), 1);
}

async fn every_user_is_listed_oldest_first(store: Store) {
    let mut tx = write(&store).await;
    for (id, at) in [("usr_new", NOW + 1), ("usr_b", NOW), ("usr_a", NOW)] {
        assert!(users::add(&mut tx, &member(id), "$hash", at).await.unwrap());
    }
    let all = users::all(&mut tx).await.unwrap();
    let ids: Vec<_> = all.iter().map(|account| account.user.id.as_str()).collect();
    assert_eq!(ids, ["usr_a", "usr_b", "usr_new"]);
}

async fn an_admin_who_is_disabled_does_not_count(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    assert!(!users::has_admin(&mut tx).await.unwrap());
    let admin = User { role: Role::Admin, ..member("usr_b") };
    users::add(&mut tx, &admin, "$hash", NOW).await.unwrap();
    assert!(users::has_admin(&mut tx).await.unwrap());
    assert_eq!(users::by_email(&mut tx, &admin.email).await.unwrap().unwrap().user, admin);
    users::disable(&mut tx, "usr_b", NOW).await.unwrap();
    assert!(!users::has_admin(&mut tx).await.unwrap());
}

async fn a_new_password_ends_the_sessions_of_that_user_alone(store: Store) {
    let mut tx = write(&store).await;
    for id in ["usr_a", "usr_b"] {
        add_member(&mut tx, id).await;
        sessions::begin(&mut tx, id.as_bytes(), id, id, NOW).await.unwrap();
    }
    users::set_password(&mut tx, "usr_a", "$new").await.unwrap();
    let account = users::by_email(&mut tx, "usr_a@example.org").await.unwrap().unwrap();
    assert_eq!(account.password_hash, "$new");
    assert!(sessions::find(&mut tx, b"usr_a", NOW).await.unwrap().is_none());
    assert!(sessions::find(&mut tx, b"usr_b", NOW).await.unwrap().is_some());
    let other = users::by_email(&mut tx, "usr_b@example.org").await.unwrap().unwrap();
    assert_eq!(other.password_hash, "$argon2id$");
}

async fn disabling_keeps_the_user_and_ends_the_sessions(store: Store) {
    let mut tx = write(&store).await;
    for id in ["usr_a", "usr_b"] {
        add_member(&mut tx, id).await;
        sessions::begin(&mut tx, id.as_bytes(), id, id, NOW).await.unwrap();
    }
    users::disable(&mut tx, "usr_a", NOW + 1).await.unwrap();
    let account = users::by_email(&mut tx, "usr_a@example.org").await.unwrap().unwrap();
    assert_eq!(account.disabled_at, Some(NOW + 1));
    assert_eq!(count(&mut tx, "select count(*) from sessions").await, 1);
    assert!(sessions::find(&mut tx, b"usr_b", NOW).await.unwrap().is_some());
}

async fn what_concerns_nobody_is_an_error(store: Store) {
    let mut tx = write(&store).await;
    let nobody = users::set_password(&mut tx, "usr_none", "$hash").await;
    assert!(matches!(nobody, Err(StoreError::Rows { rows: 0, .. })), "{nobody:?}");
    let nobody = users::disable(&mut tx, "usr_none", NOW).await;
    assert_eq!(nobody.unwrap_err().to_string(), "disabling a user changed 0 rows instead of one");
}

/// Foreign keys are off in SQLite unless each connection asks for them.
async fn removing_a_user_removes_what_is_theirs(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    sessions::begin(&mut tx, b"s", "ses_a", "usr_a", NOW).await.unwrap();
    super::sql(&mut tx, "delete from users").await.unwrap();
    assert_eq!(count(&mut tx, "select count(*) from sessions").await, 0);
    assert!(sessions::begin(&mut tx, b"t", "ses_b", "usr_a", NOW).await.is_err(), "of a user who is gone");
}
