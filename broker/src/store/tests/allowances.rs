use super::{NOW, on_both_engines, with_members, write};
use crate::clock::{HOUR, SECOND};
use crate::store::Store;
use crate::store::allowances::{self, Measure, Taken};
use crate::store::known_browsers::{self, KEPT};

on_both_engines!(migrated:
    a_bucket_is_emptied_and_fills_again
    takers_at_once_get_no_more_than_there_is
    a_browser_is_known_for_its_own_user_and_not_for_ever
);

/// One an hour, but two at once.
const TWO: Measure = Measure { kind: "two", burst: 2, per_hour: 1 };

async fn take(store: &Store, measure: Measure, subject: &str, wanted: i64, now: i64) -> Taken {
    let mut tx = write(store).await;
    let taken = allowances::take(&mut tx, measure, subject, wanted, now).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

async fn a_bucket_is_emptied_and_fills_again(store: Store) {
    assert_eq!(take(&store, TWO, "a", 1, NOW).await, Taken::Some(1));
    assert_eq!(take(&store, TWO, "a", 5, NOW).await, Taken::Some(1), "as many as there are");
    assert!(matches!(take(&store, TWO, "a", 1, NOW).await, Taken::None { wait } if wait >= HOUR));
    assert_eq!(take(&store, TWO, "b", 1, NOW).await, Taken::Some(1), "another has its own");
    // Whoever asks all the time does not keep it from filling, and a clock that is behind gives nothing.
    for second in 1..3600 {
        let taken = take(&store, TWO, "a", 1, NOW + second * SECOND).await;
        assert!(matches!(taken, Taken::None { .. }), "after {second} s");
    }
    assert!(matches!(take(&store, TWO, "a", 1, NOW - HOUR).await, Taken::None { .. }));
    assert_eq!(take(&store, TWO, "a", 1, NOW + HOUR + SECOND).await, Taken::Some(1));
    let mut tx = write(&store).await;
    allowances::give_back(&mut tx, TWO, "a", 1, NOW + HOUR + SECOND).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(&store, TWO, "a", 2, NOW + HOUR + SECOND).await, Taken::Some(1));
    let mut tx = write(&store).await;
    allowances::forget(&mut tx, TWO, "a").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(&store, TWO, "a", 5, NOW).await, Taken::Some(2));
    let mut tx = write(&store).await;
    assert_eq!(allowances::sweep(&mut tx, NOW).await.unwrap(), 0);
    assert_eq!(allowances::sweep(&mut tx, NOW + HOUR).await.unwrap(), 2);
}

async fn takers_at_once_get_no_more_than_there_is(store: Store) {
    let measure = Measure { kind: "many", burst: 50, per_hour: 1 };
    let mut takers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        takers.spawn(async move {
            let mut got = 0;
            while let Taken::Some(count) = take(&store, measure, "a", 3, NOW).await {
                got += count;
            }
            got
        });
    }
    assert_eq!(takers.join_all().await.iter().sum::<i64>(), 50);
}

async fn a_browser_is_known_for_its_own_user_and_not_for_ever(store: Store) {
    with_members(&store, &["usr_a", "usr_b"]).await;
    let mut tx = write(&store).await;
    known_browsers::seen(&mut tx, b"one", "usr_a", NOW).await.unwrap();
    assert!(known_browsers::is_known(&mut tx, b"one", "usr_a", NOW + KEPT - 1).await.unwrap());
    assert!(!known_browsers::is_known(&mut tx, b"one", "usr_a", NOW + KEPT).await.unwrap());
    assert!(!known_browsers::is_known(&mut tx, b"one", "usr_b", NOW).await.unwrap());
    for number in 0..40_u8 {
        known_browsers::seen(&mut tx, &[number], "usr_b", NOW + i64::from(number)).await.unwrap();
    }
    let mut known = 0;
    for number in 0..40_u8 {
        known += usize::from(known_browsers::is_known(&mut tx, &[number], "usr_b", NOW).await.unwrap());
    }
    assert_eq!(known, 32, "the newest of a user");
    assert!(known_browsers::is_known(&mut tx, &[39], "usr_b", NOW).await.unwrap());
    assert!(known_browsers::is_known(&mut tx, b"one", "usr_a", NOW).await.unwrap());
    known_browsers::forget_all(&mut tx, "usr_b").await.unwrap();
    assert!(!known_browsers::is_known(&mut tx, &[39], "usr_b", NOW).await.unwrap());
    assert_eq!(known_browsers::sweep(&mut tx, NOW + KEPT).await.unwrap(), 1);
}
