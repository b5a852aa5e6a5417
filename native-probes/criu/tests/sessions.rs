//! Cold starts as the host runs them, and their failures. Tests that need CRIU are skipped with the reason where none
//! works.

#![cfg(target_os = "linux")]

use bench_model::{Arguments, ModuleError, Session, Value};
use criu::{Companion, Criu, ServerFault};
use probe_abi::Probe;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn companion(fault: Option<ServerFault>) -> Companion {
    Companion { program: env!("CARGO_BIN_EXE_criu-server").into(), fault }
}

/// The defaults, changed by `given`, in `folder`.
fn arguments(given: &[(&str, Value)], folder: &Path) -> Arguments {
    let descriptor = Criu::describe();
    let parameters = descriptor.scenarios[0].parameters.iter();
    let mut arguments: Arguments =
        parameters.map(|parameter| (parameter.name.clone(), parameter.defaults[0].clone())).collect();
    for (name, value) in given {
        assert!(arguments.get(name).is_some(), "there is no parameter {name}");
        arguments.set(*name, value.clone());
    }
    arguments.set("directory", folder.to_str().unwrap());
    arguments
}

fn open(given: &[(&str, Value)], fault: Option<ServerFault>, folder: &Path) -> Result<Box<dyn Session>, ModuleError> {
    criu::open("cold-start", &arguments(given, folder), companion(fault), None)
}

/// Opens a session; `None`, with the reason printed, where this machine cannot.
fn opened(given: &[(&str, Value)], folder: &Path) -> Option<Box<dyn Session>> {
    match open(given, None, folder) {
        Ok(session) => Some(session),
        Err(error) if error.is_environment() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{given:?}: {error}"),
    }
}

/// Starts a few times, and expects correct responses and no leftovers.
#[track_caller]
fn check(given: &[(&str, Value)]) {
    let folder = tempfile::tempdir().unwrap();
    let before = children();
    if let Some(mut session) = opened(given, folder.path()) {
        assert_eq!(session.iterate(0).unwrap().operations, 0);
        let first = session.iterate(1).unwrap();
        let more = session.iterate(3).unwrap();
        assert_eq!((first.operations, more.operations, first.checksum), (1, 3, more.checksum), "{given:?}");
        for check in session.verify().unwrap() {
            assert!(check.passed, "{given:?}: {}: {}", check.name, check.detail);
        }
    }
    nothing_is_left(&before, folder.path());
}

/// All descendants of this thread by PID, with their commands: a session's processes, and theirs.
fn children() -> Vec<(u32, String)> {
    let thread = fs::read_link("/proc/thread-self").unwrap();
    // Tests run in parallel, each in its own thread.
    below(&Path::new("/proc").join(thread).join("children"))
}

/// All processes that the file `children` of a thread names, and their descendants.
fn below(children: &Path) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for child in fs::read_to_string(children).unwrap_or_default().split_whitespace() {
        let command = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        found.push((child.parse().unwrap(), command.replace('\0', " ")));
        found.extend(below(Path::new(&format!("/proc/{child}/task/{child}/children"))));
    }
    found
}

#[track_caller]
fn nothing_is_left(before: &[(u32, String)], folder: &Path) {
    assert_eq!(children(), before, "processes are left");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [""; 0].map(PathBuf::from), "files are left");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "a mount is left");
    assert!(!Path::new("/run/images").exists(), "the namespace's mounts are seen outside");
}

const MIB: i64 = 1 << 20;

#[test]
fn a_spawned_server_answers() {
    check(&[("start", "spawn".into())]);
    check(&[("start", "spawn".into()), ("heap_bytes", (3 * MIB + 1).into()), ("init_ms", 2.into())]);
}

#[test]
fn a_forked_and_executed_server_answers() {
    check(&[("start", "fork-exec".into())]);
    check(&[("start", "fork-exec".into()), ("heap_bytes", (3 * MIB + 1).into()), ("init_ms", 2.into())]);
}

#[test]
fn scripts_answer() {
    check(&[("start", "spawn-python".into()), ("init_ms", 2.into())]);
    check(&[("start", "spawn-node".into()), ("init_ms", 2.into())]);
}

#[test]
fn a_forked_server_answers() {
    check(&[("start", "fork-zygote".into()), ("heap_bytes", (16 * MIB).into()), ("init_ms", 5.into())]);
}

#[test]
fn a_restored_server_answers() {
    for images in ["tmpfs", "disk"] {
        for cache in ["warm", "cold"] {
            for caller in ["command", "standby"] {
                let given = [
                    ("start", "criu-restore".into()),
                    ("images", images.into()),
                    ("cache", cache.into()),
                    ("caller", caller.into()),
                ];
                check(&given);
            }
        }
    }
    check(&[("start", "criu-restore".into()), ("heap_bytes", (16 * MIB).into()), ("init_ms", 5.into())]);
}

#[test]
fn a_lazily_restored_server_answers() {
    check(&[("start", "criu-lazy-pages".into())]);
    check(&[("start", "criu-lazy-pages".into()), ("images", "disk".into()), ("heap_bytes", (16 * MIB).into())]);
}

/// Expects an error from opening or, if that succeeds, from starting once after `hurt` has changed the session's
/// namespace. Nothing may be left over.
#[track_caller]
fn refused(given: &[(&str, Value)], fault: Option<ServerFault>, hurt: &dyn Fn(&Path), expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let before = children();
    let error = open(given, fault, folder.path()).and_then(|mut session| {
        hurt(folder.path());
        // A second attempt must fail in the same way, unaffected by leftovers.
        let error = session.iterate(1).and_then(|_| session.verify().map(drop)).err();
        match (error, session.iterate(1)) {
            (Some(error), Err(_)) => Err(error),
            (None, _) => {
                let failed = session.verify()?.into_iter().find(|check| !check.passed);
                Err(ModuleError::Other(failed.map_or_else(|| "it succeeded".to_owned(), |check| check.detail)))
            }
            (Some(error), Ok(_)) => panic!("{error}, and then it succeeded"),
        }
    });
    nothing_is_left(&before, folder.path());
    match error {
        Err(error) if error.is_environment() => eprintln!("skipped: {error}"),
        Err(error) => assert!(error.to_string().contains(expect), "{given:?}: {error}"),
        Ok(()) => panic!("{given:?}: it succeeded"),
    }
}

const RESTORE: (&str, &str) = ("start", "criu-restore");

fn start(kind: &str) -> [(&str, Value); 1] {
    [("start", kind.into())]
}

#[test]
fn a_wrong_response_fails_the_check() {
    refused(
        &start("spawn"),
        Some(ServerFault::AnswerWrongly),
        &|_| {},
        "start 1: HTTP/1.1 200 OK: {}; expected {\"digest\"",
    );
    refused(
        &start("criu-restore"),
        Some(ServerFault::AnswerWrongly),
        &|_| {},
        "failed before its checkpoint: it responded",
    );
}

#[test]
fn a_function_that_exits_is_reported_at_once() {
    refused(&start("spawn"), Some(ServerFault::DieSilently), &|_| {}, "closed the connection without a response");
    refused(
        &start("criu-restore"),
        Some(ServerFault::DieSilently),
        &|_| {},
        "failed before its checkpoint: it closed the connection",
    );
    refused(&start("criu-restore"), Some(ServerFault::Die), &|_| {}, "exited before its checkpoint");
    let folder = tempfile::tempdir().unwrap();
    let companion = Companion { program: "/bin/false".into(), fault: None };
    let mut session = criu::open("cold-start", &arguments(&start("spawn"), folder.path()), companion, None).unwrap();
    let error = session.iterate(1).unwrap_err().to_string();
    assert!(error.contains("/bin/false exited with exit status: 1"), "{error}");
}

/// Changes the images of a session in the scratch folder.
#[track_caller]
fn damaged(file: &str, change: &dyn Fn(&mut Vec<u8>), expect: &str) {
    for caller in ["command", "standby"] {
        let given = [(RESTORE.0, RESTORE.1.into()), ("images", "disk".into()), ("caller", caller.into())];
        let hurt = |folder: &Path| {
            let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let images = folders.into_iter().find(|path| path.is_dir()).unwrap();
            let image = fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().path());
            let image = image.into_iter().find(|path| path.to_str().unwrap().contains(file)).unwrap();
            let mut bytes = fs::read(&image).unwrap();
            change(&mut bytes);
            fs::write(&image, bytes).unwrap();
        };
        refused(&given, None, &hurt, expect);
    }
}

#[test]
fn damaged_images_are_refused_without_leftovers() {
    damaged("/pages-1.img", &|bytes| bytes.truncate(4096), "is damaged: it has 4096 bytes instead of");
    damaged("/inventory.img", &|bytes| bytes.truncate(6), "is damaged: it has 6 bytes instead of");
    for file in ["/inventory.img", "/core-", "/mm-", "/pstree.img"] {
        damaged(file, &|bytes| bytes.fill(0), "CRIU cannot restore the images in");
    }
}

#[test]
fn images_of_another_machine_are_refused() {
    // The first field of a process' image is the kind of machine; before it come two magic numbers and a length.
    let change = |bytes: &mut [u8]| {
        assert_eq!(bytes[12], 0x08, "the image begins with another field");
        bytes[13] ^= 3;
    };
    damaged("/core-", &|bytes| change(bytes), "CRIU cannot restore the images in");
}

#[test]
fn invalid_arguments_are_refused_with_a_reason() {
    let lazily = [("start", "criu-lazy-pages".into()), ("caller", "standby".into())];
    refused(&lazily, None, &|_| {}, "give caller=command");
    refused(&start("fork"), None, &|_| {}, "give one of spawn, spawn-python");
    let folder = tempfile::tempdir().unwrap();
    let error = criu::open("nothing", &arguments(&[], folder.path()), companion(None), None).err().unwrap();
    assert_eq!(error, ModuleError::UnknownScenario("nothing".to_owned()));
}

/// The folder of a session that another process holds.
const HELD: &str = "CRIU_TEST_HELD_FOLDER";

/// Not a test but a process that [`a_killed_session_leaves_no_process`] starts and kills.
#[test]
#[ignore = "it holds a session until it is killed"]
fn holds_a_session() {
    let Some(folder) = std::env::var_os(HELD) else { return };
    let mut session = opened(&start("criu-restore"), Path::new(&folder));
    if let Some(session) = &mut session {
        session.iterate(1).unwrap();
    }
    let said = if session.is_some() { "\nheld\n" } else { "\nskipped\n" };
    std::io::stdout().write_all(said.as_bytes()).unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_killed_session_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "holds_a_session", "--nocapture"])
        .env(HELD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said = said.into_iter().find(|line| line == "held" || line == "skipped").expect("it says how it went");
    // All that it has started, in whatever thread; a descriptor of a process tells when that has ended.
    let threads = fs::read_dir(format!("/proc/{}/task", holder.id())).unwrap();
    let mut started = Vec::new();
    for thread in threads.map(|entry| entry.unwrap().path()) {
        started.extend(below(&thread.join("children")));
    }
    let ends = started.iter().map(|(pid, command)| {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        (rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap(), command)
    });
    let ends: Vec<_> = ends.collect();
    assert_eq!(said == "held", ends.len() >= 2, "{started:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    for (end, command) in ends {
        let mut poll = [rustix::event::PollFd::new(&end, rustix::event::PollFlags::IN)];
        let timeout = std::time::Duration::from_secs(30).try_into().unwrap();
        assert_eq!(rustix::event::poll(&mut poll, Some(&timeout)), Ok(1), "{command} has outlived its session");
    }
}
