//! `fleet run` as the process that coordinates the run: plans, has agents measure, and merges what they measured into one run for each
//! class of machines.

mod inspection;
mod merging;

use super::clocks::say_clocks;
#[cfg(feature = "kubernetes")]
use super::kubernetes::Launch;
use super::kubernetes::{Cluster, ClusterServer, cluster, manifest};
use super::machines::{say_shared, unknown};
use super::members::{Gathering, MeetingPlace, Members, divide, members, server};
#[cfg(feature = "nats")]
use super::nats::Hall;
use super::start::{given, recorded, start, without};
use super::status::{RunEnding, Watch};
use super::{AnyQueue, number};
use crate::cli::{self, Cli, FleetRunArgs, RunArgs};
use crate::commands::agent::{longest_repetition, module_digests, module_files};
use crate::commands::load::plan;
use crate::commands::registry::sign::secret_key;
use crate::commands::run::{Prepared, prepare};
use crate::cost::Cost;
use crate::execute::{Job, interrupt, planned, say_cost};
use crate::{Exit, derived, output, stored};
use anyhow::Context;
use bench_engine::{ComparisonGroup, Interrupt, Plan, placement};
#[cfg(feature = "nats")]
use bench_fleet::Guests;
use bench_fleet::{
    AgentCard, AgentId, AgentPlace, Collector, Coordinator, Fleet, FleetError, FleetFolder, HostCard, MergeError,
    ModuleDigest, PROTOCOL, Place, QueueError, RESTARTS, Spec, Watchers, check_lease, classify,
};
use bench_sink::runfile::{ClockRecord, Planned};
use clap::Parser;
use inspection::inspector;
use module_store::SecretKey;
use pg_connection::redact;
use std::collections::HashMap;
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
    let cluster = cluster(&places)?.map(|namespace| {
        let server = ClusterServer::new(server.as_deref(), nats_image.as_deref());
        Cluster { namespace, nodes, image: &image, claim: &claim, agents: "node", server }
    });
    if let Some(cluster) = cluster.as_ref().filter(|_| run.common.shown.dry_run) {
        return print_manifest(cluster, words, run.common.shown.quiet);
    }
    anyhow::ensure!(
        cluster.is_some() || nats_image.is_none(),
        "--nats-image starts a server in a cluster; give --on kubernetes, or leave it out"
    );
    anyhow::ensure!(
        cluster.is_some() || server.is_none() || places.len() == 1,
        "agents that connect to a server cannot be combined with other places; leave these out"
    );
    let members = members(&places, nodes, cluster.as_ref())?;
    match coordinate {
        None if run.common.shown.dry_run => dry_run(&mut run, &members),
        None => start(&run, detach),
        Some(id) => {
            say_shared(&places);
            coordinate_run(&mut run, &members, share_machine, (words, key), &id)
        }
    }
}

/// Prints what is to be created in a cluster, and creates nothing.
fn print_manifest(cluster: &Cluster<'_>, words: Vec<String>, is_quiet: bool) -> anyhow::Result<Exit> {
    let words: Vec<_> = words.into_iter().filter(|word| word != "--dry-run").collect();
    output::print(&serde_json::to_string_pretty(&manifest(cluster, &words))?)?;
    if let Some(next) = cluster.next_steps().filter(|_| !is_quiet) {
        output::line(&format!("bench-host: {next}"));
    }
    Ok(Exit::Done)
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
    let (mut spec, planned) = spec(run, &prepared, &plan, seed, (words, id))?;
    match earlier {
        Some(earlier) => anyhow::ensure!(
            earlier.order_sha256 == spec.order_sha256 && are_same(&earlier.modules, &spec.modules),
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
        planned: &planned,
        folder: &folder,
        watchers: &held.1,
        files: module_files(&prepared.modules),
        share_machine,
    };
    // Neither the modules nor servers are needed any more: agents load their own.
    drop(prepared);
    submission.measure(members, interrupt)
}

/// Whether these are the same modules, wherever they can be fetched from.
fn are_same(modules: &[ModuleDigest], others: &[ModuleDigest]) -> bool {
    let without_address = |module: &ModuleDigest| ModuleDigest { address: None, ..module.clone() };
    modules.iter().map(without_address).eq(others.iter().map(without_address))
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

/// The beginnings of options of `fleet run` with their values that `run` does not have.
const OWN: [&str; 6] = ["--on=", "--key=", "--nodes=", "--image=", "--claim=", "--nats-image="];

/// The arguments of `fleet run` that agents take as those of `run`.
fn words() -> anyhow::Result<Vec<String>> {
    let given = without(given()?);
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
) -> anyhow::Result<(Spec, Planned)> {
    let Prepared { loader, modules, effort, .. } = prepared;
    let job = Job { loader, modules, plan, effort: *effort, seed, common: &run.common };
    check_lease(longest_repetition(&job)).map_err(anyhow::Error::msg)?;
    let planned = planned(&job);
    let mut modules = module_digests(modules);
    stored::add_addresses(&mut modules);
    let spec = Spec {
        protocol: PROTOCOL,
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        id: id.to_owned(),
        words,
        command: recorded(),
        seed,
        order_sha256: planned.order_sha256.clone().context("the plan has no digest")?,
        modules,
        signature: None,
    };
    Ok((spec, planned))
}

/// The spec of a run with these arguments of `bench-host run`, without a signature.
pub(crate) fn spec_of(words: &[&str], id: &str) -> anyhow::Result<Spec> {
    let parsed = Cli::try_parse_from(["bench-host", "run"].iter().chain(words))?;
    let cli::Command::Run(mut run) = parsed.command else { anyhow::bail!("these are not arguments of `run`") };
    let prepared = prepare(&mut run, None, &Interrupt::new())?;
    let (plan, seed) = plan(&prepared.modules, &prepared.selections, &prepared.effort, &run.common)?;
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Ok(spec(&run, &prepared, &plan, seed, (words, id))?.0)
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
        #[cfg(feature = "kubernetes")]
        Members::Launched(launch) => text.push_str(&format!("the agents of a Job at {}\n", launch.address())),
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
    planned: &'a Planned,
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

impl Submission<'_> {
    /// Has the agents measure, and merges what they measured. The processes that watch the run show it.
    fn measure(&self, members: &Members, interrupt: &Interrupt) -> anyhow::Result<Exit> {
        let (measured, mut watch) = self.gather(members, interrupt)?;
        match self.merge_classes(&measured) {
            Err(error) => {
                let error = self.remedied(error);
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
                // A run that is not known to have ended can be resumed, and needs what is removed now.
                if self.folder.has_ended() {
                    self.folder.remove_parts();
                    measured.place.clear();
                }
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
        let earlier = self.earlier_agents()?;
        let mut gathering = self.begin(members, &earlier, interrupt)?;
        let patience = gathering.patience(!earlier.is_empty());
        let fleet = &mut gathering.fleet;
        fleet.remember(earlier);
        fleet.offer(self.files.clone());
        let _woken = interrupt.subscribe(fleet.waker());
        let is_stopped = || interrupt.is_raised();
        let cards = fleet.join(patience, &is_stopped)?;
        let names = fleet.names();
        say_clocks(&names, |agent| fleet.clock(agent));
        let named: Vec<(&str, &HostCard)> = names.iter().map(String::as_str).zip(&cards).collect();
        let may_share = |a: usize, b: usize| self.share_machine || members.may_share(a, b);
        let classes = classify(&named, &self.spec.host_version, &may_share)?;
        if let Some(unknown) = unknown(&names, &cards, &may_share) {
            output::line(&format!("bench-host: {unknown}"));
        }
        let queue = gathering.queue(self.collector(&names, &cards)?, &names)?;
        let fleet = &mut gathering.fleet;
        let mut coordinator = Coordinator::new(queue, &classes, self.groups.len() as u32, true)?;
        coordinator.decide_classes();
        coordinator.inspect(inspector(self.plan, self.groups, (self.spec, self.planned), &cards));
        let mut watch = Watch::new((self.folder, self.watchers), (self.plan, self.groups), &names, &cards, &classes);
        let driven = fleet.drive(&mut coordinator, self.spec, &mut watch, &is_stopped);
        let clocks: Vec<_> = (0..names.len() as u32).map(|agent| fleet.clock(AgentId(agent))).collect();
        // Agents of this machine have ended before their folders are removed.
        let place = gathering.end();
        match driven {
            Ok(is_stopped) => Ok((Measured { names, cards, clocks, coordinator, is_stopped, place }, watch)),
            Err(error) => {
                let error = self.remedied(error.into());
                watch.end(&coordinator, failed(format!("{error:#}")));
                Err(error)
            }
        }
    }

    /// The agents that another process had which began this run; none if none did.
    fn earlier_agents(&self) -> anyhow::Result<Vec<AgentCard>> {
        let cards = self.folder.agent_cards();
        cards.with_context(|| format!("{}: the run cannot be resumed; start a new one", self.folder.path().display()))
    }

    /// Where what the agents send is kept, with their cards.
    fn collector(&self, names: &[String], cards: &[HostCard]) -> anyhow::Result<Collector> {
        let collected = self.folder.collected();
        let next = || format!("cannot write to {}", self.folder.path().display());
        let agents = names.iter().zip(cards);
        let agents: Vec<_> =
            agents.map(|(agent, card)| AgentCard { agent: agent.clone(), card: card.clone() }).collect();
        self.folder.keep_agents(&agents).with_context(next)?;
        let collector = Collector::create(&collected, names).with_context(next)?;
        for card in &agents {
            card.keep(&collected.join(&card.agent)).with_context(next)?;
        }
        Ok(collector)
    }

    /// The error with what to do next, if this machine could not write what agents have measured.
    fn remedied(&self, error: anyhow::Error) -> anyhow::Error {
        let of_fleet = error.downcast_ref::<FleetError>();
        let is_of_queue = matches!(of_fleet, Some(FleetError::Queue(QueueError::Keep { .. })));
        if !is_of_queue && !matches!(error.downcast_ref::<MergeError>(), Some(MergeError::Write(_))) {
            return error;
        }
        error.context(format!(
            "what the agents measured cannot be written here, but they have kept it; make room in {}, and go on with `bench-host fleet \
             resume {}`",
            self.folder.out().display(),
            self.folder.id()
        ))
    }

    /// Starts the agents, or invites them: those that the run had `earlier`, if it had some.
    #[cfg_attr(not(feature = "kubernetes"), expect(unused_variables, reason = "nothing is waited for"))]
    fn begin(&self, members: &Members, earlier: &[AgentCard], interrupt: &Interrupt) -> anyhow::Result<Gathering> {
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
            Members::Visiting(address, number) => {
                let named = || Guests::Named(earlier.iter().map(|card| card.agent.clone()).collect());
                let guests = if earlier.is_empty() { Guests::Any(*number) } else { named() };
                Ok(Gathering::visiting(Hall::open(address, &self.spec.id, guests)?))
            }
            #[cfg(feature = "kubernetes")]
            Members::Launched(launch) => self.launch(launch, interrupt),
        }
    }

    /// Has a cluster start the agents, and invites them. What was created there is deleted with what is returned, and if that fails.
    #[cfg(feature = "kubernetes")]
    fn launch(&self, launch: &Launch, interrupt: &Interrupt) -> anyhow::Result<Gathering> {
        let id = &self.spec.id;
        let open = || Hall::open(launch.address(), id, Guests::Named(launch.agents(id)));
        // Nothing is created for a server that cannot be used.
        let opened = if launch.has_server() { Some(open()?) } else { None };
        let mut launched = launch.begin(self.folder)?;
        let (hall, mut fleet) = match opened {
            Some(opened) => opened,
            None => {
                launch.wait_for_server(interrupt)?;
                open()?
            }
        };
        launched.start_agents(fleet.losses(), self.watchers.waker())?;
        Ok(Gathering::launched((hall, fleet), launched))
    }

    /// The command that starts an agent.
    fn command(&self, member: &AgentPlace, cpus: &HashMap<&str, String>) -> anyhow::Result<Command> {
        let agent = ["agent", "--stdio", "--run", self.spec.id.as_str(), "--name", member.name.as_str()];
        let mut command = match &member.ssh {
            Some(host) => {
                let mut command = Command::new("ssh");
                // A question of ssh could not be answered.
                command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30"]);
                // Nothing is sent while a repetition measures. That a connection is dead is told by the end of the agent's lease.
                command.args(["-o", "ServerAliveInterval=0", "-o", "TCPKeepAlive=no"]);
                command.arg(host).arg("bench-host").args(agent);
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
}

fn failed(text: String) -> RunEnding {
    RunEnding { text, exit: None, directories: Vec::new() }
}
