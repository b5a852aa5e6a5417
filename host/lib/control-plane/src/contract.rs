//! The contract of every control plane, as checks that use the trait only.

use crate::{ControlPlane, Event, Key, Mailbox, Object, PlaneError, Scope, Token};
use std::sync::Arc;
use std::time::Duration;

/// How long the delivery of a change may take.
const TOLD: Duration = Duration::from_secs(10);

/// Checks `plane`, which knows `kind` and has no object of it, against the whole contract.
pub(crate) fn check(plane: &dyn ControlPlane, kind: &str) {
    let scope = |name: &str| Scope::new(kind, name);
    applied_fields(plane, &scope("fields"));
    versions(plane, &scope("versions"));
    nothing_changed(plane, &scope("nothing"));
    list_and_watch(plane, &scope("watched"), &scope("elsewhere"));
    watch_of_the_past(plane, &scope("past"));
    end_of_a_watch(plane, &scope("ended"));
    refusals(plane, &scope("refused"));
    circle(plane, &[scope("circle-0"), scope("circle-1"), scope("circle-2")]);
}

/// The manager that applies, and the spec.
type Steps = &'static [(&'static str, &'static str)];

fn key(scope: &Scope, name: &str) -> Key {
    Key::new(&scope.kind, &scope.namespace, name)
}

fn next(mailbox: &Mailbox) -> (Token, Event) {
    assert!(mailbox.wait(TOLD), "no change was delivered");
    let (token, delivery) = mailbox.take().unwrap();
    (token, delivery.unwrap())
}

fn applied_fields(plane: &dyn ControlPlane, scope: &Scope) {
    let cases: [(Steps, Option<&str>); 6] = [
        (&[("m", r#"{"b":1,"a":{"d":"x","c":[1,2]}}"#)], Some(r#"{"a":{"c":[1,2],"d":"x"},"b":1}"#)),
        (&[("m", r#"{"a":1,"b":1}"#), ("m", r#"{"b":2}"#)], Some(r#"{"b":2}"#)),
        (&[("m", r#"{"a":1}"#), ("n", r#"{"b":2}"#), ("m", "{}")], Some(r#"{"b":2}"#)),
        (&[("m", r#"{"a":1}"#), ("n", r#"{"a":1}"#)], Some(r#"{"a":1}"#)),
        (&[("m", r#"{"a":1}"#), ("n", r#"{"a":2}"#)], None),
        // A field without an owner can be taken by anybody.
        (&[("m", r#"{"a":1}"#), ("m", "{}"), ("n", r#"{"a":2}"#)], Some(r#"{"a":2}"#)),
    ];
    for (number, (steps, expect)) in cases.into_iter().enumerate() {
        let key = key(scope, &format!("case-{number}"));
        let outcomes: Vec<_> = steps.iter().map(|(manager, spec)| plane.apply(&key, manager, spec)).collect();
        let there = plane.get(&key).unwrap();
        let last = outcomes.into_iter().next_back().unwrap();
        let wanted = expect.map_or(Err(PlaneError::Conflict(there.resource_version)), |_| Ok(Arc::clone(&there)));
        assert_eq!(last, wanted, "{steps:?}");
        if let Some(expect) = expect {
            assert_eq!(there.spec, expect, "{steps:?}");
        }
    }
}

fn versions(plane: &dyn ControlPlane, scope: &Scope) {
    let key = key(scope, "a");
    assert_eq!(plane.get(&key), Err(PlaneError::NotFound));
    let first = plane.create(&key, "m", r#"{"a":1}"#).unwrap();
    assert_eq!(plane.create(&key, "m", "{}"), Err(PlaneError::Conflict(first.resource_version)));
    let changed = Object { spec: r#"{"a":2}"#.to_owned(), ..(*first).clone() };
    let second = plane.update(&changed, "n").unwrap();
    assert!(second.resource_version > first.resource_version);
    assert_eq!(plane.update(&changed, "m"), Err(PlaneError::Conflict(second.resource_version)));
    // A field that `n` changed belongs to `n`.
    assert_eq!(plane.apply(&key, "m", r#"{"a":3}"#), Err(PlaneError::Conflict(second.resource_version)));
    let listing = plane.list(scope).unwrap();
    assert_eq!(listing.objects, std::slice::from_ref(&second));
    assert!(listing.version >= second.resource_version);
    plane.delete(&key).unwrap();
    assert_eq!(plane.update(&second, "m"), Err(PlaneError::NotFound));
    assert_eq!(plane.delete(&key), Err(PlaneError::NotFound));
    assert_eq!(plane.get(&key), Err(PlaneError::NotFound));
}

fn nothing_changed(plane: &dyn ControlPlane, scope: &Scope) {
    let (key, mailbox) = (key(scope, "a"), Arc::new(Mailbox::new()));
    let from = plane.list(scope).unwrap().version;
    let _watch = plane.watch(scope, from, 7, &mailbox).unwrap();
    let first = plane.apply(&key, "m", r#"{"a":1}"#).unwrap();
    assert_eq!(plane.apply(&key, "m", r#"{ "a" : 1 }"#).unwrap(), first);
    assert_eq!(plane.update(&first, "n").unwrap(), first);
    let second = plane.apply(&key, "m", r#"{"a":2}"#).unwrap();
    assert_eq!([next(&mailbox), next(&mailbox)], [(7, Event::Added(first)), (7, Event::Modified(second))]);
}

fn list_and_watch(plane: &dyn ControlPlane, scope: &Scope, elsewhere: &Scope) {
    let mailbox = Arc::new(Mailbox::new());
    let b = plane.apply(&key(scope, "b"), "m", "{}").unwrap();
    let a = plane.apply(&key(scope, "a"), "m", "{}").unwrap();
    let listing = plane.list(scope).unwrap();
    assert_eq!(listing.objects, [a, b]);
    let _watch = plane.watch(scope, listing.version, 1, &mailbox).unwrap();
    let _second = plane.watch(elsewhere, listing.version, 2, &mailbox).unwrap();
    let changed = plane.apply(&key(scope, "a"), "m", r#"{"a":1}"#).unwrap();
    plane.delete(&key(scope, "a")).unwrap();
    let again = plane.apply(&key(scope, "a"), "m", r#"{"a":1}"#).unwrap();
    assert_eq!(next(&mailbox), (1, Event::Modified(Arc::clone(&changed))));
    let (token, gone) = next(&mailbox);
    assert_eq!((token, gone.key(), gone.object()), (1, &key(scope, "a"), None));
    assert!(changed.resource_version < gone.version() && gone.version() < again.resource_version);
    assert_eq!(next(&mailbox), (1, Event::Added(again)));
    let other = plane.apply(&key(elsewhere, "a"), "m", "{}").unwrap();
    assert_eq!(next(&mailbox), (2, Event::Added(other)));
}

fn watch_of_the_past(plane: &dyn ControlPlane, scope: &Scope) {
    let mailbox = Arc::new(Mailbox::new());
    let from = plane.list(scope).unwrap().version;
    let first = plane.apply(&key(scope, "a"), "m", r#"{"a":1}"#).unwrap();
    let second = plane.apply(&key(scope, "a"), "m", r#"{"a":2}"#).unwrap();
    let _watch = plane.watch(scope, from, 1, &mailbox).unwrap();
    let _later = plane.watch(scope, second.resource_version, 2, &mailbox).unwrap();
    assert_eq!([next(&mailbox), next(&mailbox)], [(1, Event::Added(first)), (1, Event::Modified(second))]);
    let third = plane.apply(&key(scope, "a"), "m", r#"{"a":3}"#).unwrap();
    let mut told = [next(&mailbox), next(&mailbox)];
    told.sort_by_key(|(token, _)| *token);
    assert_eq!(told, [(1, Event::Modified(Arc::clone(&third))), (2, Event::Modified(third))]);
}

fn end_of_a_watch(plane: &dyn ControlPlane, scope: &Scope) {
    let mailbox = Arc::new(Mailbox::new());
    let from = plane.list(scope).unwrap().version;
    let first = plane.watch(scope, from, 1, &mailbox).unwrap();
    let _second = plane.watch(scope, from, 2, &mailbox).unwrap();
    drop(first);
    let object = plane.apply(&key(scope, "a"), "m", "{}").unwrap();
    assert_eq!(next(&mailbox), (2, Event::Added(object)));
    assert!(mailbox.take().is_none());
}

fn refusals(plane: &dyn ControlPlane, scope: &Scope) {
    let refused = |result: Result<Arc<Object>, PlaneError>| match result {
        Err(PlaneError::Invalid(_)) => (),
        other => panic!("{other:?}"),
    };
    refused(plane.apply(&key(scope, "a"), "m", "[]"));
    refused(plane.apply(&key(scope, "a"), "m", "{"));
    refused(plane.apply(&key(scope, "a"), "", "{}"));
    refused(plane.apply(&key(scope, ""), "m", "{}"));
    refused(plane.create(&key(scope, "a"), "m", &format!(r#"{{"a":"{}"}}"#, "x".repeat(crate::SPEC_BYTES_MAX))));
    assert_eq!(plane.list(scope).unwrap().objects, []);
}

/// Each change causes one in the next scope, as with operators: each is delivered exactly once.
fn circle(plane: &dyn ControlPlane, scopes: &[Scope]) {
    const ROUNDS: u64 = 10;
    let mailbox = Arc::new(Mailbox::new());
    let watch = |(token, scope): (usize, &Scope)| {
        plane.watch(scope, plane.list(scope).unwrap().version, token as Token, &mailbox).unwrap()
    };
    let _watches: Vec<_> = scopes.iter().enumerate().map(watch).collect();
    let write = |token: Token, value: u64| {
        let spec = format!(r#"{{"nonce":{value}}}"#);
        plane.apply(&key(&scopes[token as usize], "nonce"), &format!("operator-{token}"), &spec).unwrap()
    };
    let mut last = write(0, 0);
    let end = ROUNDS * scopes.len() as u64;
    for value in 1..=end {
        let (token, event) = next(&mailbox);
        assert_eq!(event.object(), Some(&last));
        if value < end {
            last = write((token + 1) % scopes.len() as u64, value);
        }
    }
    assert!(mailbox.take().is_none());
}
