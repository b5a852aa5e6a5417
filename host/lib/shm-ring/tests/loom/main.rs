//! Every interleaving of both ends of a tiny ring, within a bound of preemptions, and every value that a load may see. The
//! code is the library's own; only its atomics, its futex and its memory are replaced by ones that loom can explore.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "the library's own code is part of this test")]
#![allow(dead_code, unreachable_pub, reason = "it is the library's surface, and a model needs only some of it")]

mod memory;
mod sync;

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
#[path = "../../src/wait.rs"]
mod wait;

use cells::{CellConsumer, CellProducer, Cells};
use consumer::Consumer;
use error::{Corrupt, PushError, RingError, Role};
use loom::thread;
use producer::Producer;
use ring::{Integrity, Ring, Waking};
use std::time::Duration;
use wait::Wait;

/// All tests together take seconds; each preemption more doubles that.
const PREEMPTIONS_MAX: usize = 4;

/// Looks once and sleeps; nothing but the peer ends it.
const PARK: Wait = Wait::Park { rounds: 0, timeout: Duration::MAX };

/// Runs `produce` and `consume` at the two ends of a ring of `capacity` bytes, in every order.
fn check(capacity: usize, waking: Waking, produce: fn(&mut Producer), consume: fn(&mut Consumer)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS_MAX);
    model.check(move || {
        let ring = Ring::create_with(capacity, Integrity::None, waking).unwrap();
        let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let other = thread::spawn(move || produce(&mut producer));
        consume(&mut consumer);
        other.join().unwrap();
        assert_eq!(consumer.pop(<[u8]>::len), Ok(None), "more arrived than was sent");
    });
}

/// Tries until there is room.
fn send(producer: &mut Producer, message: &[u8]) {
    while let Err(error) = producer.push(message) {
        assert_eq!(error, PushError::Full);
        thread::yield_now();
    }
}

/// Tries until there is a message, which has to be `expect`.
fn receive(consumer: &mut Consumer, expect: &[u8]) {
    while consumer.pop(|found| assert_eq!(found, expect)).unwrap().is_none() {
        thread::yield_now();
    }
}

#[test]
fn messages_arrive_whole_and_in_order() {
    // A record of 8 bytes and its end mark fill the ring but for a word, so the second push waits and the third wraps.
    let produce = |producer: &mut Producer| (1..=3).for_each(|n| send(producer, &[n; 8]));
    check(32, Waking::Never, produce, |consumer| (1..=3).for_each(|n| receive(consumer, &[n; 8])));
}

#[test]
fn messages_of_any_length_arrive() {
    let produce = |producer: &mut Producer| {
        send(producer, &[]);
        send(producer, &[1; 16]);
        send(producer, &[2; 3]);
    };
    check(32, Waking::Never, produce, |consumer| {
        receive(consumer, &[]);
        receive(consumer, &[1; 16]);
        receive(consumer, &[2; 3]);
    });
}

#[test]
fn messages_written_in_place_arrive() {
    let produce = |producer: &mut Producer| {
        for n in 1..=2 {
            while producer.push_with(16, |room| room.fill(n)).is_err() {
                thread::yield_now();
            }
        }
    };
    check(32, Waking::Never, produce, |consumer| (1..=2).for_each(|n| receive(consumer, &[n; 16])));
}

#[test]
fn staged_messages_arrive_together() {
    let produce = |producer: &mut Producer| {
        // The second pair ends where the first one began.
        for n in [1, 3] {
            for message in [[n; 8], [n + 1; 8]] {
                while producer.stage(&message).is_err() {
                    thread::yield_now();
                }
            }
            producer.publish();
        }
    };
    check(64, Waking::Never, produce, |consumer| {
        for n in [1, 3] {
            receive(consumer, &[n; 8]);
            assert_eq!(consumer.pop(|found| found[0]), Ok(Some(n + 1)), "the second is there when the first is");
        }
    });
}

#[test]
fn a_lent_message_is_not_overwritten() {
    let produce = |producer: &mut Producer| (1..=2).for_each(|n| send(producer, &[n; 16]));
    check(32, Waking::Never, produce, |consumer| {
        for n in 1..=2 {
            while consumer.peek().unwrap().is_none() {
                thread::yield_now();
            }
            assert_eq!(consumer.peek(), Ok(Some(&[n; 16][..])));
            consumer.release();
        }
    });
}

#[test]
fn a_sleeping_consumer_is_woken() {
    let produce = |producer: &mut Producer| (1..=2).for_each(|n| producer.push(&[n]).unwrap());
    check(64, Waking::Futex, produce, |consumer| {
        for n in 1..=2 {
            while consumer.pop_waiting(|found| assert_eq!(found, [n]), PARK).unwrap().is_none() {}
        }
    });
}

#[test]
fn a_sleeping_producer_is_woken() {
    let produce = |producer: &mut Producer| {
        for n in 1..=2 {
            while producer.push_waiting(&[n; 16], PARK).is_err() {}
        }
    };
    check(32, Waking::Futex, produce, |consumer| (1..=2).for_each(|n| receive(consumer, &[n; 16])));
}

#[test]
fn the_next_producer_goes_on_where_the_last_one_stopped() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS_MAX);
    model.check(|| {
        let ring = Ring::create(64, Integrity::None).unwrap();
        let (mut first, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let other = thread::spawn(move || send(&mut first, &[1; 8]));
        let mut second = loop {
            match ring.producer() {
                Ok(producer) => break producer,
                Err(error) => assert!(matches!(error, RingError::Busy { role: Role::Producer, .. })),
            }
            thread::yield_now();
        };
        send(&mut second, &[2; 8]);
        // Both were published before this thread looks.
        assert_eq!(consumer.pop(|found| found[0]), Ok(Some(1)));
        assert_eq!(consumer.pop(|found| found[0]), Ok(Some(2)));
        other.join().unwrap();
    });
}

/// Runs `produce` and `consume` at the two ends of a ring of two cells, in every order.
fn check_cells(waking: Waking, produce: fn(&mut CellProducer), consume: fn(&mut CellConsumer)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS_MAX);
    model.check(move || {
        let cells = Cells::create(128, waking).unwrap();
        let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
        let other = thread::spawn(move || produce(&mut producer));
        consume(&mut consumer);
        other.join().unwrap();
        assert_eq!(consumer.pop(<[u8]>::len), Ok(None), "more arrived than was sent");
    });
}

/// Tries until there is a message, which has to be `expect`.
fn receive_cell(consumer: &mut CellConsumer, expect: &[u8]) {
    while consumer.pop(|found| assert_eq!(found, expect)).unwrap().is_none() {
        thread::yield_now();
    }
}

#[test]
fn messages_in_cells_arrive_whole_and_in_order() {
    // The third message takes the first cell again, so it waits until that is released.
    let produce = |producer: &mut CellProducer| {
        for n in 1..=3 {
            while let Err(error) = producer.push(&[n; 16]) {
                assert_eq!(error, PushError::Full);
                thread::yield_now();
            }
        }
    };
    check_cells(Waking::Never, produce, |consumer| (1..=3).for_each(|n| receive_cell(consumer, &[n; 16])));
}

#[test]
fn a_lent_cell_is_not_overwritten() {
    let produce = |producer: &mut CellProducer| {
        for n in 1..=3 {
            while producer.push(&[n; 8]).is_err() {
                thread::yield_now();
            }
        }
    };
    check_cells(Waking::Never, produce, |consumer| {
        for n in 1..=3 {
            while consumer.peek().unwrap().is_none() {
                thread::yield_now();
            }
            assert_eq!(consumer.peek(), Ok(Some(&[n; 8][..])));
            consumer.release();
        }
    });
}

#[test]
fn a_consumer_of_cells_is_woken() {
    let produce = |producer: &mut CellProducer| (1..=2).for_each(|n| producer.push(&[n]).unwrap());
    check_cells(Waking::Futex, produce, |consumer| {
        for n in 1..=2 {
            while !consumer.wait(PARK) {}
            receive_cell(consumer, &[n]);
        }
    });
}

#[test]
fn a_producer_of_cells_is_woken() {
    let produce = |producer: &mut CellProducer| {
        for n in 1..=3 {
            while producer.push_waiting(&[n; 8], PARK).is_err() {}
        }
    };
    check_cells(Waking::Futex, produce, |consumer| (1..=3).for_each(|n| receive_cell(consumer, &[n; 8])));
}
