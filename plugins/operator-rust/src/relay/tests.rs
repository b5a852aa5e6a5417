//! The operator on a control plane that records writes. A suspended operator must resume unchanged, and damaged state
//! must be refused.

use super::*;
use bench_plugin::operator::{Object, PlaneError, Stored};

/// Records writes as `namespace/name spec`; refuses them on request.
#[derive(Default)]
struct Kept {
    applied: Vec<String>,
    refuses: bool,
}

impl Plane for Kept {
    fn apply(&mut self, key: Key<'_>, spec: &str) -> Result<u64, PlaneError> {
        if self.refuses {
            return Err(PlaneError::Conflict(7));
        }
        self.applied.push(format!("{}/{} {spec}", key.namespace, key.name));
        Ok(self.applied.len() as u64)
    }

    fn get(&mut self, _key: Key<'_>) -> Result<Stored, PlaneError> {
        Err(PlaneError::NotFound)
    }

    fn create(&mut self, _key: Key<'_>, _spec: &str) -> Result<u64, PlaneError> {
        Err(PlaneError::Unavailable("applies only".to_owned()))
    }

    fn update(&mut self, _object: Object<'_>) -> Result<u64, PlaneError> {
        Err(PlaneError::Unavailable("applies only".to_owned()))
    }

    fn delete(&mut self, _key: Key<'_>) -> Result<(), PlaneError> {
        Err(PlaneError::NotFound)
    }
}

fn started(plane: &mut Kept) -> Relay {
    let arguments = [("watch", "a"), ("apply", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut relay = Relay::default();
    let watches = relay.start(plane, &arguments).unwrap();
    assert_eq!(watches, [Watch { kind: KIND.to_owned(), namespace: "a".to_owned() }]);
    relay
}

fn seen(relay: &mut Relay, plane: &mut Kept, spec: &str) -> Result<(), String> {
    let key = Key { kind: KIND, namespace: "a", name: "x" };
    relay.reconcile(plane, Event::Modified(Object { key, resource_version: 1, spec }))
}

/// Expects a state to be refused.
#[track_caller]
fn check(state: &str) {
    assert!(Relay::default().resume(state.as_bytes()).is_err(), "{state:?} was accepted");
}

#[test]
fn each_token_is_applied_with_its_number() {
    let mut plane = Kept::default();
    let mut relay = started(&mut plane);
    seen(&mut relay, &mut plane, r#"{"nonce":5}"#).unwrap();
    seen(&mut relay, &mut plane, r#"{"count":9,"nonce":18446744073709551615}"#).unwrap();
    relay.reconcile(&mut plane, Event::Deleted(Key { kind: KIND, namespace: "a", name: "x" }, 3)).unwrap();
    let expect = [r#"b/x {"nonce":5,"count":1}"#, r#"b/x {"nonce":18446744073709551615,"count":2}"#];
    assert_eq!(plane.applied, expect);
}

#[test]
fn a_failed_write_is_not_counted() {
    let mut plane = Kept { refuses: true, ..Kept::default() };
    let mut relay = started(&mut plane);
    assert_eq!(
        seen(&mut relay, &mut plane, r#"{"nonce":5}"#).unwrap_err(),
        "b/x: conflict with version 7: read it again"
    );
    assert!(seen(&mut relay, &mut plane, "no JSON").unwrap_err().starts_with("x: expected"));
    plane.refuses = false;
    seen(&mut relay, &mut plane, r#"{"nonce":5}"#).unwrap();
    assert_eq!(plane.applied, [r#"b/x {"nonce":5,"count":1}"#]);
}

#[test]
fn a_resumed_operator_equals_the_suspended_one() {
    let mut plane = Kept::default();
    for nonces in [0, 1, NONCES_KEPT, NONCES_KEPT + 3] {
        let mut relay = started(&mut plane);
        for nonce in 0..nonces {
            seen(&mut relay, &mut plane, &format!(r#"{{"nonce":{nonce}}}"#)).unwrap();
        }
        let mut resumed = Relay::default();
        resumed.resume(&relay.suspend()).unwrap();
        relay.spec.clear();
        assert_eq!(resumed, relay);
    }
}

#[test]
fn an_incomplete_state_is_refused() {
    for state in [
        "",
        "1\na\nb\n0",
        "2\na\nb\n0\n",
        "1\n\nb\n0\n",
        "1\na\nb\nx\n",
        "1\na\nb\n1\n",
        "1\na\nb\n0\n5",
        "1\na\nb\n1\n-1",
    ] {
        check(state);
    }
}

#[test]
fn a_missing_namespace_prevents_the_start() {
    let error = Relay::default().start(&mut Kept::default(), &[("watch".to_owned(), "a".to_owned())]).unwrap_err();
    assert_eq!(error, "the argument `apply` is not a valid namespace");
}
