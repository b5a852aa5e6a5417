//! An agent that measures nothing, as a process that kills or freezes itself at a given step of its work.

use crate::made_up;
#[cfg(feature = "nats")]
use bench_fleet::{AgentLink, Login, Pings, Server, join_link};
use bench_fleet::{
    AgentTask, HostCard, Orders, PROTOCOL, Part, Served, Spec, Uplink, listen, own_blocks, serve, wall_ns,
};
use bench_model::Checksum;
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    EndRecord, FILE_NAME, LockedRun, OutcomeRecord, Planned, Record, RunRecord, RunWriter, encode,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// The groups of a run whose agents are processes. Each group has one cell of its number.
pub(crate) const GROUPS: u32 = 12;
pub(crate) const PROCESSES: u32 = 3;

/// The environment of an agent: its name, its folder, and the step at which it kills itself.
pub(crate) const NAME: &str = "BENCH_FLEET_TEST_NAME";
pub(crate) const FOLDER: &str = "BENCH_FLEET_TEST_FOLDER";
const DIES_AT: &str = "BENCH_FLEET_TEST_DIES_AT";

/// The server to which the agent connects, the name of the connection, and how long a repetition takes, in milliseconds.
#[cfg(feature = "nats")]
pub(crate) const SERVER: &str = "BENCH_FLEET_TEST_SERVER";
#[cfg(feature = "nats")]
pub(crate) const LINK: &str = "BENCH_FLEET_TEST_LINK";
pub(crate) const TAKES: &str = "BENCH_FLEET_TEST_TAKES";

/// Instead, the step at which it is frozen for longer than its lease.
pub(crate) const FREEZES_AT: &str = "BENCH_FLEET_TEST_FREEZES_AT";

/// Set if each block is sent twice.
const SENDS_TWICE: &str = "BENCH_FLEET_TEST_SENDS_TWICE";

/// The file with the certificate of the server's authority, if it has one.
#[cfg(feature = "nats")]
pub(crate) const AUTHORITY: &str = "NATS_CA";

/// The lease of an agent that cannot freeze, and of one that can.
const LEASE: Duration = Duration::from_secs(600);
pub(crate) const SHORT_LEASE: Duration = Duration::from_millis(200);

/// What happens to an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Lives,
    DiesAt(u32),
    /// The same, of an agent with a short lease.
    DiesWithShortLeaseAt(u32),
    FreezesAt(u32),
    SendsTwice,
}

/// An agent that measures nothing.
pub(crate) struct Fake {
    name: String,
    folder: PathBuf,
    /// How many groups the run has.
    groups: u32,
    writer: Option<RunWriter>,
    notes: u32,
    /// What it has measured, also before it was started again.
    done: BTreeSet<(u32, u32)>,
    steps: u32,
    dies_at: Option<u32>,
    freezes_at: Option<u32>,
    sends_twice: bool,
    /// How long a repetition takes.
    takes: Duration,
}

impl Fake {
    /// An agent to which nothing happens, which keeps its run file in `folder`, of a run with so many groups.
    pub(crate) fn living(name: &str, folder: &Path, groups: u32) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            groups,
            writer: None,
            notes: 0,
            done: BTreeSet::new(),
            steps: 0,
            dies_at: None,
            freezes_at: None,
            sends_twice: false,
            takes: Duration::ZERO,
        }
    }

    /// Ends this process as `kill -9` does, if this is the step for it, and the first time.
    fn step(&mut self) {
        self.steps += 1;
        self.freeze();
        if Some(self.steps) == self.dies_at {
            fs::create_dir_all(&self.folder).unwrap();
            fs::write(self.died(), "").unwrap();
            let kill = format!("kill -9 {}", std::process::id());
            let _ = Command::new("sh").args(["-c", &kill]).stdin(Stdio::null()).stdout(Stdio::null()).status();
            loop {
                std::thread::park();
            }
        }
    }

    /// Has this process stopped for longer than its lease, if this is the step for it.
    fn freeze(&self) {
        if Some(self.steps) == self.freezes_at {
            let process = std::process::id();
            let freeze = format!("kill -STOP {process}; sleep 1; kill -CONT {process}");
            // When it goes on, so does this process; which of them is first does not matter.
            let _ = Command::new("sh").args(["-c", &freeze]).stdin(Stdio::null()).stdout(Stdio::null()).status();
        }
    }

    /// A file that says that it has killed itself.
    fn died(&self) -> PathBuf {
        self.folder.join(format!("{}.died", self.name))
    }

    /// Goes on with the run file that it began before it was started again.
    fn go_on(&mut self, directory: &Path, uplink: &mut Uplink) -> Result<(), String> {
        let held = LockedRun::open(directory).map_err(|error| error.to_string())?;
        self.writer = Some(held.resume().map_err(|error| error.to_string())?);
        for block in own_blocks(directory).map_err(|error| error.to_string())? {
            let (part, block) = block.map_err(|error| error.to_string())?;
            match part {
                Part::Note(number) => self.notes = number + 1,
                Part::Repetition { cell, process } => _ = self.done.insert((cell, process)),
            }
            uplink.block(part, &block).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn keep(&mut self, part: Option<Part>, records: &[Record], uplink: &mut Uplink) -> Result<(), String> {
        let part = part.unwrap_or(Part::Note(self.notes));
        self.notes += u32::from(matches!(part, Part::Note(_)));
        let block = encode(records);
        self.step();
        let writer = self.writer.as_mut().ok_or("no run file")?;
        writer.append_raw(&block).map_err(|error| error.to_string())?;
        self.step();
        for _ in 0..=u32::from(self.sends_twice) {
            uplink.block(part, &block).map_err(|error| error.to_string())?;
        }
        self.step();
        Ok(())
    }
}

impl AgentTask for Fake {
    fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String> {
        let directory = self.folder.join(&self.name);
        if directory.join(FILE_NAME).exists() {
            self.go_on(&directory, uplink)?;
        } else {
            self.writer = Some(RunWriter::create(&directory).map_err(|error| error.to_string())?);
        }
        let lease = if self.freezes_at.is_some() { SHORT_LEASE } else { LEASE };
        if self.notes > 0 {
            return Ok(lease);
        }
        let HostCard { fingerprint, program_sha256, .. } = card();
        let run = RunRecord { fingerprint, program_sha256, ..made_up::run(spec.clone(), planned(self.groups)) };
        self.keep(None, &[Record::Run(run)], uplink)?;
        Ok(lease)
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        for process in 0..PROCESSES {
            for cell in groups {
                self.step();
                if !self.done.insert((*cell, process)) {
                    continue;
                }
                HAS_STEPPED.store(true, Ordering::Relaxed);
                let (_held, nothing) = mpsc::channel::<()>();
                let _ = nothing.recv_timeout(self.takes);
                self.keep(Some(Part::Repetition { cell: *cell, process }), &block(*cell, process, &self.name), uplink)?;
            }
        }
        Ok(true)
    }

    fn finish(&mut self, uplink: &mut Uplink) -> Result<(), String> {
        let end = EndRecord { finished: "2".to_owned(), stopped: Some("a part of a fleet's run".to_owned()) };
        self.keep(None, &[Record::End(end)], uplink)
    }
}

/// What is planned of so many groups.
pub(crate) fn planned(groups: u32) -> Planned {
    made_up::planned(groups, PROCESSES)
}

fn block(cell: u32, process: u32, agent: &str) -> [Record; 2] {
    let identity = made_up::cell(cell, process, &format!("{agent}.wasm"));
    let outcome = OutcomeRecord { checksum: Some(Checksum(cell.into())), ..OutcomeRecord::ok(cell, process) };
    [Record::Cell(identity), Record::Outcome(outcome)]
}

pub(crate) fn card() -> HostCard {
    HostCard {
        protocol: PROTOCOL,
        host_version: "1".to_owned(),
        program_sha256: Some("p".to_owned()),
        fingerprint: Fingerprint { host_version: "1".to_owned(), ..Fingerprint::default() },
        boot_id: None,
    }
}

/// Whether the clock of this process has stepped.
static HAS_STEPPED: AtomicBool = AtomicBool::new(false);

/// By how many seconds the clock of an agent is ahead when it joins and when it leaves: the parts of its name after `@`, of which a single one
/// stands for both.
pub(crate) fn skew_s(name: &str) -> [i64; 2] {
    let mut parts = name.split('@').skip(1).map(|seconds| seconds.parse().unwrap());
    let joined = parts.next().unwrap_or(0);
    [joined, parts.next().unwrap_or(joined)]
}

/// The clock of an agent's machine: that of this one, off as its name says.
fn skewed_ns() -> i64 {
    let name = std::env::var(NAME).unwrap_or_default();
    wall_ns() + skew_s(&name)[usize::from(HAS_STEPPED.load(Ordering::Relaxed))] * 1_000_000_000
}

/// Not a test, but the process of an agent that the tests below start.
#[test]
#[ignore = "the tests of this file start it as a process"]
fn agent_process() {
    let Ok(name) = std::env::var(NAME) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let step = |name: &str| std::env::var(name).ok().map(|step| step.parse().unwrap());
    let mut task = Fake {
        dies_at: step(DIES_AT),
        freezes_at: step(FREEZES_AT),
        sends_twice: std::env::var_os(SENDS_TWICE).is_some(),
        takes: Duration::from_millis(std::env::var(TAKES).map_or(0, |takes| takes.parse().unwrap())),
        ..Fake::living(&name, &folder, GROUPS)
    };
    if task.died().exists() {
        task.dies_at = None;
    }
    let (orders, mut uplink) = connection(&task.name);
    let served = serve(&orders, &mut uplink, (&card(), Some("r")), &mut task);
    drop(uplink);
    std::process::exit(if served.is_ok_and(|served| served == Served::Done) { 0 } else { 2 });
}

/// The connection to the coordinator, over standard input and output if no server is named.
fn connection(_name: &str) -> (Orders, Uplink) {
    #[cfg(feature = "nats")]
    if let (Ok(server), Ok(link)) = (std::env::var(SERVER), std::env::var(LINK)) {
        let server = Server::connect(&server.parse().unwrap(), &login(), Pings::Never).unwrap();
        let AgentLink { orders, messages, check } = join_link(&server, _name, &link).unwrap();
        let orders = listen(BufReader::new(orders), skewed_ns, || {});
        return (orders, Uplink::with_check(messages, check));
    }
    let mut out = io::stdout();
    // Ends the line that the test harness may have begun.
    out.write_all(b"\n").unwrap();
    (listen(BufReader::new(io::stdin()), skewed_ns, || {}), Uplink::new(out))
}

/// Who trusts the authority that the environment names.
#[cfg(feature = "nats")]
pub(crate) fn login() -> Login {
    Login::read(|name| std::env::var_os(name).filter(|_| name == AUTHORITY)).unwrap()
}

/// The command that starts the process of an agent.
pub(crate) fn command(name: &str, folder: &Path, fate: Fate) -> (String, Command) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "fake::agent_process", "--nocapture"]).env(NAME, name).env(FOLDER, folder);
    match fate {
        Fate::Lives => {}
        Fate::DiesAt(step) => _ = command.env(DIES_AT, step.to_string()),
        // No step has the number 0.
        Fate::DiesWithShortLeaseAt(step) => _ = command.env(DIES_AT, step.to_string()).env(FREEZES_AT, "0"),
        Fate::FreezesAt(step) => _ = command.env(FREEZES_AT, step.to_string()),
        Fate::SendsTwice => _ = command.env(SENDS_TWICE, "1"),
    }
    (name.to_owned(), command)
}
