use taiku_bridge::PluginId;
use taiku_bridge::call::{Listing, Shelf};

use super::{NOW, count, on_both_engines, sql, with_members, write};
use crate::store::plugin_data::{self, Place, USER_BYTES, Used, Written, quota};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    what_is_stored_is_found_and_replaced
    shelves_are_apart
    what_is_shared_has_no_user_in_the_database
    names_come_in_order_and_in_pages
    a_shelf_holds_its_quota_and_no_more
    a_full_shelf_may_become_smaller
    a_user_holds_no_more_than_all_shelves_may
    writers_at_once_keep_the_sum
    what_a_user_stored_goes_with_the_user
);

fn place(shelf: Shelf, plugin: &str, user: &str) -> Place {
    Place::new(shelf, &PluginId::parse(plugin).unwrap(), user)
}

fn data(user: &str) -> Place {
    place(Shelf::UserData, "example.a", user)
}

async fn put(tx: &mut Tx, place: &Place, name: &str, value: &[u8]) -> Written {
    plugin_data::put(tx, place, name, value, NOW).await.unwrap()
}

async fn get(tx: &mut Tx, place: &Place, name: &str) -> Option<Vec<u8>> {
    plugin_data::get(tx, place, name).await.unwrap()
}

async fn names(tx: &mut Tx, place: &Place, prefix: &str, cursor: &str, limit: u32) -> (Vec<String>, bool) {
    let listing = Listing { prefix: prefix.into(), cursor: cursor.into(), limit };
    let (items, more) = plugin_data::list(tx, place, &listing).await.unwrap();
    (items.into_iter().map(|item| item.name).collect(), more)
}

async fn what_is_stored_is_found_and_replaced(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    let place = data("usr_a");
    assert_eq!(get(&mut tx, &place, "k").await, None);
    assert!(!plugin_data::delete(&mut tx, &place, "k").await.unwrap());
    assert_eq!(put(&mut tx, &place, "k", b"{\"a\":\"\x00\xff\"}").await, Written::Stored);
    assert_eq!(get(&mut tx, &place, "k").await.unwrap(), b"{\"a\":\"\x00\xff\"}");
    assert_eq!(put(&mut tx, &place, "k", b"").await, Written::Stored);
    assert_eq!(get(&mut tx, &place, "k").await.unwrap(), b"");
    assert_eq!(plugin_data::used(&mut tx, &place).await.unwrap(), Used { entries: 1, bytes: 1 });
    assert!(plugin_data::delete(&mut tx, &place, "k").await.unwrap());
    assert_eq!(get(&mut tx, &place, "k").await, None);
    assert_eq!(plugin_data::used(&mut tx, &place).await.unwrap(), Used::default());
}

async fn shelves_are_apart(store: Store) {
    with_members(&store, &["usr_a", "usr_b"]).await;
    let mut tx = write(&store).await;
    let places = [
        data("usr_a"),
        data("usr_b"),
        place(Shelf::UserData, "example.b", "usr_a"),
        place(Shelf::Files, "example.a", "usr_a"),
        place(Shelf::Kv, "example.a", "usr_a"),
    ];
    for (index, place) in places.iter().enumerate() {
        put(&mut tx, place, "k", index.to_string().as_bytes()).await;
    }
    for (index, place) in places.iter().enumerate() {
        assert_eq!(get(&mut tx, place, "k").await.unwrap(), index.to_string().as_bytes());
    }
    assert_eq!(
        get(&mut tx, &place(Shelf::Kv, "Example.A", "usr_b"), "k").await.unwrap(),
        b"4",
        "shared by all"
    );
    assert!(plugin_data::clear(&mut tx, &places[0]).await.unwrap());
    assert!(!plugin_data::clear(&mut tx, &places[0]).await.unwrap());
    assert_eq!(get(&mut tx, &places[0], "k").await, None);
    assert_eq!(count(&mut tx, "select count(*) from plugin_entries").await, 4);
}

async fn what_is_shared_has_no_user_in_the_database(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    put(&mut tx, &place(Shelf::Kv, "example.a", "usr_a"), "k", b"1").await;
    let named = "select count(*) from plugin_shelves where user_id is not null or id like '%usr_a%'";
    assert_eq!(count(&mut tx, named).await, 0);
    tx.commit().await.unwrap();
    for impossible in [
        "update plugin_shelves set user_id = 'usr_a'",
        "update plugin_shelves set kind = 'files'",
        "update plugin_shelves set bytes = -1",
    ] {
        let mut tx = write(&store).await;
        assert!(sql(&mut tx, impossible).await.is_err(), "{impossible}");
    }
}

async fn names_come_in_order_and_in_pages(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    let place = data("usr_a");
    for name in ["b/2", "B", "ä", "b/1", "b", "b%", "\u{10ffff}"] {
        put(&mut tx, &place, name, b"x").await;
    }
    let all = ["B", "b", "b%", "b/1", "b/2", "ä", "\u{10ffff}"];
    assert_eq!(names(&mut tx, &place, "", "", 10).await, (all.map(str::to_owned).to_vec(), false));
    assert!(!names(&mut tx, &place, "", "", 7).await.1);
    assert_eq!(names(&mut tx, &place, "b/", "", 1).await, (vec!["b/1".to_owned()], true));
    assert_eq!(names(&mut tx, &place, "b/", "b/1", 1).await, (vec!["b/2".to_owned()], false));
    assert_eq!(names(&mut tx, &place, "%", "", 10).await, (vec![], false));
    assert_eq!(names(&mut tx, &place, "\u{10ffff}", "", 10).await.0.len(), 1);
}

/// Lets a shelf say that so much lies on it already.
async fn fill(tx: &mut Tx, statement: &'static str) {
    assert_eq!(sql(tx, statement).await.unwrap(), 1);
}

async fn a_shelf_holds_its_quota_and_no_more(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    let place = place(Shelf::Files, "example.a", "usr_a");
    let most = usize::try_from(quota(Shelf::Files).bytes).unwrap();
    assert_eq!(put(&mut tx, &place, "name", &vec![0; most - 3]).await, Written::ShelfFull);
    assert_eq!(put(&mut tx, &place, "name", &vec![0; most - 4]).await, Written::Stored);
    assert_eq!(put(&mut tx, &place, "n", b"").await, Written::ShelfFull);
    assert_eq!(put(&mut tx, &place, "name", b"").await, Written::Stored, "what is replaced counts no more");
    assert_eq!(plugin_data::used(&mut tx, &place).await.unwrap(), Used { entries: 1, bytes: 4 });
    fill(&mut tx, "update plugin_shelves set entries = 1000").await;
    assert_eq!(put(&mut tx, &place, "another", b"").await, Written::TooMany);
    assert_eq!(put(&mut tx, &place, "name", b"more").await, Written::Stored);
}

async fn a_full_shelf_may_become_smaller(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tx = write(&store).await;
    let place = data("usr_a");
    put(&mut tx, &place, "k", b"12345").await;
    fill(&mut tx, "update plugin_shelves set bytes = 9000000, entries = 9000").await;
    assert_eq!(put(&mut tx, &place, "k", b"123456").await, Written::ShelfFull);
    assert_eq!(put(&mut tx, &place, "k", b"1234").await, Written::Stored);
    assert!(plugin_data::delete(&mut tx, &place, "k").await.unwrap());
}

async fn a_user_holds_no_more_than_all_shelves_may(store: Store) {
    with_members(&store, &["usr_a", "usr_b"]).await;
    let mut tx = write(&store).await;
    assert_eq!(USER_BYTES, 104_857_600);
    put(&mut tx, &place(Shelf::Files, "example.b", "usr_a"), "k", b"1").await;
    fill(&mut tx, "update plugin_shelves set bytes = 104857599").await;
    assert_eq!(put(&mut tx, &data("usr_a"), "k", b"1").await, Written::UserFull);
    assert_eq!(put(&mut tx, &data("usr_b"), "k", b"1").await, Written::Stored);
    let shared = place(Shelf::Kv, "example.a", "usr_a");
    assert_eq!(put(&mut tx, &shared, "k", b"1").await, Written::Stored, "what is shared is no user's");
}

async fn writers_at_once_keep_the_sum(store: Store) {
    with_members(&store, &["usr_a"]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = store.write().await.unwrap();
            let place = data("usr_a");
            let name = format!("{:02}", number / 2);
            assert_eq!(put(&mut tx, &place, &name, b"12345678").await, Written::Stored);
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    let mut tx = write(&store).await;
    let used = plugin_data::used(&mut tx, &data("usr_a")).await.unwrap();
    assert_eq!(used, Used { entries: 16, bytes: 160 });
}

async fn what_a_user_stored_goes_with_the_user(store: Store) {
    with_members(&store, &["usr_a", "usr_b"]).await;
    let mut tx = write(&store).await;
    put(&mut tx, &data("usr_a"), "k", b"1").await;
    put(&mut tx, &data("usr_b"), "k", b"2").await;
    put(&mut tx, &place(Shelf::Kv, "example.a", "usr_a"), "k", b"3").await;
    sql(&mut tx, "delete from users where id = 'usr_a'").await.unwrap();
    assert_eq!(count(&mut tx, "select count(*) from plugin_entries").await, 2);
    assert_eq!(get(&mut tx, &data("usr_b"), "k").await.unwrap(), b"2");
}
