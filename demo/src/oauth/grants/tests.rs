//! The bounds of the memory; the rules of the protocol are tested from outside.

use super::*;
use crate::random::{Kind, digest};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn request() -> Request {
    Request {
        client_id: "client".into(),
        redirect_uri: "https://app.example/".into(),
        state: None,
        scopes: Scopes::least(),
        challenge: Challenge::parse(CHALLENGE).unwrap(),
    }
}

fn new_tokens() -> NewTokens {
    NewTokens {
        access: Token::new(Kind::Access).unwrap(),
        refresh: Token::new(Kind::Refresh).unwrap(),
        access_life: Duration::from_secs(60),
    }
}

fn first(grants: &mut Grants, now: Instant) -> Issued {
    let code = Token::new(Kind::Code).unwrap();
    grants.allow(now, code.digest(), 1, request());
    let exchange = Exchange {
        client_id: "client",
        code: code.expose(),
        redirect_uri: "https://app.example/",
        verifier: VERIFIER,
    };
    grants.exchange(now, exchange, new_tokens()).unwrap()
}

fn next(grants: &mut Grants, now: Instant, token: &str) -> Result<Issued, Refused> {
    refresh(grants, now, token, Rotation::Strict).map(|refreshed| refreshed.issued)
}

fn refresh(grants: &mut Grants, now: Instant, token: &str, rotation: Rotation) -> Result<Refreshed, Refused> {
    grants.refresh(now, Refresh { client_id: "client", token, rotation }, None, new_tokens())
}

#[test]
fn within_the_grace_the_last_token_is_honoured_and_older_ones_end_the_family() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let grace = Rotation::Grace(Duration::from_secs(30));
    let first = first(&mut grants, now).tokens.refresh;
    let second = refresh(&mut grants, now, first.expose(), grace).unwrap();
    assert!(!second.repeated);
    let late = now + Duration::from_secs(29);
    let sibling = refresh(&mut grants, late, first.expose(), grace).unwrap();
    assert!(sibling.repeated);
    // Both are good, because either answer may be the one that arrived.
    let second = second.issued.tokens.refresh;
    let third = refresh(&mut grants, late, second.expose(), grace).unwrap();
    assert!(!refresh(&mut grants, late, sibling.issued.tokens.refresh.expose(), grace).unwrap().repeated);
    assert_eq!(refresh(&mut grants, late, first.expose(), grace).unwrap_err(), Refused::RefreshReused);
    assert_eq!(
        refresh(&mut grants, late, third.issued.tokens.refresh.expose(), grace).unwrap_err(),
        Refused::Refresh
    );
}

#[test]
fn after_the_grace_a_spent_token_ends_the_family() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let grace = Rotation::Grace(Duration::from_secs(30));
    let first = first(&mut grants, now).tokens.refresh;
    refresh(&mut grants, now, first.expose(), grace).unwrap();
    let late = now + Duration::from_secs(30);
    assert_eq!(refresh(&mut grants, late, first.expose(), grace).unwrap_err(), Refused::RefreshReused);
    assert_eq!(grants.all_living(), 0);
}

#[test]
fn a_token_that_stays_is_given_again() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let first = first(&mut grants, now).tokens.refresh;
    for _ in 0..3 {
        let again = refresh(&mut grants, now, first.expose(), Rotation::Never).unwrap();
        assert_eq!(again.issued.tokens.refresh.expose(), first.expose());
    }
}

#[test]
fn the_oldest_family_makes_room_and_leaves_nothing_behind() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let oldest = first(&mut grants, now);
    for _ in 0..MAX_FAMILIES {
        first(&mut grants, now);
    }
    assert!(grants.bearer(now, oldest.tokens.access.expose()).is_none());
    assert_eq!(grants.families.len(), MAX_FAMILIES);
    assert_eq!(grants.refresh.len(), MAX_FAMILIES);
    assert_eq!(grants.access.len(), MAX_FAMILIES);
}

#[test]
fn a_family_that_is_refreshed_for_ever_stays_small() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let oldest = first(&mut grants, now).tokens.refresh;
    let mut current = next(&mut grants, now, oldest.expose()).unwrap().tokens.refresh;
    for _ in 0..MAX_SPENT_PER_FAMILY {
        current = next(&mut grants, now, current.expose()).unwrap().tokens.refresh;
    }
    assert_eq!(grants.refresh.len(), MAX_SPENT_PER_FAMILY + 1);
    assert_eq!(grants.access.len(), MAX_ACCESS_PER_FAMILY);
    assert_eq!(next(&mut grants, now, oldest.expose()).unwrap_err(), Refused::Refresh);
    assert!(next(&mut grants, now, current.expose()).is_ok());
}

#[test]
fn ending_a_family_removes_every_token_of_it() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let begun = first(&mut grants, now).tokens.refresh;
    next(&mut grants, now, begun.expose()).unwrap();
    assert_eq!(next(&mut grants, now, begun.expose()).unwrap_err(), Refused::RefreshReused);
    assert!(grants.families.is_empty() && grants.refresh.is_empty() && grants.access.is_empty());
}

#[test]
fn requests_that_nobody_answers_are_bounded() {
    let mut grants = Grants::default();
    let now = Instant::now();
    let browser = digest("browser");
    for n in 0..=MAX_REQUESTS {
        grants.ask(now, digest(&n.to_string()), browser, request());
    }
    assert!(grants.answer(now, &digest("0"), &browser).is_none());
    assert!(grants.answer(now, &digest("1"), &browser).is_some());
}
