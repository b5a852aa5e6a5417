//! A probe written in C that has operators, and errs. What it does is in `probes/operator.c`.

use crate::fixture;
use bench_model::ModuleError;
use bench_native::Probe;
use family_operators::{Event, Key, Object, Operator, Plane, PlaneError, Suspension};
use std::sync::{Arc, Mutex};

/// A plane that notes what is written, and refuses what the probe expects it to.
#[derive(Default)]
struct Noting(Mutex<Vec<String>>);

impl Noting {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl Plane for Noting {
    fn get(&self, _key: &Key) -> Result<Arc<Object>, PlaneError> {
        Err(PlaneError::NotFound)
    }

    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.note(format!("apply {key} {spec}"));
        Ok(Arc::new(Object { key: key.clone(), resource_version: 1, spec: spec.to_owned() }))
    }

    fn create(&self, _key: &Key, _spec: &str) -> Result<Arc<Object>, PlaneError> {
        Err(PlaneError::Unavailable("not now".to_owned()))
    }

    fn update(&self, object: &Object) -> Result<Arc<Object>, PlaneError> {
        self.note(format!("update {} {} {}", object.key, object.resource_version, object.spec));
        Err(PlaneError::Conflict(7))
    }

    fn delete(&self, key: &Key) -> Result<(), PlaneError> {
        self.note(format!("delete {key}"));
        Ok(())
    }
}

/// Has an operator of the probe, compiled with this fault, go through its life, and compares what is written and how it ends.
#[track_caller]
fn check(fault: u32, expect: &[&str]) {
    let Some(library) = fixture::library(fault) else { return };
    let mut probe = Probe::load(&library.path).unwrap();
    let plane = Arc::new(Noting::default());
    if let Err(error) = live(&mut probe, &plane) {
        plane.note(error.to_string());
    }
    assert_eq!(*plane.0.lock().unwrap(), expect);
}

fn live(probe: &mut Probe, plane: &Arc<Noting>) -> Result<(), ModuleError> {
    let mut factory = family_operators::operators(probe)?.prepare(Suspension::Own, 1)?;
    let mut make = || factory.make(Arc::clone(plane) as Arc<dyn Plane>);
    let mut operator: Box<dyn Operator> = make()?;
    let watches = operator.start(&[("watch".to_owned(), "here".to_owned())])?;
    watches.iter().for_each(|watch| plane.note(format!("watch {} in {}", watch.kind, watch.namespace)));
    let key = Key::new("Kind", "here", "x");
    let spec = r#"{"a":1}"#.to_owned();
    operator.reconcile(&Event::Added(Arc::new(Object { key: key.clone(), resource_version: 5, spec })))?;
    operator.reconcile(&Event::Deleted(key, 9))?;
    let state = operator.suspend()?;
    drop(operator);
    plane.note(format!("state {state:?}"));
    let mut operator = make()?;
    operator.resume(&state)?;
    operator.resume(&[])
}

#[test]
fn an_operator_writes_through_the_table_that_each_call_is_given() {
    let expect = [
        "watch Kind in here",
        r#"apply Kind/there/x {"a":1}"#,
        "update Kind/there/x 1 {}",
        "delete Kind/there/x",
        "state [2]",
        "expected: state_len == 1",
    ];
    check(0, &expect);
}

#[test]
fn breach_of_the_contract_is_reported() {
    check(1, &["`make` broke the contract: it gave none"]);
    check(2, &["`start` broke the contract: it gave 1 watches, or none behind a pointer"]);
    check(
        4,
        &["the probe's table `bench-host:operator/0.1` has 8 bytes, but needs 56: set `size` to sizeof(bhp_operators)"],
    );
    check(5, &["the probe's table `bench-host:operator/0.1` has no `reconcile`"]);
}
