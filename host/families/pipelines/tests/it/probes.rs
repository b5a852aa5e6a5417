//! A probe written in C that carries batches. What it does is in `probes/carrier.c`.

use crate::scenario;
use bench_model::{Arguments, ModuleError};
use bench_native::Probe;
use family_pipelines::{BatchError, Emit, FROM_TABLE, Next, connectors};
use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use test_modules::Library;

/// Compiles `probes/carrier.c` with these definitions, if there is a compiler.
fn library(definitions: &[&str]) -> Option<Library> {
    test_modules::probe(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probes/carrier.c"), definitions)
}

/// Takes batches until it has so many.
struct Taker {
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
    max: usize,
    refusal: BatchError,
}

impl Emit for Taker {
    fn emit(&mut self, batch: Cow<'_, [u8]>) -> Result<(), BatchError> {
        let mut taken = self.taken.lock().unwrap();
        if taken.len() == self.max {
            return Err(self.refusal.clone());
        }
        taken.push(batch.into_owned());
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

/// Has the probe read, to somebody who takes `max` batches and then refuses with `refusal`.
#[track_caller]
fn check_read(definitions: &[&str], deed: &str, max: usize, refusal: BatchError, expect: &str) {
    let Some(library) = library(definitions) else { return };
    let mut probe = Probe::load(&library.path).expect("a probe");
    let scenario = scenario(&probe, "read");
    let taken = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let connector = connectors(&mut probe).and_then(|connectors| connectors.connector(&scenario));
    let mut arguments = Arguments::default();
    arguments.set("deed", deed);
    arguments.set(FROM_TABLE, "t.rows");
    let taker = Taker { taken: taken.clone(), max, refusal };
    // An instance is made and called on a thread of its own, as the driver does it.
    let read = connector.and_then(|mut connector| {
        std::thread::scope(|scope| {
            let read = scope.spawn(|| connector.instantiate()?.read(&arguments, Box::new(taker)));
            read.join().expect("no panic")
        })
    });
    let taken: Vec<_> = taken.lock().unwrap().iter().map(|batch| String::from_utf8_lossy(batch).into_owned()).collect();
    assert_eq!(format!("{read:?} {taken:?}"), expect);
}

/// Has the probe write what `giver` gives.
#[track_caller]
fn check_write(definitions: &[&str], giver: Giver, expect: &str) {
    let Some(library) = library(definitions) else { return };
    let mut probe = Probe::load(&library.path).expect("a probe");
    let scenario = scenario(&probe, "write");
    let connector = connectors(&mut probe).and_then(|connectors| connectors.connector(&scenario));
    let written =
        connector.and_then(|mut connector| connector.instantiate()?.write(&Arguments::default(), Box::new(giver)));
    assert_eq!(format!("{written:?}"), expect);
}

#[test]
fn batches_stages_and_counts_go_out() {
    let expect = r#"Ok(Transfer { records: 6, bytes: 18, stages: [("fetch", 40), ("fetch", 2)] }) ["t.rows", "t.rows", "t.rows"]"#;
    check_read(&[], "", 9, BatchError::Closed, expect);
}

#[test]
fn only_transfers_at_the_same_time_have_tables_of_their_own() {
    let Some(library) = library(&[]) else { return };
    let mut probe = Probe::load(&library.path).expect("a probe");
    let scenario = scenario(&probe, "read");
    let connector = connectors(&mut probe).and_then(|connectors| connectors.connector(&scenario));
    let mut connector = connector.expect("a connector");
    let mut arguments = Arguments::default();
    arguments.set("deed", "addresses");
    arguments.set(FROM_TABLE, "t.rows");
    let taken = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let taker = || Box::new(Taker { taken: taken.clone(), max: 9, refusal: BatchError::Closed });
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let read = scope.spawn(|| connector.instantiate()?.read(&arguments, taker()));
            read.join().expect("no panic").expect("a transfer");
        });
    }
    let [mut first, mut second] = [(); 2].map(|()| connector.instantiate().unwrap());
    first.read(&arguments, taker()).unwrap();
    second.read(&arguments, taker()).unwrap();
    let taken = taken.lock().unwrap();
    let [one, two, three, four, five] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!([two, three, four], [one; 3]);
    assert_ne!(five, one);
}

#[test]
fn refusals_of_a_batch_are_distinguished() {
    let refused = |reason: &str| format!(r#"Err(Other("{reason}")) ["t.rows"]"#);
    check_read(&[], "", 1, BatchError::Closed, &refused("the other side has ended"));
    check_read(
        &[],
        "",
        1,
        BatchError::TooLarge(5),
        &refused("the batch is larger than 5 bytes; read fewer rows a batch"),
    );
    check_read(&[], "", 1, BatchError::Other("no".to_owned()), &refused("no"));
}

#[test]
fn breach_is_distinguished_from_a_refusal() {
    let nothing = r#"Err(Other("a batch behind a null pointer")) []"#;
    check_read(&[], "nothing", 9, BatchError::Closed, nothing);
    let other = r#"Err(Other("`next` is for a probe whose `write` was called; call it from there")) []"#;
    check_read(&[], "wrong-way", 9, BatchError::Closed, other);
    let breach = r#"Err(Crashed("`read` broke the contract: the name of a stage is a null pointer")) ["t.rows", "t.rows", "t.rows"]"#;
    check_read(&[], "nameless", 9, BatchError::Closed, breach);
}

#[test]
fn batches_come_in_until_the_end() {
    let expect = r#"Ok(Transfer { records: 7, bytes: 3, stages: [("flush", 3)] })"#;
    check_write(&[], Giver(vec![vec![0, 3], vec![], vec![4]], None), expect);
    check_write(&[], Giver(vec![], None), r#"Ok(Transfer { records: 0, bytes: 0, stages: [("flush", 0)] })"#);
}

#[test]
fn failed_source_is_not_an_end() {
    let failure = Some(BatchError::Other("the source failed".to_owned()));
    check_write(&[], Giver(vec![vec![1]], failure), r#"Err(Other("the source failed"))"#);
}

#[test]
fn missing_parts_of_a_probe_are_named() {
    let one_way = r#"Err(Other("`write` is for the driver `destination`, and the probe has no function `write`"))"#;
    check_write(&["READS_ONLY"], Giver(vec![], None), one_way);
    let short = r#"Err(Crashed("the probe's table `bench-host:pipeline/0.1` has 8 bytes, but needs 24: set `size` to sizeof(bhp_pipeline)"))"#;
    check_write(&["SHORT"], Giver(vec![], None), short);
    let Some(library) = library(&["WITHOUT_CONNECTORS"]) else { return };
    let mut probe = Probe::load(&library.path).expect("a probe");
    assert!(matches!(connectors(&mut probe), Err(ModuleError::Unavailable(_))));
}
