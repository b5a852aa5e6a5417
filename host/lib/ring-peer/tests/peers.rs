//! Peers as real processes: what they answer and count, and the error when one dies or stops answering. No test asserts how
//! long anything takes.

#![cfg(target_os = "linux")]

use ring_peer::{Config, PeerError, Placement, RingPeer, Task, Waiting};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MODES: [(Waiting, Placement); 3] = [
    (Waiting::Spinning, Placement::Cross),
    (Waiting::Sleeping, Placement::Cross),
    (Waiting::Sleeping, Placement::Same),
];

/// Peers pin their threads, so two at once would compete for the same CPUs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a peer, or prints why this machine cannot.
fn start(task: Task, (waiting, placement): (Waiting, Placement), patience: Duration) -> Option<RingPeer> {
    match RingPeer::start(Config { task, waiting, placement, ring_bytes: 16 << 10, patience }) {
        Ok(peer) => Some(peer),
        Err(error) if error.is_unavailable() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn pid(peer: &RingPeer) -> Pid {
    Pid::from_raw(peer.pid().cast_signed()).unwrap()
}

fn message(number: u64, len: usize) -> Vec<u8> {
    number.to_le_bytes().into_iter().chain((0..len).map(|at| (at * 7) as u8)).take(len).collect()
}

/// More messages than the ring holds, in both directions, arrive whole and in order; no process is left.
fn check(mode: (Waiting, Placement), len: usize) {
    const MESSAGES: u64 = 300;
    let _alone = alone();
    let before = rustix::thread::sched_getaffinity(None).unwrap();
    let Some(mut echo) = start(Task::Echo, mode, Duration::from_secs(60)) else { return };
    for number in 0..MESSAGES {
        let message = message(number, len);
        echo.send(&message).unwrap();
        assert_eq!(echo.receive().unwrap(), message, "{mode:?}");
    }
    let tally = echo.tally().unwrap();
    assert_eq!((tally.messages, tally.in_place), (MESSAGES, true), "{mode:?}");
    let echo_pid = pid(&echo);
    drop(echo);
    let mut counter = start(Task::Count, mode, Duration::from_secs(60)).unwrap();
    for number in 0..MESSAGES {
        counter.send(&message(number, len)).unwrap();
    }
    for number in MESSAGES..2 * MESSAGES {
        counter.stage(&message(number, len)).unwrap();
    }
    counter.publish();
    let tally = counter.tally().unwrap();
    assert_eq!((tally.messages, tally.altered, tally.out_of_order), (2 * MESSAGES, 0, 0), "{mode:?}");
    let counter_pid = pid(&counter);
    drop(counter);
    for pid in [echo_pid, counter_pid] {
        assert_eq!(test_kill_process(pid), Err(rustix::io::Errno::SRCH), "{mode:?}");
    }
    assert_eq!(rustix::thread::sched_getaffinity(None).unwrap(), before);
}

#[test]
fn messages_arrive_whole_and_in_order() {
    for mode in MODES {
        check(mode, 8);
        check(mode, 64);
        check(mode, 16_000);
    }
}

#[test]
fn invalid_requests_are_reported() {
    let _alone = alone();
    let mode = (Waiting::Sleeping, Placement::Same);
    let mut counter = start(Task::Count, mode, Duration::from_secs(60)).unwrap();
    for number in [0, 1, 3] {
        counter.send(&message(number, 64)).unwrap();
    }
    counter.send(&message(4, 63)).unwrap();
    let tally = counter.tally().unwrap();
    assert_eq!((tally.messages, tally.altered, tally.out_of_order), (4, 1, 1));
    let refused = counter.send(&[]).unwrap_err().to_string();
    assert_eq!(refused, "a message of 0 bytes cannot be sent to the peer; send 1 to 16368");
    assert!(matches!(counter.send(&[0; 16_384]), Err(PeerError::Length { len: 16_384, most: 16_368 })));
    let mut echo = start(Task::Echo, mode, Duration::from_secs(60)).unwrap();
    echo.send(&[0; 5]).unwrap();
    assert!(matches!(echo.tally(), Err(PeerError::NoTally { found: 5 })));
}

/// Sends `signal` to a peer in the middle of messages, and returns the sender's error.
#[expect(clippy::disallowed_methods, reason = "the peer is to be disturbed in the middle of messages")]
fn disturbed(task: Task, mode: (Waiting, Placement), signal: Signal) -> Option<String> {
    let _alone = alone();
    let mut peer = start(task, mode, Duration::from_millis(300))?;
    let pid = pid(&peer);
    let disturber = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        kill_process(pid, signal).unwrap();
    });
    let error = (0..).find_map(|number| {
        let result = peer.send(&message(number, 64));
        let result = if task == Task::Echo { result.and_then(|()| peer.receive().map(|_| ())) } else { result };
        result.err()
    });
    disturber.join().unwrap();
    drop(peer);
    assert_eq!(test_kill_process(pid), Err(rustix::io::Errno::SRCH), "{mode:?}");
    Some(error.unwrap().to_string())
}

#[test]
fn dead_peer_is_an_error() {
    for (task, mode) in MODES.into_iter().flat_map(|mode| [(Task::Echo, mode), (Task::Count, mode)]) {
        let Some(error) = disturbed(task, mode, Signal::KILL) else { continue };
        assert!(error.contains("was killed by signal 9, and "), "{mode:?}: {error}");
    }
}

#[test]
fn silent_peer_is_an_error() {
    for (task, mode) in MODES.into_iter().flat_map(|mode| [(Task::Echo, mode), (Task::Count, mode)]) {
        let Some(error) = disturbed(task, mode, Signal::STOP) else { continue };
        assert!(error.contains("has been silent for 0.3 s, and "), "{mode:?}: {error}");
    }
}

#[test]
fn spinning_needs_two_cores() {
    assert!(start(Task::Echo, (Waiting::Spinning, Placement::Same), Duration::from_secs(1)).is_none());
}
