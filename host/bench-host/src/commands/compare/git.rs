//! Compares two git revisions: each is checked out and built in the cache folder, and the cells of both hosts are measured
//! interleaved. Only command lines and run files are exchanged with the hosts, so their versions may differ.

use super::{is_run, runs};
use crate::cli::{CompareArgs, CpuList, LimitArgs, Measured};
use crate::effort::Effort;
use crate::execute::interrupt;
use crate::tree::{Built, Trees};
use crate::{Exit, output};
use anyhow::Context;
use bench_drivers::DirectoryGrant;
use bench_engine::Interrupt;
use bench_model::{Arguments, Arm, Value};
use bench_sink::runfile::{Record, RunFile};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The suites whose plug-ins have both arms.
const SUITES: [&str; 2] = ["kernels", "ring"];

/// Stands for the project's own sources. They differ between the revisions, and both must read the same input.
const PROJECT: &str = "@project";

pub(crate) fn run(arguments: &CompareArgs, range: &str) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let common = &arguments.common;
    anyhow::ensure!(
        !common.shown.dry_run,
        "--git cannot show a plan: it has to build and measure first; remove --dry-run"
    );
    anyhow::ensure!(
        arguments.modules.is_empty(),
        "--git builds the modules of both revisions and measures those; remove --modules"
    );
    let (effort, paired) = Effort::paired(&common.measured)?;
    let trees = Trees::open(range)?;
    let built = trees.build(interrupt)?;
    let now = jiff::Timestamp::now();
    let directory = common.shown.out.join(format!("{}-git", now.strftime("%Y-%m-%dT%H-%M-%SZ")));
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    // The hosts run in other working directories, so the path must be absolute.
    let directory = fs::canonicalize(&directory).with_context(|| format!("cannot find {}", directory.display()))?;
    let seed = common.measured.seed.unwrap_or_else(|| now.as_nanosecond().unsigned_abs() as u64);
    let side = |name: &'static str, built: Built| Side { name, built, out: directory.join(name), arguments, interrupt };
    let [base, head] = built;
    let sides = [side("base", base), side("head", head)];
    let cells = common_cells(&sides, &directory)?;
    // As many processes as a comparison of arms; the time is divided among the cells of both revisions.
    let time_ns = paired.budget.time_ns / 2;
    let missing = measure(&sides, &cells, (effort.processes, time_ns), &mut ChaCha8Rng::seed_from_u64(seed))?;
    drop(trees);
    if interrupt.is_raised() {
        output::line("bench-host: interrupted; comparing what was measured so far");
    }
    let exit = runs::compare(arguments, &sides[0].out, &sides[1].out)?;
    let is_whole = missing.is_empty() && !interrupt.is_raised();
    Ok(match exit {
        Exit::Finding if !interrupt.is_raised() => Exit::Finding,
        exit if is_whole => exit,
        _ => Exit::NotMeasured,
    })
}

/// A cell and a side by their indices.
type CellOfSide = (usize, usize);

/// Measures each of `cells` in so many processes of both sides, for this time each, until it is interrupted. A cell that a host cannot measure
/// does not stand in the way of the others. Returns those that were measured in no process, each with the first reason.
fn measure(
    sides: &[Side<'_>; 2],
    cells: &[Cell],
    (processes, time_ns): (u32, u64),
    random: &mut ChaCha8Rng,
) -> anyhow::Result<BTreeMap<CellOfSide, String>> {
    let (mut measured, mut missing) = (BTreeSet::new(), BTreeMap::new());
    for (number, side) in turns(cells.len(), processes, random) {
        let Side { name, built, interrupt, .. } = &sides[side];
        if interrupt.is_raised() {
            break;
        }
        match sides[side].measure(&cells[number], time_ns)? {
            // It was stopped, which says nothing about the cell.
            Some(_) if interrupt.is_raised() => {}
            Some(reason) => {
                if let Entry::Vacant(entry) = missing.entry((number, side)) {
                    let cell = &cells[number];
                    output::line(&format!(
                        "bench-host: {cell}: {name} ({}) measured nothing: {reason}",
                        built.revision
                    ));
                    entry.insert(reason);
                }
            }
            None => _ = measured.insert((number, side)),
        }
    }
    missing.retain(|cell, _| !measured.contains(cell));
    for (index, side) in sides.iter().enumerate() {
        let first = missing.iter().find(|((_, of), _)| *of == index);
        if let Some((_, reason)) = first.filter(|_| measured.iter().all(|(_, of)| *of != index)) {
            anyhow::bail!("{}", side.measured_nothing(reason));
        }
    }
    Ok(missing)
}

/// In what order the cells of both sides are measured: both sides of a cell in a row, in an order that is drawn, in each of `processes` rounds.
fn turns(cells: usize, processes: u32, random: &mut ChaCha8Rng) -> Vec<CellOfSide> {
    let mut turns = Vec::new();
    for _ in 0..processes {
        let mut numbers: Vec<usize> = (0..cells).collect();
        numbers.shuffle(random);
        for number in numbers {
            let first = *[0, 1].choose(random).unwrap_or(&0);
            turns.extend([(number, first), (number, 1 - first)]);
        }
    }
    turns
}

/// A cell that both revisions have.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    scenario: String,
    arm: Arm,
    arguments: Arguments,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {} {}", self.scenario, self.arm, self.arguments);
        f.write_str(text.trim_end())
    }
}

/// One revision, ready to measure.
struct Side<'a> {
    name: &'static str,
    built: Built,
    /// The folder of its run directories.
    out: PathBuf,
    arguments: &'a CompareArgs,
    interrupt: &'a Interrupt,
}

impl Side<'_> {
    /// Finds the cells of the suites or scenarios by executing each once, which takes little time.
    fn cells(&self, scratch: &Path) -> anyhow::Result<Vec<Cell>> {
        let mut command = self.host();
        let what = &self.arguments.what;
        match what.is_empty() {
            true => command.args(SUITES),
            false => command.args(what),
        };
        for (name, values) in &self.arguments.common.measured.parameters {
            command
                .arg("-p")
                .arg(format!("{name}={}", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(",")));
        }
        if let Some(arms) = &self.arguments.common.measured.arm {
            command.arg("--arm").arg(arms.iter().map(|arm| arm.as_str()).collect::<Vec<_>>().join(","));
        }
        if let Some(filter) = &self.arguments.common.measured.filter {
            command.arg("--filter").arg(filter);
        }
        let out = scratch.join(format!(".{}-cells", self.name));
        command.args(["--quick", "--iterations", "1", "--processes", "1", "--out"]).arg(&out);
        let nothing = self.run(&mut command);
        let cells = cells_of(&out);
        let _ = fs::remove_dir_all(&out);
        // Cells that have no figure this time are cells, too.
        match nothing? {
            Some(reason) => cells.map_err(|_| anyhow::anyhow!("{}", self.measured_nothing(&reason))),
            None => cells,
        }
    }

    /// Measures `cell` in one process. Returns the reason if it has no figure, and did not fail either.
    fn measure(&self, cell: &Cell, time_ns: u64) -> anyhow::Result<Option<String>> {
        let mut command = self.host();
        command.arg(&cell.scenario).arg("--arm").arg(cell.arm.as_str());
        for (name, value) in cell.arguments.iter() {
            command.arg("-p").arg(format!("{name}={}", quoted(&value.to_string())));
        }
        let time = format!("{}ms", (time_ns / 1_000_000).max(1));
        command.args(["--quick", "--processes", "1", "--time", &time, "--out"]).arg(&self.out);
        self.run(&mut command)
    }

    /// The revision's host, started in the revision's folder, where it finds its own modules.
    fn host(&self) -> Command {
        let mut command = Command::new(&self.built.host);
        command.current_dir(&self.built.tree).arg("run").args(passed_on(&self.arguments.common.measured));
        command
    }

    /// Returns the last line on standard error if nothing was measured. A failed cell is recorded in the run file.
    fn run(&self, command: &mut Command) -> anyhow::Result<Option<String>> {
        let ended = crate::tree::run_to_end(command, self.interrupt)?;
        Ok((ended.status.code() == Some(2)).then_some(ended.last_line))
    }

    fn measured_nothing(&self, reason: &str) -> String {
        format!("the host of {} ({}) measured nothing: {reason}", self.name, self.built.revision)
    }
}

/// The options that a host of either revision measures with, but those that say what, and for how long. What has its default is left out,
/// because an older host may not know the option.
fn passed_on(measured: &Measured) -> Vec<OsString> {
    let Measured { grants, limits, native, cpu, .. } = measured;
    let LimitArgs { memory, isolation, .. } = LimitArgs::default();
    // The host runs in another folder.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let directory = |granted: &DirectoryGrant| {
        let rights = if granted.read_only { ":ro" } else { "" };
        let mut word = absolute(&granted.host).into_os_string();
        word.push(format!("::{}{rights}", granted.guest));
        word
    };
    let milliseconds = |ns: u64| format!("{}ms", ns.div_ceil(1_000_000));
    let list = |cpus: &CpuList| cpus.0.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let mut options: Vec<(&str, OsString)> = Vec::new();
    options.extend(grants.allow_net.iter().map(|address| ("--allow-net", address.into())));
    options.extend(grants.allow_dir.iter().map(|granted| ("--allow-dir", directory(granted))));
    options.extend(grants.env.iter().map(|name| ("--env", name.into())));
    options.extend(grants.deny.iter().map(|interface| ("--deny", interface.as_str().into())));
    options.extend((limits.memory != memory).then(|| ("--memory", limits.memory.to_string().into())));
    options.extend(limits.scratch.map(|bytes| ("--scratch", bytes.to_string().into())));
    options.extend(limits.deadline.map(|ns| ("--deadline", milliseconds(ns).into())));
    options.extend((limits.isolation != isolation).then(|| ("--isolation", limits.isolation.to_string().into())));
    options.extend(native.as_ref().map(|program| ("--native", absolute(program).into())));
    options.extend(cpu.as_ref().map(|cpus| ("--cpu", list(cpus).into())));
    options.into_iter().flat_map(|(name, value)| [name.into(), value]).collect()
}

/// The cells that both revisions have, in the order of the base. A message names each cell that only one has.
fn common_cells(sides: &[Side<'_>; 2], scratch: &Path) -> anyhow::Result<Vec<Cell>> {
    let [base, head] = sides;
    let of_base = base.cells(scratch)?;
    let of_head = head.cells(scratch)?;
    let say = |side: &Side<'_>, cell: &Cell| {
        output::line(&format!("bench-host: left out: {} {} exists only in {}", cell.scenario, cell.arm, side.name));
    };
    of_base.iter().filter(|cell| !of_head.contains(cell)).for_each(|cell| say(base, cell));
    of_head.iter().filter(|cell| !of_base.contains(cell)).for_each(|cell| say(head, cell));
    let both = of_base.into_iter().filter(|cell| of_head.contains(cell));
    let both: Vec<Cell> = both.map(|cell| with_one_input(cell, &base.built.tree)).collect();
    anyhow::ensure!(!both.is_empty(), "the two revisions have no cell in common; name a scenario that both have");
    Ok(both)
}

/// The input for both revisions: that of the base.
fn with_one_input(mut cell: Cell, tree: &Path) -> Cell {
    let names: Vec<String> = cell
        .arguments
        .iter()
        .filter(|(_, value)| matches!(value, Value::Text(text) if text == PROJECT))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        cell.arguments.set(&name, Value::Text(tree.join("host").display().to_string()));
    }
    cell
}

/// The cells of the only run in `out`.
fn cells_of(out: &Path) -> anyhow::Result<Vec<Cell>> {
    let entries = fs::read_dir(out).with_context(|| format!("no run in {}", out.display()))?;
    let run = entries.filter_map(|entry| Some(entry.ok()?.path())).find(|path| is_run(path));
    let run = RunFile::read(&run.with_context(|| format!("no run in {}", out.display()))?)?;
    let mut cells = Vec::new();
    for record in run.records {
        if let Record::Cell(cell) = record {
            let cell = Cell { scenario: cell.scenario, arm: cell.arm, arguments: cell.arguments };
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

/// Escapes the commas of a value for the command line.
fn quoted(value: &str) -> String {
    value.replace(',', "\\,")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    #[test]
    fn both_sides_of_a_cell_take_turns_in_each_round() {
        let turns = turns(3, 2, &mut ChaCha8Rng::seed_from_u64(1));
        for round in turns.chunks(6) {
            let cells: BTreeSet<usize> = round.iter().map(|(cell, _)| *cell).collect();
            assert_eq!(cells, BTreeSet::from([0, 1, 2]), "{round:?}");
            for pair in round.chunks(2) {
                assert!(pair[0].0 == pair[1].0 && pair[0].1 + pair[1].1 == 1, "{round:?}");
            }
        }
        assert_eq!(turns.len(), 12);
    }

    #[test]
    fn revisions_are_measured_with_what_was_granted_and_limited() {
        let check = |line: &str, expect: &str| {
            let words = format!("bench-host compare --git a..b m/s {line}");
            let Command::Compare(compare) = Cli::try_parse_from(words.split(' ')).unwrap().command else {
                panic!("{line}")
            };
            let words = passed_on(&compare.common.measured);
            let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(words.join(" "), expect);
        };
        check("--time 1s --seed 3 --isolation standard --memory 1Gi", "");
        check(
            "--allow-net h:1 --allow-net i:2 --allow-dir /a::/b:ro --env A --deny ring,log --memory 2Ki",
            "--allow-net h:1 --allow-net i:2 --allow-dir /a::/b:ro --env A --deny ring --deny log --memory 2048",
        );
        check(
            "--deadline 1m --scratch 1Mi --isolation none --cpu 0,2-3 --native /bin/true",
            "--scratch 1048576 --deadline 60000ms --isolation none --native /bin/true --cpu 0,2,3",
        );
    }
}
