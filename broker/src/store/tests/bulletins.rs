use super::{NOW, on_both_engines, write};
use crate::store::Store;
use crate::store::bulletins::{self, Bulletin, KEPT, News};

on_both_engines!(migrated:
    a_reader_reads_on_from_where_it_was
    writers_at_once_leave_no_gap_that_a_reader_skips
    who_slept_too_long_is_told_so
);

fn bulletin(name: &str) -> Bulletin {
    Bulletin { origin: "one".into(), user_id: None, name: name.into(), data: "{}".into(), told_at: NOW }
}

async fn post(store: &Store, names: &[&str]) {
    let mut tx = write(store).await;
    let list: Vec<Bulletin> = names.iter().map(|name| bulletin(name)).collect();
    bulletins::post(&mut tx, &list).await.unwrap();
    tx.commit().await.unwrap();
}

async fn after(store: &Store, last: i64) -> News {
    bulletins::after(&mut store.read().await.unwrap(), last).await.unwrap()
}

async fn a_reader_reads_on_from_where_it_was(store: Store) {
    assert_eq!(after(&store, 0).await, News { last: 0, missed: false, bulletins: Vec::new() });
    post(&store, &["a", "b"]).await;
    let News { last, missed, bulletins } = after(&store, 0).await;
    assert_eq!((last, missed, bulletins), (2, false, vec![bulletin("a"), bulletin("b")]));
    post(&store, &["c"]).await;
    let news = after(&store, 2).await;
    assert_eq!(news, News { last: 3, missed: false, bulletins: vec![bulletin("c")] });
}

async fn writers_at_once_leave_no_gap_that_a_reader_skips(store: Store) {
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for _ in 0..10 {
                post(&store, &["x", "y"]).await;
            }
        });
    }
    let (mut last, mut heard) = (0, 0);
    while heard < 160 {
        let news = after(&store, last).await;
        assert!(!news.missed, "after {last}");
        (last, heard) = (news.last, heard + news.bulletins.len());
    }
    writers.join_all().await;
    assert_eq!((last, heard), (160, 160));
}

async fn who_slept_too_long_is_told_so(store: Store) {
    post(&store, &["a", "b"]).await;
    let mut tx = write(&store).await;
    assert_eq!(bulletins::sweep(&mut tx, NOW + KEPT - 1).await.unwrap(), 0);
    assert_eq!(bulletins::sweep(&mut tx, NOW + KEPT).await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert_eq!(after(&store, 1).await, News { last: 2, missed: true, bulletins: Vec::new() });
    post(&store, &["c"]).await;
    assert_eq!(after(&store, 1).await, News { last: 3, missed: true, bulletins: vec![bulletin("c")] });
    // As after a restore.
    assert_eq!(after(&store, 99).await, News { last: 3, missed: true, bulletins: Vec::new() });
}
