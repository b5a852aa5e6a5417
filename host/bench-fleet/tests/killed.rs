//! Agents as processes that kill or freeze themselves at every step of their work: what they finished counts, what they held is measured
//! by others, and one that is started again goes on from its own run file.

use bench_fleet::{
    AgentId, AgentTask, Checks, ClassId, Collected, Collector, Coordinator, Embedded, Fleet, FleetFolder,
    FleetObserver, HostCard, JOIN, PROTOCOL, Part, ShardOf, Spec, Uplink, classify, has_head, listen, merge,
    own_blocks, serve, wall_ns, write_shard,
};
use bench_model::{Arguments, Arm, Checksum};
use bench_sink::fingerprint::Fingerprint;
use bench_sink::runfile::{
    CellRecord, ClockRecord, EndRecord, FILE_NAME, LockedRun, ModuleRef, OutcomeRecord, Planned, RawLine, Record,
    RunRecord, RunWriter, encode,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Each group has one cell of its number.
const GROUPS: u32 = 12;
const PROCESSES: u32 = 3;

/// The environment of an agent: its name, its folder, and the step at which it kills itself.
const NAME: &str = "BENCH_FLEET_TEST_NAME";
const FOLDER: &str = "BENCH_FLEET_TEST_FOLDER";
const DIES_AT: &str = "BENCH_FLEET_TEST_DIES_AT";

/// Instead, the step at which it is frozen for longer than its lease.
const FREEZES_AT: &str = "BENCH_FLEET_TEST_FREEZES_AT";

/// The lease of an agent that cannot freeze, and of one that can.
const LEASE: Duration = Duration::from_secs(600);
const SHORT_LEASE: Duration = Duration::from_millis(200);

/// What happens to an agent.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lives,
    DiesAt(u32),
    FreezesAt(u32),
}

/// An agent whose repetitions take no time.
struct Fake {
    name: String,
    folder: PathBuf,
    writer: Option<RunWriter>,
    notes: u32,
    /// What it has measured, also before it was started again.
    done: BTreeSet<(u32, u32)>,
    steps: u32,
    dies_at: Option<u32>,
    freezes_at: Option<u32>,
}

impl Fake {
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
        for (part, block) in own_blocks(directory).map_err(|error| error.to_string())? {
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
        uplink.block(part, &block).map_err(|error| error.to_string())?;
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
        let planned = Planned {
            cells: GROUPS,
            processes: PROCESSES,
            time_ns: None,
            iterations: None,
            within_ns: None,
            order_sha256: None,
        };
        let run = RunRecord {
            id: spec.id.clone(),
            started: "1".to_owned(),
            seed: spec.seed,
            command: spec.command.clone(),
            planned,
            fingerprint: card().fingerprint,
            program_sha256: card().program_sha256,
            warnings: Vec::new(),
        };
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

fn block(cell: u32, process: u32, agent: &str) -> [Record; 2] {
    let identity = CellRecord {
        cell,
        process,
        scenario: "m/s".to_owned(),
        family: String::new(),
        arm: Arm::Wasm,
        variant: None,
        arguments: Arguments::default(),
        module: ModuleRef { file: format!("{agent}.wasm"), sha256: "d".to_owned() },
        limit: None,
        cpu: None,
        conditions: Vec::new(),
    };
    let outcome = OutcomeRecord { checksum: Some(Checksum(cell.into())), ..OutcomeRecord::ok(cell, process) };
    [Record::Cell(identity), Record::Outcome(outcome)]
}

fn card() -> HostCard {
    HostCard {
        protocol: PROTOCOL,
        host_version: "1".to_owned(),
        program_sha256: Some("p".to_owned()),
        fingerprint: Fingerprint { host_version: "1".to_owned(), ..Fingerprint::default() },
        boot_id: None,
    }
}

/// The clock of an agent's machine: that of this one, off by a part of the name after `@`, in seconds.
fn skewed_ns() -> i64 {
    let name = std::env::var(NAME).unwrap_or_default();
    let seconds: i64 = name.split_once('@').map_or(0, |(_, seconds)| seconds.parse().unwrap());
    wall_ns() + seconds * 1_000_000_000
}

/// Not a test, but the process of an agent that the tests below start.
#[test]
#[ignore = "the tests of this file start it as a process"]
fn agent_process() {
    let Ok(name) = std::env::var(NAME) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let step = |name: &str| std::env::var(name).ok().map(|step| step.parse().unwrap());
    let (dies_at, freezes_at) = (step(DIES_AT), step(FREEZES_AT));
    let mut out = io::stdout();
    // Ends the line that the test harness may have begun.
    out.write_all(b"\n").unwrap();
    let orders = listen(BufReader::new(io::stdin()), skewed_ns, || {});
    let done = BTreeSet::new();
    let mut task = Fake { name, folder, writer: None, notes: 0, done, steps: 0, dies_at, freezes_at };
    if task.died().exists() {
        task.dies_at = None;
    }
    let served = serve(&orders, &mut Uplink::new(out), (&card(), Some("r")), &mut task);
    std::process::exit(if served.is_ok() { 0 } else { 2 });
}

/// Notes which agents ended early.
#[derive(Default)]
struct Failures(Vec<String>);

impl FleetObserver<Embedded<Collector>> for Failures {
    fn changed(&mut self, _: &mut Coordinator<Embedded<Collector>>, _: u64) {}

    fn failed(&mut self, agent: &str, _: &str) {
        self.0.push(agent.to_owned());
    }
}

/// The lines of outcomes and cells in a run directory, which are nowhere twice.
fn lines(directory: &Path) -> Vec<Vec<u8>> {
    let is_of_cell = |line: &RawLine| matches!(line.record, Some(Record::Cell(_) | Record::Outcome(_)));
    RawLine::read_all(directory).unwrap().into_iter().filter(is_of_cell).map(|line| line.text).collect()
}

fn outcomes(directory: &Path) -> BTreeMap<(u32, u32), u32> {
    let mut found = BTreeMap::new();
    for line in RawLine::read_all(directory).unwrap() {
        if let Some(Record::Outcome(outcome)) = line.record {
            *found.entry((outcome.cell, outcome.process)).or_default() += 1;
        }
    }
    found
}

fn command(name: &str, folder: &Path, fate: Fate) -> (String, Command) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "agent_process", "--nocapture"]).env(NAME, name).env(FOLDER, folder);
    match fate {
        Fate::Lives => {}
        Fate::DiesAt(step) => _ = command.env(DIES_AT, step.to_string()),
        Fate::FreezesAt(step) => _ = command.env(FREEZES_AT, step.to_string()),
    }
    (name.to_owned(), command)
}

/// Measures with the agents `a`, `b` and `c`, of which the last two kill themselves at the given steps and are not started again.
#[track_caller]
fn check(dies_at: [Option<u32>; 2]) {
    let [b, c] = dies_at.map(|step| step.map_or(Fate::Lives, Fate::DiesAt));
    let (given_up, failures) = measure(&[("a", Fate::Lives), ("b", b), ("c", c)], &[]);
    assert!(given_up == 0 || failures == 2, "{dies_at:?}: a group is given up after two losses only");
}

/// Measures with one agent that kills itself at the given step, and is started again.
#[track_caller]
fn check_again(step: u32) {
    let (given_up, failures) = measure(&[("a", Fate::DiesAt(step))], &[Duration::ZERO]);
    assert_eq!((given_up, failures), (0, 1), "{step}: it measures the rest itself");
}

/// Measures with agents, given with what happens to each, and checks what comes of it. Returns the number of groups that
/// were given up, and that of agents that ended early.
#[track_caller]
fn measure(agents: &[(&str, Fate)], restarts: &[Duration]) -> (u32, usize) {
    let fates = agents;
    let out = tempfile::tempdir().unwrap();
    let folder = FleetFolder::new(out.path(), "r");
    let _lock = folder.begin().unwrap();
    let own = folder.agents();
    let commands: Vec<_> = agents.iter().map(|(name, fate)| command(name, &own, *fate)).collect();
    let names: Vec<String> = commands.iter().map(|(name, _)| name.clone()).collect();
    let mut fleet = Fleet::launch(commands, folder.path(), restarts).unwrap();
    let cards = fleet.join(JOIN, &|| false).unwrap();
    let agents: Vec<_> = names.iter().map(String::as_str).zip(&cards).collect();
    let classes = classify(&agents, "1", false).unwrap();
    assert!(classes.iter().all(|class| *class == ClassId(0)));
    let collector = Collector::create(&folder.collected(), &names).unwrap();
    let mut coordinator = Coordinator::new(Embedded::new(collector), &classes, GROUPS, true).unwrap();
    let spec = Spec {
        protocol: PROTOCOL,
        host_version: "1".to_owned(),
        id: "r".to_owned(),
        words: Vec::new(),
        command: vec!["bench-host".to_owned()],
        seed: 1,
        order_sha256: String::new(),
        modules: Vec::new(),
        signature: None,
    };
    let mut failures = Failures::default();
    assert!(!fleet.drive(&mut coordinator, &spec, &mut failures, &|| false).unwrap());
    let clocks: Vec<_> = (0..names.len() as u32).map(|agent| fleet.clock(AgentId(agent))).collect();
    drop(fleet);
    for (name, clock) in names.iter().zip(&clocks) {
        let expect = name.split_once('@').map_or(0, |(_, seconds)| seconds.parse::<i64>().unwrap()) * 1_000_000_000;
        assert!(!clock.is_empty(), "{name}: its clock was compared when it joined");
        let is_right = |clock: &ClockRecord| clock.offset_ns.abs_diff(expect) <= clock.error_ns;
        assert!(clock.iter().all(is_right), "{name}: {clock:?}");
    }
    let with_head: Vec<usize> =
        (0..names.len()).filter(|agent| has_head(&folder.collected().join(&names[*agent])).unwrap()).collect();
    let mut shards = Vec::new();
    for (number, agent) in with_head.iter().copied().enumerate() {
        let (name, card) = (names[agent].as_str(), &cards[agent]);
        let shard = ShardOf {
            agent: name,
            card,
            clock: &clocks[agent],
            number: number as u32 + 1,
            of: with_head.len() as u32,
            finished: "9",
        };
        let is_official = |cell| coordinator.owner(ClassId(0), cell) == Some(AgentId(agent as u32));
        let directory = folder.shards().join(name);
        let collected = folder.collected().join(name);
        let Collected { counted, .. } = write_shard(&collected, &directory, &shard, is_official).unwrap();
        let owned = (0..GROUPS).filter(|group| is_official(*group)).count();
        assert_eq!(counted, owned * PROCESSES as usize, "{fates:?}: no repetition of a finished group is lost");
        // The agent's own run file has every line of it.
        let repeated = outcomes(&own.join(name)).into_values().any(|times| times > 1);
        assert!(!repeated, "{fates:?}: an agent measures no repetition twice");
        let own = lines(&own.join(name));
        assert!(lines(&collected).iter().all(|line| own.contains(line)), "{fates:?}");
        shards.push(directory);
    }
    let merged = merge(&shards, out.path(), Checks::default()).unwrap();
    let given_up = coordinator.progress(ClassId(0)).unwrap().given_up;
    let found = outcomes(&merged.directory);
    assert_eq!(found.len() as u32, (GROUPS - given_up) * PROCESSES, "{fates:?}: {found:?}");
    assert!(found.values().all(|times| *times == 1), "{fates:?}: each repetition once: {found:?}");
    let all: Vec<_> = with_head.iter().flat_map(|agent| lines(&own.join(&names[*agent]))).collect();
    assert!(lines(&merged.directory).iter().all(|line| all.contains(line)), "{fates:?}: each line as it was written");
    (given_up, failures.0.len())
}

#[test]
fn agent_killed_at_any_step_loses_nothing_that_it_finished() {
    check([None, None]);
    for step in 1..=24 {
        check([Some(step), None]);
    }
}

#[test]
fn two_agents_killed_at_different_steps_leave_the_rest_to_the_third() {
    for step in [1, 4, 5, 9, 13, 18] {
        check([Some(step), Some(step * 7 % 24 + 1)]);
    }
}

#[test]
fn agent_that_is_started_again_goes_on_from_its_own_run_file() {
    for step in 1..=24 {
        check_again(step);
    }
}

#[test]
fn agent_that_is_frozen_for_longer_than_its_lease_loses_nothing_and_counts_nothing_twice() {
    for step in [4, 6, 7, 16] {
        let (given_up, failures) = measure(&[("a", Fate::Lives), ("b", Fate::FreezesAt(step))], &[]);
        assert_eq!((given_up, failures), (0, 0), "{step}: a freeze is no end");
    }
}

#[test]
fn clocks_that_are_off_are_recorded_and_change_nothing() {
    let agents = [("a", Fate::Lives), ("b@300", Fate::Lives), ("c@-300", Fate::DiesAt(9))];
    let (given_up, failures) = measure(&agents, &[Duration::ZERO]);
    assert_eq!((given_up, failures), (0, 1));
}
