//! Every queue, task and length with a real second thread. No test asserts how long anything takes.

#![cfg(target_os = "linux")]

use bench_model::{ModuleError, Session as _};
use probe_abi::Probe;
use queues::{Config, QueueKind, Queues, Session, Task};
use std::sync::{Mutex, PoisonError};

/// Sessions pin their thread, so two at once would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Measures batches of the queue and of each ring, and expects every message to arrive.
fn check(queue: QueueKind, task: Task, payload_bytes: usize, batch: u64) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for ring in QueueKind::RINGS {
        let config = Config { task, queue, ring, payload_bytes, batch };
        let mut session = match Session::open(config, None) {
            Ok(session) => session,
            Err(ModuleError::Unavailable(reason)) => return eprintln!("skipped: {reason}"),
            Err(error) => panic!("{config:?}: {error}"),
        };
        let nothing = session.iterate(0).unwrap();
        let ways = if task == Task::ThereAndBack { 2 } else { 1 };
        for times in [1, 2, 5] {
            let outcome = session.iterate(times).unwrap();
            assert_eq!(outcome.operations, times, "{config:?}");
            assert_eq!(outcome.bytes, times * batch * ways * payload_bytes as u64, "{config:?}");
            assert_eq!(outcome.checksum, nothing.checksum, "{config:?}");
        }
        for check in session.verify().unwrap() {
            assert!(check.passed, "{config:?}: {check:?}");
        }
    }
}

#[test]
fn every_queue_answers_every_message() {
    for queue in QueueKind::ALL {
        check(queue, Task::ThereAndBack, 8, 200);
        check(queue, Task::ThereAndBack, 56, 1);
    }
}

/// More messages than a queue holds, and a last burst that is not full.
#[test]
fn every_queue_carries_every_message() {
    for queue in QueueKind::ALL {
        check(queue, Task::OneWay, 8, 5_001);
        check(queue, Task::OneWay, 56, 3_000);
    }
}

#[test]
fn a_length_that_no_queue_is_built_for_is_refused() {
    let config =
        Config { task: Task::OneWay, queue: QueueKind::Rtrb, ring: QueueKind::ShmRing, payload_bytes: 64, batch: 1 };
    match Session::open(config, None) {
        Err(ModuleError::InvalidArgument(reason)) => assert_eq!(reason, "`payload_bytes` is 64; give 8 or 56"),
        Err(ModuleError::Unavailable(reason)) => eprintln!("skipped: {reason}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn the_descriptor_is_valid() {
    let descriptor = Queues::describe();
    descriptor.validate().unwrap();
    for scenario in &descriptor.scenarios {
        let arguments = scenario.parameters.iter().map(|each| (each.name.clone(), each.defaults[0].clone())).collect();
        Config::read(&scenario.name, &arguments).unwrap();
    }
}
