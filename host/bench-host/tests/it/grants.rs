//! What a component asks for is denied until an option, the user's policy or an answer on a terminal grants it.

use crate::host::{Host, PROGRAM, Ran, cells, command, skip};
use std::fs::{self, File};
use std::process::Command;

const LINE: &str = "load hostile.wasm --filter hostile/asks --arm wasm --quick --time 20ms --format json";
const VARIABLE: &str = "BENCH_HOST_ASKED";

/// Gives `command` a policy of its own, and the variable that the module asks for.
fn as_user<'a>(command: &'a mut Command, host: &Host) -> &'a mut Command {
    command.env("XDG_CONFIG_HOME", host.path("config")).env(VARIABLE, "1")
}

/// Runs `line`, and checks that the cell is measured, or skipped for a reason with `parts`.
#[track_caller]
fn check(host: &Host, line: &str, denied: Option<&[&str]>) {
    let status = if denied.is_some() { 2 } else { 0 };
    let document = Ran::of(as_user(&mut host.command(line), host)).check(line, status).json();
    let cell = cells(&document, "hostile/asks")[0];
    let reason = cell["reason"].as_str().unwrap_or_default();
    assert_eq!(cell["status"], if denied.is_some() { "skipped" } else { "ok" }, "{cell:#}");
    for part in denied.unwrap_or_default() {
        assert!(reason.contains(part), "{part:?} is not in: {reason}");
    }
}

fn digest(host: &Host) -> String {
    format!("sha256:{}", bench_sink::digest::of_file(&host.path("hostile.wasm")).expect("the module can be read"))
}

#[test]
fn variable_is_denied_until_an_option_or_the_policy_grants_it() {
    let host = Host::with_hostile();
    let digest = digest(&host);
    let trust = format!("bench-host registry trust {digest} --grant 'env {VARIABLE}'");
    let told = ["it asks to read the environment variable", "(it is measured)", "give --env BENCH_HOST_ASKED", &trust];
    check(&host, LINE, Some(&told));
    check(&host, &format!("{LINE} --env {VARIABLE}"), None);
    let grant = |arguments: &[&str]| {
        let mut command = host.command("registry trust");
        Ran::of(as_user(command.args(arguments), &host)).check("registry trust", 0);
    };
    grant(&[&digest, "--grant", "env BENCH_HOST_ASKED"]);
    check(&host, LINE, None);
    // Of another file.
    grant(&[&digest, "--revoke"]);
    grant(&[&format!("sha256:{}", "0".repeat(64)), "--grant", "env BENCH_HOST_ASKED"]);
    check(&host, LINE, Some(&told));
}

#[test]
fn probe_is_not_asked() {
    let host = Host::with_hostile();
    check(&host, &LINE.replace("--arm wasm", "--arm native"), None);
}

/// Answers `typed` on a terminal, and returns what was shown there; `None` where there is no terminal.
fn on_terminal(host: &Host, typed: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        skip("`script` of util-linux is absent, so there is no terminal to ask on");
        return None;
    }
    let answer = host.path("answer");
    fs::write(&answer, typed).expect("the answer is written");
    let mut script = command("script");
    let line = format!("{PROGRAM} {LINE} --quiet");
    script.args(["--quiet", "--command", &line, "/dev/null"]).current_dir(host.path(""));
    let answer = File::open(&answer).expect("the answer is read");
    Some(Ran::of(as_user(&mut script, host).stdin(answer)).stdout)
}

#[test]
fn first_load_on_a_terminal_asks_and_remembers() {
    for (typed, is_granted) in [("y\n", true), ("n\n", false), ("\n", false)] {
        let host = Host::with_hostile();
        let Some(shown) = on_terminal(&host, typed) else { return };
        for part in ["hostile.wasm asks to", "read the environment variable BENCH_HOST_ASKED (it is measured)", "[y/N]"]
        {
            assert!(shown.contains(part), "{part:?} is not in: {shown}");
        }
        let denied: Option<&[&str]> = if is_granted { None } else { Some(&["which is not granted"]) };
        check(&host, LINE, denied);
        let again = on_terminal(&host, "").expect("there is a terminal");
        assert!(!again.contains("asks to\r"), "it asked again: {again}");
        assert!(host.path("config/bench-host/policy.toml").is_file());
    }
}

#[test]
fn grant_that_is_none_is_refused() {
    let host = Host::with_hostile();
    let mut command = host.command("registry trust");
    let ran =
        Ran::of(as_user(command.args([digest(&host).as_str(), "--grant", "root"]), &host)).check("registry trust", 2);
    assert!(ran.stderr.contains("`root` is not a grant"), "{}", ran.stderr);
    assert!(!host.path("config").exists(), "it was remembered");
}
