//! `fleet run` as the process that coordinates the run: plans, has agents measure, and merges what they measured into one run for each
//! class of machines.

use super::clocks::say_clocks;
use super::kubernetes::{Cluster, ClusterServer, cluster, manifest};
use super::members::{Gathering, MeetingPlace, Members, divide, members, server};
#[cfg(feature = "nats")]
use super::nats::Hall;
use super::start::{recorded, start, without};
use super::status::{RunEnding, Watch};
use super::{AnyQueue, agreement, number, worse};
use crate::cli::{FleetRunArgs, RunArgs};
use crate::commands::agent::{module_digests, module_files};
use crate::commands::load::plan;
use crate::commands::registry::sign::secret_key;
use crate::commands::run::{Prepared, prepare};
use crate::cost::Cost;
use crate::execute::{Job, interrupt, planned, say_cost};
use crate::{Exit, derived, output};
use anyhow::Context;
use bench_engine::{ComparisonGroup, Interrupt, Plan, placement};
use bench_fleet::{
    AgentId, AgentPlace, COMMON_GROUP, Checks, ClassId, Collected, Collector, Coordinator, Fleet, FleetFolder,
    HostCard, PROTOCOL, Place, RESTARTS, ShardOf, Spec, Watchers, classify, contradiction, has_head, merge_stopped,
    write_shard,
};
use bench_sink::runfile::ClockRecord;
use module_store::SecretKey;
use pg_connection::redact;
use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

pub(super) fn run(arguments: FleetRunArgs) -> anyhow::Result<Exit> {
    let FleetRunArgs { mut run, on, share_machine, nodes, image, claim, nats_image, key, detach, coordinate } =
        arguments;
    let key = key.as_deref().map(secret_key).transpose()?;
    let places = on.iter().map(|place| place.parse()).collect::<Result<Vec<Place>, _>>().map_err(anyhow::Error::msg)?;
    let places = if places.is_empty() { vec![Place::Local(1)] } else { places };
    possible(&run)?;
    let words = words()?;
    let server = places.iter().find_map(server);
    if let Some(namespace) = cluster(&places, run.common.shown.dry_run)? {
        let words: Vec<_> = words.into_iter().filter(|word| word != "--dry-run").collect();
        let server = ClusterServer::new(server.as_deref(), nats_image.as_deref())?;
        let cluster = Cluster { namespace, nodes, image: &image, claim: &claim, server };
        output::print(&serde_json::to_string_pretty(&manifest(&cluster, &words))?)?;
        if let Some(next) = cluster.next_steps().filter(|_| !run.common.shown.quiet) {
            output::line(&format!("bench-host: {next}"));
        }
        return Ok(Exit::Done);
    }
    anyhow::ensure!(
        nats_image.is_none(),
        "--nats-image starts a server in a cluster; give --on kubernetes, or leave it out"
    );
    anyhow::ensure!(
        server.is_none() || places.len() == 1,
        "agents that connect to a server cannot be combined with other places; leave these out"
    );
    let members = members(&places, nodes)?;
    match coordinate {
        None if run.common.shown.dry_run => dry_run(&mut run, &members),
        None => start(&run, detach),
        Some(id) => {
            let share_machine = share_machine || shares_knowingly(&places);
            coordinate_run(&mut run, &members, share_machine, (words, key), &id)
        }
    }
}

/// Coordinates the run `id`, as the process that `fleet run` has started.
fn coordinate_run(
    run: &mut RunArgs,
    members: &Members,
    share_machine: bool,
    (words, key): (Vec<String>, Option<SecretKey>),
    id: &str,
) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let folder = FleetFolder::new(&run.common.shown.out, id);
    let next = || format!("cannot write to {}; give another folder with --out DIR", folder.path().display());
    let lock = folder.begin().with_context(next)?;
    // The lock is released first, so that a watcher that cannot connect finds it free.
    let held = (lock, Watchers::listen(&folder).with_context(next)?);
    // The process that has started this one waits for it.
    output::print("ready")?;
    let earlier = folder.resume_spec().with_context(next)?;
    if let Some(earlier) = &earlier {
        run.common.measured.seed = Some(earlier.seed);
    }
    let prepared = prepare(run, None, interrupt)?;
    let (plan, seed) = plan(&prepared.modules, &prepared.selections, &prepared.effort, &run.common)?;
    let groups = plan.comparison_groups(|_| false);
    let mut spec = spec(run, &prepared, &plan, seed, (words, id))?;
    match earlier {
        Some(earlier) => anyhow::ensure!(
            earlier.order_sha256 == spec.order_sha256 && earlier.modules == spec.modules,
            "the command line now selects other cells or modules than when the run began; start a new one"
        ),
        None => folder.keep_spec(&spec).with_context(next)?,
    }
    spec.signature = key.map(|key| key.sign(&spec.statement(), &format!("bench-host run {id}")).to_string());
    let submission = Submission {
        run,
        plan: &plan,
        groups: &groups,
        spec: &spec,
        folder: &folder,
        watchers: &held.1,
        files: module_files(&prepared.modules),
        share_machine,
    };
    // Neither the modules nor servers are needed any more: agents load their own.
    drop(prepared);
    submission.measure(members, interrupt)
}

/// Refuses options of `run` that a fleet has no place for.
fn possible(run: &RunArgs) -> anyhow::Result<()> {
    let measured = &run.common.measured;
    anyhow::ensure!(measured.shard.is_none(), "a fleet divides the plan itself; leave out --shard");
    anyhow::ensure!(
        run.resume.resume.is_none(),
        "the run of a fleet cannot be resumed; start a new one without --resume"
    );
    anyhow::ensure!(
        !run.common.shown.live,
        "a fleet has no screen for --live; leave it out, and see `bench-host fleet status`"
    );
    anyhow::ensure!(!run.common.shown.bench_json, "the run of a fleet is not in the history; leave out --bench-json");
    anyhow::ensure!(run.save_baseline.is_none(), "the run of a fleet cannot be a baseline; leave out --save-baseline");
    #[cfg(feature = "profile")]
    anyhow::ensure!(!run.profile, "a fleet does not profile; run `bench-host profile` on one machine");
    Ok(())
}

/// Whether the user asked for several agents on this machine; says what that means.
fn shares_knowingly(places: &[Place]) -> bool {
    let shared = places.iter().find_map(|place| match place {
        Place::Local(number) if *number > 1 => Some(*number),
        _ => None,
    });
    if let Some(number) = shared {
        output::line(&format!(
            "bench-host: {number} agents share this machine and disturb each other's figures: good for a trial, not for figures to keep"
        ));
    }
    shared.is_some()
}

/// The beginnings of options of `fleet run` with their values that `run` does not have.
const OWN: [&str; 6] = ["--on=", "--key=", "--nodes=", "--image=", "--claim=", "--nats-image="];

/// The arguments of `fleet run` that agents take as those of `run`.
fn words() -> anyhow::Result<Vec<String>> {
    let given = without(std::env::args().collect());
    let begin = given.windows(2).position(|pair| pair == ["fleet", "run"]).map_or(given.len(), |at| at + 2);
    let mut words = Vec::new();
    let mut rest = given[begin..].iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--on" | "--key" | "--nodes" | "--image" | "--claim" | "--nats-image" => _ = rest.next(),
            "--share-machine" | "--detach" => {}
            other if OWN.iter().any(|option| other.starts_with(option)) => {}
            other => {
                anyhow::ensure!(
                    redact(other) == other,
                    "the command line holds a password, which must not travel to other machines; put it into ~/.pgpass of each machine"
                );
                words.push(other.to_owned());
            }
        }
    }
    Ok(words)
}

fn spec(
    run: &RunArgs,
    prepared: &Prepared,
    plan: &Plan,
    seed: u64,
    (words, id): (Vec<String>, &str),
) -> anyhow::Result<Spec> {
    let Prepared { loader, modules, effort, .. } = prepared;
    let job = Job { loader, modules, plan, effort: *effort, seed, common: &run.common };
    Ok(Spec {
        protocol: PROTOCOL,
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: id.to_owned(),
        words,
        command: recorded(),
        seed,
        order_sha256: planned(&job).order_sha256.context("the plan has no digest")?,
        modules: module_digests(modules),
        signature: None,
    })
}

/// Prints the groups and the agents, and measures nothing.
fn dry_run(run: &mut RunArgs, members: &Members) -> anyhow::Result<Exit> {
    let prepared = prepare(run, None, interrupt()?)?;
    let (plan, _) = plan(&prepared.modules, &prepared.selections, &prepared.effort, &run.common)?;
    let groups = plan.comparison_groups(|_| false);
    say_cost(&Cost::of_cells(plan.cells.len(), &prepared.effort).line(&plan.order), &run.common);
    let mut text = String::new();
    for (number, group) in groups.iter().enumerate() {
        let arms: Vec<_> = group.cells.iter().map(|cell| plan.offer(plan.cell(*cell)).arm.as_str()).collect();
        let first = plan.cell(group.cells[0]);
        let line = format!("group {number}  {}  {}  {}", plan.full_name(first), arms.join(","), first.arguments);
        text.push_str(&bench_report::escape(line.trim_end()));
        text.push('\n');
    }
    match members {
        Members::Started(members) => members.iter().for_each(|member| text.push_str(&format!("agent {member}\n"))),
        #[cfg(feature = "nats")]
        Members::Visiting(address, number) => text.push_str(&format!("the first {number} agents at {address}\n")),
    }
    output::print(&text)?;
    Ok(Exit::Done)
}

/// A run that is handed to agents.
struct Submission<'a> {
    run: &'a RunArgs,
    plan: &'a Plan,
    groups: &'a [ComparisonGroup],
    spec: &'a Spec,
    folder: &'a FleetFolder,
    watchers: &'a Watchers,
    /// The files of the modules, by digest.
    files: HashMap<String, PathBuf>,
    share_machine: bool,
}

/// What the agents measured.
struct Measured {
    names: Vec<String>,
    cards: Vec<HostCard>,
    /// How far the clock of each agent was ahead, when it joined and when it left.
    clocks: Vec<Vec<ClockRecord>>,
    coordinator: Coordinator<AnyQueue>,
    is_stopped: bool,
    place: MeetingPlace,
}

/// An agent that has sent the head of its run file.
struct Member<'a> {
    agent: AgentId,
    name: &'a str,
    card: &'a HostCard,
    clock: &'a [ClockRecord],
    /// Where what it sent is kept.
    directory: PathBuf,
}

impl Submission<'_> {
    /// Has the agents measure, and merges what they measured. The processes that watch the run show it.
    fn measure(&self, members: &Members, interrupt: &Interrupt) -> anyhow::Result<Exit> {
        let (measured, mut watch) = self.gather(members, interrupt)?;
        match self.merge_classes(&measured) {
            Err(error) => {
                watch.end(&measured.coordinator, failed(format!("{error:#}")));
                Err(error)
            }
            Ok((exit, directories)) => {
                for directory in &directories {
                    if let Err(error) = derived::write(directory) {
                        output::line(&format!("bench-host: {}: {error:#}", directory.display()));
                    }
                }
                watch.end(&measured.coordinator, self.ending(exit, &directories));
                measured.place.clear();
                Ok(exit)
            }
        }
    }

    fn ending(&self, exit: Exit, directories: &[PathBuf]) -> RunEnding {
        let shown: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
        let text = if shown.is_empty() { "nothing was measured".to_owned() } else { shown.join(", ") };
        let out = self.folder.out();
        let within = |directory: &PathBuf| directory.strip_prefix(out).unwrap_or(directory).to_owned();
        RunEnding { text, exit: Some(number(exit)), directories: directories.iter().map(within).collect() }
    }

    /// Starts the agents, and has them measure until nothing is left or the user stops them.
    fn gather(&self, members: &Members, interrupt: &Interrupt) -> anyhow::Result<(Measured, Watch<'_>)> {
        let mut gathering = self.begin(members)?;
        let patience = gathering.patience();
        let fleet = &mut gathering.fleet;
        fleet.offer(self.files.clone());
        let _woken = interrupt.subscribe(fleet.waker());
        let is_stopped = || interrupt.is_raised();
        let cards = fleet.join(patience, &is_stopped)?;
        let names = fleet.names();
        say_clocks(&names, |agent| fleet.clock(agent));
        let named: Vec<(&str, &HostCard)> = names.iter().map(String::as_str).zip(&cards).collect();
        let classes = classify(&named, &self.spec.host_version, self.share_machine)?;
        let collector = Collector::create(&self.folder.collected(), &names);
        let collector = collector.with_context(|| format!("cannot write to {}", self.folder.path().display()))?;
        let queue = gathering.queue(collector, &names)?;
        let fleet = &mut gathering.fleet;
        let mut coordinator = Coordinator::new(queue, &classes, self.groups.len() as u32, true)?;
        coordinator.decide_classes();
        let common = self.groups.get(COMMON_GROUP as usize);
        let mut watch = Watch::new((self.folder, self.watchers), (self.plan, common), &names, &cards, &classes);
        let driven = fleet.drive(&mut coordinator, self.spec, &mut watch, &is_stopped);
        let clocks: Vec<_> = (0..names.len() as u32).map(|agent| fleet.clock(AgentId(agent))).collect();
        // Agents of this machine have ended before their folders are removed.
        let place = gathering.end();
        match driven {
            Ok(is_stopped) => Ok((Measured { names, cards, clocks, coordinator, is_stopped, place }, watch)),
            Err(error) => {
                watch.end(&coordinator, failed(error.to_string()));
                Err(error.into())
            }
        }
    }

    /// Starts the agents, or invites them.
    fn begin(&self, members: &Members) -> anyhow::Result<Gathering> {
        match members {
            Members::Started(members) => {
                let is_divided = self.run.common.measured.cpu.is_none();
                let cpus = if is_divided { divide(members, &placement::allowed_cpus()) } else { HashMap::new() };
                let command = |member: &AgentPlace| anyhow::Ok((member.name.clone(), self.command(member, &cpus)?));
                let commands = members.iter().map(command).collect::<anyhow::Result<Vec<_>>>()?;
                let fleet = Fleet::launch(commands, self.folder.path(), &RESTARTS)?;
                Ok(Gathering::started(fleet))
            }
            #[cfg(feature = "nats")]
            Members::Visiting(address, number) => Ok(Gathering::visiting(Hall::open(address, &self.spec.id, *number)?)),
        }
    }

    /// The command that starts an agent.
    fn command(&self, member: &AgentPlace, cpus: &HashMap<&str, String>) -> anyhow::Result<Command> {
        let agent = ["agent", "--stdio", "--run", self.spec.id.as_str(), "--name", member.name.as_str()];
        let mut command = match &member.ssh {
            Some(host) => {
                let mut command = Command::new("ssh");
                // A question of ssh could not be answered. A connection that is dead for a minute is the end of the agent.
                command.args([
                    "-T",
                    "-o",
                    "BatchMode=yes",
                    "-o",
                    "ServerAliveInterval=20",
                    "-o",
                    "ConnectTimeout=30",
                    host.as_str(),
                    "bench-host",
                ]);
                command.args(agent);
                command
            }
            None => {
                let program = std::env::current_exe().context("cannot find this program to start agents with")?;
                let mut command = Command::new(program);
                command.args(agent).arg("--out").arg(self.folder.agents());
                if let Some(cpus) = cpus.get(member.name.as_str()) {
                    command.args(["--cpu", cpus.as_str()]);
                }
                command
            }
        };
        // Ctrl-C is for this process, which asks the agents to stop.
        command.process_group(0);
        Ok(command)
    }

    /// Merges what counts of each class into a run. Returns the exit status so far, and the run directories.
    fn merge_classes(&self, measured: &Measured) -> anyhow::Result<(Exit, Vec<PathBuf>)> {
        let mut exit = if measured.is_stopped { Exit::NotMeasured } else { Exit::Done };
        let (mut directories, mut collected) = (Vec::new(), Vec::new());
        for class in 0..measured.coordinator.classes() {
            let missing = self.missing(measured, ClassId(class))?;
            if let Some(missing) = &missing {
                exit = Exit::NotMeasured;
                output::line(&format!("bench-host: {missing}"));
            }
            let members = self.members(measured, ClassId(class))?;
            if members.is_empty() {
                continue;
            }
            self.say_agreement(ClassId(class), &members)?;
            let shards = self.shards(measured, ClassId(class), &members, &mut collected)?;
            let out = match measured.coordinator.classes() {
                1 => self.run.common.shown.out.clone(),
                _ => self.run.common.shown.out.join(format!("class-{}", class + 1)),
            };
            let checks = Checks { across_machines: false, share_machine: self.share_machine };
            directories.push(merge_stopped(&shards, &out, checks, missing)?.directory);
        }
        if let Some((cell, first, other)) = contradiction(&collected) {
            let cell = self.plan.cell(cell);
            output::line(&format!(
                "bench-host: {} {} has different results on {first} and {other}: equal arguments must yield equal results",
                self.plan.full_name(cell),
                cell.arguments
            ));
            exit = worse(Exit::Finding, exit);
        }
        // What the agents sent stays, with what does not count; shards and the local copies hold nothing more.
        for folder in [self.folder.shards(), self.folder.agents()] {
            let _ = fs::remove_dir_all(folder);
        }
        Ok((exit, directories))
    }

    /// Why groups of a class are missing, if some are.
    fn missing(&self, measured: &Measured, class: ClassId) -> anyhow::Result<Option<String>> {
        let progress = measured.coordinator.progress(class)?;
        let left = progress.waiting + progress.leased;
        let why = match (measured.is_stopped, progress.given_up, left) {
            (_, 0, 0) => return Ok(None),
            (true, _, _) => "interrupted".to_owned(),
            (false, given_up, 0) => {
                format!(
                    "two agents were lost while they measured {given_up} of the groups of cells; measure these alone to see why"
                )
            }
            (false, _, left) => {
                format!("every agent of class {} was lost with {left} groups of cells left", class.0 + 1)
            }
        };
        Ok(Some(why))
    }

    /// The agents of a class of which there is anything.
    fn members<'a>(&self, measured: &'a Measured, class: ClassId) -> anyhow::Result<Vec<Member<'a>>> {
        let mut members = Vec::new();
        for (number, (name, card)) in (0..).zip(measured.names.iter().zip(&measured.cards)) {
            let (agent, directory) = (AgentId(number), self.folder.collected().join(name));
            if measured.coordinator.class_of(agent) == class && has_head(&directory)? {
                let clock = measured.clocks[number as usize].as_slice();
                members.push(Member { agent, name, card, clock, directory });
            }
        }
        Ok(members)
    }

    /// Says how far the agents of a class lie apart, if there are several.
    fn say_agreement(&self, class: ClassId, members: &[Member<'_>]) -> anyhow::Result<()> {
        let directories: Vec<_> = members.iter().map(|member| member.directory.clone()).collect();
        let Some(common) = self.groups.get(COMMON_GROUP as usize) else { return Ok(()) };
        if let Some(agreement) = agreement::describe(self.plan, common, &directories)? {
            output::line(&format!("bench-host: class {}: {agreement}", class.0 + 1));
        }
        Ok(())
    }

    /// Writes what counts of each agent of a class as a shard.
    fn shards(
        &self,
        measured: &Measured,
        class: ClassId,
        members: &[Member<'_>],
        collected: &mut Vec<(String, Collected)>,
    ) -> anyhow::Result<Vec<PathBuf>> {
        let mut group_of: HashMap<u32, u32> = HashMap::new();
        for (number, group) in (0..).zip(self.groups) {
            group_of.extend(group.cells.iter().map(|cell| (*cell, number)));
        }
        let finished = jiff::Timestamp::now().to_string();
        let mut shards = Vec::new();
        for (number, member) in (1..).zip(members) {
            let of = members.len() as u32;
            let shard =
                ShardOf { agent: member.name, card: member.card, clock: member.clock, number, of, finished: &finished };
            let out = self.folder.shards().join(member.name);
            let counts = |cell| {
                let group = group_of.get(&cell);
                group.is_some_and(|group| measured.coordinator.owner(class, *group) == Some(member.agent))
            };
            let found = write_shard(&member.directory, &out, &shard, counts)?;
            collected.push((member.name.to_owned(), found));
            shards.push(out);
        }
        Ok(shards)
    }
}

fn failed(text: String) -> RunEnding {
    RunEnding { text, exit: None, directories: Vec::new() }
}
