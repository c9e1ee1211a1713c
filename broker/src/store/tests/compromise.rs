use super::connections::{connect, tokens};
use super::{NOW, add_member, count, on_both_engines, slug, sql, write};
use crate::store::compromise::{self, Dealt, Fate, Job};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    connections_that_can_get_new_tokens_get_them
    connections_whose_refresh_token_stays_end
    other_toolkits_are_left_alone
);

async fn deal(tx: &mut Tx, fate: Fate) -> Dealt {
    let job = Job { id: "rev_a", toolkit: &slug("github"), per_minute: 60 };
    compromise::deal(tx, &job, fate, NOW).await.unwrap()
}

/// Two connections of a toolkit, one of which has no refresh token, and one of another toolkit.
async fn connected(store: &Store) -> Tx {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    for (id, toolkit, account) in
        [("con_a", "github", "a"), ("con_b", "github", "b"), ("con_c", "slack", "c")]
    {
        connect(&mut tx, id, "usr_a", toolkit, account).await;
    }
    sql(&mut tx, "update connections set refresh_token = null where id = 'con_b'").await.unwrap();
    assert!(tokens(1).refresh.is_some());
    tx
}

async fn connections_that_can_get_new_tokens_get_them(store: Store) {
    let mut tx = connected(&store).await;
    assert_eq!(deal(&mut tx, Fate::Renew).await, Dealt { renewed: 1, ended: 1 });
    for statement in [
        "select count(*) from connections where id = 'con_a' and status = 'ACTIVE' and expires_at = 0 \
         and access_token is not null and refresh_token is not null",
        "select count(*) from connections where id = 'con_b' and status = 'EXPIRED' and why = 'key_compromised' \
         and access_token is null",
        // Taken back once the new one is there; a refresh makes the refresh token worthless.
        "select count(*) from revocation_items where connection_id = 'con_a' and due_at > 1700000000000 \
         and access_token is not null and refresh_token is null",
        "select count(*) from revocation_items where connection_id = 'con_b' and due_at = 1700000000000 \
         and access_token is not null",
        "select count(*) from revocations where toolkit = 'github' and asked_by = 'system' and per_minute = 60",
    ] {
        assert_eq!(count(&mut tx, statement).await, 1, "{statement}");
    }
    let items = "select count(*) from revocation_items i join connections c on c.id = i.connection_id \
                 where i.generation <> c.generation and c.status = 'ACTIVE'";
    assert_eq!(count(&mut tx, items).await, 0, "the copy opens where it was sealed");
}

async fn connections_whose_refresh_token_stays_end(store: Store) {
    let mut tx = connected(&store).await;
    assert_eq!(deal(&mut tx, Fate::End).await, Dealt { renewed: 0, ended: 2 });
    let ended = "select count(*) from connections where toolkit = 'github' and status = 'EXPIRED' \
                 and access_token is null and refresh_token is null";
    assert_eq!(count(&mut tx, ended).await, 2);
    let queued =
        "select count(*) from revocation_items where due_at = 1700000000000 and refresh_token is not null";
    assert_eq!(count(&mut tx, queued).await, 1);
    let again = Job { id: "rev_b", toolkit: &slug("github"), per_minute: 60 };
    let dealt = compromise::deal(&mut tx, &again, Fate::End, NOW).await.unwrap();
    assert_eq!(dealt, Dealt::default(), "nothing is left to end");
}

async fn other_toolkits_are_left_alone(store: Store) {
    let mut tx = connected(&store).await;
    let slugs = compromise::toolkits(&mut tx).await.unwrap();
    assert_eq!(slugs, [slug("github"), slug("slack")]);
    deal(&mut tx, Fate::End).await;
    assert_eq!(compromise::toolkits(&mut tx).await.unwrap(), [slug("slack")]);
    let untouched =
        "select count(*) from connections where id = 'con_c' and status = 'ACTIVE' and expires_at <> 0";
    assert_eq!(count(&mut tx, untouched).await, 1);
}
