//! Grants and `kill -9`: real brokers over one database, a provider that rotates, and an account that must survive.
//! Cases F2, F3, F10, F11, L1, L2, L3.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use taiku_bridge::api::Status;
use taiku_demo::{Control, Fault, Plan};
use taiku_tests::{Decision, Engine, Fleet, Goal, Held, Scale, eventually, figure};
use tokio::task::JoinHandle;

/// Tokens of seconds, so that there is always a refresh under way.
const LIFE: u32 = 2;
const GRACE: u32 = 30;

/// Callers that never rest, and now and then an answer that gets lost.
struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    fn begin(fleet: &Fleet, connections: &[String], lost_answers: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (number, connection) in connections.iter().flat_map(|id| [id, id]).enumerate() {
            let (caller, stop) = (fleet.caller(connection), Arc::clone(&stop));
            tasks.push(tokio::spawn(async move {
                let mut member = number;
                while !stop.load(Ordering::SeqCst) {
                    caller.call(member).await;
                    member += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }));
        }
        if lost_answers {
            tasks.push(tokio::spawn(lose_answers(fleet.demo.clone(), Arc::clone(&stop))));
        }
        Self { stop, tasks }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.expect("a caller does not panic");
        }
    }
}

/// Every fiftieth answer of the token endpoint is lost after the provider has acted.
async fn lose_answers(demo: taiku_demo::Demo, stop: Arc<AtomicBool>) {
    let mut next = 25;
    while !stop.load(Ordering::SeqCst) {
        if demo.counts().refreshes >= next {
            next += 50;
            let token = Some(Plan { fault: Fault::DropAfter, times: Some(1) });
            demo.set_control(Control { token, ..graceful() }).expect("the control is right");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn graceful() -> Control {
    Control { access_token_seconds: Some(LIFE), refresh_grace_seconds: Some(GRACE), ..Control::default() }
}

fn strict() -> Control {
    Control { access_token_seconds: Some(LIFE), ..Control::default() }
}

/// Waits for the next refresh and then a little, by a number that is as good as random.
async fn some_time_after_a_refresh(fleet: &Fleet, number: u32) {
    let before = fleet.demo.counts().refreshes;
    eventually("a refresh", async || (fleet.demo.counts().refreshes > before).then_some(())).await;
    let millis = number.wrapping_mul(2_654_435_761) >> 22;
    tokio::time::sleep(Duration::from_millis(u64::from(millis) * 2)).await;
}

/// Case L1, and the second row of the table in `docs/reliability.md`.
async fn kills_with_a_grace(engine: Engine) {
    let scale = Scale::now();
    let Some(mut fleet) = Fleet::start(engine, scale.pick(2, 4)).await else { return };
    fleet.demo.set_control(graceful()).expect("the control is right");
    let ids = [Decision::Allow, Decision::AllowTheOther].map(|decision| fleet.connect(decision));
    let ids: Vec<String> = join_all(ids).await.into_iter().map(|connection| connection.id).collect();
    let load = Load::begin(&fleet, &ids, true);
    let mut lost = 0;
    for kill in 0..scale.pick(3, 1_000) {
        some_time_after_a_refresh(&fleet, kill).await;
        let victim = usize::try_from(kill).expect("it is small") % fleet.size();
        fleet.kill(victim).await;
        fleet.revive(victim);
        for connection in fleet.connections().await {
            if connection.status != Status::Active {
                lost += 1;
                eprintln!("kill {kill}: {connection:?}");
            }
        }
        assert!(lost == 0 || scale == Scale::Full, "a grant is lost");
    }
    load.end().await;
    fleet.demo.set_control(graceful()).expect("the control is right");
    for id in &ids {
        lost += i32::from(fleet.settle(0, id).await != Held::Works);
    }
    let counts = fleet.demo.counts();
    println!("{} refreshes, {} repeated within the grace", counts.refreshes, counts.reuses_honoured);
    assert_eq!((counts.reuses_detected, fleet.demo.living()), (0, ids.len()));
    let name = "grants lost to kill -9 of any process with 2 % lost answers and a grace of 30 s";
    figure(name, engine.name(), f64::from(lost), "", Goal::Exactly(0.0));
}

/// Case L3: a strict provider, and the process that refreshes is killed. What cannot be saved is said within 10 s.
async fn kills_of_the_refresher(engine: Engine) {
    let scale = Scale::now();
    let Some(mut fleet) = Fleet::start(engine, 1).await else { return };
    fleet.demo.set_control(strict()).expect("the control is right");
    let (mut flagged, mut silent, mut slowest) = (0, 0, Duration::ZERO);
    let mut id = fleet.connect(Decision::Allow).await.id;
    for kill in 0..scale.pick(3, 200) {
        let load = Load::begin(&fleet, std::slice::from_ref(&id), false);
        let token = Some(Plan { fault: Fault::Late { ms: 40 }, times: None });
        fleet.demo.set_control(Control { token, ..strict() }).expect("the control is right");
        some_time_after_a_refresh(&fleet, kill).await;
        fleet.kill(0).await;
        load.end().await;
        fleet.revive(0);
        let began = Instant::now();
        fleet.demo.set_control(strict()).expect("the control is right");
        match fleet.settle(0, &id).await {
            Held::Works => {}
            Held::InDoubt => flagged += 1,
            Held::Ended => silent += 1,
        }
        slowest = slowest.max(began.elapsed());
        assert_eq!(
            fleet.demo.living(),
            fleet.connections().await.iter().filter(|c| c.status == Status::Active).count()
        );
        if fleet.demo.living() == 0 {
            id = fleet.connect(Decision::Allow).await.id;
        }
    }
    println!("{flagged} grants lost in the window between request and journal, and flagged as in_doubt");
    let name = "grants lost without a word to kill -9 of the refresher with a strict provider";
    figure(name, engine.name(), f64::from(silent), "", Goal::Exactly(0.0));
    let name = "longest time after a restart until a lost grant is flagged";
    figure(name, engine.name(), slowest.as_secs_f64(), "s", Goal::AtMost(10.0));
}

/// Case L2: a strict provider, and the process that answers requests is killed. The one that refreshes goes on.
async fn kills_of_the_http_process(engine: Engine) {
    let scale = Scale::now();
    let Some(fleet) = Fleet::start(engine, 1).await else { return };
    fleet.demo.set_control(strict()).expect("the control is right");
    let id = fleet.connect(Decision::Allow).await.id;
    let token = Some(Plan { fault: Fault::Late { ms: 40 }, times: None });
    fleet.demo.set_control(Control { token, ..strict() }).expect("the control is right");
    let load = Load::begin(&fleet, std::slice::from_ref(&id), false);
    let mut lost = 0;
    for kill in 0..scale.pick(3, 1_000) {
        some_time_after_a_refresh(&fleet, kill).await;
        fleet.kill_http(0).await;
        lost += i32::from(fleet.settle(0, &id).await != Held::Works);
        assert_eq!(lost, 0, "a grant is lost with kill {kill}");
    }
    load.end().await;
    assert_eq!((fleet.demo.counts().reuses_detected, fleet.demo.living()), (0, 1));
    let name = "grants lost to kill -9 of the process that answers requests with a strict provider";
    figure(name, engine.name(), f64::from(lost), "", Goal::Exactly(0.0));
}

/// Cases F2 and F3: everybody asks at once, through every broker, and the provider takes longer than a lease lasts.
async fn a_thousand_callers(engine: Engine) {
    let scale = Scale::now();
    let Some(fleet) = Fleet::start(engine, scale.pick(2, 4)).await else { return };
    fleet.demo.set_control(strict()).expect("the control is right");
    let id = fleet.connect(Decision::Allow).await.id;
    let before = fleet.demo.counts().token_requests;
    let token = Some(Plan { fault: Fault::Slow { ms: scale.pick(2_000, 20_000) }, times: None });
    fleet.demo.set_control(Control { token, ..Control::default() }).expect("the control is right");
    // The token is no longer fresh when half of its life has passed.
    tokio::time::sleep(Duration::from_secs(LIFE.into())).await;
    let caller = fleet.caller(&id);
    let answers = join_all((0..scale.pick(200, 1_000)).map(|number| caller.call(number))).await;
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status != 200).collect();
    assert!(refused.is_empty(), "{} of {}: {:?}", refused.len(), answers.len(), refused.first());
    let calls = fleet.demo.counts().token_requests - before;
    assert_eq!(fleet.demo.counts().reuses_detected, 0);
    let name = "token-endpoint calls for 1,000 concurrent callers over 4 processes and a provider slower than the lease";
    figure(
        name,
        engine.name(),
        f64::from(u32::try_from(calls).expect("it is small")),
        "",
        Goal::Exactly(1.0),
    );
}

/// Case F10: restarts one after the other while calls come, as an upgrade does it.
async fn rolling_restarts(engine: Engine) {
    let scale = Scale::now();
    let Some(mut fleet) = Fleet::start(engine, 2).await else { return };
    fleet.demo.set_control(strict()).expect("the control is right");
    let id = fleet.connect(Decision::Allow).await.id;
    let load = Load::begin(&fleet, std::slice::from_ref(&id), false);
    for restart in 0..scale.pick(2, 200) {
        some_time_after_a_refresh(&fleet, restart).await;
        let member = usize::try_from(restart).expect("it is small") % fleet.size();
        fleet.terminate(member);
        fleet.revive(member);
    }
    load.end().await;
    let lost = i32::from(fleet.settle(0, &id).await != Held::Works);
    assert_eq!(fleet.demo.counts().reuses_detected, 0);
    let name = "grants lost to rolling restarts with a strict provider";
    figure(name, engine.name(), f64::from(lost), "", Goal::Exactly(0.0));
}

/// Case F11: who holds the lease is stopped after sending, another takes over, and the first one wakes up.
async fn a_holder_that_sleeps(engine: Engine) {
    let Some(mut fleet) = Fleet::start(engine, 2).await else { return };
    fleet.demo.set_control(graceful()).expect("the control is right");
    let id = fleet.connect(Decision::Allow).await.id;
    tokio::time::sleep(Duration::from_secs(LIFE.into())).await;
    let token = Some(Plan { fault: Fault::Late { ms: 1_000 }, times: Some(1) });
    fleet.demo.set_control(Control { token, ..graceful() }).expect("the control is right");
    let before = fleet.demo.counts().refreshes;
    let caller = fleet.caller(&id);
    let first = tokio::spawn(async move { caller.call(0).await });
    eventually("the first request", async || (fleet.demo.counts().refreshes > before).then_some(())).await;
    fleet.stop(0, true);
    assert_eq!(fleet.settle(1, &id).await, Held::Works);
    fleet.stop(0, false);
    first.await.expect("a caller does not panic");
    for member in [0, 1, 0, 1] {
        tokio::time::sleep(Duration::from_secs(LIFE.into())).await;
        assert_eq!(fleet.settle(member, &id).await, Held::Works);
    }
    assert_eq!((fleet.demo.counts().reuses_detected, fleet.demo.living()), (0, 1));
    fleet.kill(0).await;
}

mod sqlite {
    use taiku_tests::Engine::Sqlite;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_grace_saves_every_grant() {
        super::kills_with_a_grace(Sqlite).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_grant_is_said_to_be_lost() {
        super::kills_of_the_refresher(Sqlite).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_lost_with_the_process_that_answers() {
        super::kills_of_the_http_process(Sqlite).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn a_thousand_callers_cause_one_request() {
        super::a_thousand_callers(Sqlite).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn restarts_lose_nothing() {
        super::rolling_restarts(Sqlite).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "half a minute: a lease has to run out"]
    async fn who_sleeps_and_wakes_up_does_no_harm() {
        super::a_holder_that_sleeps(Sqlite).await;
    }
}

mod postgres {
    use taiku_tests::Engine::Postgres;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_grace_saves_every_grant() {
        super::kills_with_a_grace(Postgres).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_grant_is_said_to_be_lost() {
        super::kills_of_the_refresher(Postgres).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_lost_with_the_process_that_answers() {
        super::kills_of_the_http_process(Postgres).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn a_thousand_callers_cause_one_request() {
        super::a_thousand_callers(Postgres).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn restarts_lose_nothing() {
        super::rolling_restarts(Postgres).await;
    }
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "half a minute: a lease has to run out"]
    async fn who_sleeps_and_wakes_up_does_no_harm() {
        super::a_holder_that_sleeps(Postgres).await;
    }
}
