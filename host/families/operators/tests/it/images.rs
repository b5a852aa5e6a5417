//! An operator that keeps no state of its own (`operator.wat`), suspended as an image of its memory: by itself, and in a chain.

use crate::fixture::Folder;
use bench_drivers::{Drivers, Module, Task};
use bench_engine::{Amount, Budget, Repetition, Report};
use bench_family::Family;
use bench_model::{Arguments, ModuleError};
use bench_sink::runfile::Status;
use family_operators::{Event, Key, Object, Operator, OperatorFamily, Plane, PlaneError, Suspension};
use std::sync::{Arc, Mutex};

const WORLD: &str = "
    package bench-host:fixture;
    package wasi:io@0.2.0 { interface poll { resource pollable; } }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            now: func() -> u64;
            subscribe-duration: func(when: u64) -> pollable;
        }
    }
    package wasi:random@0.2.0 { interface random { get-random-u64: func() -> u64; } }
    world fixture {
        import wasi:io/poll@0.2.0;
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:random/random@0.2.0;
        include bench-host:operator/module@0.2.0;
        export bench-host:workload/plugin@0.1.0;
    }
";

/// A folder with the operator: to be kept, because it is read again.
fn folder() -> Folder {
    Folder::new(include_str!("operator.wat"), WORLD, &["workload", "operator"])
}

/// The same operator, built against the version before.
fn former() -> Folder {
    let (module, world) = (include_str!("operator.wat"), WORLD);
    let [module, world] = [module, world].map(|text| {
        let lines = text.lines().map(|line| {
            if line.contains("bench-host:operator/") { line.replace("@0.2.0", "@0.1.0") } else { line.to_owned() }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Folder::new(&module, &world, &["workload", "operator/published/0.1.0.wit"])
}

/// Keeps what is applied.
#[derive(Default)]
struct Applied(Mutex<Vec<String>>);

impl Applied {
    fn last(&self) -> String {
        self.0.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl Plane for Applied {
    fn get(&self, _: &Key) -> Result<Arc<Object>, PlaneError> {
        Err(PlaneError::NotFound)
    }

    fn apply(&self, key: &Key, spec: &str) -> Result<Arc<Object>, PlaneError> {
        self.0.lock().unwrap().push(format!("{}/{} {spec}", key.namespace, key.name));
        Ok(Arc::new(Object { key: key.clone(), resource_version: 1, spec: spec.to_owned() }))
    }

    fn create(&self, _: &Key, _: &str) -> Result<Arc<Object>, PlaneError> {
        Err(PlaneError::Conflict(1))
    }

    fn update(&self, _: &Object) -> Result<Arc<Object>, PlaneError> {
        Err(PlaneError::NotFound)
    }

    fn delete(&self, _: &Key) -> Result<(), PlaneError> {
        Err(PlaneError::NotFound)
    }
}

/// What hands out fresh operators, and what all of them write to.
fn operators() -> (Arc<Applied>, impl FnMut() -> Box<dyn Operator>) {
    let (folder, plane) = (folder(), Arc::new(Applied::default()));
    let mut component = folder.load();
    let operators = family_operators::operators(&mut component).expect("it is an operator");
    let mut factory = operators.prepare(Suspension::Memory, 8).expect("it can be suspended so");
    let made_for = Arc::clone(&plane);
    (plane, move || factory.make(made_for.clone()).expect("an operator is made"))
}

fn start(operator: &mut dyn Operator) {
    let arguments =
        [("watch", "chain-0"), ("apply", "chain-1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let watches = operator.start(&arguments).expect("it starts");
    assert_eq!(watches[0].namespace, "chain-0");
}

fn reconcile(operator: &mut dyn Operator, name: &str, nonce: u64) {
    let key = Key::new("TestResource", "chain-0", name);
    let object = Object { key, resource_version: nonce, spec: format!("{{\"nonce\":{nonce}}}") };
    operator.reconcile(&Event::Modified(Arc::new(object))).expect("it reconciles");
}

#[test]
fn memory_is_restored() {
    let (plane, mut make) = operators();
    let mut operator = make();
    start(operator.as_mut());
    // It needs more memory on the way.
    for nonce in 1..=20 {
        reconcile(operator.as_mut(), "nonce", 100 + nonce);
        let image = operator.suspend().expect("an image is taken");
        assert!(image.len() < 2_000, "{} bytes", image.len());
        operator = make();
        operator.resume(&image).expect("it is taken up");
        assert_eq!(plane.last(), format!("chain-1/nonce {{\"nonce\":{},\"count\":{nonce}}}", 100 + nonce));
    }
    // The same image again: it was copied, not moved.
    let image = operator.suspend().expect("an image is taken");
    for mut operator in [make(), make()] {
        operator.resume(&image).expect("it is taken up");
        reconcile(operator.as_mut(), "nonce", 7);
        assert_eq!(plane.last(), r#"chain-1/nonce {"nonce":7,"count":21}"#);
    }
}

#[test]
fn factory_makes_as_many_at_once_as_it_was_prepared_for() {
    const COUNT: usize = 50;
    let folder = folder();
    let mut component = folder.load();
    let operators = family_operators::operators(&mut component).expect("it is an operator");
    let mut factory = operators.prepare(Suspension::Own, COUNT).expect("it can be suspended so");
    let plane: Arc<dyn Plane> = Arc::new(Applied::default());
    let made: Result<Vec<_>, _> = (0..COUNT).map(|_| factory.make(Arc::clone(&plane))).collect();
    let mut made = made.unwrap_or_else(|error| panic!("an operator is not made: {error}"));
    made.iter_mut().for_each(|operator| start(operator.as_mut()));
    assert_eq!(made.len(), COUNT);
}

#[test]
fn invalid_image_is_refused() {
    let (_, mut make) = operators();
    let mut operator = make();
    start(operator.as_mut());
    let image = operator.suspend().expect("an image is taken");
    let mut check = |image: &[u8], expect: &str| match make().resume(image) {
        Err(ModuleError::Other(reason)) => assert!(reason.contains(expect), "{reason}"),
        other => panic!("wanted a refusal, found {other:?}"),
    };
    check(b"", "is not a memory image");
    check(b"1\nchain-0\nchain-1\n0\n", "is not a memory image");
    check(&image[..image.len() - 1], "damaged");
    for at in 4..image.len() {
        let mut damaged = image.clone();
        damaged[at] ^= 1;
        check(&damaged, "damaged");
    }
}

#[test]
fn instance_with_additional_handle_has_no_image() {
    let (plane, mut make) = operators();
    let mut operator = make();
    start(operator.as_mut());
    reconcile(operator.as_mut(), "kept", 1);
    match operator.suspend() {
        Err(ModuleError::Other(reason)) => assert!(reason.contains("use --suspend own"), "{reason}"),
        other => panic!("wanted a refusal, found {other:?}"),
    }
    reconcile(operator.as_mut(), "nonce", 2);
    assert_eq!(plane.last(), r#"chain-1/nonce {"nonce":2,"count":2}"#, "it goes on");
}

/// Has the driver take a chain of five through its phases.
fn driven(folder: &Folder, suspend: &str) -> Report {
    let mut component = folder.load();
    let drivers = Drivers::new(OperatorFamily.drivers());
    let scenario = bench_drivers::merged(component.descriptor(), drivers).scenarios.remove(0);
    let mut arguments = Arguments::default();
    for (name, value) in [("count", 5_i64), ("rate", 0), ("idle_ms", 1), ("deadline_ms", 20_000)] {
        arguments.set(name, value);
    }
    arguments.set("suspend", suspend);
    let repetition = Repetition { cell: 0, process: 0 };
    let budget = Budget { warm_up_ns: 0, amount: Amount::Operations(4) };
    let task = Task { repetition, scenario: &scenario, arguments: &arguments, budget, reclaim: || () };
    drivers.run(&mut component, None, &task)
}

#[test]
fn chain_keeps_its_state_in_images() {
    let report = driven(&folder(), "memory");
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    assert!(report.checks.iter().all(|check| check.passed), "{:?}", report.checks);
    let states = report.series.iter().find(|series| series.metric == "state").expect("states are measured");
    assert_eq!(states.count, 4 * 5);
    assert_eq!(driven(&folder(), "own").outcome.status, Status::Failed, "what it says itself is nothing");
}

#[test]
fn component_built_against_the_former_version_still_runs() {
    let report = driven(&former(), "memory");
    assert_eq!(report.outcome.status, Status::Ok, "{:?}", report.outcome.reason);
    assert!(report.checks.iter().all(|check| check.passed), "{:?}", report.checks);
    assert!(!report.checks.is_empty(), "the chain was looked at");
}
