//! Dispatch, retries and unloading, with a fake clock.

use super::super::host::{BACK_OFF_NS, Host, RETRIES_MAX, Rules, Step};
use super::*;
use bench_engine::Clock;
use control_plane::{Listing, Mailbox, Object, Subscription, Token};
use std::cell::Cell;
use std::collections::BTreeMap;

#[derive(Default)]
struct FakeClock(Cell<u64>);

impl Clock for FakeClock {
    fn now_ns(&self) -> u64 {
        self.0.get()
    }
}

thread_local! {
    /// How often free memory was returned.
    static RECLAIMED: Cell<u32> = const { Cell::new(0) };
}

fn reclaim() {
    RECLAIMED.set(RECLAIMED.get() + 1);
}

const IDLE_NS: u64 = 1_000_000_000;

/// A host with a chain of `count`, of which the operator `wrong` is.
fn host<'a>(mock: &mut Mock, clock: &'a FakeClock, count: usize) -> Host<'a> {
    let rules = Rules { idle_ns: Some(IDLE_NS), depth_max: count as u32, reclaim };
    let mut host = Host::new(Arc::new(Embedded::new()), clock, vec![mock.prepare(Suspension::Own, 8).unwrap()], rules);
    load(&mut host, count, |number| (number, number + 1));
    host
}

/// Loads `count` operators, each of which watches one namespace and writes into another.
fn load(host: &mut Host<'_>, count: usize, namespaces: impl Fn(usize) -> (usize, usize)) {
    let arguments = |number| {
        let (watched, applied) = namespaces(number);
        [("watch", watched), ("apply", applied)].map(|(name, number)| (name.to_owned(), format!("chain-{number}")))
    };
    host.add(count, |number| arguments(number).into());
    for number in 0..count {
        let scopes = host.start(number, &arguments(number)).unwrap();
        host.watch(number, &scopes).unwrap();
    }
}

fn write(host: &Host<'_>, namespace: usize, name: &str, token: u64) {
    let key = Key::new(KIND, format!("chain-{namespace}"), name);
    host.plane.apply(&key, "test", &format!(r#"{{"nonce":{token}}}"#)).unwrap();
}

/// Runs steps until there is nothing to do.
fn settle(host: &mut Host<'_>) {
    while !matches!(host.step().unwrap(), Step::Nothing) {}
}

#[test]
fn a_failed_event_is_tried_again_later_and_later_and_others_go_on() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Crashes, 1));
    let mut host = host(&mut mock, &clock, 3);
    write(&host, 0, "a", 1);
    settle(&mut host);
    for retry in 0..RETRIES_MAX {
        assert_eq!(host.tally.retried, u64::from(retry) + 1);
        clock.0.set(clock.now_ns() + (BACK_OFF_NS << retry) - 1);
        // Its own next events wait behind it; those of others do not.
        write(&host, 2, &format!("b{retry}"), 7);
        settle(&mut host);
        assert_eq!(host.tally.retried, u64::from(retry) + 1);
        clock.0.set(clock.now_ns() + 1);
        settle(&mut host);
    }
    assert_eq!((host.tally.retried, host.tally.failed), (u64::from(RETRIES_MAX), 1));
    assert_eq!((host.tally.delivered, host.tally.reconciled, host.queued()), (5, 4, 0));
}

#[test]
fn an_event_that_is_acted_on_at_last_keeps_its_place() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Fails(2), 0));
    let mut host = host(&mut mock, &clock, 1);
    write(&host, 0, "a", 1);
    write(&host, 0, "a", 2);
    for _ in 0..8 {
        settle(&mut host);
        clock.0.set(clock.now_ns() + (BACK_OFF_NS << RETRIES_MAX));
    }
    let tokens: Vec<_> = mock.log.lock().unwrap().iter().map(|(_, token)| *token).collect();
    assert_eq!(tokens, [1, 2]);
    assert_eq!((host.tally.retried, host.tally.failed), (4, 0));
}

#[test]
fn operators_are_unloaded_when_they_were_idle_for_long_enough_and_not_before() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Right, 0));
    let mut host = host(&mut mock, &clock, 4);
    settle(&mut host);
    clock.0.set(IDLE_NS / 2);
    write(&host, 2, "b", 1);
    settle(&mut host);
    clock.0.set(IDLE_NS);
    settle(&mut host);
    assert_eq!(host.unloaded(), 2, "the last two have acted meanwhile");
    assert_eq!(RECLAIMED.get(), 1, "once for all that were unloaded together");
    settle(&mut host);
    assert_eq!(RECLAIMED.get(), 1, "nothing was unloaded");
    clock.0.set(2 * IDLE_NS);
    settle(&mut host);
    assert_eq!(host.unloaded(), 4);
    write(&host, 3, "c", 2);
    settle(&mut host);
    assert_eq!(host.unloaded(), 3);
}

#[test]
fn a_state_that_is_refused_is_kept() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::RefusesState, 0));
    let mut host = host(&mut mock, &clock, 1);
    host.unload_all();
    write(&host, 0, "a", 1);
    for _ in 0..8 {
        settle(&mut host);
        clock.0.set(clock.now_ns() + (BACK_OFF_NS << RETRIES_MAX));
    }
    assert_eq!((host.tally.failed, host.unloaded()), (1, 1));
}

#[test]
fn a_circle_of_several_ends() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Right, 0));
    let rules = Rules { idle_ns: None, depth_max: 2, reclaim: || () };
    let mut host = Host::new(Arc::new(Embedded::new()), &clock, vec![mock.prepare(Suspension::Own, 8).unwrap()], rules);
    load(&mut host, 2, |number| (number, 1 - number));
    // Each has a count of its own, so that every write changes something.
    host.plane.apply(&Key::new(KIND, "chain-0", "a"), "operator-1", r#"{"nonce":1}"#).unwrap();
    settle(&mut host);
    assert_eq!((host.tally.reconciled, host.tally.failed), (3, 1), "{:?}", host.tally);
}

/// Events arrive while operators are being unloaded at every point: none is lost or comes twice, and every count is right.
#[test]
fn two_hundred_operators_that_are_unloaded_while_events_arrive_lose_nothing() {
    const OPERATORS: usize = 200;
    const TOKENS: u64 = 40;
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Right, 0));
    let mut host = host(&mut mock, &clock, OPERATORS);
    let mut unloaded = 0;
    for token in 1..=TOKENS {
        write(&host, 0, "a", token);
        for step in 0..OPERATORS as u64 {
            host.step().unwrap();
            if (step + token) % 17 == 0 {
                unloaded += host.unload_all().len();
            }
        }
    }
    settle(&mut host);
    assert!(unloaded > 20 * OPERATORS, "only {unloaded} were unloaded");
    assert_eq!((host.tally.failed, host.tally.retried, host.queued()), (0, 0, 0), "{:?}", host.tally);
    let mut handed: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (namespace, token) in mock.log.lock().unwrap().iter() {
        handed.entry(namespace.clone()).or_default().push(*token);
    }
    assert_eq!(handed.len(), OPERATORS);
    let all: Vec<_> = (1..=TOKENS).collect();
    handed.iter().for_each(|(namespace, tokens)| assert_eq!(*tokens, all, "{namespace}"));
    let last = host.plane.get(&Key::new(KIND, format!("chain-{OPERATORS}"), "a")).unwrap();
    assert_eq!(last.spec, format!(r#"{{"count":{TOKENS},"nonce":{TOKENS}}}"#));
}

/// A control plane that can forget the events that its watches have not delivered yet.
#[derive(Default)]
struct Forgetful {
    kept: Embedded,
    watches: Mutex<Vec<(Token, Arc<Mailbox>)>>,
}

impl Forgetful {
    /// Forgets undelivered events, and tells every watch.
    fn forget(&self) {
        let watches = std::mem::take(&mut *self.watches.lock().unwrap());
        watches.iter().for_each(|(_, mailbox)| while mailbox.take().is_some() {});
        watches.iter().for_each(|(token, mailbox)| mailbox.deliver(*token, Err(PlaneError::TooOld { oldest: 1 })));
    }
}

impl ControlPlane for Forgetful {
    fn get(&self, key: &Key) -> Result<Arc<Object>, PlaneError> {
        self.kept.get(key)
    }

    fn create(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.kept.create(key, manager, spec)
    }

    fn apply(&self, key: &Key, manager: &str, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.kept.apply(key, manager, spec)
    }

    fn update(&self, object: &Object, manager: &str) -> Result<Arc<Object>, PlaneError> {
        self.kept.update(object, manager)
    }

    fn delete(&self, key: &Key) -> Result<(), PlaneError> {
        self.kept.delete(key)
    }

    fn list(&self, scope: &Scope) -> Result<Listing, PlaneError> {
        self.kept.list(scope)
    }

    fn watch(&self, scope: &Scope, from: u64, token: Token, to: &Arc<Mailbox>) -> Result<Subscription, PlaneError> {
        self.watches.lock().unwrap().push((token, Arc::clone(to)));
        self.kept.watch(scope, from, token, to)
    }
}

#[test]
fn forgotten_changes_are_listed_and_nothing_comes_twice() {
    let (clock, mut mock) = (FakeClock::default(), Mock::new(Mode::Right, 0));
    let plane = Arc::new(Forgetful::default());
    let rules = Rules { idle_ns: None, depth_max: 1, reclaim };
    let shared: Arc<dyn ControlPlane> = Arc::<Forgetful>::clone(&plane);
    let mut host = Host::new(shared, &clock, vec![mock.prepare(Suspension::Own, 8).unwrap()], rules);
    load(&mut host, 1, |number| (number, number + 1));
    host.observe(&Scope::new(KIND, "chain-1")).unwrap();
    let mut observed = Vec::new();
    let mut settle = |host: &mut Host<'_>| {
        loop {
            match host.step().unwrap() {
                Step::Observed(event) => observed.push(event.object().unwrap().spec.clone()),
                Step::Dispatched(_) => (),
                Step::Nothing => return,
            }
        }
    };
    write(&host, 0, "a", 1);
    settle(&mut host);
    write(&host, 0, "a", 2);
    write(&host, 0, "a", 3);
    plane.forget();
    settle(&mut host);
    write(&host, 0, "a", 4);
    settle(&mut host);
    let tokens: Vec<_> = mock.log.lock().unwrap().iter().map(|(_, token)| *token).collect();
    assert_eq!(tokens, [1, 3, 4], "of what was forgotten, the last is listed");
    let expect = [r#"{"count":1,"nonce":1}"#, r#"{"count":2,"nonce":3}"#, r#"{"count":3,"nonce":4}"#];
    assert_eq!(observed, expect);
    assert_eq!((host.tally.delivered, host.tally.reconciled), (3, 3));
}
