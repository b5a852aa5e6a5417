//! Agents that connect to a real `nats-server`, as users start them.

use crate::fleets::{all_cells, check_bit_exact, folders, ok_cells};
use crate::host::{Host, Ran};
use crate::nats_server::NatsServer;
use bench_sink::digest;
#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// An agent and a coordinator that may do no more than they have to.
const RIGHTS: &str = r#"
jetstream { store_dir: "STORE" }
authorization {
  users: [
    { user: "agent", password: "s3cret", permissions: {
      publish: ["bench-host.here.a", "bench-host.agent.a.up.>"]
      subscribe: ["bench-host.call", "bench-host.agent.a.>", "_INBOX.>"]
      allow_responses: true
    } }
    { user: "ci", password: "s3cret", permissions: {
      publish: ["bench-host.>", "$JS.API.>"]
      subscribe: ["bench-host.here.*", "bench-host.agent.*.up.>", "_INBOX.>"]
      allow_responses: true
    } }
  ]
}"#;

/// A process that is killed when the test ends.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program as this user of the server, with the modules of the folder, where a command line cannot name them.
fn with_modules(host: &Host, user: &str, line: &str) -> Command {
    let mut command = host.command(line);
    command.env("BENCH_HOST_MODULES", host.path("."));
    command.env("NATS_USER", user).env("NATS_PASSWORD", "s3cret");
    command
}

/// A key, and a policy of a machine on which it may have both arms of the hostile module measured.
fn trust(host: &Host) {
    let printed = host.check("registry keygen acme.key", 0).stdout;
    let key = printed.split("registry trust ").nth(1).unwrap().trim();
    let [component, probe] = ["hostile.wasm", "hostile.so"].map(|file| digest::of_file(&host.path(file)).unwrap());
    let policy = format!(
        "[submitters.\"{key}\"]\nname = \"ci\"\nnatives = true\n[modules.\"sha256:{component}\"]\n[modules.\"sha256:{probe}\"]\nnatives = true\n"
    );
    fs::write(host.path("policy.toml"), policy).unwrap();
    fs::set_permissions(host.path("policy.toml"), Permissions::from_mode(0o600)).unwrap();
}

/// Checks that no file in a folder holds the password.
fn check_without_secret(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check_without_secret(&path);
        } else if path.is_file() {
            let found = fs::read(&path).unwrap().windows(6).any(|word| word == b"s3cret");
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn agent_at_a_server_measures_what_its_policy_allows() {
    let Some(server) = NatsServer::start_with(RIGHTS) else { return };
    let host = Host::with_hostile();
    trust(&host);
    let place = server.address();
    let line = format!("agent --on {place} --name a --policy policy.toml --out own --once");
    let agent = with_modules(&host, "agent", &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut agent = Agent(agent.unwrap());
    let run = format!("fleet run hostile/{{good,litter}} --quick --time 20ms --format json --on {place} --nodes 1");
    let unsigned = Ran::of(&mut with_modules(&host, "ci", &run)).check(&run, 2);
    assert!(
        unsigned.stderr.contains("agent a cannot measure this run: this machine measures signed runs only"),
        "{}",
        unsigned.stderr
    );
    fs::remove_dir_all(host.path("results")).unwrap();
    let run = format!("{run} --key acme.key");
    let ran = Ran::of(&mut with_modules(&host, "ci", &run)).check(&run, 0);
    assert_eq!(ok_cells(&ran.json()), all_cells());
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a"]);
    assert!(host.check("fleet verify", 0).stdout.contains("all unchanged"));
    assert!(agent.0.wait().unwrap().success(), "it ends after the first run that it has measured");
    check_without_secret(&host.path("."));
    let own = fs::read_dir(host.path("own")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(own.filter(|name| name.ends_with("@a")).count(), 1, "the run that it refused has left nothing");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "an agent takes ten seconds to give a lost coordinator up"]
fn killed_coordinator_goes_on_with_what_the_server_keeps() {
    use crate::host::eventually;
    use rustix::process::{Pid, Signal, kill_process};

    let Some(server) = NatsServer::start_with(RIGHTS) else { return };
    let host = Host::with_hostile();
    trust(&host);
    let place = server.address();
    let line = format!("agent --on {place} --name a --policy policy.toml --out own --once");
    let agent = with_modules(&host, "agent", &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut agent = Agent(agent.unwrap());
    let run = format!(
        "fleet run hostile/{{good,litter}} --arm native --quick --processes 3 --time 3s --on {place} --nodes 1 --key acme.key"
    );
    let child = with_modules(&host, "ci", &run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = || Ran::of(&mut host.command("fleet status --format json"));
    eventually("one group is finished", || {
        let ran = status();
        ran.status == Some(0) && ran.json()["classes"][0]["groups"]["finished"] == 1
    });
    let process = i32::try_from(status().json()["process"].as_u64().unwrap()).unwrap();
    kill_process(Pid::from_raw(process).unwrap(), Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check(&run, 2);
    assert!(ran.stderr.contains("bench-host fleet resume "), "{}", ran.stderr);
    let resumed = Ran::of(&mut with_modules(&host, "ci", "fleet resume --format json")).check("fleet resume", 0);
    let expect = BTreeSet::from(["hostile/good native", "hostile/litter native"].map(str::to_owned));
    assert_eq!(ok_cells(&resumed.json()), expect);
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a"]);
    let collected = fs::read_to_string(fleet.join("collected/a/run.jsonl")).unwrap();
    let outcomes = collected.lines().filter(|line| line.contains("\"record\":\"outcome\"")).count();
    assert_eq!(outcomes, 6, "no repetition was measured twice");
    assert!(agent.0.wait().unwrap().success());
}

#[test]
fn what_cannot_be_at_a_server_is_refused_in_one_line() {
    let host = Host::with_hostile();
    let check = |line: &str, parts: &[&str]| host.check(line, 2).one_line(parts);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let absent = ["no NATS server answers at nats://127.0.0.1:", "start one with `nats-server --jetstream`"];
    check(&format!("fleet run hostile/good --modules . --on nats://127.0.0.1:{port}"), &absent);
    check(&format!("agent --on nats://127.0.0.1:{port} --name a --run r"), &absent);
    check("fleet run hostile/good --modules . --on nats://127.0.0.1 --on local", &["cannot be combined"]);
    check("agent --on nats://127.0.0.1 --name a", &["--on needs --run ID", "or --policy FILE"]);
    check("agent --on nats://127.0.0.1 --run r", &["--on needs --name NAME"]);
    check("agent --on nats://127.0.0.1 --name ../a --run r", &["use letters, digits, `-` and `_` only"]);
    let secret = host.check("agent --on nats://me:s3cret@queue --name a --run r", 2);
    secret.one_line(&["must not hold a user or a password"]);
    assert!(!secret.stderr.contains("s3cret"));
}

#[test]
fn dry_run_names_the_server_and_the_manifest_has_its_agents() {
    let host = Host::with_hostile();
    let run = "fleet run hostile/good --modules . --on tls://queue --nodes 3 --dry-run";
    let printed = host.check(&format!("{run} --quiet"), 0).stdout;
    assert!(printed.ends_with("the first 3 agents at tls://queue:4222\n"), "{printed}");
    let job = host.check(&format!("{run} --on kubernetes:bench"), 0).json();
    assert_eq!(job["spec"]["completions"], 3);
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"][0]["value"], "tls://queue:4222");
    assert!(container["command"][2].as_str().unwrap().contains("bench-host agent --on"), "{container}");
}
