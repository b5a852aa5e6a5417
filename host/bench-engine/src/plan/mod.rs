//! Builds the plan of a run: the cells that the selections match in the loaded modules, and the random order of their repetitions, which
//! is determined by a seed.

mod error;
mod matrix;
mod selection;
#[cfg(test)]
pub(crate) mod tests;

pub use error::PlanError;
pub use matrix::ARGUMENT_BYTES_MAX;
pub use selection::{PATTERN_BYTES_MAX, Selection};

use crate::ComparisonGroup;
use bench_model::{Arguments, Arm, Descriptor, Scenario};
use matrix::{count, select};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use selection::{known_parameters, matcher, named, nearest};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// A loaded module, and its arm.
#[derive(Clone, Debug)]
pub struct LoadedModule {
    /// The path as given by the user.
    pub file: PathBuf,
    /// The digest of the file.
    pub sha256: String,
    /// The arm of its scenarios.
    pub arm: Arm,
    /// What distinguishes it from the arm's default: engine settings, or the name of a build.
    pub variant: Option<String>,
    /// The module's descriptor.
    pub descriptor: Descriptor,
}

/// A scenario, an arm and concrete arguments.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The index of its module.
    pub offer: usize,
    /// The scenario, which all its cells share.
    pub scenario: Arc<Scenario>,
    /// A value for every parameter.
    pub arguments: Arguments,
}

/// One repetition of a cell, executed by one worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repetition {
    /// The number of the cell.
    pub cell: u32,
    /// The number of the repetition, from 0.
    pub process: u32,
}

/// The cells of a run and the order of their repetitions.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The modules of the cells.
    pub offers: Vec<LoadedModule>,
    /// The cells in the order of reports.
    pub cells: Vec<Cell>,
    /// The repetitions in the order of execution.
    pub order: Vec<Repetition>,
}

/// Maximum number of cells unless the user allows more. A run of so many takes hours.
pub const CELLS_MAX: usize = 10_000;

impl Plan {
    /// Like [`build_within`](Self::build_within), with the usual maximum number of cells.
    pub fn build(
        offers: Vec<LoadedModule>,
        selections: &[Selection],
        processes: u32,
        seed: u64,
    ) -> Result<Self, PlanError> {
        Self::build_within(offers, selections, processes, seed, CELLS_MAX)
    }

    /// The at most `cells_max` cells that `selections` match in `offers`, each once, and `processes` repetitions of them in an order
    /// drawn from `seed`. Each round executes every cell once, so that slow changes of the machine affect all cells equally. Cells
    /// are counted before any is made.
    pub fn build_within(
        offers: Vec<LoadedModule>,
        selections: &[Selection],
        processes: u32,
        seed: u64,
        cells_max: usize,
    ) -> Result<Self, PlanError> {
        let mut cells: Vec<Cell> = Vec::new();
        let named = selections.iter().map(|selection| named(&offers, selection)).collect::<Result<Vec<_>, _>>()?;
        known_parameters(selections, &named)?;
        for (selection, named) in selections.iter().zip(&named) {
            let number = count(&offers, selection, named)?;
            if number > cells_max {
                return Err(PlanError::TooMany { cells: number, cells_max });
            }
        }
        let mut known = HashSet::new();
        for (selection, named) in selections.iter().zip(&named) {
            let selected = select(&offers, selection, named)?;
            cells.extend(selected.into_iter().filter(|cell| {
                known.insert((cell.offer, cell.scenario.name.clone(), format!("{:?}", cell.arguments)))
            }));
        }
        if cells.len() > cells_max {
            return Err(PlanError::TooMany { cells: cells.len(), cells_max });
        }
        if cells.is_empty() {
            let arms: BTreeSet<_> = named.iter().flatten().map(|&(offer, _)| offers[offer].arm).collect();
            let arms: Vec<_> = arms.into_iter().map(Arm::as_str).collect();
            return Err(PlanError::NoArm { arms: arms.join(", ") });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut order = Vec::with_capacity(cells.len() * processes as usize);
        for process in 0..processes {
            let mut round: Vec<_> = (0..cells.len() as u32).map(|cell| Repetition { cell, process }).collect();
            round.shuffle(&mut random);
            order.extend(round);
        }
        Ok(Self { offers, cells, order })
    }

    /// The plan with only the cells whose `module/scenario` matches `pattern`.
    pub fn filtered(self, pattern: &str) -> Result<Self, PlanError> {
        let matcher = matcher(pattern)?;
        let keep: Vec<_> = self.cells.iter().map(|cell| matcher.is_match(self.full_name(cell))).collect();
        let names: Vec<_> = self.cells.iter().map(|cell| self.full_name(cell)).collect();
        if !keep.contains(&true) {
            return Err(PlanError::NoScenario {
                pattern: pattern.to_owned(),
                nearest: nearest(pattern, names.into_iter()),
            });
        }
        Ok(self.only(&keep))
    }

    /// The plan with only the cells for whose number `keep` is true. The cells get new numbers; the order of the remaining
    /// repetitions is the same.
    pub fn only(mut self, keep: &[bool]) -> Self {
        let is_kept = |cell: u32| keep.get(cell as usize).copied().unwrap_or(false);
        // The new number of a cell: how many before it are kept.
        let before = keep.iter().scan(0, |kept, is_kept| Some(std::mem::replace(kept, *kept + u32::from(*is_kept))));
        let number: Vec<u32> = before.collect();
        self.order.retain(|repetition| is_kept(repetition.cell));
        self.order.iter_mut().for_each(|repetition| repetition.cell = number[repetition.cell as usize]);
        let mut cell = 0..;
        self.cells.retain(|_| cell.next().is_some_and(is_kept));
        self
    }

    /// Groups of cells that differ only in how they are executed. The cell that `is_baseline` is first in its group, if there is
    /// one; the others are sorted by arm, those without a variant first, and else in the order of the modules.
    pub fn comparison_groups(&self, is_baseline: impl Fn(&LoadedModule) -> bool) -> Vec<ComparisonGroup> {
        let mut groups: Vec<ComparisonGroup> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (number, cell) in self.cells.iter().enumerate() {
            let index = *known.entry(format!("{} {:?}", self.full_name(cell), cell.arguments)).or_insert_with(|| {
                groups.push(ComparisonGroup { cells: Vec::new() });
                groups.len() - 1
            });
            groups[index].cells.push(number as u32);
        }
        for group in &mut groups {
            group.cells.sort_by_key(|cell| {
                let offer = self.offer(self.cell(*cell));
                (!is_baseline(offer), offer.arm, offer.variant.is_some(), self.cell(*cell).offer)
            });
        }
        groups
    }

    /// The cell of that number.
    pub fn cell(&self, number: u32) -> &Cell {
        &self.cells[number as usize]
    }

    /// The module of a cell.
    pub fn offer(&self, cell: &Cell) -> &LoadedModule {
        &self.offers[cell.offer]
    }

    /// `module/scenario`.
    pub fn full_name(&self, cell: &Cell) -> String {
        full_name(&self.offer(cell).descriptor, &cell.scenario)
    }
}

fn full_name(descriptor: &Descriptor, scenario: &Scenario) -> String {
    format!("{}/{}", descriptor.name, scenario.name)
}
