//! The ring against a queue as its model, using only the documented capacity.

#![cfg(target_os = "linux")]

use proptest::prelude::*;
use shm_ring::{Cells, Integrity, PushError, Ring, Wait, Waking};
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Fill(usize),
    Stage(usize),
    Publish,
    Pop,
    PeekTwice,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = prop_oneof![4 => 0usize..80, 2 => 0usize..2000, 1 => 4000usize..4200];
    let step = prop_oneof![
        4 => len.clone().prop_map(Step::Push),
        2 => len.clone().prop_map(Step::Fill),
        4 => len.prop_map(Step::Stage),
        2 => Just(Step::Publish),
        5 => Just(Step::Pop),
        1 => Just(Step::PeekTwice),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 0..400)
}

/// Runs `steps` on a ring and on a queue, and compares what both say at each of them.
fn check(steps: &[Step], integrity: Integrity, waking: Waking) {
    const CAPACITY: usize = 4096;
    let ring = Ring::create_with(CAPACITY, integrity, waking).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let (mut model, mut staged): (VecDeque<Vec<u8>>, VecDeque<Vec<u8>>) = Default::default();
    for (index, step) in steps.iter().enumerate() {
        match *step {
            Step::Push(len) | Step::Fill(len) | Step::Stage(len) => {
                if !matches!(step, Step::Stage(_)) {
                    model.append(&mut staged);
                }
                let message: Vec<u8> = (0..len).map(|at| (at * 7 + index) as u8).collect();
                let used: usize =
                    model.iter().chain(&staged).map(|message| (8 + message.len()).next_multiple_of(8)).sum();
                let expected = if len > CAPACITY - 16 {
                    Err(PushError::TooLarge)
                } else if used + (8 + len).next_multiple_of(8) + 8 > CAPACITY {
                    Err(PushError::Full)
                } else {
                    Ok(())
                };
                let found = match step {
                    Step::Push(_) => producer.push(&message),
                    Step::Stage(_) => producer.stage(&message),
                    _ => producer.push_with(len, |room| room.copy_from_slice(&message)),
                };
                assert_eq!(found, expected, "step {index}, {len} bytes, {used} used");
                if expected.is_ok() {
                    let queue = if matches!(step, Step::Stage(_)) { &mut staged } else { &mut model };
                    queue.push_back(message);
                }
            }
            Step::Publish => {
                producer.publish();
                model.append(&mut staged);
            }
            Step::Pop => {
                // Prefetching changes nothing.
                producer.prefetch(index);
                consumer.prefetch();
                let is_there = consumer.wait_for(index, Wait::Spin { rounds: 1 });
                assert_eq!(is_there, !model.is_empty(), "step {index}");
                assert_eq!(consumer.pop(<[u8]>::to_vec).unwrap(), model.pop_front(), "step {index}");
            }
            Step::PeekTwice => {
                let first = consumer.peek().unwrap().map(<[u8]>::to_vec);
                assert_eq!(first.as_ref(), model.front(), "step {index}");
                assert_eq!(consumer.peek().unwrap(), first.as_deref(), "step {index}");
            }
            Step::Reopen => {
                // What was not published was never sent.
                staged.clear();
                drop((producer, consumer));
                let again = Ring::attach(ring.fd().try_clone_to_owned().unwrap()).unwrap();
                (producer, consumer) = (again.producer().unwrap(), again.consumer().unwrap());
            }
        }
    }
}

/// Runs those of `steps` that cells have on cells and on a queue.
fn check_cells(steps: &[Step], waking: Waking) {
    let cells = Cells::create(4096, waking).unwrap();
    assert_eq!(cells.messages_max(), 64);
    let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
    let mut model: VecDeque<Vec<u8>> = VecDeque::new();
    for (index, step) in steps.iter().enumerate() {
        match *step {
            Step::Push(len) | Step::Fill(len) | Step::Stage(len) => {
                let message: Vec<u8> = (0..len).map(|at| (at * 7 + index) as u8).collect();
                let expected = match len {
                    57.. => Err(PushError::TooLarge),
                    _ if model.len() == 64 => Err(PushError::Full),
                    _ => Ok(()),
                };
                assert_eq!(producer.push(&message), expected, "step {index}, {len} bytes");
                if expected.is_ok() {
                    model.push_back(message);
                }
            }
            Step::Publish => producer.prefetch(),
            Step::Pop => assert_eq!(consumer.pop(<[u8]>::to_vec).unwrap(), model.pop_front(), "step {index}"),
            Step::PeekTwice => {
                let first = consumer.peek().unwrap().map(<[u8]>::to_vec);
                assert_eq!(first.as_ref(), model.front(), "step {index}");
                assert_eq!(consumer.peek().unwrap(), first.as_deref(), "step {index}");
            }
            Step::Reopen => {
                drop((producer, consumer));
                let again = Cells::attach(cells.fd().try_clone_to_owned().unwrap()).unwrap();
                (producer, consumer) = (again.producer().unwrap(), again.consumer().unwrap());
            }
        }
    }
}

proptest! {
    #[test]
    fn cells_behave_as_a_queue(steps in steps(), futex in any::<bool>()) {
        check_cells(&steps, if futex { Waking::Futex } else { Waking::Never });
    }

    #[test]
    fn ring_behaves_as_a_queue(steps in steps(), crc in any::<bool>(), futex in any::<bool>()) {
        let integrity = if crc { Integrity::Crc32c } else { Integrity::None };
        check(&steps, integrity, if futex { Waking::Futex } else { Waking::Never });
    }
}

#[test]
fn longest_message_fits_at_every_offset() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let message: Vec<u8> = (0..ring.message_max()).map(|at| at as u8).collect();
    for lap in 0..1500 {
        producer.push(&message).unwrap();
        assert_eq!(producer.push(b""), Err(PushError::Full), "lap {lap}");
        assert_eq!(consumer.pop(|found| found == message).unwrap(), Some(true), "lap {lap}");
        // Moves the next lap's start by one word.
        producer.push(b"").unwrap();
        assert_eq!(consumer.pop(<[u8]>::len).unwrap(), Some(0), "lap {lap}");
    }
    assert_eq!(producer.push(&vec![0; ring.message_max() + 1]), Err(PushError::TooLarge));
    assert_eq!(producer.push_with(usize::MAX, |_| {}), Err(PushError::TooLarge));
}

#[test]
fn short_messages_fit_at_every_offset() {
    let ring = Ring::create(4096, Integrity::None).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    // Three kinds of records: several on a line, one on a line, one on two lines; empty ones move their start by a word.
    for len in [8, 56, 64] {
        let message: Vec<u8> = (0..len).collect();
        for lap in 0..1500 {
            producer.push(&message).unwrap();
            assert_eq!(consumer.pop(|found| found == message).unwrap(), Some(true), "{len} bytes, lap {lap}");
            producer.push(&message).unwrap();
            producer.push(b"").unwrap();
            assert_eq!(consumer.pop(|found| found == message).unwrap(), Some(true), "{len} bytes, lap {lap}");
            assert_eq!(consumer.pop(<[u8]>::len).unwrap(), Some(0), "{len} bytes, lap {lap}");
            assert_eq!(consumer.pop(<[u8]>::len).unwrap(), None, "{len} bytes, lap {lap}");
        }
    }
}
