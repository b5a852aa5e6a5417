//! Both ends at once: in two threads, and in two processes. No test asserts how long anything takes.

#![cfg(target_os = "linux")]

use shm_ring::{Cells, Consumer, Integrity, Producer, PushError, Ring, Wait, Waking};
use std::process::Command;
use std::time::Duration;

const MESSAGES: u64 = 100_000;
/// The path by which the second process finds the ring.
const RING_PATH: &str = "SHM_RING_TEST_PATH";

fn length(index: u64) -> usize {
    (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize
}

fn message(index: u64, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend((0..length(index)).map(|at| (at as u64 ^ index) as u8));
}

fn send(producer: &mut Producer, wait: Wait) {
    let mut buffer = Vec::new();
    for index in 0..MESSAGES {
        message(index, &mut buffer);
        loop {
            match producer.push_waiting(&buffer, wait) {
                Ok(()) => break,
                Err(PushError::Full) => std::thread::yield_now(),
                Err(error) => panic!("message {index}: {error}"),
            }
        }
    }
}

fn receive(consumer: &mut Consumer, wait: Wait) {
    let mut buffer = Vec::new();
    for index in 0..MESSAGES {
        message(index, &mut buffer);
        loop {
            match consumer.pop_waiting(|found| assert_eq!(found, buffer, "message {index}"), wait).unwrap() {
                Some(()) => break,
                None => std::thread::yield_now(),
            }
        }
    }
    assert_eq!(consumer.pop(|_| ()), Ok(None));
}

fn check(integrity: Integrity, waking: Waking, wait: Wait) {
    let ring = Ring::create_with(4096, integrity, waking).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || send(&mut producer, wait));
        receive(&mut consumer, wait);
    });
}

const SPIN: Wait = Wait::Spin { rounds: 100 };
const PARK: Wait = Wait::Park { rounds: 10, timeout: Duration::from_secs(3600) };

#[test]
fn messages_pass_between_spinning_threads() {
    check(Integrity::None, Waking::Never, SPIN);
    check(Integrity::Crc32c, Waking::Never, SPIN);
}

/// With an hour's timeout a lost wake-up would hang the test.
#[test]
fn messages_pass_between_sleeping_threads() {
    check(Integrity::None, Waking::Futex, PARK);
    check(Integrity::Crc32c, Waking::Futex, PARK);
}

#[test]
fn wait_ends_at_its_timeout() {
    let ring = Ring::create_with(4096, Integrity::None, Waking::Futex).unwrap();
    let (mut producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let park = Wait::Park { rounds: 0, timeout: Duration::from_millis(1) };
    assert_eq!(consumer.pop_waiting(|_| (), park), Ok(None));
    assert_eq!(consumer.pop_waiting(|_| (), SPIN), Ok(None));
    producer.push(&[0; 4080]).unwrap();
    assert_eq!(producer.push_waiting(b"", park), Err(PushError::Full));
}

#[test]
fn processes() {
    let ring = Ring::create_with(4096, Integrity::Crc32c, Waking::Futex).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&ring.fd());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "second_process", "--ignored", "--quiet"])
        .env(RING_PATH, format!("/proc/{}/fd/{fd}", std::process::id()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let timeout = Duration::from_millis(100);
    let mut consumer = ring.consumer().unwrap();
    while !consumer.wait(Wait::Park { rounds: 0, timeout }) {
        assert_eq!(child.try_wait().unwrap(), None, "the second process ended before it sent anything");
    }
    receive(&mut consumer, PARK);
    assert!(child.wait().unwrap().success());
    // The child gave its end back.
    ring.producer().unwrap();
}

#[test]
#[ignore = "the second half of `processes`, which runs it with the ring's path"]
fn second_process() {
    let Ok(path) = std::env::var(RING_PATH) else { return };
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    send(&mut Ring::attach(file.into()).unwrap().producer().unwrap(), PARK);
}

fn check_cells(waking: Waking, wait: Wait) {
    let cells = Cells::create(4096, waking).unwrap();
    let (mut producer, mut consumer) = (cells.producer().unwrap(), cells.consumer().unwrap());
    let text = |index: u64| [index.to_ne_bytes(), index.wrapping_mul(3).to_ne_bytes()].concat();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for index in 0..MESSAGES {
                while let Err(error) = producer.push_waiting(&text(index)[..8 + index as usize % 9], wait) {
                    assert_eq!(error, PushError::Full, "message {index}");
                    std::thread::yield_now();
                }
            }
        });
        for index in 0..MESSAGES {
            while !consumer.wait(wait) {
                std::thread::yield_now();
            }
            let same = consumer.pop(|found| found == &text(index)[..8 + index as usize % 9]);
            assert_eq!(same, Ok(Some(true)), "message {index}");
        }
        assert_eq!(consumer.pop(|_| ()), Ok(None));
    });
}

/// With an hour's timeout a lost wake-up would hang the test.
#[test]
fn messages_pass_between_threads_in_cells() {
    check_cells(Waking::Never, SPIN);
    check_cells(Waking::Futex, PARK);
}
