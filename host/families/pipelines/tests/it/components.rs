//! Components that carry batches, out of a module of which everything is known (`carrier.wat`), and the source of PostgreSQL's
//! rows where it was built, for what only it asks for.

use crate::scenario;
use bench_drivers::Grants;
use bench_family::Family;
use bench_model::{Arguments, ModuleError};
use bench_sink::digest;
use bench_wasm::{Component, Limits, Runtime, Settings};
use family_pipelines::{BatchError, Connector, Emit, FROM_TABLE, Next, Pipelines, connectors};
use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex};

const WORLD: &str = "
    package bench-host:fixture;
    world fixture {
        include bench-host:pipeline/sources@0.1.0;
        include bench-host:pipeline/destinations@0.1.0;
    }
";

/// A module that only describes itself: everything is called `a`, its one scenario too.
const DESCRIBED_ONLY: &str = r#"(module
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\01\00\00\00\40\00\00\00\01\00\00\00\40\00\00\00\01\00\00\00\60\00\00\00\01\00\00\00")
    (data (i32.const 64) "a")
    (data (i32.const 96) "\40\00\00\00\01\00\00\00\40\00\00\00\01\00\00\00\40\00\00\00\01\00\00\00\40\00\00\00\01\00\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
    (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32) i32.const 0))"#;

/// Takes batches until it has so many.
struct Taker {
    taken: Arc<Mutex<Vec<String>>>,
    max: usize,
    refusal: BatchError,
}

impl Emit for Taker {
    fn emit(&mut self, batch: Cow<'_, [u8]>) -> Result<(), BatchError> {
        let mut taken = self.taken.lock().unwrap();
        if taken.len() == self.max {
            return Err(self.refusal.clone());
        }
        taken.push(String::from_utf8_lossy(&batch).into_owned());
        Ok(())
    }
}

/// Gives these batches, then fails where it is to.
struct Giver(Vec<Vec<u8>>, Option<BatchError>);

impl Next for Giver {
    fn next(&mut self) -> Result<Option<Vec<u8>>, BatchError> {
        match (self.0.is_empty(), self.1.clone()) {
            (true, Some(error)) => Err(error),
            (true, None) => Ok(None),
            (false, _) => Ok(Some(self.0.remove(0))),
        }
    }
}

fn runtime() -> Runtime {
    let runtime = Runtime::new(Limits::default(), None, &Settings::default()).expect("the engine starts");
    runtime.with_capabilities(Pipelines.capabilities())
}

/// The component of a module's text, for the world `fixture` over these packages of the project.
fn component(module: &str, world: &str, packages: &[&str]) -> Component {
    let bytes = test_modules::component(module, world, packages);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fixture.wasm");
    std::fs::write(&path, &bytes).expect("the component is written");
    Component::load(&runtime(), &path, &digest::of_bytes(&bytes), Grants::default()).expect("the component is loaded")
}

fn carrier() -> Component {
    component(include_str!("carrier.wat"), WORLD, &["workload", "pipeline"])
}

fn connector(component: &mut Component, name: &str) -> Result<Box<dyn Connector>, ModuleError> {
    let scenario = scenario(component, name);
    connectors(component)?.connector(&scenario)
}

/// Has the source read, to somebody who takes `max` batches and then refuses with `refusal`.
#[track_caller]
fn check_read(name: &str, max: usize, refusal: BatchError, expect: &str) {
    let taken = Arc::<Mutex<Vec<String>>>::default();
    let taker = Taker { taken: taken.clone(), max, refusal };
    let mut connector = connector(&mut carrier(), name).expect("a connector");
    // An instance is made and called on a thread of its own, as the driver does it.
    let read = std::thread::scope(|scope| {
        let read = scope.spawn(|| connector.instantiate()?.read(&Arguments::default(), Box::new(taker)));
        read.join().expect("no panic")
    });
    assert_eq!(format!("{read:?} {:?}", taken.lock().unwrap()), expect);
}

/// Has the destination write what `giver` gives.
#[track_caller]
fn check_write(giver: Giver, expect: &str) {
    let mut connector = connector(&mut carrier(), "write").expect("a connector");
    let written = connector.instantiate().and_then(|mut to| to.write(&Arguments::default(), Box::new(giver)));
    assert_eq!(format!("{written:?}"), expect);
}

#[test]
fn batches_stages_and_counts_go_out() {
    let expect = r#"Ok(Transfer { records: 6, bytes: 15, stages: [("fetch", 42)] }) ["batch", "batch", "batch"]"#;
    check_read("read", 9, BatchError::Closed, expect);
}

#[test]
fn refusals_of_a_batch_are_distinguished() {
    let refused = |reason: &str| format!(r#"Err(Other("{reason}")) ["batch"]"#);
    check_read("read", 1, BatchError::Closed, &refused("closed"));
    check_read("read", 1, BatchError::TooLarge(5), &refused("large"));
    check_read("read", 1, BatchError::Other("no".to_owned()), &refused("no"));
    let other = r#"Err(Other("`next` is for a component whose `write` was called; call it from there")) []"#;
    check_read("wrong", 9, BatchError::Closed, other);
}

#[test]
fn batches_come_in_until_the_end() {
    let expect = r#"Ok(Transfer { records: 7, bytes: 3, stages: [("fetch", 42)] })"#;
    check_write(Giver(vec![vec![0, 3], vec![], vec![4]], None), expect);
    let failure = Some(BatchError::Other("the source failed".to_owned()));
    check_write(Giver(vec![vec![1]], failure), r#"Err(Other("the source failed"))"#);
}

#[test]
fn component_without_a_connector_is_refused() {
    let world = "package bench-host:fixture; world fixture { export bench-host:workload/plugin@0.1.0; }";
    let mut other = component(DESCRIBED_ONLY, world, &["workload"]);
    assert!(matches!(connectors(&mut other), Err(ModuleError::Unavailable(_))));
}

#[test]
fn an_address_that_was_not_granted_is_denied() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/pg-source.wasm");
    let Ok(sha256) = digest::of_file(&path) else {
        eprintln!("skipped: {} is not there; run `cargo xtask plugins`", path.display());
        return;
    };
    // Somebody listens there, and would see a connection.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let check = |connections: &[&str]| {
        let grants =
            Grants { connections: connections.iter().map(|to| (*to).to_owned()).collect(), ..Grants::default() };
        let mut component = Component::load(&runtime(), &path, &sha256, grants).expect("the module is loaded");
        let scenario = scenario(&component, "read");
        let mut arguments: Arguments = scenario
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone()))
            .collect();
        arguments.set("database_url", format!("postgres://x@{address}/x").as_str());
        arguments.set(FROM_TABLE, "t");
        arguments.set("batch_rows", 16);
        let taker = Taker { taken: Arc::default(), max: 0, refusal: BatchError::Closed };
        let mut connector = connector(&mut component, "read").expect("a connector");
        let read = connector.instantiate().and_then(|mut from| from.read(&arguments, Box::new(taker)));
        assert_eq!(
            read,
            Err(ModuleError::CapabilityDenied(format!(
                "the address {address} is not granted; run with --allow-net {address}"
            )))
        );
    };
    check(&[]);
    check(&["127.0.0.1:1"]);
    listener.set_nonblocking(true).expect("a listener");
    assert!(listener.accept().is_err(), "nobody has connected");
}
