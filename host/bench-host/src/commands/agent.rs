//! `agent`: measures groups of cells for a fleet. It plans what the spec says from this machine's modules, and refuses a plan that is not
//! that of the spec.

#[cfg(feature = "nats")]
mod guest;
mod policy;
mod shipped;

use super::load::plan;
use super::run::{Prepared, prepare};
use crate::cli::{AgentArgs, Cli, Command, CpuList, RunArgs};
use crate::execute::{Job, WorkerExecutor, calibrate, interrupt, planned, program_sha256, run_record};
use crate::fingerprint::fingerprint;
use crate::modules::Modules;
use crate::stored::Trust;
use crate::{Exit, paths};
use anyhow::Context;
use bench_engine::{
    ComparisonGroup, Done, Finished, Interrupt, Journal, Observer, Plan, Repetition, RunEnd, placement,
};
use bench_fleet::{
    AgentTask, HostCard, ModuleDigest, Orders, PROTOCOL, Part, Place, Served, Spec, Uplink, listen, own_blocks, serve,
    wall_ns,
};
use bench_sink::environment::boot_id;
use bench_sink::runfile::{
    EndRecord, FILE_NAME, LockedRun, Record, ResumedRecord, RunWriter, When, WriteError, encode,
};
use clap::Parser;
use policy::AgentPolicy;
use shipped::ShippedModules;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) fn run(arguments: &AgentArgs) -> anyhow::Result<Exit> {
    let place = arguments.on.as_deref().map(str::parse::<Place>).transpose().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(
        arguments.stdio || place.is_some(),
        "an agent is started by `bench-host fleet run`; to start one by hand, give --on nats://HOST or --stdio"
    );
    let policy = arguments.policy.as_deref().map(AgentPolicy::read).transpose()?;
    let way = if arguments.stdio { "stdio" } else { "on" };
    anyhow::ensure!(
        arguments.run.is_some() || policy.is_some(),
        "--{way} needs --run ID, the run that the agent measures for, or --policy FILE"
    );
    match place {
        None => measure(arguments, policy, Connection::stdio),
        #[cfg(feature = "nats")]
        Some(Place::Nats(address)) => match &arguments.link {
            None => guest::attend(&address, arguments),
            Some(link) => measure(arguments, policy, |interrupt| guest::connect(&address, arguments, link, interrupt)),
        },
        Some(Place::Local(_) | Place::Ssh(_) | Place::Kubernetes(_)) => {
            anyhow::bail!("an agent connects to a server, --on nats://HOST, or is started by `bench-host fleet run`")
        }
    }
}

/// The connection to a coordinator.
struct Connection {
    orders: Orders,
    uplink: Uplink,
}

impl Connection {
    /// Standard input and output.
    fn stdio(interrupt: &'static Interrupt) -> anyhow::Result<Self> {
        let orders = listen(io::BufReader::new(io::stdin()), wall_ns, move || _ = interrupt.raise());
        Ok(Self { orders, uplink: Uplink::new(io::stdout()) })
    }
}

/// Measures what arrives over the connection that `connect` opens.
fn measure(
    arguments: &AgentArgs,
    policy: Option<AgentPolicy>,
    connect: impl FnOnce(&'static Interrupt) -> anyhow::Result<Connection>,
) -> anyhow::Result<Exit> {
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => paths::agent_runs().context("no folder for the run file of the agent; give one with --out DIR")?,
    };
    // Before any other thread is started, because threads inherit it.
    if let Some(CpuList(cpus)) = &arguments.cpu {
        placement::restrict(cpus).map_err(|reason| anyhow::anyhow!("--cpu: {reason}"))?;
    }
    let interrupt = interrupt()?;
    let card = HostCard {
        protocol: PROTOCOL,
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_sha256: program_sha256(),
        fingerprint: fingerprint(&out),
        boot_id: boot_id(),
    };
    let Connection { orders, mut uplink } = connect(interrupt)?;
    let name = arguments.name.clone().unwrap_or_else(|| "agent".to_owned());
    let mut task = Task { interrupt, out, name, policy, prepared: None, measuring: None };
    match serve(&orders, &mut uplink, (&card, arguments.run.as_deref()), &mut task) {
        Ok(Served::Done) => Ok(Exit::Done),
        Ok(Served::Stopped) => Ok(Exit::NotMeasured),
        Ok(Served::Failed(reason)) => anyhow::bail!("{reason}"),
        Err(error) => {
            Err(error).context("the coordinator cannot be reached; what was measured is kept in the agent's folder")
        }
    }
}

/// The digests of the modules of a plan, and of those that its scenarios name.
pub(crate) fn module_digests(modules: &Modules) -> Vec<ModuleDigest> {
    let digest = |loaded: &crate::modules::Loaded| ModuleDigest {
        name: loaded.offer.descriptor.name.clone(),
        arm: loaded.offer.arm,
        sha256: loaded.offer.sha256.clone(),
        file: shipped::file_name(&loaded.spec.file),
    };
    modules.loaded.iter().chain(&modules.companions).map(digest).collect()
}

/// The files of the modules of a plan that can be sent to agents, by digest.
pub(crate) fn module_files(modules: &Modules) -> HashMap<String, PathBuf> {
    let all = modules.loaded.iter().chain(&modules.companions);
    let files = all.filter(|loaded| !shipped::file_name(&loaded.spec.file).is_empty());
    files.map(|loaded| (loaded.offer.sha256.clone(), loaded.spec.file.clone())).collect()
}

struct Task {
    interrupt: &'static Interrupt,
    /// The folder of run files of agents.
    out: PathBuf,
    name: String,
    policy: Option<AgentPolicy>,
    /// What the spec selects of the modules of this machine, if these are those of the spec.
    prepared: Option<(RunArgs, Prepared)>,
    measuring: Option<Measuring>,
}

/// A spec that is being measured.
struct Measuring {
    arguments: RunArgs,
    prepared: Prepared,
    plan: Plan,
    seed: u64,
    groups: Vec<ComparisonGroup>,
    writer: RunWriter,
    /// What the run file had when this agent was started: nothing, unless it was started again.
    earlier: Vec<Record>,
    /// The identities and outcomes of what is measured, also before it was started again.
    measured: Vec<Record>,
    /// How many blocks that belong to no cell were sent.
    notes: u32,
}

impl AgentTask for Task {
    fn lacks(&mut self, spec: &Spec) -> Result<Vec<String>, String> {
        self.choose_modules(spec).map_err(|error| format!("{error:#}"))
    }

    fn keep_module(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), String> {
        self.store().keep(sha256, bytes).map_err(|error| format!("{error:#}"))
    }

    fn prepare(&mut self, spec: &Spec, uplink: &mut Uplink) -> Result<Duration, String> {
        let mut measuring = self.plan(spec).map_err(|error| format!("{error:#}"))?;
        let lease = measuring.longest_repetition();
        measuring.begin(spec, uplink, self.interrupt).map_err(|error| format!("{error:#}"))?;
        self.measuring = Some(measuring);
        Ok(lease)
    }

    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink) -> Result<bool, String> {
        let measuring = self.measuring.as_mut().ok_or("nothing is planned")?;
        measuring.measure(groups, uplink, self.interrupt).map_err(|error| format!("{error:#}"))
    }

    fn finish(&mut self, uplink: &mut Uplink) -> Result<(), String> {
        let measuring = self.measuring.as_mut().ok_or("nothing is planned")?;
        measuring.finish(uplink, self.interrupt).map_err(|error| format!("{error:#}"))
    }
}

impl Task {
    /// Parses the command line of `spec`; an error if it may not be measured here.
    fn parse(&self, spec: &Spec) -> anyhow::Result<RunArgs> {
        let words = ["bench-host", "run"].into_iter().chain(spec.words.iter().map(String::as_str));
        let parsed = Cli::try_parse_from(words).map_err(|error| {
            let text = error.to_string();
            anyhow::anyhow!("{}", text.lines().next().unwrap_or("invalid command line").to_owned())
        })?;
        let Command::Run(mut arguments) = parsed.command else { anyhow::bail!("the spec is not of `bench-host run`") };
        if let Some(policy) = &self.policy {
            policy.permit(spec, &arguments)?;
        }
        arguments.common.measured.seed = Some(spec.seed);
        arguments.common.shown.out.clone_from(&self.out);
        Ok(arguments)
    }

    /// Takes the modules of this machine if they are those of `spec`. Else returns the digests of those that have yet to be sent.
    fn choose_modules(&mut self, spec: &Spec) -> anyhow::Result<Vec<String>> {
        let mut arguments = self.parse(spec)?;
        let prepared = prepare(&mut arguments, None, self.interrupt);
        let unlike =
            match prepared.and_then(|prepared| same_modules(&spec.modules, &prepared.modules).map(|()| prepared)) {
                Ok(prepared) => {
                    self.prepared = Some((arguments, prepared));
                    return Ok(Vec::new());
                }
                Err(error) => error,
            };
        if shipped::sent(spec).next().is_none() {
            return Err(unlike);
        }
        let trust = match &self.policy {
            Some(_) => None,
            None => Some(Trust::read()?),
        };
        self.store().lacks(spec, trust.as_ref()).map_err(|error| anyhow::anyhow!("{unlike:#}; {error:#}"))
    }

    /// Where modules are kept that were sent.
    fn store(&self) -> ShippedModules {
        ShippedModules::new(&self.out)
    }

    /// Plans `spec` with the modules of this machine or those that were sent; an error if that is another plan than the spec's.
    fn plan(&mut self, spec: &Spec) -> anyhow::Result<Measuring> {
        let (arguments, prepared) = match self.prepared.take() {
            Some(prepared) => prepared,
            None => {
                let mut arguments = self.parse(spec)?;
                arguments.modules = vec![self.store().folder(spec, &self.name)?];
                let prepared = prepare(&mut arguments, None, self.interrupt)?;
                same_modules(&spec.modules, &prepared.modules)?;
                (arguments, prepared)
            }
        };
        let Prepared { loader, modules, selections, effort } = &prepared;
        let (plan, seed) = plan(modules, selections, effort, &arguments.common)?;
        if let Some(policy) = &self.policy {
            policy.permit_plan(spec, &plan)?;
        }
        let job = Job { loader, modules, plan: &plan, effort: *effort, seed, common: &arguments.common };
        let found = planned(&job).order_sha256;
        anyhow::ensure!(
            found.as_deref() == Some(spec.order_sha256.as_str()),
            "the same command line selects other cells here, although the modules are the same; use the same suite files and \
             parameters on all machines"
        );
        let directory = self.out.join(format!("{}@{}", spec.id, self.name));
        let (writer, earlier) = if directory.join(FILE_NAME).exists() {
            go_on(&directory, &job, spec)?
        } else {
            let created = RunWriter::create(&directory).map_err(|error| {
                let source = error.source.to_string();
                anyhow::anyhow!("{error}: {source}; give the agent another folder with --out DIR")
            });
            (created?, Vec::new())
        };
        let measured = earlier.iter().filter(|record| is_of_repetition(record)).cloned().collect();
        let groups = plan.comparison_groups(|_| false);
        Ok(Measuring { arguments, prepared, plan, seed, groups, writer, earlier, measured, notes: 0 })
    }
}

/// Opens the run file that this agent began before it was started again. Returns it with what it has.
fn go_on(directory: &Path, job: &Job<'_>, spec: &Spec) -> anyhow::Result<(RunWriter, Vec<Record>)> {
    let held = LockedRun::open(directory)?;
    let earlier = held.run().records.clone();
    if let Some(Record::Run(run)) = earlier.first() {
        let is_same_program = run.program_sha256.is_some() && run.program_sha256 == program_sha256();
        anyhow::ensure!(
            run.id == spec.id
                && is_same_program
                && run.planned == planned(job)
                && run.fingerprint.unlike(&fingerprint(directory)).is_empty(),
            "{}: this run file of the agent was begun on another machine, by another program or for another plan; move it away",
            directory.display()
        );
        Done::of(job.plan, &earlier)?;
    }
    Ok((held.resume()?, earlier))
}

/// Whether a record tells what was measured, as [`Done`] reads it.
fn is_of_repetition(record: &Record) -> bool {
    matches!(record, Record::Cell(_) | Record::Outcome(_))
}

/// Checks that the modules here are those of the spec.
fn same_modules(wanted: &[ModuleDigest], modules: &Modules) -> anyhow::Result<()> {
    let found = module_digests(modules);
    for module in wanted {
        let here = found.iter().position(|found| found.name == module.name && found.arm == module.arm);
        let Some(here) = here else {
            let refused = modules.refused.iter().map(|refused| format!("; {}", refused.reason)).collect::<String>();
            anyhow::bail!(
                "the module {} ({}) with the digest {} is not on this machine; copy it there{refused}",
                module.name,
                module.arm,
                short(&module.sha256)
            );
        };
        let loaded = modules.loaded.iter().chain(&modules.companions).nth(here);
        anyhow::ensure!(
            found[here].sha256 == module.sha256,
            "{}: the module {} ({}) has the digest {}, but that of the run is {}; copy the file of the run to this machine",
            loaded.map(|loaded| loaded.offer.file.display().to_string()).unwrap_or_default(),
            module.name,
            module.arm,
            short(&found[here].sha256),
            short(&module.sha256)
        );
    }
    let other =
        found.iter().find(|found| wanted.iter().all(|wanted| wanted.name != found.name || wanted.arm != found.arm));
    if let Some(other) = other {
        anyhow::bail!(
            "the module {} ({}) is on this machine, but not where the run was submitted; move it away, or copy it there",
            other.name,
            other.arm
        );
    }
    Ok(())
}

/// The beginning of a digest, long enough to distinguish two.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The time between two messages that is always allowed, for writing and sending.
const MARGIN: Duration = Duration::from_secs(15);

impl Measuring {
    fn job(&self) -> Job<'_> {
        let Prepared { loader, modules, effort, .. } = &self.prepared;
        Job { loader, modules, plan: &self.plan, effort: *effort, seed: self.seed, common: &self.arguments.common }
    }

    /// The longest time between two messages: the deadlines of the worker that measures and of the one that counts resource usage.
    fn longest_repetition(&self) -> Duration {
        let job = self.job();
        2 * self.plan.cells.iter().map(|cell| job.deadline_of(cell)).max().unwrap_or_default() + MARGIN
    }

    /// Writes and sends the head of the run file, and the rooflines; or sends what the file has, if the agent was started again.
    fn begin(&mut self, spec: &Spec, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        if self.earlier.is_empty() {
            let job = self.job();
            let run = run_record(&job, &spec.id, jiff::Timestamp::now(), spec.command.clone());
            let mut head = vec![Record::Run(run)];
            head.extend(job.modules.records().into_iter().map(Record::Module));
            self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&head)?))?;
        } else {
            self.send_again(spec, uplink, interrupt)?;
        }
        let is_before = |record: &Record| matches!(record, Record::Calibration(record) if record.when == When::Before);
        if self.earlier.iter().any(is_before) {
            return Ok(());
        }
        self.calibrate(When::Before, uplink, interrupt)
    }

    /// Sends every block of the run file. Those that the coordinator has count for nothing.
    fn send_again(&mut self, spec: &Spec, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        let directory = self.writer.directory().to_owned();
        for (part, block) in own_blocks(&directory)? {
            self.notes += u32::from(matches!(part, Part::Note(_)));
            uplink.block(part, &block)?;
        }
        let (started, command) = (jiff::Timestamp::now().to_string(), spec.command.clone());
        let resumed = Record::Resumed(ResumedRecord { started, command, fingerprint: fingerprint(&directory) });
        self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&[resumed])?))
    }

    /// Measures whole groups of cells, in the order of the plan. Returns whether it was not interrupted.
    fn measure(&mut self, groups: &[u32], uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<bool> {
        let mut cells = BTreeSet::new();
        for group in groups {
            let group = self.groups.get(*group as usize).with_context(|| format!("the plan has no group {group}"))?;
            cells.extend(group.cells.iter().copied());
        }
        let directory = self.writer.directory().to_owned();
        // A group comes a second time to an agent that was started again, or was silent for too long.
        let done = Done::of(&self.plan, &self.measured)?;
        let ended = self.publish(uplink, interrupt, |job, journal| {
            let done = done.without(job.plan, |cell| !cells.contains(&cell));
            let mut executor = WorkerExecutor { job, interrupt, directory: &directory };
            Ok(bench_engine::run(job.plan, done, &mut executor, journal, &mut Unwatched, interrupt)?)
        })?;
        Ok(ended == RunEnd::Complete && !interrupt.is_raised())
    }

    fn finish(&mut self, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        self.calibrate(When::After, uplink, interrupt)?;
        let stopped = Some("this agent measured a part of the run of a fleet".to_owned());
        let end = Record::End(EndRecord { finished: jiff::Timestamp::now().to_string(), stopped });
        self.publish(uplink, interrupt, |_, journal| Ok(journal.append(&[end])?))
    }

    fn calibrate(&mut self, when: When, uplink: &mut Uplink, interrupt: &Interrupt) -> anyhow::Result<()> {
        let directory = self.writer.directory().to_owned();
        self.publish(uplink, interrupt, |job, journal| calibrate(job, journal, when, &directory, interrupt))
    }

    /// Calls `body` with a journal that writes each block to the agent's own run file, and then sends it.
    fn publish<T>(
        &mut self,
        uplink: &mut Uplink,
        interrupt: &Interrupt,
        body: impl FnOnce(&Job<'_>, &mut dyn Journal) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let Self { arguments, prepared, plan, seed, writer, notes, measured, .. } = self;
        let Prepared { loader, modules, effort, .. } = &*prepared;
        let job = Job { loader, modules, plan, effort: *effort, seed: *seed, common: &arguments.common };
        body(&job, &mut Published { writer, uplink, interrupt, notes, measured })
    }
}

/// A run file whose blocks are also sent to the coordinator after they were written.
struct Published<'a> {
    writer: &'a mut RunWriter,
    uplink: &'a mut Uplink,
    interrupt: &'a Interrupt,
    notes: &'a mut u32,
    measured: &'a mut Vec<Record>,
}

impl Journal for Published<'_> {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        let block = encode(records);
        self.writer.append_raw(&block)?;
        self.measured.extend(records.iter().filter(|record| is_of_repetition(record)).cloned());
        let part = match records.last() {
            Some(Record::Outcome(outcome)) => Part::Repetition { cell: outcome.cell, process: outcome.process },
            _ => {
                *self.notes += 1;
                Part::Note(*self.notes - 1)
            }
        };
        // Without a coordinator nothing more is asked for; what was measured is in the file.
        if self.uplink.block(part, &block).is_err() {
            self.interrupt.raise();
        }
        Ok(())
    }
}

/// Shows nothing: the coordinator shows the progress of the fleet.
struct Unwatched;

impl Observer for Unwatched {
    fn started(&mut self, _: &Plan, _: Repetition, _: usize) {}
    fn finished(&mut self, _: &Plan, _: &Finished) {}
}
