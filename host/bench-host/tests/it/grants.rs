//! What a component asks for is denied until an option, the user's policy or an answer on a terminal grants it.

use crate::host::{Host, PROGRAM, Ran, cells, command, skip};
use crate::modules::plugins;
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

#[test]
fn interface_of_the_host_is_there_until_it_is_denied() {
    let Some(files) = plugins(&["ring-client"]) else { return };
    let file = &files[0];
    let host = Host::new();
    let digest = format!("sha256:{}", bench_sink::digest::of_file(file).expect("the module can be read"));
    let status = |denied: &str| {
        let line =
            "load --filter ring-client/roundtrip --arm wasm --quick --time 20ms --format json -p payload_bytes=64";
        let mut command = host.command(&format!("{line} {denied}"));
        let document = Ran::of(as_user(command.arg(file), &host)).json();
        let cell = cells(&document, "ring-client/roundtrip")[0];
        let text = |key: &str| cell[key].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    };
    let is_denied = |(status, reason): (String, String)| {
        assert_eq!(status, "skipped", "{reason}");
        for part in ["it asks to use the host's ring, which is denied", &format!("trust {digest} --grant 'ring'")] {
            assert!(reason.contains(part), "{part:?} is not in: {reason}");
        }
    };
    assert_eq!(status("").0, "ok");
    assert_eq!(status("--deny log,control-plane").0, "ok");
    is_denied(status("--deny ring"));
    fs::create_dir_all(host.path("config/bench-host")).expect("a folder of settings");
    fs::write(host.path("config/bench-host/policy.toml"), "denied = [\"ring\"]\n").expect("a policy");
    is_denied(status(""));
    let mut trust = host.command("registry trust");
    Ran::of(as_user(trust.args([digest.as_str(), "--grant", "ring"]), &host)).check("registry trust", 0);
    assert_eq!(status("").0, "ok");
    is_denied(status("--deny ring"));
    let listed = Ran::of(as_user(host.command("list --deny ring").arg(file), &host)).check("list", 0).stdout;
    let import = listed.lines().find(|line| line.contains("bench-host:ring/ring@")).expect("it imports a ring");
    assert!(import.trim_end().ends_with("denied"), "{import}");
}
