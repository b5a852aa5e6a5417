//! Fleets in which one agent cannot measure the run, or lies: the others measure everything, and the user is told. The liar is a real agent whose
//! messages a process between it and the coordinator changes.

use crate::fleets::{WORDS, all_cells, check_bit_exact, folders, ok_cells, with_ssh};
use crate::host::{Host, PROGRAM, Ran};
use bench_sink::digest;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// The environment of the process between: what it changes, and the arguments of the agent.
const LIE: &str = "BENCH_HOST_TEST_LIE";
const ARGUMENTS: &str = "BENCH_HOST_TEST_ARGUMENTS";

/// Has the machine `b` start an agent that lies in the way that is inserted.
fn ssh(lie: &str) -> String {
    let program = std::env::current_exe().unwrap();
    format!(
        "#!/bin/sh\nwhile [ \"$1\" != bench-host ]; do machine=$1; shift; done\n[ \"$machine\" = b ] || exec \"$@\"\nshift\n\
         exec env {LIE}={lie} {ARGUMENTS}=\"$*\" '{}' --ignored --exact fleet_faults::lying_agent --nocapture\n",
        program.display()
    )
}

/// Measures with these agents, of which `b` lies, and checks the exit status.
#[track_caller]
fn measure(lie: &str, agents: &str, status: i32) -> (Host, Ran) {
    let host = Host::with_hostile();
    let line = format!("{WORDS} --on ssh:{agents} --share-machine");
    let mut command = with_ssh(&host, &line);
    fs::write(host.path("bin/ssh"), ssh(lie)).unwrap();
    let ran = Ran::of(&mut command).check(&line, status);
    (host, ran)
}

/// Checks that a run with an honest agent and one that lies is measured whole, and what the user is told.
#[track_caller]
fn check(lie: &str, status: i32, parts: &[&str]) -> Host {
    let (host, ran) = measure(lie, "a,b", status);
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is not in: {}", ran.stderr);
    }
    assert_eq!(ok_cells(&ran.json()), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a", "b"]);
    assert!(host.check("fleet verify", 0).stdout.contains("all unchanged, and each repetition once"));
    host
}

/// The state of the agent `b`.
fn state(host: &Host) -> String {
    let status = host.check("fleet status --format json", 0).json();
    status["agents"][1]["state"].as_str().unwrap().to_owned()
}

#[test]
fn fleet_goes_on_without_an_agent_that_refuses_the_run() {
    let host = check("refuses", 0, &["agent b cannot measure this run: it does not want to"]);
    assert_eq!(state(&host), "excluded");
}

#[test]
fn fleet_goes_on_without_an_agent_that_sends_what_is_no_block() {
    let told =
        ["agent b sent a block of cell ", " that cannot be so: line 1 is not a record", "others measure what it held"];
    let host = check("no-block", 0, &told);
    assert_eq!(state(&host), "excluded");
}

#[test]
fn fleet_goes_on_without_an_agent_that_sends_the_block_of_another_run() {
    check("other-run", 0, &["agent b sent a block of part 0 of its notes that cannot be so: it is of another run"]);
}

#[test]
fn fleet_goes_on_without_an_agent_that_says_that_it_has_measured_what_it_has_not() {
    check("nothing", 0, &["agent b sent word that it has measured group 0, but not repetitions of cell "]);
}

#[test]
fn other_block_of_the_same_repetition_is_a_finding() {
    let host = check("twice", 1, &["agent b sent two different blocks of cell ", "the first one counts"]);
    assert_eq!(state(&host), "left", "it measures on");
    host.check("fleet attach", 1);
}

#[test]
fn different_results_of_equal_arguments_are_a_finding() {
    let told = "has different results on a and b: equal arguments must yield equal results";
    let host = check("other-result", 1, &[told]);
    let (fleet, _) = folders(&host);
    let collected = ["a", "b"].map(|agent| fleet.join("collected").join(agent).display().to_string());
    let merged = host.check(&format!("fleet merge {} --share-machine --out kept", collected.join(" ")), 1);
    assert!(merged.stderr.contains(told), "{}", merged.stderr);
}

#[test]
fn class_without_an_agent_that_can_measure_is_named() {
    let (host, ran) = measure("refuses", "b", 2);
    let none =
        "no agent of class 1 is left that can measure its last 2 groups of cells; start a new run, with other machines";
    assert!(ran.stderr.contains(none), "{}", ran.stderr);
    // What there is of the run is kept, with the reason why there is no more.
    let document = ran.json();
    assert_eq!(document["run"]["interrupted"], none);
    assert!(ok_cells(&document).is_empty(), "{document:#}");
    assert_eq!(host.check("fleet status --format json", 0).json()["exit"], 2);
}

/// A message of an agent: its line, and the bytes of its block.
struct Message {
    line: String,
    block: Vec<u8>,
}

impl Message {
    /// The next message of an agent; `None` at the end.
    fn receive(from: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let message: Value = serde_json::from_str(&line).ok()?;
        let mut block = vec![0; message["bytes"].as_u64().unwrap_or(0) as usize];
        from.read_exact(&mut block).ok()?;
        Some(Self { line, block })
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.line).unwrap()
    }

    /// The same announcement, of another block.
    fn with(&self, block: Vec<u8>) -> Self {
        let mut value = self.value();
        value["bytes"] = json!(block.len());
        value["sha256"] = json!(digest::of_bytes(&block));
        Self { line: format!("{value}\n"), block }
    }

    /// The same announcement, of a block in which a text is another.
    fn replaced(&self, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.block.clone()).unwrap();
        assert!(text.contains(from), "{from} is not in: {text}");
        self.with(text.replacen(from, to, 1).replace("\"digest\"", "\"was\"").into_bytes())
    }

    fn send(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.line.as_bytes())?;
        out.write_all(&self.block)?;
        out.flush()
    }
}

/// What is sent in place of a message.
fn changed(lie: &str, message: Message, agent: &mut Child) -> Vec<Message> {
    let value = message.value();
    let part = &value["part"];
    match lie {
        "refuses" if value["message"] == "ready" => {
            let _ = agent.kill();
            let failed = json!({ "message": "failed", "reason": "it does not want to" });
            vec![Message { line: format!("{failed}\n"), block: Vec::new() }]
        }
        "other-run" if part["note"] == 0 => vec![message.replaced("\"id\":\"", "\"id\":\"not-")],
        "no-block" if part["repetition"].is_object() => vec![message.with(b"made up\n".to_vec())],
        "nothing" if part["repetition"].is_object() => Vec::new(),
        "twice" if part["repetition"].is_object() => {
            let other = message.replaced("\"iterations\":", "\"iterations\":1");
            vec![message, other]
        }
        "other-result" if part["repetition"].is_object() => {
            let text = String::from_utf8_lossy(&message.block).into_owned();
            let Some((_, rest)) = text.split_once("\"checksum\":\"") else { return vec![message] };
            let other = if rest.starts_with('0') { "1" } else { "0" };
            vec![message.replaced(&format!("\"checksum\":\"{}", &rest[..1]), &format!("\"checksum\":\"{other}"))]
        }
        _ => vec![message],
    }
}

/// Not a test, but an agent that lies as its environment says.
#[test]
#[ignore = "the tests of this file start it as a process"]
fn lying_agent() {
    let (Ok(lie), Ok(arguments)) = (std::env::var(LIE), std::env::var(ARGUMENTS)) else { return };
    // Orders go to the agent itself.
    let mut command = Command::new(PROGRAM);
    command.args(arguments.split(' ')).stdin(Stdio::inherit()).stdout(Stdio::piped());
    let mut agent = command.spawn().unwrap();
    let mut sent = BufReader::new(agent.stdout.take().unwrap());
    let mut out = io::stdout();
    // Ends the line that the test harness may have begun.
    out.write_all(b"\n").unwrap();
    while let Some(message) = Message::receive(&mut sent) {
        let messages = changed(&lie, message, &mut agent);
        // The coordinator may have had enough.
        if messages.iter().any(|message| message.send(&mut out).is_err()) {
            break;
        }
    }
    drop(sent);
    let status = agent.wait().unwrap();
    std::process::exit(status.code().unwrap_or(2));
}
