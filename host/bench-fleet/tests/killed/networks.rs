//! Agents in networks of their own: the server and each agent are in a network namespace, and a partition is a link that is taken down. All of
//! it belongs to a process in namespaces of its own, and is removed by the kernel when that process ends, however it ends.

use crate::fake::{AUTHORITY, FOLDER, FREEZES_AT, Fate, LINK, NAME, SERVER, TAKES, command, login};
use crate::nats_server::{NatsServer, certify, encrypted};
use crate::over_nats::{TAKES_MS, measure_at, pause, times};
use crate::quiet;
use bench_fleet::{Invitation, Login, Pings, Server, wait_for_invitation};
use bench_sink::runfile::FILE_NAME;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Makes the networks, and executes its arguments in them.
const NETWORKS: &str = include_str!("networks.sh");

/// The server, at an address of those that are set aside for benchmarks of networks (RFC 2544).
const ADDRESS: (&str, u16) = ("198.18.0.1", 4222);

/// Set for processes in the networks.
const INSIDE: &str = "BENCH_FLEET_TEST_INSIDE";

/// How long a link is down for longer than the lease, in seconds; the variable asks for another time, such as 60.
const CUT: (&str, u32) = ("BENCH_FLEET_TEST_CUT", 2);

/// How long a repetition takes then: less than the short lease.
const CUT_TAKES_MS: u64 = 150;

/// Executes what is added to it in networks that nobody else has.
fn in_networks(options: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(options).args(["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", NETWORKS, "sh"]);
    unshare.env(INSIDE, "1").stdin(Stdio::null());
    unshare
}

/// Runs an ignored test of this file in networks that nobody else has; skipped, with the reason, where that is not permitted.
#[track_caller]
fn check(name: &str) {
    let mut reason = String::new();
    // The second way is that of users other than root, where they may have namespaces.
    let ways: [&[&str]; 2] = [&[], &["--map-root-user"]];
    for options in ways {
        match in_networks(options).arg("true").output() {
            Ok(output) if output.status.success() => return run(in_networks(options), name),
            Ok(output) => {
                reason = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
            }
            Err(error) => reason = format!("`unshare`: {error}"),
        }
    }
    eprintln!("skipped: networks cannot be made here: {reason}; install util-linux and iproute2, and run it as root");
}

#[track_caller]
fn run(mut process: Command, name: &str) {
    let program = std::env::current_exe().unwrap();
    process.arg(program).args(["--ignored", "--exact", &format!("networks::{name}"), "--nocapture"]);
    let output = process.output().unwrap();
    let [printed, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}{error}");
    error.lines().filter(|line| line.starts_with("skipped: ")).for_each(|line| eprintln!("{line}"));
}

/// The server in its network.
struct Site {
    server: NatsServer,
    folder: TempDir,
    /// The file with the certificate that agents trust: without encryption, a server is used on the same machine only.
    authority: String,
}

impl Site {
    /// Starts the server; `None` if this process is not in the networks, or, with the reason, if a program is not installed.
    fn begin() -> Option<Self> {
        std::env::var_os(INSIDE)?;
        let folder = tempfile::tempdir().unwrap();
        let files = certify(folder.path(), ADDRESS.0)?;
        let inside = ["nsenter", "--net=/run/netns/server"];
        let server = NatsServer::start_at(ADDRESS, &inside, &encrypted(&files))?;
        let [authority, _] = files;
        Some(Self { server, folder, authority })
    }

    fn connect(&self) -> Server {
        let trusting = Login::read(|name| (name == AUTHORITY).then(|| self.authority.clone().into())).unwrap();
        Server::connect(&self.server.address(), &trusting, Pings::Often).unwrap()
    }

    /// The ignored test `name` as a process in the network of an agent.
    fn process(&self, agent: &str, name: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{agent}")).arg(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", &format!("networks::{name}"), "--nocapture"]);
        command.env(NAME, agent).env(SERVER, self.server.address().to_string()).env(AUTHORITY, &self.authority);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// A process that is killed when it is dropped.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes the link of an agent `up` or `down`, at the server's end.
fn set_link(agent: &str, state: &str) {
    let link = format!("to-{agent}");
    let line = ["-n", "server", "link", "set", &link, state];
    assert!(Command::new("ip").args(line).status().unwrap().success(), "{line:?}");
}

/// How many repetitions an agent has measured, as its own run file says.
fn measured(directory: &Path) -> usize {
    fs::read_to_string(directory.join(FILE_NAME)).map_or(0, |text| text.matches("\"record\":\"outcome\"").count())
}

/// Takes the link of the agent `b` down for so long, while it measures. After a cut that is longer than its lease it must measure again.
fn cut(time: Duration, is_lease_short: bool) {
    let Some(site) = Site::begin() else { return };
    let start = |own: &Path| {
        let start = |name: &str| {
            let mut command = site.process(name, "attendant_process");
            // The other agent is so slow that groups are left when the link is up again.
            let slower = if name == "b" { 1 } else { (time.as_secs() / u64::from(CUT.1)).max(1) };
            let takes = if is_lease_short { CUT_TAKES_MS * slower } else { TAKES_MS };
            command.env(FOLDER, own).env(TAKES, takes.to_string());
            if is_lease_short && name == "b" {
                // It is never frozen, because no step has this number, but has a short lease.
                command.env(FREEZES_AT, "0");
            }
            Guest(command.spawn().unwrap())
        };
        Vec::from(["a", "b"].map(start))
    };
    // What it had measured when the link was up again, and later.
    let (mut then, mut now) = (None, 0);
    let (given_up, _) = measure_at(&site.connect(), 2, start, |own, _| {
        pause(Duration::from_millis(5));
        now = measured(&own.join("b"));
        if then.is_none() && now > 0 {
            set_link("b", "down");
            pause(time);
            set_link("b", "up");
            then = Some(measured(&own.join("b")));
        }
    });
    assert_eq!(given_up, 0);
    let then = then.expect("the link was cut");
    // It can end while the link is down, if its repetitions are short.
    assert!(!is_lease_short || now > then, "the agent that returned has measured nothing: {then}, {now}");
}

#[test]
#[ignore = "a test of this file starts it in networks of its own"]
fn cut_for_less_than_the_lease() {
    cut(Duration::from_secs(1), false);
}

#[test]
#[ignore = "a test of this file starts it in networks of its own"]
fn cut_for_longer_than_the_lease() {
    cut(Duration::from_secs(times(CUT).into()), true);
}

#[test]
#[ignore = "a test of this file starts it in networks of its own"]
fn count_packets() {
    let Some(site) = Site::begin() else { return };
    let file = site.folder.path().join("passed");
    let start = || Guest(site.process("a", "quiet_process").env(FOLDER, &file).spawn().unwrap());
    quiet::check(&site.connect(), start, |mut agent| {
        assert!(agent.0.wait().unwrap().success());
        fs::read_to_string(&file).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    });
}

/// Not a test, but an agent that waits for invitations, and starts a process for each.
#[test]
#[ignore = "the tests of this file start it as a process"]
fn attendant_process() {
    let (Ok(name), Ok(address)) = (std::env::var(NAME), std::env::var(SERVER)) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let server = Server::connect(&address.parse().unwrap(), &login(), Pings::Never).unwrap();
    let mut finished = Vec::new();
    while let Ok(Some(Invitation { run, link })) = wait_for_invitation(&server, &name, &finished, &|| false) {
        let (_, mut command) = command(&name, &folder, Fate::Lives);
        command.env(LINK, link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().unwrap().success() {
            finished.push(run);
        }
    }
}

/// Not a test, but an agent that counts packets while its repetitions go on.
#[test]
#[ignore = "the tests of this file start it as a process"]
fn quiet_process() {
    let (Ok(address), Some(file)) = (std::env::var(SERVER), std::env::var_os(FOLDER)) else { return };
    let server = Server::connect(&address.parse().unwrap(), &login(), Pings::Never).unwrap();
    let passed: Vec<String> = quiet::serve(&server, Box::new(packets)).iter().map(u64::to_string).collect();
    fs::write(file, passed.join("\n")).unwrap();
}

/// The number of packets that the links of this process's network have sent and received.
fn packets() -> u64 {
    let text = fs::read_to_string("/proc/self/net/dev").unwrap();
    let links = text.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim() != "lo");
    // Eight counts of what was received, then those of what was sent; the second of both is that of packets.
    let of_link = |counts: &str| {
        let counts: Vec<u64> = counts.split_whitespace().map(|count| count.parse().unwrap()).collect();
        counts[1] + counts[9]
    };
    links.map(|(_, counts)| of_link(counts)).sum()
}

#[test]
fn link_that_is_down_for_less_than_the_lease_costs_nothing() {
    check("cut_for_less_than_the_lease");
}

#[test]
fn link_that_is_down_for_longer_than_the_lease_loses_nothing_and_counts_nothing_twice() {
    check("cut_for_longer_than_the_lease");
}

#[test]
fn no_packet_passes_while_a_repetition_measures() {
    check("count_packets");
}
