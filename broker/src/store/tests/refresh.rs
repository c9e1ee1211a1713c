use tokio::task::JoinSet;

use super::connections::{connect, tokens};
use super::{NOW, add_member, on_both_engines, slug, sql, write};
use crate::store::connections::{self, SealedTokens, State};
use crate::store::refresh::{self, Claim, Doubt, Intent, Renewed, TakeOver};
use crate::store::{Store, Tx, integrations};

on_both_engines!(migrated:
    of_16_claims_at_once_one_is_given
    a_claim_is_for_one_generation_and_notes_the_intent
    a_lease_that_ended_is_claimed_by_another_with_a_higher_fence
    a_heartbeat_keeps_a_lease_and_only_its_own
    a_holder_that_was_overtaken_changes_nothing
    tokens_are_stored_once_per_generation
    tokens_are_stored_by_generation_even_without_the_lease
    what_was_given_up_in_doubt_lives_again_when_its_tokens_come
    a_lease_that_ran_out_while_the_database_was_away_is_left_to_its_holder
    what_is_stored_ends_every_doubt_but_that_of_a_repetition
    a_lost_answer_is_remembered_until_the_generation_moves
    what_was_not_sent_leaves_no_doubt
    who_failed_waits
    a_consent_ends_the_wait
    the_leases_of_the_dead_are_given_back_with_their_intents
    narrower_scopes_are_kept
    those_that_end_first_come_first
    what_was_made_together_does_not_come_back_together
    the_abandoned_are_found
    the_pace_is_shared
    alarms_are_raised_once_and_end
    the_clock_of_the_database_runs
);

const LEASE: i64 = 60_000;
/// A lease that has ended when it begins.
const ENDED: i64 = -1_000;

async fn connected(store: &Store) -> Tx {
    let mut tx = write(store).await;
    add_member(&mut tx, "usr_a").await;
    connect(&mut tx, "con_a", "usr_a", "github", "anna").await;
    tx
}

async fn generation(tx: &mut Tx) -> i64 {
    connections::find(tx, "usr_a", "con_a").await.unwrap().unwrap().generation
}

async fn claim_for(tx: &mut Tx, owner: &str, lease: i64) -> Option<Claim> {
    let generation = generation(tx).await;
    refresh::claim(tx, "con_a", generation, owner, lease, TakeOver::Yes).await.unwrap()
}

async fn claim(tx: &mut Tx, owner: &str) -> Claim {
    claim_for(tx, owner, LEASE).await.expect("nobody else holds it")
}

fn renewed<'a>(tokens: &'a SealedTokens, claim: &'a Claim) -> Renewed<'a> {
    Renewed { lease: claim.lease(), generation: claim.generation, tokens, scopes: None, repeated: false }
}

async fn of_16_claims_at_once_one_is_given(store: Store) {
    let mut tx = connected(&store).await;
    let generation = generation(&mut tx).await;
    tx.commit().await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut tx = write(&store).await;
            let owner = format!("own_{number}");
            let claim =
                refresh::claim(&mut tx, "con_a", generation, &owner, LEASE, TakeOver::Yes).await.unwrap();
            tx.commit().await.unwrap();
            claim.is_some()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
}

async fn a_claim_is_for_one_generation_and_notes_the_intent(store: Store) {
    let mut tx = connected(&store).await;
    let generation = generation(&mut tx).await;
    for other in [generation - 1, generation + 1] {
        let claim = refresh::claim(&mut tx, "con_a", other, "own_a", LEASE, TakeOver::Yes).await.unwrap();
        assert!(claim.is_none());
    }
    let claim = claim(&mut tx, "own_a").await;
    assert_eq!((claim.generation, claim.attempts, claim.doubt), (generation, 1, Doubt::None));
    let intents =
        "update connections set alias = 'x' where attempt_gen = generation and lease_owner = 'own_a'";
    assert_eq!(sql(&mut tx, intents).await.unwrap(), 1);
    let standing = refresh::standing(&mut tx, "con_a").await.unwrap().unwrap();
    assert!(standing.held && standing.active && standing.wait == 0);
    assert!(refresh::standing(&mut tx, "con_b").await.unwrap().is_none());
}

async fn a_lease_that_ended_is_claimed_by_another_with_a_higher_fence(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    let second = claim(&mut tx, "own_b").await;
    assert!(second.fence > first.fence);
    assert_eq!(second.doubt, Doubt::Lost(1), "what the first one sent has no known answer");
    assert!(claim_for(&mut tx, "own_a", LEASE).await.is_none());
}

async fn a_heartbeat_keeps_a_lease_and_only_its_own(store: Store) {
    let mut tx = connected(&store).await;
    let claim = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    assert!(refresh::beat(&mut tx, &claim.lease(), LEASE).await.unwrap());
    assert!(claim_for(&mut tx, "own_b", LEASE).await.is_none(), "a slow provider keeps its lease");
    for other in [
        Claim { owner: "own_b".to_owned(), ..claim.clone() },
        Claim { fence: claim.fence + 1, ..claim.clone() },
    ] {
        assert!(!refresh::beat(&mut tx, &other.lease(), LEASE).await.unwrap(), "{other:?}");
    }
    sql(&mut tx, "update connections set generation = generation + 1").await.unwrap();
    assert!(refresh::beat(&mut tx, &claim.lease(), LEASE).await.unwrap(), "its request is still under way");
}

async fn a_holder_that_was_overtaken_changes_nothing(store: Store) {
    let mut tx = connected(&store).await;
    let stale = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    // The same owner once more: only the fence tells the two claims apart.
    let current = claim(&mut tx, "own_a").await;
    assert!(!refresh::beat(&mut tx, &stale.lease(), LEASE).await.unwrap());
    assert!(refresh::again(&mut tx, &stale, LEASE).await.unwrap().is_none());
    assert!(!refresh::release(&mut tx, &stale, Intent::Cleared, 0).await.unwrap());
    assert!(!refresh::expire(&mut tx, &stale, "revoked").await.unwrap());
    assert!(refresh::beat(&mut tx, &current.lease(), LEASE).await.unwrap());
    assert!(refresh::expire(&mut tx, &current, "revoked").await.unwrap());
    let ended = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
    assert!(matches!(ended.state, State::Expired { why } if why == "revoked"));
    assert!(!refresh::beat(&mut tx, &current.lease(), LEASE).await.unwrap());
    assert!(
        !refresh::store(&mut tx, &renewed(&tokens(7), &stale)).await.unwrap(),
        "what was revoked stays so"
    );
}

async fn tokens_are_stored_once_per_generation(store: Store) {
    let mut tx = connected(&store).await;
    let claim = claim(&mut tx, "own_a").await;
    let (ours, theirs) = (tokens(7), tokens(8));
    assert!(refresh::store(&mut tx, &renewed(&ours, &claim)).await.unwrap());
    assert!(!refresh::store(&mut tx, &renewed(&theirs, &claim)).await.unwrap());
    let now = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
    assert_eq!(now.generation, claim.generation + 1);
    assert!(matches!(now.state, State::Active(kept) if kept.access == ours.access));
    let next = self::claim(&mut tx, "own_b").await;
    assert_eq!((next.attempts, next.doubt), (1, Doubt::None), "a success begins anew");
}

async fn tokens_are_stored_by_generation_even_without_the_lease(store: Store) {
    let mut tx = connected(&store).await;
    let stale = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    let other = claim(&mut tx, "own_b").await;
    assert!(refresh::store(&mut tx, &renewed(&tokens(7), &stale)).await.unwrap());
    assert!(!refresh::expire(&mut tx, &other, "revoked").await.unwrap(), "the one who lost ends nothing");
    assert!(claim_for(&mut tx, "own_a", LEASE).await.is_none(), "but it keeps its lease while it waits");
    assert!(refresh::release(&mut tx, &other, Intent::Cleared, 60_000).await.unwrap());
    let next = claim(&mut tx, "own_a").await;
    assert_eq!(next.doubt, Doubt::Inherited, "the other may have sent the same token");
}

async fn what_was_given_up_in_doubt_lives_again_when_its_tokens_come(store: Store) {
    let mut tx = connected(&store).await;
    let stale = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    let other = claim(&mut tx, "own_b").await;
    assert!(refresh::expire(&mut tx, &other, "in_doubt").await.unwrap());
    let new = tokens(7);
    assert!(refresh::store(&mut tx, &renewed(&new, &stale)).await.unwrap());
    let now = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
    assert_eq!(now.generation, stale.generation + 1, "for which they are sealed");
    assert!(matches!(now.state, State::Active(kept) if kept == new));
    assert_eq!(claim(&mut tx, "own_a").await.doubt, Doubt::Inherited);
}

async fn a_lease_that_ran_out_while_the_database_was_away_is_left_to_its_holder(store: Store) {
    let mut tx = connected(&store).await;
    let holder = claim_for(&mut tx, "own_a", ENDED).await.unwrap();
    let now = refresh::claim(&mut tx, "con_a", holder.generation, "own_b", LEASE, TakeOver::NotYet);
    assert!(now.await.unwrap().is_none());
    assert!(refresh::release(&mut tx, &holder, Intent::Cleared, 0).await.unwrap());
    let now = refresh::claim(&mut tx, "con_a", holder.generation, "own_b", LEASE, TakeOver::NotYet);
    assert!(now.await.unwrap().is_some(), "nobody holds it");
}

async fn what_is_stored_ends_every_doubt_but_that_of_a_repetition(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim(&mut tx, "own_a").await;
    let second = refresh::again(&mut tx, &first, LEASE).await.unwrap().unwrap();
    assert_eq!((second.doubt, second.attempts), (Doubt::Lost(1), 2));
    let new = tokens(7);
    let repeated = Renewed { repeated: true, ..renewed(&new, &first) };
    assert!(refresh::store(&mut tx, &repeated).await.unwrap());
    let next = claim(&mut tx, "own_a").await;
    assert_eq!(next.doubt, Doubt::Inherited);
    assert!(refresh::store(&mut tx, &renewed(&new, &next)).await.unwrap());
    assert_eq!(claim(&mut tx, "own_a").await.doubt, Doubt::None);
}

async fn a_lost_answer_is_remembered_until_the_generation_moves(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim(&mut tx, "own_a").await;
    assert!(refresh::release(&mut tx, &first, Intent::InDoubt, 0).await.unwrap());
    let second = claim(&mut tx, "own_b").await;
    assert_eq!(second.doubt, Doubt::Lost(1));
    // A 503 to the second says nothing about the first.
    assert!(refresh::release(&mut tx, &second, Intent::Cleared, 0).await.unwrap());
    assert_eq!(claim(&mut tx, "own_b").await.doubt, Doubt::Lost(1));
    sql(&mut tx, "update connections set generation = generation + 1, lease_until = 0").await.unwrap();
    assert_eq!(claim(&mut tx, "own_b").await.doubt, Doubt::None);
}

async fn what_was_not_sent_leaves_no_doubt(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim(&mut tx, "own_a").await;
    assert!(refresh::release(&mut tx, &first, Intent::Cleared, 0).await.unwrap());
    let second = claim(&mut tx, "own_b").await;
    assert_eq!((second.doubt, second.attempts), (Doubt::None, 2));
}

async fn who_failed_waits(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim(&mut tx, "own_a").await;
    assert!(refresh::release(&mut tx, &first, Intent::Cleared, 30_000).await.unwrap());
    let standing = refresh::standing(&mut tx, "con_a").await.unwrap().unwrap();
    assert!(!standing.held && (20_000..=30_000).contains(&standing.wait), "{standing:?}");
    assert!(claim_for(&mut tx, "own_b", LEASE).await.is_none());
    assert!(refresh::abandoned(&mut tx, 10).await.unwrap().is_empty());
}

async fn a_consent_ends_the_wait(store: Store) {
    let mut tx = connected(&store).await;
    let first = claim(&mut tx, "own_a").await;
    refresh::release(&mut tx, &first, Intent::InDoubt, 30_000).await.unwrap();
    let connection = connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap();
    let activation = connections::Activation {
        connection: &connection,
        context_hash: b"context",
        tokens: &tokens(9),
        account: &connection.account.clone(),
        requested: &[],
        scopes: &[],
    };
    connections::activate(&mut tx, &activation).await.unwrap();
    let claim = claim(&mut tx, "own_a").await;
    assert_eq!((claim.attempts, claim.doubt), (1, Doubt::None));
}

async fn the_leases_of_the_dead_are_given_back_with_their_intents(store: Store) {
    let mut tx = connected(&store).await;
    claim(&mut tx, "own_a").await;
    assert_eq!(refresh::bury(&mut tx, "own_b").await.unwrap(), 0);
    assert!(claim_for(&mut tx, "own_b", LEASE).await.is_none());
    assert_eq!(refresh::bury(&mut tx, "own_a").await.unwrap(), 1);
    assert_eq!(claim(&mut tx, "own_b").await.doubt, Doubt::Lost(1));
}

async fn narrower_scopes_are_kept(store: Store) {
    let mut tx = connected(&store).await;
    let (new, narrower) = (tokens(7), ["read".to_owned()]);
    let first = claim(&mut tx, "own_a").await;
    assert!(
        refresh::store(&mut tx, &Renewed { scopes: Some(&narrower), ..renewed(&new, &first) }).await.unwrap()
    );
    let second = claim(&mut tx, "own_a").await;
    // A provider that says nothing means the same scopes again (RFC 6749, section 5.1).
    assert!(refresh::store(&mut tx, &renewed(&new, &second)).await.unwrap());
    assert_eq!(connections::find(&mut tx, "usr_a", "con_a").await.unwrap().unwrap().scopes, narrower);
}

async fn enable(tx: &mut Tx, enabled: bool) {
    let toolkit = slug("github");
    let mut integration = integrations::find_or_make(tx, &toolkit, "ctx", NOW).await.unwrap();
    integration.enabled = enabled;
    integrations::save(tx, &toolkit, &integration, NOW).await.unwrap();
}

async fn due(tx: &mut Tx, now: i64) -> Vec<String> {
    refresh::ending(tx, now, 10).await.unwrap().into_iter().map(|due| due.id).collect()
}

async fn those_that_end_first_come_first(store: Store) {
    let mut tx = connected(&store).await;
    connect(&mut tx, "con_b", "usr_a", "github", "berta").await;
    sql(&mut tx, "update connections set expires_at = expires_at - 1000 where id = 'con_b'").await.unwrap();
    assert!(due(&mut tx, i64::MAX).await.is_empty(), "the toolkit is not there");
    enable(&mut tx, false).await;
    assert!(due(&mut tx, i64::MAX).await.is_empty(), "the toolkit is off");
    enable(&mut tx, true).await;
    let part = |percent: i64| NOW + 3_600_000 * percent / 100;
    assert!(due(&mut tx, part(72) - 1_001).await.is_empty());
    assert_eq!(due(&mut tx, part(88)).await, ["con_b", "con_a"]);
    let held = claim(&mut tx, "own_a").await;
    assert_eq!(due(&mut tx, part(88)).await, ["con_b"]);
    refresh::release(&mut tx, &held, Intent::Cleared, 60_000).await.unwrap();
    assert_eq!(due(&mut tx, part(88)).await, ["con_b"]);
    sql(&mut tx, "update connections set refresh_token = null where id = 'con_b'").await.unwrap();
    assert!(due(&mut tx, part(88)).await.is_empty());
}

/// Case F13: what ends in the same second is not renewed in the same second.
async fn what_was_made_together_does_not_come_back_together(store: Store) {
    let mut tx = connected(&store).await;
    enable(&mut tx, true).await;
    let random = crate::random::Random::system();
    for _ in 0..200 {
        connect(&mut tx, &random.id("con_"), "usr_a", "github", &random.token()).await;
    }
    let mut counts = Vec::new();
    for percent in [72, 76, 80, 84, 88] {
        let due = refresh::ending(&mut tx, NOW + 36_000 * percent, 1_000).await.unwrap();
        counts.push(due.len());
    }
    assert_eq!((counts[0] < 20, counts[4]), (true, 201), "{counts:?}");
    assert!(counts.windows(2).all(|pair| (15..=90).contains(&(pair[1] - pair[0]))), "{counts:?}");
}

async fn the_abandoned_are_found(store: Store) {
    let mut tx = connected(&store).await;
    assert!(refresh::abandoned(&mut tx, 10).await.unwrap().is_empty());
    claim(&mut tx, "own_a").await;
    assert!(refresh::abandoned(&mut tx, 10).await.unwrap().is_empty(), "its holder is at work");
    refresh::bury(&mut tx, "own_a").await.unwrap();
    let found = refresh::abandoned(&mut tx, 10).await.unwrap();
    assert_eq!((found[0].id.as_str(), found[0].user_id.as_str()), ("con_a", "usr_a"));
    let second = claim(&mut tx, "own_a").await;
    let third = refresh::again(&mut tx, &second, LEASE).await.unwrap().unwrap();
    assert_eq!(third.doubt, Doubt::Lost(2));
    refresh::bury(&mut tx, "own_a").await.unwrap();
    assert!(refresh::abandoned(&mut tx, 10).await.unwrap().is_empty(), "it does not go on for ever");
    assert!(refresh::store(&mut tx, &renewed(&tokens(7), &third)).await.unwrap());
    assert!(refresh::abandoned(&mut tx, 10).await.unwrap().is_empty());
}

async fn the_pace_is_shared(store: Store) {
    let mut tx = write(&store).await;
    let (github, slack) = (slug("github"), slug("slack"));
    for _ in 0..3 {
        assert_eq!(refresh::pace(&mut tx, &github, 60_000, 3).await.unwrap(), None);
    }
    let wait = refresh::pace(&mut tx, &github, 60_000, 3).await.unwrap().unwrap();
    assert!((50_000..=60_000).contains(&wait), "{wait}");
    let wait = refresh::pace(&mut tx, &github, 60_000, 3).await.unwrap().unwrap();
    assert!((50_000..=60_000).contains(&wait), "who is refused takes no place: {wait}");
    assert_eq!(refresh::pace(&mut tx, &slack, 60_000, 1).await.unwrap(), None);
    sql(&mut tx, "update refresh_pace set next_at = 0").await.unwrap();
    assert_eq!(refresh::pace(&mut tx, &github, 60_000, 3).await.unwrap(), None);
}

async fn alarms_are_raised_once_and_end(store: Store) {
    let mut tx = write(&store).await;
    let github = slug("github");
    assert!(!refresh::all_clear(&mut tx, &github).await.unwrap());
    assert!(refresh::raise(&mut tx, &github, "invalid_client").await.unwrap());
    assert!(!refresh::raise(&mut tx, &github, "invalid_client").await.unwrap());
    let alarms = refresh::alarms(&mut tx).await.unwrap();
    assert_eq!((alarms.len(), alarms[0].times, alarms[0].code.as_str()), (1, 2, "invalid_client"));
    assert!(alarms[0].since <= alarms[0].seen_at);
    assert!(refresh::all_clear(&mut tx, &github).await.unwrap());
    assert!(refresh::alarms(&mut tx).await.unwrap().is_empty());
}

async fn the_clock_of_the_database_runs(store: Store) {
    let mut tx = write(&store).await;
    let first = refresh::clock(&mut tx).await.unwrap();
    assert!(first > NOW);
    let moved = async {
        while refresh::clock(&mut tx).await.unwrap() == first {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), moved)
        .await
        .expect("within one transaction too");
}
