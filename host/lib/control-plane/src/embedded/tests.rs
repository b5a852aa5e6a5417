//! The embedded control plane against a model that is a list of events, and the reason of each refusal.

use super::*;
use crate::SPEC_BYTES_MAX;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

fn key(name: &str) -> Key {
    Key::new("Thing", "here", name)
}

fn here() -> Scope {
    Scope::new("Thing", "here")
}

/// Everything that was delivered so far.
fn taken(mailbox: &Mailbox) -> Vec<(Token, Event)> {
    std::iter::from_fn(|| mailbox.take()).map(|(token, delivery)| (token, delivery.unwrap())).collect()
}

/// Applies each of `(manager, spec)` to one object, and expects `expect` of the last of them.
#[track_caller]
fn check(steps: &[(&str, &str)], expect: Result<&str, PlaneError>) {
    let plane = Embedded::new();
    let results: Vec<_> = steps.iter().map(|(manager, spec)| plane.apply(&key("a"), manager, spec)).collect();
    let last = results.into_iter().next_back().unwrap();
    assert_eq!(last.map(|object| object.spec.clone()), expect.map(str::to_owned), "{steps:?}");
}

#[test]
fn apply_sets_the_fields_of_its_manager_and_no_others() {
    check(&[("m", r#"{"b":1,"a":"x"}"#)], Ok(r#"{"a":"x","b":1}"#));
    check(&[("m", r#"{"a":1,"b":1}"#), ("m", r#"{"b":2}"#)], Ok(r#"{"b":2}"#));
    check(&[("m", r#"{"a":1}"#), ("n", r#"{"b":2}"#)], Ok(r#"{"a":1,"b":2}"#));
    check(&[("m", r#"{"a":1}"#), ("n", r#"{"b":2}"#), ("m", "{}")], Ok(r#"{"b":2}"#));
    check(&[("m", r#"{"a":1}"#), ("n", r#"{"a":1}"#)], Ok(r#"{"a":1}"#));
    check(&[("m", r#"{"a":1}"#), ("n", r#"{"a":2}"#)], Err(PlaneError::Conflict(1)));
    // A field without an owner can be taken by anybody.
    check(&[("m", r#"{"a":1}"#), ("m", "{}"), ("n", r#"{"a":2}"#)], Ok(r#"{"a":2}"#));
}

#[test]
fn invalid_spec_is_refused_with_a_reason() {
    let plane = Embedded::new();
    let refused = |result: Result<Arc<Object>, PlaneError>, expect: &str| {
        let error = result.expect_err("it is refused").to_string();
        assert!(error.contains(expect), "{error}");
    };
    refused(plane.apply(&key("a"), "m", "[]"), "JSON object");
    refused(plane.apply(&key("a"), "m", "{"), "JSON object");
    refused(plane.apply(&key("a"), "", "{}"), "name");
    refused(plane.apply(&key(""), "m", "{}"), "the name of `Thing/here/` is empty");
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(SPEC_BYTES_MAX));
    refused(plane.create(&key("a"), "m", &long), "too long");
    assert_eq!(plane.list(&here()).unwrap(), Listing { objects: Vec::new(), version: 0 });
}

#[test]
fn update_succeeds_at_the_current_version_only() {
    let plane = Embedded::new();
    let first = plane.create(&key("a"), "m", r#"{"a":1}"#).unwrap();
    assert_eq!(plane.create(&key("a"), "m", "{}"), Err(PlaneError::Conflict(1)));
    let mut changed = Object { spec: r#"{"a":2}"#.to_owned(), ..(*first).clone() };
    let second = plane.update(&changed, "n").unwrap();
    assert_eq!(second.resource_version, 2);
    assert_eq!(plane.update(&changed, "m"), Err(PlaneError::Conflict(2)));
    // A field that `n` changed belongs to `n`.
    assert_eq!(plane.apply(&key("a"), "m", r#"{"a":3}"#), Err(PlaneError::Conflict(2)));
    plane.delete(&key("a")).unwrap();
    changed.resource_version = 2;
    assert_eq!(plane.update(&changed, "m"), Err(PlaneError::NotFound));
    assert_eq!(plane.delete(&key("a")), Err(PlaneError::NotFound));
    assert_eq!(plane.get(&key("a")), Err(PlaneError::NotFound));
}

#[test]
fn unchanged_write_makes_no_version_and_no_event() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    let _watch = plane.watch(&here(), 0, 7, &mailbox).unwrap();
    let first = plane.apply(&key("a"), "m", r#"{"a":1}"#).unwrap();
    assert_eq!(plane.apply(&key("a"), "m", r#"{ "a" : 1 }"#).unwrap(), first);
    assert_eq!(plane.update(&first, "n").unwrap(), first);
    assert_eq!(taken(&mailbox), [(7, Event::Added(first))]);
}

#[test]
fn embedded_plane_keeps_the_contract() {
    crate::contract::check(&Embedded::new(), "Thing");
}

#[test]
fn dropped_watch_ends_and_others_continue() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    let first = plane.watch(&here(), 0, 1, &mailbox).unwrap();
    let _second = plane.watch(&here(), 0, 2, &mailbox).unwrap();
    drop(first);
    let object = plane.apply(&key("a"), "m", "{}").unwrap();
    assert_eq!(taken(&mailbox), [(2, Event::Added(object))]);
    assert!(!mailbox.wait(Duration::ZERO));
}

#[test]
fn watch_outlives_the_control_plane() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    let watch = plane.watch(&here(), 0, 1, &mailbox).unwrap();
    drop(plane);
    drop(watch);
}

#[test]
fn watch_from_a_forgotten_version_is_refused() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    for number in 0..=HISTORY_CHANGES + 2 {
        plane.apply(&key("a"), "m", &format!(r#"{{"a":{number}}}"#)).unwrap();
    }
    let oldest = 3;
    let refused = plane.watch(&here(), oldest - 1, 1, &mailbox).unwrap_err();
    assert_eq!(refused, PlaneError::TooOld { oldest });
    let _watch = plane.watch(&here(), oldest, 1, &mailbox).unwrap();
    let versions: Vec<_> = taken(&mailbox).into_iter().map(|(_, event)| event.version()).collect();
    assert_eq!(versions, (oldest + 1..=oldest + HISTORY_CHANGES as u64).collect::<Vec<_>>());
    let future = plane.watch(&here(), u64::MAX, 1, &mailbox).unwrap_err();
    assert!(future.to_string().contains("is in the future"), "{future}");
}

#[test]
fn empty_unwatched_scope_is_dropped() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    drop(plane.watch(&here(), 0, 1, &mailbox).unwrap());
    plane.apply(&key("a"), "m", "{}").unwrap();
    plane.delete(&key("a")).unwrap();
    assert!(plane.state().scopes.get("Thing", "here").is_none());
}

#[test]
fn concurrent_writers_lose_nothing() {
    let plane = Embedded::new();
    let mailbox = Arc::new(Mailbox::new());
    let _watch = plane.watch(&here(), 0, 1, &mailbox).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let plane = &plane;
            scope.spawn(move || {
                for number in 0..100 {
                    plane.apply(&key(&format!("{thread}")), "m", &format!(r#"{{"a":{number}}}"#)).unwrap();
                }
            });
        }
    });
    let versions: Vec<_> = taken(&mailbox).into_iter().map(|(_, event)| event.version()).collect();
    assert_eq!(versions, (1..=400).collect::<Vec<_>>());
}

/// One operation.
#[derive(Clone, Debug)]
enum Step {
    Apply {
        name: u8,
        manager: u8,
        field: u8,
        value: u8,
    },
    Create {
        name: u8,
        value: u8,
    },
    /// With the version that is there, or one that is not.
    Update {
        name: u8,
        value: u8,
        is_stale: bool,
    },
    Delete {
        name: u8,
    },
    /// Begins a watch at a version that has been, in parts of how many there were.
    Watch {
        from: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let byte = |end| 0..end;
    prop_oneof![
        4 => (byte(3u8), byte(2), byte(2), byte(3)).prop_map(|(name, manager, field, value)| Step::Apply { name, manager, field, value }),
        1 => (byte(3u8), byte(3)).prop_map(|(name, value)| Step::Create { name, value }),
        2 => (byte(3u8), byte(3), any::<bool>()).prop_map(|(name, value, is_stale)| Step::Update { name, value, is_stale }),
        1 => byte(3u8).prop_map(|name| Step::Delete { name }),
        1 => any::<u8>().prop_map(|from| Step::Watch { from }),
    ]
}

fn take(plane: &Embedded, step: &Step) -> Result<(), PlaneError> {
    let name = |name: &u8| key(&name.to_string());
    match step {
        Step::Apply { name: object, manager, field, value } => {
            plane.apply(&name(object), &manager.to_string(), &format!(r#"{{"f{field}":{value}}}"#)).map(drop)
        }
        Step::Create { name: object, value } => {
            plane.create(&name(object), "0", &format!(r#"{{"f0":{value}}}"#)).map(drop)
        }
        Step::Update { name: object, value, is_stale } => {
            let there = plane.get(&name(object))?;
            let resource_version = there.resource_version - u64::from(*is_stale);
            let wanted = Object { key: name(object), resource_version, spec: format!(r#"{{"f1":{value}}}"#) };
            let outcome = plane.update(&wanted, "1").map(drop);
            assert_eq!(*is_stale, outcome == Err(PlaneError::Conflict(there.resource_version)));
            outcome
        }
        Step::Delete { name: object } => plane.delete(&name(object)),
        Step::Watch { .. } => Ok(()),
    }
}

/// The objects of a list after all later events.
fn replayed(listing: &Listing, events: &[Event]) -> BTreeMap<String, Arc<Object>> {
    let named = |object: &Arc<Object>| (object.key.name.clone(), Arc::clone(object));
    let mut objects: BTreeMap<_, _> = listing.objects.iter().map(named).collect();
    for event in events {
        let known = match event.object() {
            Some(object) => objects.insert(object.key.name.clone(), Arc::clone(object)),
            None => Some(objects.remove(&event.key().name).expect("what is deleted was there")),
        };
        assert_eq!(known.is_none(), matches!(event, Event::Added(_)), "{event:?}");
    }
    objects
}

proptest! {
    /// Whether there are few or many, what is inserted is there, sorted by name.
    #[test]
    fn objects_are_those_of_a_sorted_map(steps in prop::collection::vec((0..20_u8, any::<bool>()), 1..80)) {
        let (mut objects, mut model) = (super::objects::Objects::default(), BTreeMap::new());
        for (version, (name, is_there)) in steps.into_iter().enumerate() {
            let name = name.to_string();
            if is_there {
                let (resource_version, spec) = (version as u64, "{}".to_owned());
                let object = Arc::new(Object { key: key(&name), resource_version, spec });
                let fields = Fields::parse("{}", "m").unwrap();
                objects.insert(super::scopes::Stored { object: Arc::clone(&object), fields });
                model.insert(name.clone(), object);
            } else {
                objects.remove(&name);
                model.remove(&name);
            }
            let found: Vec<_> = objects.iter().map(|stored| Arc::clone(&stored.object)).collect();
            prop_assert_eq!(found, model.values().cloned().collect::<Vec<_>>());
            prop_assert_eq!(objects.get(&name).map(|stored| &stored.object), model.get(&name));
            prop_assert_eq!(objects.is_empty(), model.is_empty());
        }
    }

    /// A list at any moment and a watch from there yield the current objects; versions grow, and no event comes twice.
    #[test]
    fn list_and_watch_yield_the_current_objects(steps in prop::collection::vec(step(), 1..60)) {
        let plane = Embedded::new();
        let mailbox = Arc::new(Mailbox::new());
        let elsewhere = plane.watch(&Scope::new("Thing", "there"), 0, 9, &mailbox).unwrap();
        let mut lists = vec![plane.list(&here()).unwrap()];
        let mut watches = Vec::new();
        for step in &steps {
            let before = plane.list(&here()).unwrap();
            let outcome = take(&plane, step);
            let after = plane.list(&here()).unwrap();
            prop_assert!(outcome.is_ok() || before == after, "a refused write changed something: {:?}", step);
            if let Step::Watch { from } = step {
                let listed = usize::from(*from) % lists.len();
                let token = watches.len() as u64;
                watches.push((listed, plane.watch(&here(), lists[listed].version, token + 10, &mailbox).unwrap()));
            }
            lists.push(after);
        }
        let deliveries = taken(&mailbox);
        prop_assert!(deliveries.iter().all(|(token, _)| *token != 9));
        drop(elsewhere);
        let now: BTreeMap<_, _> = lists.last().unwrap().objects.iter()
            .map(|object| (object.key.name.clone(), Arc::clone(object))).collect();
        for (number, (listed, _)) in watches.iter().enumerate() {
            let mine = deliveries.iter().filter(|(token, _)| *token == number as u64 + 10);
            let events: Vec<_> = mine.map(|(_, event)| event.clone()).collect();
            prop_assert!(events.is_sorted_by(|a, b| a.version() < b.version()));
            prop_assert!(events.iter().all(|event| event.version() > lists[*listed].version));
            prop_assert_eq!(replayed(&lists[*listed], &events), now.clone());
        }
    }
}
