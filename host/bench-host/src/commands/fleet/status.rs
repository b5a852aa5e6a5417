//! `fleet status` and `fleet stop`, and what they read: the state that `fleet run` writes while it goes on.

use super::attach::counts;
use super::{AnyQueue, agreement, find};
use crate::cli::{FleetRunName, ShownFleetRun};
use crate::cost::duration;
use crate::{Exit, output};
use anyhow::Context;
use bench_engine::{ComparisonGroup, Plan};
use bench_fleet::{
    AgentId, AgentState, AgentStatus, ClassId, ClassStatus, Coordinator, FleetFolder, FleetObserver, FleetStatus,
    HostCard, Watchers, has_head,
};
use bench_report::{Body, Column, Data, Datum, Document, Measure, Section, Table};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::time::Duration;

/// The time after which a state is written although no agent does anything else.
const PAUSE_NS: u64 = 10_000_000_000;

/// Writes the state of a run, and wakes those who watch it.
pub(super) struct Watch<'a> {
    folder: &'a FleetFolder,
    watchers: &'a Watchers,
    names: Vec<String>,
    classes: Vec<ClassId>,
    machines: Vec<String>,
    /// The plan, and the group of it that every agent measures.
    plan: &'a Plan,
    common: Option<&'a ComparisonGroup>,
    started: String,
    /// The revision of the coordinator that was written last, and when.
    written: Option<(u64, u64)>,
    now_ns: u64,
}

/// How a run ended.
pub(super) struct RunEnding {
    /// Where its results are, or why there are none.
    pub(super) text: String,
    /// The exit status, unless it failed.
    pub(super) exit: Option<u8>,
    /// The run directories, in the folder of all run directories.
    pub(super) directories: Vec<PathBuf>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        (folder, watchers): (&'a FleetFolder, &'a Watchers),
        (plan, common): (&'a Plan, Option<&'a ComparisonGroup>),
        names: &[String],
        cards: &[HostCard],
        classes: &[ClassId],
    ) -> Self {
        let number = classes.iter().map(|class| class.0 + 1).max().unwrap_or_default();
        let machines = (0..number).map(|class| {
            let first = classes.iter().position(|known| known.0 == class);
            first.and_then(|first| cards.get(first)).map_or_else(String::new, machine)
        });
        Self {
            folder,
            watchers,
            names: names.to_vec(),
            classes: classes.to_vec(),
            machines: machines.collect(),
            plan,
            common,
            started: jiff::Timestamp::now().to_string(),
            written: None,
            now_ns: 0,
        }
    }

    /// Writes the last state, with how the run ended.
    pub(super) fn end(&mut self, coordinator: &Coordinator<AnyQueue>, ending: RunEnding) {
        let RunEnding { text, exit, directories } = ending;
        let status = FleetStatus { ended: Some(text), exit, directories, left_ns: None, ..self.status(coordinator) };
        self.write(&status);
    }

    /// A state that cannot be written is only reported: the run does not depend on it.
    fn write(&self, status: &FleetStatus) {
        if let Err(error) = self.folder.write(status) {
            output::line(&format!(
                "bench-host: `fleet status` is out of date: {}: {error}",
                self.folder.path().display()
            ));
        }
        self.watchers.wake();
    }

    /// Writes a message for those who watch.
    fn say(&self, text: &str) {
        output::line(&format!("bench-host: {text}"));
        self.watchers.wake();
    }

    /// How the agents of a class differ in the common group, if they do.
    fn difference(&self, class: ClassId) -> anyhow::Result<Option<String>> {
        let Some(common) = self.common else { return Ok(None) };
        let mut agents = Vec::new();
        for (name, of) in self.names.iter().zip(&self.classes) {
            let directory = self.folder.collected().join(name);
            if *of == class && has_head(&directory)? {
                agents.push((name.as_str(), directory));
            }
        }
        agreement::difference(self.plan, common, &agents)
    }

    fn status(&self, coordinator: &Coordinator<AnyQueue>) -> FleetStatus {
        let progress = |class| coordinator.progress(ClassId(class)).unwrap_or_default();
        let classes = self.machines.iter().zip(0..);
        let classes: Vec<_> =
            classes.map(|(machine, class)| ClassStatus { machine: machine.clone(), groups: progress(class) }).collect();
        let agents = self.names.iter().zip(0..).map(|(name, number)| {
            let agent = AgentId(number);
            let (state, since_ns, finished) = coordinator.state(agent);
            let (word, groups) = describe(state);
            AgentStatus {
                name: name.clone(),
                class: coordinator.class_of(agent).0 + 1,
                state: word.to_owned(),
                for_ns: self.now_ns.saturating_sub(since_ns),
                groups: groups.to_vec(),
                finished,
            }
        });
        let (finished, all) = counts(&classes);
        let left_ns =
            (finished > 0).then(|| (self.now_ns as f64 / f64::from(finished) * f64::from(all - finished)) as u64);
        FleetStatus {
            id: self.folder.id(),
            process: std::process::id(),
            started: self.started.clone(),
            written: jiff::Timestamp::now().to_string(),
            left_ns,
            ended: None,
            exit: None,
            directories: Vec::new(),
            agents: agents.collect(),
            classes,
        }
    }
}

impl FleetObserver<AnyQueue> for Watch<'_> {
    fn changed(&mut self, coordinator: &mut Coordinator<AnyQueue>, now_ns: u64) {
        self.now_ns = now_ns;
        for event in coordinator.events() {
            let line = event.line(|agent| self.names.get(agent.0 as usize).cloned().unwrap_or_default());
            self.say(&line);
        }
        let revision = coordinator.revision();
        if self.written.is_some_and(|(written, at_ns)| written == revision && now_ns < at_ns + PAUSE_NS) {
            return;
        }
        self.written = Some((revision, now_ns));
        let status = self.status(coordinator);
        self.write(&status);
    }

    fn failed(&mut self, agent: &str, reason: &str) {
        self.say(&format!("agent {agent}: {reason}"));
    }

    fn differs(&mut self, class: ClassId) -> bool {
        let difference = self.difference(class).unwrap_or_else(|error| {
            self.say(&format!("it is unknown whether the machines of class {} differ: {error:#}", class.0 + 1));
            None
        });
        let Some(difference) = difference else { return false };
        self.say(&format!("class {}: {difference}", class.0 + 1));
        true
    }
}

/// The name of a state, and the groups that are measured in it.
fn describe(state: &AgentState) -> (&'static str, &[u32]) {
    match state {
        AgentState::Preparing => ("preparing", &[]),
        AgentState::Measuring(groups) => ("measuring", groups),
        AgentState::Silent => ("silent", &[]),
        AgentState::Idle => ("idle", &[]),
        AgentState::Leaving => ("leaving", &[]),
        AgentState::Left => ("left", &[]),
        AgentState::Lost => ("lost", &[]),
    }
}

/// What distinguishes a machine for people.
fn machine(card: &HostCard) -> String {
    let fingerprint = &card.fingerprint;
    let model = fingerprint.cpu_model.as_deref().unwrap_or(&fingerprint.architecture);
    format!("{model}, {} processors, {} {}", fingerprint.cpus, fingerprint.os, fingerprint.kernel)
}

pub(super) fn show(arguments: &ShownFleetRun) -> anyhow::Result<Exit> {
    let folder = find(&arguments.of)?;
    let status = read(&folder)?;
    arguments.show.print(&document(&status, folder.is_going_on()?))?;
    Ok(Exit::Done)
}

fn read(folder: &FleetFolder) -> anyhow::Result<FleetStatus> {
    folder.read().with_context(|| {
        format!("{}: the run has no state yet, or ended before its agents had joined", folder.path().display())
    })
}

fn document(status: &FleetStatus, is_going_on: bool) -> Document {
    let number = |number: u32| Datum::Number { value: number.into(), measure: Measure::Plain, prefix: "" };
    let numbers = |groups: &[u32]| groups.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let classes = status.classes.iter().zip(1u32..).map(|(class, name)| {
        let groups = class.groups;
        let counts = [groups.finished, groups.leased, groups.waiting, groups.given_up].map(number);
        [number(name)].into_iter().chain(counts).chain([Datum::text(&class.machine)]).collect()
    });
    let class_columns = vec![
        Column::figures("class"),
        Column::figures("finished"),
        Column::figures("measured now").key("leased"),
        Column::figures("waiting"),
        Column::figures("given up"),
        Column::words("machine"),
    ];
    let agents = status.agents.iter().map(|agent| {
        vec![
            Datum::text(&agent.name),
            number(agent.class),
            Datum::text(&agent.state),
            Datum::text(duration(Duration::from_nanos(agent.for_ns))),
            Datum::text(numbers(&agent.groups)),
            number(agent.finished),
        ]
    });
    let agent_columns = vec![
        Column::words("agent"),
        Column::figures("class"),
        Column::words("state"),
        Column::words("for"),
        Column::words("groups"),
        Column::figures("finished"),
    ];
    let ended = match (&status.ended, is_going_on) {
        (Some(ended), _) => format!("ended: {ended}"),
        (None, true) => match status.left_ns {
            Some(ns) => format!(
                "going on, about {} left; watch it with `bench-host fleet attach`, stop it with `bench-host fleet stop`",
                duration(Duration::from_nanos(ns))
            ),
            None => "going on; no group is finished yet".to_owned(),
        },
        (None, false) => "its process was killed; go on with `bench-host fleet resume`".to_owned(),
    };
    let about = format!("run {}, process {}, state of {}", status.id, status.process, status.written);
    let table = |name: &str, title: &str, columns, rows| {
        Section::new(name, title, Body::Table(Table::plain(columns, rows))).in_data()
    };
    let sections = vec![
        table("classes", "groups of cells", class_columns, classes.collect()),
        table("agents", "agents", agent_columns, agents.collect()).with_remarks(vec![ended, about]),
    ];
    Document { data: Data::of(status), records: None, sections }
}

pub(super) fn stop(arguments: &FleetRunName) -> anyhow::Result<Exit> {
    let folder = find(arguments)?;
    let id = folder.id();
    anyhow::ensure!(folder.is_going_on()?, "the run {id} is not going on; see `bench-host fleet status {id}`");
    let status = read(&folder)?;
    let process = i32::try_from(status.process).ok().and_then(Pid::from_raw);
    let process = process.with_context(|| format!("{}: not a process", status.process))?;
    // The lock tells that the process that wrote the state still lives, so its number belongs to no other.
    kill_process(process, Signal::TERM).with_context(|| format!("cannot stop process {}", status.process))?;
    output::line(&format!("bench-host: asked run {id} to stop; it keeps and merges the groups that are finished"));
    Ok(Exit::Done)
}
