//! Every transport, scenario and placement with a real peer process.

#![cfg(target_os = "linux")]

use bench_model::{ModuleError, Outcome, Session as _};
use ipc::{Config, Look, Paired, Placement, ScenarioKind, Session, TransportKind};
use rustix::process::{Pid, Signal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sessions pin their thread, so two at once would disturb each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A configuration with the defaults of the other arguments.
fn config(
    scenario: ScenarioKind,
    transport: TransportKind,
    payload_bytes: usize,
    placement: Placement,
    batch: u64,
) -> Config {
    let (look, frame_bytes) = (Look::Word, Config::FRAME_BYTES);
    Config { scenario, transport, payload_bytes, placement, batch, pauses: 0, look, frame_bytes }
}

/// Opens a session, or prints why this machine cannot.
fn open(config: Config) -> Option<Session> {
    match Session::open(config) {
        Ok(session) => Some(session),
        Err(ModuleError::Unavailable(reason)) => {
            eprintln!("skipped: {reason}");
            None
        }
        Err(error) => panic!("{config:?}: {error}"),
    }
}

fn pid(peer_pid: u32) -> Pid {
    Pid::from_raw(peer_pid.cast_signed()).unwrap()
}

/// Runs both scenarios, expects correct counts and checks, and expects the peer to have exited afterwards.
fn check(transport: TransportKind, payload_bytes: usize, placement: Placement) {
    let _alone = alone();
    for (scenario, ways) in [(ScenarioKind::PingPong, 2), (ScenarioKind::Stream, 1)] {
        let config = config(scenario, transport, payload_bytes, placement, 1);
        let before = rustix::thread::sched_getaffinity(None).unwrap();
        let Some(mut session) = open(config) else { continue };
        let nothing = session.iterate(0).unwrap();
        assert_eq!((nothing.operations, nothing.bytes), (0, 0), "{config:?}");
        for times in [1, 2, 100] {
            let outcome = session.iterate(times).unwrap();
            let bytes = ways * times * payload_bytes as u64;
            assert_eq!(outcome, Outcome { operations: times, bytes, checksum: nothing.checksum }, "{config:?}");
        }
        for check in session.verify().unwrap() {
            assert!(check.passed, "{config:?}: {check:?}");
        }
        let peer = pid(session.peer_pid());
        drop(session);
        assert_eq!(rustix::process::test_kill_process(peer), Err(rustix::io::Errno::SRCH), "{config:?}");
        assert_eq!(rustix::thread::sched_getaffinity(None).unwrap(), before, "{config:?}");
        let again = open(config).unwrap().iterate(1).unwrap();
        assert_eq!(again.checksum, nothing.checksum, "{config:?}");
    }
}

#[test]
fn every_transport_on_one_cpu() {
    for transport in TransportKind::ALL {
        check(transport, 8, Placement::Same);
        check(transport, 64, Placement::Same);
        check(transport, 65_536, Placement::Same);
    }
}

#[test]
fn every_transport_across_cpus() {
    for transport in TransportKind::ALL {
        check(transport, 8, Placement::Cross);
        check(transport, 56, Placement::Cross);
        check(transport, 64, Placement::Cross);
        check(transport, 65_536, Placement::Cross);
    }
}

/// Kills the peer `before` or during an endless batch, and expects an error with the exit status of the peer.
#[expect(clippy::disallowed_methods, reason = "the peer is to die in the middle of a batch")]
fn check_dead_peer(scenario: ScenarioKind, transport: TransportKind, before: bool) {
    let _alone = alone();
    // The longest message of a cell.
    let config = config(scenario, transport, 56, Placement::Cross, 1);
    let Some(mut session) = open(config) else { return };
    session.iterate(10).unwrap();
    let peer = pid(session.peer_pid());
    let kill = move || rustix::process::kill_process(peer, Signal::KILL).unwrap();
    let killer = if before {
        kill();
        None
    } else {
        Some(std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            kill();
        }))
    };
    let error = session.iterate(u64::MAX).unwrap_err().to_string();
    assert!(error.contains("the peer was killed by signal 9"), "{config:?}: {error}");
    let error = session.verify().unwrap_err().to_string();
    assert!(error.contains("failed before"), "{config:?}: {error}");
    killer.map(std::thread::JoinHandle::join).transpose().unwrap();
}

#[test]
fn a_dead_peer_is_an_error() {
    for transport in TransportKind::ALL {
        for scenario in [ScenarioKind::PingPong, ScenarioKind::Stream] {
            check_dead_peer(scenario, transport, true);
            check_dead_peer(scenario, transport, false);
        }
    }
}

/// Runs pairs of checked and raw round trips, then kills the peer in one of them.
#[expect(clippy::disallowed_methods, reason = "the peer is to die in the middle of a batch")]
fn check_pairs(transport: TransportKind, payload_bytes: usize, placement: Placement) {
    let _alone = alone();
    let config = config(ScenarioKind::RoundTrips, transport, payload_bytes, placement, 50);
    let mut session = match Paired::open(config, None) {
        Ok(session) => session,
        Err(ModuleError::Unavailable(reason)) => return eprintln!("skipped: {reason}"),
        Err(error) => panic!("{config:?}: {error}"),
    };
    for times in [1, 2, 9] {
        let outcome = session.iterate(times).unwrap();
        assert_eq!((outcome.operations, outcome.bytes), (times, times * 50 * 2 * payload_bytes as u64), "{config:?}");
    }
    for check in session.verify().unwrap() {
        assert!(check.passed, "{config:?}: {check:?}");
    }
    let peer = pid(session.peer_pid());
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        rustix::process::kill_process(peer, Signal::KILL).unwrap();
    });
    let error = session.iterate(u64::MAX).unwrap_err().to_string();
    assert!(error.contains("the peer was killed by signal 9"), "{config:?}: {error}");
    killer.join().unwrap();
}

#[test]
fn checked_and_raw_round_trips_are_interleaved() {
    for &transport in TransportKind::BARE {
        check_pairs(transport, 64, Placement::Same);
        check_pairs(transport, 8, Placement::Cross);
        check_pairs(transport, 56, Placement::Cross);
        check_pairs(transport, 65_536, Placement::Cross);
    }
}

/// Runs batches of several frames in one session, and pairs with pauses.
#[test]
fn longer_frames_and_pauses_lose_nothing() {
    let _alone = alone();
    for (payload_bytes, frame_bytes) in [(8, 1024), (56, 1024), (8, 16_384), (1024, 4096), (65_536, 2048)] {
        let batch = config(ScenarioKind::Stream, TransportKind::ShmRingBatch, payload_bytes, Placement::Cross, 10_000);
        let batch = Config { frame_bytes, batch: if payload_bytes > 64 { 100 } else { 10_000 }, ..batch };
        let Some(mut session) = open(batch) else { continue };
        for times in [1, 3] {
            let outcome = session.iterate(times).unwrap();
            assert_eq!(outcome.bytes, times * batch.batch * payload_bytes as u64, "{batch:?}");
        }
        for check in session.verify().unwrap() {
            assert!(check.passed, "{batch:?}: {check:?}");
        }
    }
    for transport in [TransportKind::ShmRingSpin, TransportKind::ShmRingCell, TransportKind::ShmRingFutex] {
        let paused = config(ScenarioKind::PingPong, transport, 56, Placement::Cross, 1);
        let Some(mut session) = open(Config { pauses: 3, look: Look::Message, ..paused }) else { continue };
        assert_eq!(session.iterate(1000).unwrap().operations, 1000);
        for check in session.verify().unwrap() {
            assert!(check.passed, "{transport:?}: {check:?}");
        }
    }
}

#[test]
fn no_queue_is_left_behind() {
    let _alone = alone();
    let config = config(ScenarioKind::PingPong, TransportKind::PosixMq, 64, Placement::Same, 1);
    let Some(_session) = open(config) else { return };
    let Ok(names) = std::fs::read_dir("/dev/mqueue") else {
        return eprintln!("skipped: /dev/mqueue is not mounted");
    };
    let own = format!("bench-host-ipc-{}-", std::process::id());
    let left: Vec<_> = names.flatten().filter(|name| name.file_name().to_string_lossy().starts_with(&own)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_unsupported_configuration_names_the_next_step() {
    let _alone = alone();
    let refusal = |transport, payload_bytes, placement| {
        let config = config(ScenarioKind::PingPong, transport, payload_bytes, placement, 1);
        match Session::open(config) {
            Err(ModuleError::Unavailable(reason)) => reason,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{config:?} was opened"),
        }
    };
    let spinning = refusal(TransportKind::ShmRingSpin, 64, Placement::Same);
    assert_eq!(spinning, "spinning needs two cores; use placement=cross or transport=shm-ring-futex");
    let cell = refusal(TransportKind::ShmRingCell, 64, Placement::Cross);
    assert!(cell.contains("use payload_bytes=56 or transport=shm-ring-spin"), "{cell}");
    let pipe = config(ScenarioKind::PingPong, TransportKind::Pipe, 64, Placement::Same, 1);
    let paused = Session::open(Config { pauses: 1, ..pipe });
    assert!(matches!(paused, Err(ModuleError::Unavailable(reason)) if reason.contains("use pauses=0")));
    let whole = Session::open(Config { look: Look::Message, ..pipe });
    assert!(matches!(whole, Err(ModuleError::Unavailable(reason)) if reason.contains("use look=word")));
    let framed = Session::open(Config { frame_bytes: 4096, ..pipe });
    assert!(matches!(framed, Err(ModuleError::Unavailable(reason)) if reason.contains("use frame_bytes=1024")));
    let http = Session::open(config(ScenarioKind::Stream, TransportKind::HttpUnix, 64, Placement::Same, 1));
    assert!(matches!(http, Err(ModuleError::Unavailable(reason)) if reason.contains("use ping-pong")));
    let queue = refusal(TransportKind::PosixMq, 1 << 30, Placement::Same);
    assert!(queue.contains("sysctl fs.mqueue.msgsize_max=") || queue.contains("no POSIX message queues"), "{queue}");
    let affinity = rustix::thread::sched_getaffinity(None).unwrap();
    let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| affinity.is_set(*cpu)).unwrap();
    let mut one = rustix::thread::CpuSet::new();
    one.set(first);
    rustix::thread::sched_setaffinity(None, &one).unwrap();
    let cross = refusal(TransportKind::Pipe, 64, Placement::Cross);
    rustix::thread::sched_setaffinity(None, &affinity).unwrap();
    assert!(cross.contains("placement=cross needs two CPUs"), "{cross}");
}

#[test]
fn the_descriptor_is_valid() {
    use probe_abi::Probe;
    let descriptor = ipc::Ipc::describe();
    descriptor.validate().unwrap();
    for scenario in &descriptor.scenarios {
        let arguments = scenario.parameters.iter().map(|each| (each.name.clone(), each.defaults[0].clone())).collect();
        Config::read(&scenario.name, &arguments).unwrap();
    }
}
