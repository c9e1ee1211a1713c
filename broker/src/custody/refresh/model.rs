//! Refreshing in every order of events: two processes, a provider, one connection.
//!
//! The checker walks through all interleavings of claims, requests, answers, commits, lost answers, crashes, stopped
//! processes and outages of the database, within small numbers of each. The decisions are those of [`super::plan`]; the
//! steps on the row are written here once more as the SQL of `store/refresh.rs` does them, which its tests hold to on
//! both engines. What is checked is said in [`Refreshing::properties`], and each rule is shown to be needed: without it
//! the checker finds a way to lose a grant.
//!
//! What the model takes as given: a request is sent while the lease still runs, because the holder looks at how long ago
//! it claimed; and a provider has acted on the requests of one generation, or never will, when the tokens of the next
//! one have come of age.

use stateright::{Checker, Model, Property};

use super::plan::{self, Late, Sent, Step};
use crate::store::refresh::{Doubt, Intent, Standing};

const PROCESSES: usize = 2;

/// A refresh token, named by how many were made before it.
type Token = u8;

/// How the provider treats a refresh token that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Provider {
    /// It ends the grant.
    Strict,
    /// It honours the last one for a while, and refuses older ones.
    Grace,
}

/// The rules that can be left out.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// The lease is extended while a request is under way.
    heartbeat: bool,
    /// Steps of a holder count only while its fence is the row's.
    fence: bool,
    /// Tokens are stored only at the generation that they came from.
    compare_and_set: bool,
    /// The intent is in the row before anything is sent.
    intent: bool,
    /// Tokens are in the journal before anything else happens to them.
    journal: bool,
    /// A refused token is looked at again before the connection ends.
    look_again: bool,
}

const ALL: Rules = Rules {
    heartbeat: true,
    fence: true,
    compare_and_set: true,
    intent: true,
    journal: true,
    look_again: true,
};

#[derive(Clone, Debug)]
struct Refreshing {
    provider: Provider,
    rules: Rules,
    faults: Faults,
    /// How many tokens the provider makes at the most.
    tokens: u8,
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Faults {
    crashes: u8,
    lost_answers: u8,
    stops: u8,
    outages: u8,
}

const NONE: Faults = Faults { crashes: 0, lost_answers: 0, stops: 0, outages: 0 };

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    row: Row,
    provider: Memory,
    processes: [Process; PROCESSES],
    /// Requests that the provider has not acted on yet.
    requests: Vec<Request>,
    faults: Faults,
    /// Whether a token may have been lost before it could be journaled: nothing can prevent that loss.
    excused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Row {
    generation: u8,
    token: Token,
    /// The newest that was ever stored.
    newest: Token,
    ended: Option<&'static str>,
    holder: Option<(usize, u8)>,
    fence: u8,
    attempt: Option<u8>,
    doubt: Option<(u8, u8)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Memory {
    /// Those that were not used yet.
    unused: Vec<Token>,
    /// The one that was used last, while it is still honoured.
    previous: Option<Token>,
    made: u8,
    dead: bool,
    reuses: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    from: usize,
    fence: u8,
    generation: u8,
    token: Token,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    alive: bool,
    stopped: bool,
    was_stopped: bool,
    work: Work,
    journal: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    holder: (usize, u8),
    generation: u8,
    token: Token,
    repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Held {
    generation: u8,
    token: Token,
    fence: u8,
    sends: u8,
    doubt: Doubt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Work {
    Idle,
    /// Has the lease and may send.
    Claimed(Held),
    /// Has sent.
    Waiting(Held),
    /// Has the answer, or knows that none comes.
    Answered(Held, Sent, Token),
    /// Has written the journal.
    Safe(Held, Token),
    /// Has waited after a refusal.
    Refused(Held),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Claim(usize),
    Send(usize),
    /// The provider acts on a request, and its answer arrives.
    Act(usize),
    /// The provider acts on a request, and its answer is lost.
    ActInVain(usize),
    /// The provider honours the last token no longer.
    GraceEnds,
    /// Does what the plan says after an answer.
    Proceed(usize),
    Store(usize),
    /// The database is away when tokens are to be stored.
    StoreInVain(usize),
    LookAgain(usize),
    Replay(usize),
    /// The lease of a holder runs out.
    LeaseEnds,
    Crash(usize),
    Start(usize),
    /// A process that has started again gives back the leases of its predecessor, once the journal is empty.
    Bury(usize),
    Stop(usize),
    Continue(usize),
}

impl Row {
    fn doubt(&self) -> Doubt {
        match self.doubt {
            Some((generation, _)) if generation != self.generation => Doubt::None,
            Some((_, 0)) => Doubt::Inherited,
            Some((_, lost)) => Doubt::Lost(lost.into()),
            None => Doubt::None,
        }
    }

    fn add_doubt(&mut self) {
        let lost = if let Doubt::Lost(lost) = self.doubt() { u8::try_from(lost).unwrap() } else { 0 };
        self.doubt = Some((self.generation, (lost + 1).min(3)));
    }

    /// Whether the row says that something may be wrong with its token.
    fn is_doubtful(&self) -> bool {
        self.doubt() != Doubt::None || self.attempt == Some(self.generation)
    }

    fn standing(&self) -> Standing {
        Standing {
            generation: self.generation.into(),
            active: self.ended.is_none(),
            held: self.holder.is_some(),
            wait: 0,
        }
    }
}

impl Work {
    fn held(&self) -> Option<Held> {
        match self {
            Self::Idle => None,
            Self::Claimed(held)
            | Self::Waiting(held)
            | Self::Answered(held, ..)
            | Self::Safe(held, _)
            | Self::Refused(held) => Some(*held),
        }
    }
}

impl Process {
    fn is_at_work(&self, fence: u8) -> bool {
        self.work.held().is_some_and(|held| held.fence == fence)
    }
}

impl Memory {
    fn honours(&self, token: Token) -> bool {
        !self.dead && (self.unused.contains(&token) || self.previous == Some(token))
    }
}

impl World {
    /// Whether somebody has the tokens that an ended connection was given up for.
    fn is_in_hand(&self) -> bool {
        self.processes.iter().any(|process| match process.work {
            Work::Answered(held, Sent::Tokens, _) | Work::Safe(held, _) => {
                held.generation + 1 == self.row.generation
            }
            _ => process.journal.iter().any(|entry| entry.generation + 1 == self.row.generation),
        })
    }
}

impl Refreshing {
    fn has_lease(&self, row: &Row, process: usize, held: Held) -> bool {
        row.holder == Some((process, held.fence)) || !self.rules.fence
    }

    /// Whether a holder may still act on what it has claimed.
    fn is_holder(&self, row: &Row, process: usize, held: Held) -> bool {
        self.has_lease(row, process, held) && row.generation == held.generation && row.ended.is_none()
    }

    /// Stores tokens, by compare-and-set on the generation. A connection that was given up in doubt lives again.
    fn store(&self, world: &mut World, entry: Entry) {
        let row = &mut world.row;
        let in_time = row.generation == entry.generation && row.ended.is_none();
        let doubted = row.generation == entry.generation + 1 && row.ended == Some("in_doubt");
        if !in_time && !doubted && (self.rules.compare_and_set || row.ended.is_some()) {
            if plan::late(Some(row.standing())) == Late::Revoke {
                world.provider.dead = true;
            }
            return;
        }
        // Who has taken over meanwhile may have sent the same token: its lease stays until it knows what became of it.
        let overtaken = row.fence != entry.holder.1;
        if row.holder == Some(entry.holder) || !self.rules.fence {
            row.holder = None;
        }
        row.generation = entry.generation + 1;
        row.ended = None;
        row.token = entry.token;
        row.newest = row.newest.max(entry.token);
        row.attempt = None;
        row.doubt = (entry.repeated || overtaken).then_some((row.generation, 0));
    }

    fn act(&self, memory: &mut Memory, token: Token) -> (Sent, Token) {
        if memory.dead {
            return (Sent::GrantDead, 0);
        }
        if !memory.unused.contains(&token) {
            memory.reuses += 1;
        }
        if !memory.honours(token) {
            memory.dead = self.provider == Provider::Strict;
            return (Sent::GrantDead, 0);
        }
        memory.unused.retain(|unused| *unused != token);
        memory.previous = (self.provider == Provider::Grace).then_some(token);
        memory.made += 1;
        memory.unused.push(memory.made);
        (Sent::Tokens, memory.made)
    }
}

impl Model for Refreshing {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let process = Process {
            alive: true,
            stopped: false,
            was_stopped: false,
            work: Work::Idle,
            journal: Vec::new(),
        };
        vec![World {
            row: Row {
                generation: 0,
                token: 0,
                newest: 0,
                ended: None,
                holder: None,
                fence: 0,
                attempt: None,
                doubt: None,
            },
            provider: Memory { unused: vec![0], previous: None, made: 0, dead: false, reuses: 0 },
            processes: [process.clone(), process],
            requests: Vec::new(),
            faults: self.faults,
            excused: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (index, process) in world.processes.iter().enumerate() {
            if !process.alive {
                actions.push(Action::Start(index));
                continue;
            }
            if process.stopped {
                actions.push(Action::Continue(index));
                continue;
            }
            match process.work {
                Work::Idle if process.journal.is_empty() => actions.push(Action::Claim(index)),
                Work::Idle => actions.push(Action::Replay(index)),
                Work::Claimed(_) => actions.push(Action::Send(index)),
                Work::Waiting(_) => {}
                Work::Answered(..) => actions.push(Action::Proceed(index)),
                Work::Safe(..) => {
                    actions.push(Action::Store(index));
                    actions.push(Action::StoreInVain(index));
                }
                Work::Refused(_) => actions.push(Action::LookAgain(index)),
            }
            actions.extend([Action::Crash(index), Action::Stop(index), Action::Bury(index)]);
        }
        for index in 0..world.requests.len() {
            actions.extend([Action::Act(index), Action::ActInVain(index)]);
        }
        if world.provider.previous.is_some() {
            actions.push(Action::GraceEnds);
        }
        if world.row.holder.is_some() {
            actions.push(Action::LeaseEnds);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::Claim(process) => self.claim(&mut next, process)?,
            Action::Send(process) => self.send(&mut next, process)?,
            Action::Act(request) => self.answer(&mut next, request, true)?,
            Action::ActInVain(request) => {
                next.faults.lost_answers = next.faults.lost_answers.checked_sub(1)?;
                next.excused = true;
                self.answer(&mut next, request, false)?;
            }
            Action::GraceEnds => next.provider.previous = None,
            Action::Proceed(process) => self.proceed(&mut next, process)?,
            Action::Store(process) => {
                let Work::Safe(held, token) = next.processes[process].work else { return None };
                self.store(&mut next, entry(process, held, token));
                next.processes[process].journal.clear();
                next.processes[process].work = Work::Idle;
            }
            Action::StoreInVain(process) => {
                next.faults.outages = next.faults.outages.checked_sub(1)?;
                next.processes[process].work = Work::Idle;
            }
            Action::LookAgain(process) => self.look_again(&mut next, process)?,
            Action::Replay(process) => {
                let entry = next.processes[process].journal.pop()?;
                self.store(&mut next, entry);
            }
            Action::LeaseEnds => self.end_lease(&mut next)?,
            Action::Crash(process) => Self::crash(&mut next, process)?,
            Action::Start(process) => next.processes[process].alive = true,
            Action::Bury(process) => {
                let (holder, fence) = next.row.holder?;
                let own = &next.processes[process];
                if holder != process || own.is_at_work(fence) || !own.journal.is_empty() {
                    return None;
                }
                next.row.holder = None;
            }
            Action::Stop(process) => {
                next.faults.stops = next.faults.stops.checked_sub(1)?;
                // Others may take over while it holds a token that only it knows of.
                let stopped = &next.processes[process];
                next.excused |= stopped.work != Work::Idle || !stopped.journal.is_empty();
                next.processes[process].stopped = true;
                next.processes[process].was_stopped = true;
            }
            Action::Continue(process) => next.processes[process].stopped = false,
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no living grant is condemned", |_, world: &World| {
                world.row.ended.is_none() || !world.provider.honours(world.row.token) || world.is_in_hand()
            }),
            Property::always("who is at work keeps the lease", |_, world: &World| {
                let keeps = |(index, process): (usize, &Process)| match process.work.held() {
                    Some(held) if process.alive && !process.was_stopped => {
                        let moved = world.row.generation != held.generation || world.row.ended.is_some();
                        moved || world.row.holder == Some((index, held.fence))
                    }
                    _ => true,
                };
                world.processes.iter().enumerate().all(keeps)
            }),
            Property::always("what ended says honestly why", |_, world: &World| {
                world.row.ended.is_none_or(|why| why == "in_doubt")
            }),
            Property::always("nothing is lost that can be kept", |_, world: &World| {
                world.excused || (world.row.ended.is_none() && !world.provider.dead)
            }),
            Property::always("no token is used twice without need", |_, world: &World| {
                world.excused || world.provider.reuses == 0
            }),
            Property::always("no token takes the place of a newer one", |_, world: &World| {
                world.row.token == world.row.newest
            }),
            Property::always("no loss is silent", |_, world: &World| {
                let row = &world.row;
                let resting = world.requests.is_empty()
                    && world.processes.iter().all(|process| process.work == Work::Idle)
                    && world.processes.iter().all(|process| process.journal.is_empty());
                let good = !world.provider.dead && world.provider.unused.contains(&row.token);
                !resting || good || row.ended.is_some() || row.is_doubtful()
            }),
            Property::sometimes("refreshes follow each other", |_, world: &World| world.row.generation >= 2),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.provider.made <= self.tokens && world.row.fence <= 4
    }
}

impl Refreshing {
    fn claim(&self, world: &mut World, process: usize) -> Option<()> {
        let row = &mut world.row;
        if row.holder.is_some() || row.ended.is_some() {
            return None;
        }
        if world.requests.iter().any(|request| request.generation < row.generation) {
            return None;
        }
        if row.attempt == Some(row.generation) {
            row.add_doubt();
        }
        row.fence += 1;
        row.holder = Some((process, row.fence));
        if self.rules.intent {
            row.attempt = Some(row.generation);
        }
        let held = Held {
            generation: row.generation,
            token: row.token,
            fence: row.fence,
            sends: 0,
            doubt: row.doubt(),
        };
        world.processes[process].work = Work::Claimed(held);
        Some(())
    }

    fn send(&self, world: &mut World, process: usize) -> Option<()> {
        let Work::Claimed(held) = world.processes[process].work else { return None };
        if !self.is_holder(&world.row, process, held) {
            self.give_back(world, process, held);
            world.processes[process].work = Work::Idle;
            return Some(());
        }
        let held = Held { sends: held.sends + 1, ..held };
        let Held { fence, generation, token, .. } = held;
        world.requests.push(Request { from: process, fence, generation, token });
        world.requests.sort_by_key(|request| (request.from, request.fence, request.token));
        world.processes[process].work = Work::Waiting(held);
        Some(())
    }

    /// The provider acts on a request; who sent it hears of it if the answer arrives and it still waits.
    fn answer(&self, world: &mut World, request: usize, arrives: bool) -> Option<()> {
        let request = world.requests.remove(request);
        let (sent, token) = self.act(&mut world.provider, request.token);
        let sent = if arrives { sent } else { Sent::Unknown };
        let process = &mut world.processes[request.from];
        match process.work {
            Work::Waiting(held) if process.alive && held.fence == request.fence => {
                process.work = Work::Answered(held, sent, token);
            }
            _ => {}
        }
        Some(())
    }

    fn proceed(&self, world: &mut World, process: usize) -> Option<()> {
        let Work::Answered(held, sent, token) = world.processes[process].work else { return None };
        let holds = self.is_holder(&world.row, process, held);
        let work = match plan::after(sent, held.sends.into()) {
            Step::Keep => {
                if self.rules.journal {
                    world.processes[process].journal.push(entry(process, held, token));
                }
                Work::Safe(held, token)
            }
            Step::Repeat if holds => {
                world.row.add_doubt();
                Work::Claimed(Held { doubt: world.row.doubt(), ..held })
            }
            Step::LookAgain => Work::Refused(held),
            Step::Wait { intent, .. } => {
                if holds && intent == Intent::Cleared {
                    world.row.attempt = None;
                }
                self.give_back(world, process, held);
                Work::Idle
            }
            Step::Repeat => {
                self.give_back(world, process, held);
                Work::Idle
            }
        };
        world.processes[process].work = work;
        Some(())
    }

    fn look_again(&self, world: &mut World, process: usize) -> Option<()> {
        let Work::Refused(held) = world.processes[process].work else { return None };
        let holds = self.is_holder(&world.row, process, held);
        if holds || !self.rules.look_again {
            world.row.ended = Some(plan::why(held.doubt));
            world.row.generation += 1;
            world.row.attempt = None;
        }
        self.give_back(world, process, held);
        world.processes[process].work = Work::Idle;
        Some(())
    }

    fn give_back(&self, world: &mut World, process: usize, held: Held) {
        if self.has_lease(&world.row, process, held) {
            world.row.holder = None;
        }
    }

    /// The lease of one who is dead or stopped runs out; of one who works only if it has no heartbeat.
    fn end_lease(&self, world: &mut World) -> Option<()> {
        let (holder, fence) = world.row.holder?;
        let process = &world.processes[holder];
        let beats = process.is_at_work(fence) || process.journal.iter().any(|entry| entry.holder.1 == fence);
        if process.alive && !process.stopped && beats && self.rules.heartbeat {
            return None;
        }
        // Others go on without what is in its journal.
        world.excused |= !process.journal.is_empty();
        world.row.holder = None;
        Some(())
    }

    fn crash(world: &mut World, process: usize) -> Option<()> {
        world.faults.crashes = world.faults.crashes.checked_sub(1)?;
        let crashed = &mut world.processes[process];
        // Between sending and the journal an answer may be lost with the process.
        world.excused |= matches!(crashed.work, Work::Waiting(_) | Work::Answered(..));
        crashed.alive = false;
        crashed.work = Work::Idle;
        Some(())
    }
}

fn entry(process: usize, held: Held, token: Token) -> Entry {
    let repeated = matches!(held.doubt, Doubt::Lost(_));
    Entry { holder: (process, held.fence), generation: held.generation, token, repeated }
}

const SOME: Faults = Faults { crashes: 1, lost_answers: 1, stops: 0, outages: 1 };
const STOPPED: Faults = Faults { stops: 1, ..NONE };

fn check(provider: Provider, rules: Rules, faults: Faults) -> impl Checker<Refreshing> {
    let model = Refreshing { provider, rules, faults, tokens: 3 };
    model.checker().threads(2).spawn_bfs().join()
}

/// With a rule left out, a way to break a property is found.
fn fails(provider: Provider, rules: Rules, faults: Faults, property: &'static str) {
    let checker = check(provider, rules, faults);
    let found: Vec<_> = checker.discoveries().into_keys().collect();
    assert!(found.contains(&property), "the checker finds nothing wrong with {rules:?}, only {found:?}");
}

#[test]
fn nothing_is_lost_when_nothing_goes_wrong() {
    for provider in [Provider::Strict, Provider::Grace] {
        check(provider, ALL, NONE).assert_properties();
    }
}

#[test]
fn nothing_is_lost_silently_when_processes_crash_and_answers_get_lost() {
    for provider in [Provider::Strict, Provider::Grace] {
        check(provider, ALL, SOME).assert_properties();
    }
}

#[test]
fn a_stopped_process_does_no_harm_when_it_runs_again() {
    for provider in [Provider::Strict, Provider::Grace] {
        check(provider, ALL, STOPPED).assert_properties();
        check(provider, ALL, Faults { outages: 1, crashes: 1, ..STOPPED }).assert_properties();
    }
}

#[test]
fn a_lease_without_a_heartbeat_uses_a_token_twice() {
    let rules = Rules { heartbeat: false, ..ALL };
    fails(Provider::Strict, rules, NONE, "no token is used twice without need");
    fails(Provider::Strict, rules, NONE, "nothing is lost that can be kept");
}

#[test]
fn without_a_fence_who_was_stopped_takes_the_lease_of_who_is_at_work() {
    let rules = Rules { fence: false, ..ALL };
    fails(Provider::Grace, rules, STOPPED, "who is at work keeps the lease");
}

#[test]
fn without_compare_and_set_an_old_token_takes_the_place_of_a_newer_one() {
    let rules = Rules { compare_and_set: false, ..ALL };
    fails(Provider::Grace, rules, STOPPED, "no token takes the place of a newer one");
}

#[test]
fn without_the_intent_a_lost_answer_is_called_revoked() {
    let rules = Rules { intent: false, ..ALL };
    fails(Provider::Strict, rules, SOME, "what ended says honestly why");
}

#[test]
fn without_the_journal_a_crash_after_the_answer_loses_the_grant() {
    let rules = Rules { journal: false, ..ALL };
    fails(Provider::Strict, rules, SOME, "nothing is lost that can be kept");
}

#[test]
fn without_another_look_a_living_grant_is_condemned() {
    let rules = Rules { look_again: false, ..ALL };
    fails(Provider::Grace, rules, STOPPED, "no living grant is condemned");
}
