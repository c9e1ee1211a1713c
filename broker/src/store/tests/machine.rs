//! The states of a connection: which ways there are, and that every query takes one of them or changes nothing.

use super::connections::{begin, tokens};
use super::{add_member, on_both_engines, write};
use crate::store::connections::{self, Activation, Connection, Kind, State, WAYS};
use crate::store::{Store, Tx};

on_both_engines!(migrated:
    every_query_takes_an_allowed_way_or_none
);

/// All pairs: from above to below, `x` where there is a way.
const PAIRS: &str = "
            Initiated Undecided Active Expired Failed Revoked
Initiated   .         x         x      .       x      .
Undecided   .         .         x      .       .      x
Active      .         .         x      x       .      x
Expired     .         .         x      .       .      .
Failed      .         .         x      .       .      .
Revoked     .         .         x      .       .      .
";

#[test]
fn these_are_all_the_ways_between_states() {
    let mut lines =
        PAIRS.trim_start_matches('\n').lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let names = lines.next().unwrap();
    assert_eq!(names, Kind::ALL.map(|kind| format!("{kind:?}")));
    let mut seen = 0;
    for (from, line) in Kind::ALL.into_iter().zip(lines) {
        assert_eq!(line[0], format!("{from:?}"));
        for (to, mark) in Kind::ALL.into_iter().zip(&line[1..]) {
            assert_eq!(WAYS.contains(&(from, to)), *mark == "x", "{from:?} to {to:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 36);
}

/// Brings a new connection into a state, whatever ways there are.
async fn in_state(tx: &mut Tx, id: &str, kind: Kind) -> Connection {
    begin(tx, id, "usr_a", "github").await;
    let token: Option<&[u8]> = kind.holds_tokens().then_some(&[1]);
    let query = "update connections set status = $1, why = $2, access_token = $3 where id = $4";
    crate::store::execute!(tx, sqlx::query(query).bind(kind.status()).bind("a cause").bind(token).bind(id))
        .unwrap();
    let connection = connections::find(tx, "usr_a", id).await.unwrap().unwrap();
    assert_eq!(Kind::from(&connection.state), kind);
    connection
}

/// Something that changes a state. Whether it may is for the query to know.
const QUERIES: &[&str] =
    &["activate", "hold", "accept", "fail", "give_up", "refreshed", "expire", "expire_others"];

async fn run(tx: &mut Tx, query: &str, read: &Connection) {
    let activation = Activation {
        connection: read,
        context_hash: b"context",
        tokens: &tokens(1),
        account: &read.account,
        requested: &[],
        scopes: &[],
    };
    // What a query refuses, it refuses as an error or by changing nothing; either is fine here.
    let (id, generation) = (&read.id, read.generation);
    match query {
        "activate" => _ = connections::activate(tx, &activation).await,
        "hold" => _ = connections::hold(tx, &activation).await,
        "accept" => _ = connections::accept(tx, read).await,
        "fail" => connections::fail(tx, id, "declined").await.unwrap(),
        "give_up" => _ = connections::give_up(tx, i64::MAX).await.unwrap(),
        "refreshed" => _ = connections::refreshed(tx, id, generation, &tokens(2)).await.unwrap(),
        "expire" => _ = connections::expire(tx, id, generation, "revoked").await.unwrap(),
        "expire_others" => _ = connections::expire_others(tx, &read.toolkit, b"new").await.unwrap(),
        other => panic!("{other} is no query"),
    }
}

async fn every_query_takes_an_allowed_way_or_none(store: Store) {
    let mut tx = write(&store).await;
    add_member(&mut tx, "usr_a").await;
    let mut changed = 0;
    for kind in Kind::ALL {
        for query in QUERIES {
            // Each query is also run by somebody who read the connection in another state.
            for read_as in Kind::ALL {
                let before = in_state(&mut tx, "con_a", kind).await;
                let tokens = tokens(3);
                let why = "a cause".to_owned();
                let state = match read_as {
                    Kind::Initiated => State::Initiated,
                    Kind::Undecided => State::Undecided(tokens),
                    Kind::Active => State::Active(tokens),
                    Kind::Expired => State::Expired { why },
                    Kind::Failed => State::Failed { why },
                    Kind::Revoked => State::Revoked { why: Some(why) },
                };
                run(&mut tx, query, &Connection { state, ..before.clone() }).await;
                let after = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
                let way = (kind, Kind::from(&after.state));
                if after.generation != before.generation || way.0 != way.1 {
                    changed += 1;
                    assert!(WAYS.contains(&way), "{query}, read as {read_as:?}, went {way:?}");
                }
                assert!(connections::remove(&mut tx, "usr_a", "con_a").await.unwrap());
            }
        }
    }
    assert!(changed >= 12, "the queries do something where they may: {changed}");
}
