//! Agents that connect to a real `nats-server`, as users start them.

use crate::fleets::{all_cells, check_bit_exact, folders, ok_cells};
use crate::host::{Host, Ran};
use crate::nats_server::{NatsServer, certify, pretend};
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
pub(crate) fn with_modules(host: &Host, user: &str, line: &str) -> Command {
    let mut command = host.command(line);
    command.env("BENCH_HOST_MODULES", host.path("."));
    command.env("NATS_USER", user).env("NATS_PASSWORD", "s3cret");
    let certificate = host.path("cert.pem");
    if certificate.exists() {
        command.env("NATS_CA", certificate);
    }
    command
}

/// A key, and a policy of a machine on which it may have both arms of the hostile module measured.
pub(crate) fn trust(host: &Host) {
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
    assert!(unsigned.stderr.contains("no agent of class 1 is left"), "{}", unsigned.stderr);
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

#[test]
fn server_of_the_manifest_serves_agents_and_coordinators() {
    let host = Host::with_hostile();
    let line = "fleet run hostile/good --modules . --on kubernetes:bench --nats-image nats:2 --dry-run";
    let ran = host.check(line, 0);
    ran.one_line(&["needs the secret bench-host-nats in the namespace bench", "kubectl -n bench port-forward"]);
    let manifest = ran.json();
    let settings = manifest["items"][0]["data"]["nats.conf"].as_str().unwrap();
    let Some([certificate, key]) = certify(&host.path("."), "127.0.0.1") else { return };
    let here = settings.replace("ping_interval: \"1h\"\n", "").replace("/data", "STORE");
    let here = here.replace("/secret/tls.crt", &certificate).replace("/secret/tls.key", &key);
    let here = here.replace("$AGENT_PASSWORD", "s3cret").replace("$COORDINATOR_PASSWORD", "s3cret");
    assert!(!here.contains("/secret") && !here.contains("_PASSWORD"), "{here}");
    let Some(server) = NatsServer::start_with(&here) else { return };
    trust(&host);
    let place = format!("tls://127.0.0.1:{}", server.port());
    let line = format!("agent --on {place} --name node-0 --policy policy.toml --out own --once");
    let agent = with_modules(&host, "agent", &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut agent = Agent(agent.unwrap());
    let run = format!(
        "fleet run hostile/good --arm native --quick --time 20ms --format json --on {place} --nodes 1 --key acme.key"
    );
    let ran = Ran::of(&mut with_modules(&host, "coordinator", &run)).check(&run, 0);
    assert_eq!(ok_cells(&ran.json()).into_iter().collect::<Vec<_>>(), ["hostile/good native"]);
    assert!(agent.0.wait().unwrap().success());
}

/// How often the coordinator is killed; the variable asks for more, such as 10.
#[cfg(target_os = "linux")]
const COORDINATORS: (&str, usize) = ("BENCH_HOST_TEST_COORDINATORS", 1);

/// How many repetitions the agent `a` has in its own run file.
#[cfg(target_os = "linux")]
fn own_outcomes(host: &Host) -> usize {
    let Ok(entries) = fs::read_dir(host.path("own")) else { return 0 };
    let runs = entries.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().ends_with("@a"));
    // It may be about to create the file.
    let texts = runs.filter_map(|run| fs::read_to_string(run.join("run.jsonl")).ok());
    texts.map(|text| outcomes(&text)).sum()
}

#[cfg(target_os = "linux")]
fn outcomes(run: &str) -> usize {
    run.lines().filter(|line| line.contains("\"record\":\"outcome\"")).count()
}

#[cfg(target_os = "linux")]
#[test]
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
    let (variable, few) = COORDINATORS;
    let kills: usize = std::env::var(variable).map_or(few, |kills| kills.parse().unwrap());
    let processes = kills.max(3);
    let run = format!(
        "fleet run hostile/{{good,litter}} --arm native --quick --processes {processes} --time 3s --on {place} --nodes 1 --key acme.key"
    );
    let start =
        |line: &str| with_modules(&host, "ci", line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = start(&run);
    let mut killed = 0;
    for kill in 0..kills {
        // With one kill, the first group; with several, less each time.
        let wanted = (kill + 1) * processes / kills;
        let mut process = 0;
        eventually("the agent has measured something more for a living coordinator", || {
            let ran = Ran::of(&mut host.command("fleet status --format json"));
            process = if ran.status == Some(0) { ran.json()["process"].as_i64().unwrap_or(0) } else { 0 };
            process != 0 && process != killed && own_outcomes(&host) >= wanted
        });
        killed = process;
        let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
        kill_process(process, Signal::KILL).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap()).check(&run, 2);
        assert!(ran.stderr.contains("bench-host fleet resume "), "{}", ran.stderr);
        child = start("fleet resume --format json");
    }
    let resumed = Ran::from(child.wait_with_output().unwrap()).check("fleet resume", 0);
    let expect = BTreeSet::from(["hostile/good native", "hostile/litter native"].map(str::to_owned));
    assert_eq!(ok_cells(&resumed.json()), expect);
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a"]);
    let collected = fs::read_to_string(fleet.join("collected/a/run.jsonl")).unwrap();
    assert_eq!(outcomes(&collected), 2 * processes, "no repetition was measured twice");
    assert!(agent.0.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[test]
fn killed_agent_at_a_server_goes_on_from_its_own_run_file() {
    use crate::host::eventually;
    use crate::stopped::children;
    use rustix::process::{Pid, Signal, kill_process};

    let Some(server) = NatsServer::start_with(RIGHTS) else { return };
    let host = Host::with_hostile();
    trust(&host);
    let place = server.address();
    let line = format!("agent --on {place} --name a --policy policy.toml --out own --once");
    let agent = with_modules(&host, "agent", &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut agent = Agent(agent.unwrap());
    let run = format!(
        "fleet run hostile/{{good,litter}} --arm native --quick --processes 3 --time 1500ms --on {place} --nodes 1 --key acme.key \
         --format json"
    );
    let child = with_modules(&host, "ci", &run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the agent has measured something", || own_outcomes(&host) >= 1);
    // The agent waits at the server; the process that it has started for this run measures.
    let [measuring] = children(agent.0.id())[..] else { panic!("one run is measured") };
    kill_process(Pid::from_raw(measuring.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).check(&run, 0);
    assert!(ran.stderr.contains("agent a was lost; "), "{}", ran.stderr);
    assert!(ran.stderr.contains("agent a is started again; it goes on from its own run file"), "{}", ran.stderr);
    let expect = BTreeSet::from(["hostile/good native", "hostile/litter native"].map(str::to_owned));
    assert_eq!(ok_cells(&ran.json()), expect);
    let (fleet, merged) = folders(&host);
    check_bit_exact(&fleet, &merged, &["a"]);
    let collected = fs::read_to_string(fleet.join("collected/a/run.jsonl")).unwrap();
    assert!(collected.contains("\"record\":\"resumed\""), "it went on from its own run file");
    assert_eq!(outcomes(&collected), 2 * 3, "no repetition was measured twice");
    assert!(agent.0.wait().unwrap().success(), "it ends after the run");
}

#[test]
fn impossible_options_with_a_server_are_refused_in_one_line() {
    let host = Host::with_hostile();
    let check = |line: &str, parts: &[&str]| host.check(line, 2).one_line(parts);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let absent = ["no NATS server answers at nats://127.0.0.1:", "start one with `nats-server --jetstream`"];
    check(&format!("fleet run hostile/good --modules . --on nats://127.0.0.1:{port}"), &absent);
    trust(&host);
    check(&format!("agent --on nats://127.0.0.1:{port} --name a --policy policy.toml"), &absent);
    check("fleet run hostile/good --modules . --on nats://127.0.0.1 --on local", &["cannot be combined"]);
    check("fleet run hostile/good --modules . --nats-image nats:2", &["give --on kubernetes, or leave it out"]);
    let needs_policy = ["--on needs --policy FILE", "`bench-host registry keygen`", "`fleet run --key`"];
    check("agent --on nats://127.0.0.1 --name a", &needs_policy);
    // Whoever may use the server can give a run any name.
    check("agent --on nats://127.0.0.1 --name a --run r", &needs_policy);
    let agent = "agent --on nats://127.0.0.1 --policy policy.toml";
    check(agent, &["--on needs --name NAME"]);
    check(&format!("{agent} --name ../a"), &["use letters, digits, `-` and `_` only"]);
    let secret = host.check("agent --on nats://me:s3cret@queue --name a --run r", 2);
    secret.one_line(&["must not hold a user or a password"]);
    assert!(!secret.stderr.contains("s3cret"));
}

#[test]
fn agent_does_not_wait_at_a_server_that_no_coordinator_can_use() {
    let host = Host::with_hostile();
    trust(&host);
    let check = |address: &str, parts: &[&str]| {
        host.check(&format!("agent --on {address} --name a --policy policy.toml"), 2).one_line(parts);
    };
    let old = format!("nats://127.0.0.1:{}", pretend("2.8.4"));
    check(&old, &["is 2.8.4, but a fleet needs 2.9.2 or newer"]);
    let Some(server) = NatsServer::start_with("") else { return };
    check(&server.address().to_string(), &["has no JetStream", "start it with `--jetstream`"]);
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
    // In the folder of a volume, the policy would be a link that is not trusted.
    let policy = &container["volumeMounts"][1];
    assert_eq!(policy["mountPath"], "/policy/policy.toml");
    assert_eq!(policy["subPath"], "policy.toml");
}
