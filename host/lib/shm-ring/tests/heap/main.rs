//! Both ends of a ring on the heap, for Miri, which looks for undefined behaviour and data races in the library's own code.
//! The memory alone is replaced.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "the library's own code is part of this test")]
#![allow(dead_code, unreachable_pub, reason = "it is the library's surface, and a test needs only some of it")]

mod memory;

#[path = "../../src/cells.rs"]
mod cells;
#[path = "../../src/claim.rs"]
mod claim;
#[path = "../../src/consumer.rs"]
mod consumer;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/header.rs"]
mod header;
#[path = "../../src/producer.rs"]
mod producer;
#[path = "../../src/record.rs"]
mod record;
#[path = "../../src/ring.rs"]
mod ring;
#[path = "../../src/sync.rs"]
mod sync;
#[path = "../../src/wait.rs"]
mod wait;

use cells::{CellConsumer, CellProducer, Cells};
use consumer::Consumer;
use error::{Corrupt, PushError, RingError, Role};
use producer::Producer;
use ring::{Integrity, Ring, Waking};

const MESSAGES: usize = if cfg!(miri) { 40 } else { 10_000 };

/// A message of its own length, up to 40 bytes, and content.
fn message(index: usize) -> Vec<u8> {
    (0..index * 7 % 41).map(|at| (at ^ index) as u8).collect()
}

fn send(producer: &mut Producer) {
    for index in 0..MESSAGES {
        let message = message(index);
        loop {
            let done = match index % 3 {
                0 => producer.push(&message),
                1 => producer.push_with(message.len(), |room| room.copy_from_slice(&message)),
                _ => producer.stage(&message).map(|()| producer.publish()),
            };
            match done {
                Ok(()) => break,
                Err(error) => assert_eq!(error, PushError::Full),
            }
            std::thread::yield_now();
        }
    }
}

fn receive(consumer: &mut Consumer) {
    for index in 0..MESSAGES {
        while consumer.pop(|found| assert_eq!(found, message(index))).unwrap().is_none() {
            std::thread::yield_now();
        }
    }
    assert_eq!(consumer.pop(<[u8]>::len), Ok(None));
}

fn check(capacity: usize, integrity: Integrity) {
    let ring = Ring::create(capacity, integrity).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || send(&mut producer));
        receive(&mut consumer);
    });
}

#[test]
fn two_threads_do_not_race() {
    for capacity in [64, 256] {
        check(capacity, Integrity::None);
        check(capacity, Integrity::Crc32c);
    }
}

fn send_cells(producer: &mut CellProducer) {
    for index in 0..MESSAGES {
        let message = message(index);
        while let Err(error) = producer.push(&message) {
            assert_eq!(error, PushError::Full);
            std::thread::yield_now();
        }
    }
}

fn receive_cells(consumer: &mut CellConsumer) {
    for index in 0..MESSAGES {
        while consumer.pop(|found| assert_eq!(found, message(index))).unwrap().is_none() {
            std::thread::yield_now();
        }
    }
    assert_eq!(consumer.pop(<[u8]>::len), Ok(None));
}

#[test]
fn two_threads_do_not_race_in_cells() {
    for capacity in [64, 256] {
        let cells = Cells::create(capacity, Waking::Never).unwrap();
        let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(move || send_cells(&mut producer));
            receive_cells(&mut consumer);
        });
    }
}
