//! `fleet status` and `fleet stop`, and what they read: the state that `fleet run` writes while it goes on.

use super::attach::counts;
use super::{AnyQueue, agreement, find};
use crate::cli::{FleetRunName, ShownFleetRun};
use crate::cost::duration;
use crate::{Exit, output};
use anyhow::Context;
use bench_engine::{ComparisonGroup, Plan};
use bench_fleet::{
    AgentId, AgentState, AgentStatus, COMMON_GROUP, ClassId, ClassStatus, Coordinator, FleetFolder, FleetObserver,
    FleetStatus, HostCard, Pace, Watchers, has_head,
};
use bench_report::{Body, Column, Data, Datum, Document, Measure, Section, Table, machine_name};
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::time::Duration;

/// Writes the state of a run, and wakes those who watch it.
pub(super) struct Watch<'a> {
    folder: &'a FleetFolder,
    watchers: &'a Watchers,
    names: Vec<String>,
    classes: Vec<ClassId>,
    machines: Vec<String>,
    /// The plan, and its groups.
    plan: &'a Plan,
    groups: &'a [ComparisonGroup],
    started: String,
    /// How many groups were finished before this process began.
    finished_before: u32,
    /// Whether the last state could not be written.
    is_out_of_date: bool,
    pace: Pace,
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
        (plan, groups): (&'a Plan, &'a [ComparisonGroup]),
        names: &[String],
        cards: &[HostCard],
        classes: &[ClassId],
    ) -> Self {
        let number = classes.iter().map(|class| class.0 + 1).max().unwrap_or_default();
        let machines = (0..number).map(|class| {
            let first = classes.iter().position(|known| known.0 == class);
            first.and_then(|first| cards.get(first)).map_or_else(String::new, |card| machine_name(&card.fingerprint))
        });
        Self {
            folder,
            watchers,
            names: names.to_vec(),
            classes: classes.to_vec(),
            machines: machines.collect(),
            plan,
            groups,
            started: jiff::Timestamp::now().to_string(),
            // The agents report those first that they have finished already.
            finished_before: folder.read().map_or(0, |earlier| counts(&earlier.classes).0),
            is_out_of_date: false,
            pace: Pace::new(names.len()),
            now_ns: 0,
        }
    }

    /// Writes the last state, with how the run ended.
    pub(super) fn end(&mut self, coordinator: &Coordinator<AnyQueue>, ending: RunEnding) {
        let RunEnding { text, exit, directories } = ending;
        self.folder.make_room();
        let status = FleetStatus { ended: Some(text), exit, directories, left_ns: None, ..self.status(coordinator) };
        self.write(&status);
    }

    /// A state that cannot be written is only reported, and once: the run does not depend on it.
    fn write(&mut self, status: &FleetStatus) {
        let written = self.folder.write(status);
        let was_out_of_date = std::mem::replace(&mut self.is_out_of_date, written.is_err());
        if !was_out_of_date && let Err(error) = written {
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
        let Some(common) = self.groups.get(COMMON_GROUP as usize) else { return Ok(None) };
        let mut agents = Vec::new();
        for (name, of) in self.names.iter().zip(&self.classes) {
            let directory = self.folder.collected().join(name);
            if *of == class && has_head(&directory)? {
                agents.push((name.as_str(), directory));
            }
        }
        agreement::difference(self.plan, common, &agents)
    }

    /// The scenario and the arguments of a group.
    fn scenario(&self, group: u32) -> Option<String> {
        let cell = self.plan.cell(*self.groups.get(group as usize)?.cells.first()?);
        Some(format!("{} {}", self.plan.full_name(cell), cell.arguments).trim_end().to_owned())
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
                scenarios: groups.iter().filter_map(|group| self.scenario(*group)).collect(),
                finished,
            }
        });
        let left_ns = left_ns(self.now_ns, self.finished_before, &classes);
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

/// The estimated time until all groups are measured: each that is left takes as long as those that were finished in the last `now_ns`, since this
/// process began, when `finished_before` were finished already. `None` if none was since then. What is given up takes no time.
fn left_ns(now_ns: u64, finished_before: u32, classes: &[ClassStatus]) -> Option<u64> {
    let measured = counts(classes).0.checked_sub(finished_before).filter(|measured| *measured > 0)?;
    let left: u32 = classes.iter().map(|class| class.groups.waiting + class.groups.leased).sum();
    Some((now_ns as f64 / f64::from(measured) * f64::from(left)) as u64)
}

impl FleetObserver<AnyQueue> for Watch<'_> {
    fn changed(&mut self, coordinator: &mut Coordinator<AnyQueue>, now_ns: u64) {
        self.now_ns = now_ns;
        for event in coordinator.events() {
            let line = event.line(|agent| self.names.get(agent.0 as usize).cloned().unwrap_or_default());
            self.say(&line);
        }
        if self.pace.is_due(coordinator.revision(), now_ns) {
            let status = self.status(coordinator);
            self.write(&status);
        }
    }

    fn wake_ns(&self) -> Option<u64> {
        self.pace.wake_ns()
    }

    fn failed(&mut self, agent: &str, reason: &str) {
        self.say(&format!("agent {agent}: {reason}"));
    }

    fn refused(&mut self, agent: &str, reason: &str) {
        self.say(&format!("agent {agent} cannot measure this run: {reason}"));
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
        AgentState::Excluded => ("excluded", &[]),
    }
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
            Datum::text(agent.scenarios.join(", ")),
            number(agent.finished),
        ]
    });
    let agent_columns = vec![
        Column::words("agent"),
        Column::figures("class"),
        Column::words("state"),
        Column::words("for"),
        Column::words("groups"),
        Column::words("scenarios"),
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
    if !folder.is_going_on()? {
        #[cfg(feature = "kubernetes")]
        if super::kubernetes::delete_left(&folder)? {
            return Ok(Exit::Done);
        }
        anyhow::bail!("the run {id} is not going on; see `bench-host fleet status {id}`");
    }
    // The lock tells that it still lives, so its number belongs to no other. Before the agents have joined, there is no state of the run.
    let number = match folder.process()? {
        Some(number) => number,
        None => read(&folder)?.process,
    };
    let process = i32::try_from(number).ok().and_then(Pid::from_raw);
    let process = process.with_context(|| format!("{number}: not a process"))?;
    kill_process(process, Signal::TERM).with_context(|| format!("cannot stop process {number}"))?;
    output::line(&format!("bench-host: asked run {id} to stop; it keeps and merges the groups that are finished"));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_fleet::Progress;

    #[test]
    fn time_that_is_left_is_that_of_what_this_process_has_seen() {
        let class = |groups: [u32; 4]| {
            let [waiting, leased, finished, given_up] = groups;
            ClassStatus { machine: String::new(), groups: Progress { waiting, leased, finished, given_up } }
        };
        let check = |before: u32, classes: &[[u32; 4]], expect: Option<u64>| {
            let classes: Vec<_> = classes.iter().map(|groups| class(*groups)).collect();
            assert_eq!(left_ns(100, before, &classes), expect, "{before}, {classes:?}");
        };
        check(0, &[[6, 2, 2, 0]], Some(400));
        check(0, &[[6, 2, 0, 0]], None);
        // A run that is gone on with: eight groups were measured before.
        check(8, &[[6, 2, 10, 0]], Some(400));
        check(8, &[[6, 2, 8, 0]], None);
        check(8, &[[6, 2, 3, 0]], None);
        // What is given up is not waited for.
        check(0, &[[0, 0, 5, 3]], Some(0));
        check(0, &[[1, 1, 5, 3]], Some(40));
        check(0, &[[1, 0, 3, 0], [0, 2, 1, 1]], Some(75));
    }
}
