//! Builds the plan of a run: the cells that the selections match in the loaded modules, and the random order of their repetitions, which
//! is determined by a seed.

use crate::ComparisonGroup;
use bench_model::{Arguments, Arm, Descriptor, Parameter, Scenario, Value};
use globset::{Glob, GlobMatcher};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
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

/// Which scenarios to run, in which arms, and with which arguments.
#[derive(Clone, Debug)]
pub struct Selection {
    /// A glob over `module/scenario`, which also matches the bare name of a module or a scenario.
    pub pattern: String,
    /// The arms, or `None` for all arms.
    pub arms: Option<Vec<Arm>>,
    /// Values of parameters, as text. They are ignored for scenarios without the parameter.
    pub axes: Vec<(String, Vec<String>)>,
}

impl Selection {
    /// Whether it matches a scenario of `module`.
    pub fn names(&self, module: &Descriptor) -> Result<bool, PlanError> {
        let matcher = matcher(&self.pattern)?;
        Ok(module.scenarios.iter().any(|scenario| matches(&matcher, module, scenario)))
    }
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

/// A selection that cannot be planned. Each error says what exists instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The pattern is not a valid glob.
    #[error("invalid pattern `{pattern}`: {reason}")]
    Pattern {
        /// The text that the user wrote.
        pattern: String,
        /// What is wrong with the pattern.
        reason: String,
    },
    /// The pattern matches no scenario.
    #[error("no scenario matches `{pattern}`{}; list the modules with `bench-host list`", hint(nearest))]
    NoScenario {
        /// The text that the user wrote.
        pattern: String,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// The selected scenarios exist, but not in the requested arms.
    #[error("no selected scenario exists in a requested arm; the existing arms are: {arms}")]
    NoArm {
        /// The arms of the selected scenarios.
        arms: String,
    },
    /// No selected scenario has such a parameter.
    #[error("no selected scenario has a parameter `{name}`{}; list the modules with `bench-host list`", hint(nearest))]
    NoParameter {
        /// The text that the user wrote.
        name: String,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// The value is not of the parameter's kind.
    #[error("{scenario}: parameter `{parameter}`: {reason}")]
    Kind {
        /// `module/scenario`.
        scenario: String,
        /// The parameter.
        parameter: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// The value is outside the parameter's domain.
    #[error("{scenario}: parameter `{parameter}`: `{value}` is outside its domain ({domain})")]
    Domain {
        /// `module/scenario`.
        scenario: String,
        /// The parameter.
        parameter: String,
        /// The text that the user wrote.
        value: String,
        /// The allowed values.
        domain: String,
    },
    /// The selection has too many cells.
    #[error(
        "the selection has {cells} cells, and the maximum is {cells_max}; give fewer scenarios or values, or --cells-max"
    )]
    TooMany {
        /// The number of cells.
        cells: usize,
        /// The maximum.
        cells_max: usize,
    },
    /// The arguments of the cells are too long.
    #[error("{scenario}: the arguments of its {cells} cells have more than {} MiB together; give fewer or shorter values", ARGUMENT_BYTES_MAX >> 20)]
    TooLong {
        /// `module/scenario`.
        scenario: String,
        /// The number of its cells.
        cells: usize,
    },
}

/// Maximum number of cells unless the user allows more. A run of so many takes hours.
pub const CELLS_MAX: usize = 10_000;

/// Maximum size of the arguments of all cells of a scenario.
pub const ARGUMENT_BYTES_MAX: usize = 64 << 20;

/// Maximum size of a pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1_000;

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

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
    pub fn matchups(&self, is_baseline: impl Fn(&LoadedModule) -> bool) -> Vec<ComparisonGroup> {
        let mut matchups: Vec<ComparisonGroup> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (number, cell) in self.cells.iter().enumerate() {
            let index = *known.entry(format!("{} {:?}", self.full_name(cell), cell.arguments)).or_insert_with(|| {
                matchups.push(ComparisonGroup { cells: Vec::new() });
                matchups.len() - 1
            });
            matchups[index].cells.push(number as u32);
        }
        for matchup in &mut matchups {
            matchup.cells.sort_by_key(|cell| {
                let offer = self.offer(self.cell(*cell));
                (!is_baseline(offer), offer.arm, offer.variant.is_some(), self.cell(*cell).offer)
            });
        }
        matchups
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

/// A scenario, and the index of its module.
type Named<'a> = (usize, &'a Scenario);

/// The scenarios whose names match, in all arms.
fn named<'a>(offers: &'a [LoadedModule], selection: &Selection) -> Result<Vec<Named<'a>>, PlanError> {
    let all = offers.iter().enumerate().flat_map(|(offer, module)| {
        module.descriptor.scenarios.iter().map(move |scenario| (offer, &module.descriptor, scenario))
    });
    let matcher = matcher(&selection.pattern)?;
    let named: Vec<_> = all
        .clone()
        .filter(|(_, module, scenario)| matches(&matcher, module, scenario))
        .map(|(offer, _, scenario)| (offer, scenario))
        .collect();
    if named.is_empty() {
        let names = all.map(|(_, module, scenario)| full_name(module, scenario));
        let nearest = nearest(&selection.pattern, names);
        return Err(PlanError::NoScenario { pattern: selection.pattern.clone(), nearest });
    }
    Ok(named)
}

fn matches(matcher: &GlobMatcher, module: &Descriptor, scenario: &Scenario) -> bool {
    let names = [full_name(module, scenario), module.name.clone(), scenario.name.clone()];
    names.iter().any(|name| matcher.is_match(name))
}

/// Those of `named` that exist in an arm of the selection.
fn in_arms<'a>(offers: &[LoadedModule], selection: &Selection, named: &[Named<'a>]) -> impl Iterator<Item = Named<'a>> {
    let runs = |&(offer, scenario): &Named<'_>| {
        let arm = offers[offer].arm;
        scenario.runs_in(arm) && selection.arms.as_ref().is_none_or(|arms| arms.contains(&arm))
    };
    named.iter().copied().filter(runs)
}

/// The number of cells that `select` makes.
fn count(offers: &[LoadedModule], selection: &Selection, named: &[Named<'_>]) -> Result<usize, PlanError> {
    let mut cells = 0_usize;
    for (offer, scenario) in in_arms(offers, selection, named) {
        let name = full_name(&offers[offer].descriptor, scenario);
        let (mut combinations, mut bytes) = (1_usize, 0_usize);
        for parameter in &scenario.parameters {
            let values = values(&name, parameter, selection)?;
            combinations = combinations.saturating_mul(values.len());
            let longest = values.iter().map(text_bytes).max().unwrap_or_default();
            bytes += parameter.name.len() + size_of::<(String, Value)>() + longest;
        }
        if combinations.saturating_mul(bytes) > ARGUMENT_BYTES_MAX {
            return Err(PlanError::TooLong { scenario: name, cells: combinations });
        }
        cells = cells.saturating_add(combinations);
    }
    Ok(cells)
}

fn text_bytes(value: &Value) -> usize {
    if let Value::Text(text) = value { text.len() } else { 0 }
}

fn select(offers: &[LoadedModule], selection: &Selection, named: &[Named<'_>]) -> Result<Vec<Cell>, PlanError> {
    let mut cells = Vec::new();
    for (offer, scenario) in in_arms(offers, selection, named) {
        let name = full_name(&offers[offer].descriptor, scenario);
        let scenario = Arc::new(scenario.clone());
        let arguments = matrix(&name, &scenario, selection)?;
        cells.extend(arguments.into_iter().map(|arguments| Cell { offer, scenario: Arc::clone(&scenario), arguments }));
    }
    Ok(cells)
}

fn matcher(pattern: &str) -> Result<GlobMatcher, PlanError> {
    if pattern.len() > PATTERN_BYTES_MAX {
        let shown = pattern.chars().take(40).collect::<String>() + "…";
        let reason = format!("it has {} bytes, and the maximum is {PATTERN_BYTES_MAX}", pattern.len());
        return Err(PlanError::Pattern { pattern: shown, reason });
    }
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| PlanError::Pattern { pattern: pattern.to_owned(), reason: error.kind().to_string() })
}

/// A parameter override must apply to at least one selected scenario.
fn known_parameters(selections: &[Selection], named: &[Vec<Named<'_>>]) -> Result<(), PlanError> {
    for name in selections.iter().flat_map(|selection| selection.axes.iter().map(|(name, _)| name)) {
        let concerned =
            selections.iter().zip(named).filter(|(selection, _)| selection.axes.iter().any(|(axis, _)| axis == name));
        let scenarios = concerned.flat_map(|(_, named)| named.iter().map(|(_, scenario)| *scenario));
        let known: Vec<_> =
            scenarios.flat_map(|scenario| &scenario.parameters).map(|parameter| parameter.name.clone()).collect();
        if !known.contains(name) {
            return Err(PlanError::NoParameter { name: name.clone(), nearest: nearest(name, known.into_iter()) });
        }
    }
    Ok(())
}

fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::jaro_winkler(wanted, &name), name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Every combination of the values of every parameter, the last parameter changing fastest.
fn matrix(name: &str, scenario: &Scenario, selection: &Selection) -> Result<Vec<Arguments>, PlanError> {
    let mut combinations = vec![Arguments::default()];
    for parameter in &scenario.parameters {
        let values = values(name, parameter, selection)?;
        combinations = combinations
            .iter()
            .flat_map(|arguments| {
                values.iter().map(|value| {
                    let mut arguments = arguments.clone();
                    arguments.set(&parameter.name, value.clone());
                    arguments
                })
            })
            .collect();
    }
    Ok(combinations)
}

fn values(scenario: &str, parameter: &Parameter, selection: &Selection) -> Result<Vec<Value>, PlanError> {
    // The last one wins.
    let Some((_, texts)) = selection.axes.iter().rev().find(|(name, _)| *name == parameter.name) else {
        return Ok(parameter.defaults.clone());
    };
    let parse = |text: &String| {
        let value = Value::parse(parameter.kind(), text).map_err(|error| PlanError::Kind {
            scenario: scenario.to_owned(),
            parameter: parameter.name.clone(),
            reason: error.to_string(),
        })?;
        if !parameter.domain.contains(&value) {
            return Err(PlanError::Domain {
                scenario: scenario.to_owned(),
                parameter: parameter.name.clone(),
                value: text.clone(),
                domain: parameter.domain.to_string(),
            });
        }
        Ok(value)
    };
    texts.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer(name: &str, arm: Arm) -> LoadedModule {
        let size = Parameter::new("size", 64, "").sweep([64, 128]).between(1, 1024);
        let mode = Parameter::new("mode", "a", "").choices(["a", "b"]);
        let first = Scenario::new("first", "family", "").parameter(size).parameter(mode);
        let descriptor = Descriptor::new(name, "1", "").scenario(first).scenario(Scenario::new("second", "family", ""));
        LoadedModule { file: PathBuf::new(), sha256: String::new(), arm, variant: None, descriptor }
    }

    fn selection(pattern: &str, axes: &[(&str, &[&str])]) -> Selection {
        let axes = axes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()))
            .collect();
        Selection { pattern: pattern.to_owned(), arms: None, axes }
    }

    fn check(selections: &[Selection], expect: Result<&[&str], &str>) {
        let plan = Plan::build(vec![offer("m", Arm::Wasm), offer("m", Arm::Native)], selections, 1, 0);
        match (plan, expect) {
            (Ok(plan), Ok(expect)) => {
                let cells: Vec<_> = plan
                    .cells
                    .iter()
                    .map(|cell| {
                        format!("{} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments)
                            .trim()
                            .to_owned()
                    })
                    .collect();
                assert_eq!(cells, expect);
            }
            (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect),
            (plan, expect) => panic!("{plan:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn matrix_combines_defaults_and_given_values_in_each_arm() {
        check(
            &[selection("m/first", &[])],
            Ok(&[
                "m/first wasm size=64 mode=a",
                "m/first wasm size=128 mode=a",
                "m/first native size=64 mode=a",
                "m/first native size=128 mode=a",
            ]),
        );
        let only_wasm = Selection {
            arms: Some(vec![Arm::Wasm]),
            ..selection("first", &[("size", &["1Ki"]), ("mode", &["b", "a"])])
        };
        check(&[only_wasm], Ok(&["m/first wasm size=1024 mode=b", "m/first wasm size=1024 mode=a"]));
        check(&[selection("*/second", &[]), selection("m/sec*", &[])], Ok(&["m/second wasm", "m/second native"]));
    }

    #[test]
    fn invalid_selection_is_reported_with_a_hint() {
        let list = "list the modules with `bench-host list`";
        check(
            &[selection("m/frist", &[])],
            Err(&format!("no scenario matches `m/frist`, did you mean `m/first`?; {list}")),
        );
        check(&[selection("zzz", &[])], Err(&format!("no scenario matches `zzz`; {list}")));
        check(
            &[selection("m/*", &[("sise", &["1"])])],
            Err(&format!("no selected scenario has a parameter `sise`, did you mean `size`?; {list}")),
        );
        check(
            &[selection("m/*", &[("size", &["0"])])],
            Err("m/first: parameter `size`: `0` is outside its domain (1 to 1024)"),
        );
        check(
            &[selection("m/*", &[("mode", &["c"])])],
            Err("m/first: parameter `mode`: `c` is outside its domain (a, b)"),
        );
        check(
            &[selection("m/*", &[("size", &["big"])])],
            Err("m/first: parameter `size`: `big` is not a whole number (64, 4Ki, 1M)"),
        );
        let long = format!("invalid pattern `{}…`: it has 5000 bytes, and the maximum is 1000", "{".repeat(40));
        check(&[selection(&"{".repeat(5_000), &[])], Err(&long));
        check(&[selection("[", &[])], Err("invalid pattern `[`: unclosed character class; missing ']'"));
    }

    #[test]
    fn parameter_override_must_apply_to_one_selection_only() {
        let first = selection("m/first", &[("size", &["1"]), ("mode", &["a"])]);
        let second = selection("m/second", &[("size", &["1"])]);
        let only = |arm, selection: &Selection| Selection { arms: Some(vec![arm]), ..selection.clone() };
        let both = [only(Arm::Wasm, &first), only(Arm::Wasm, &second)];
        check(&both, Ok(&["m/first wasm size=1 mode=a", "m/second wasm"]));
        let list = "list the modules with `bench-host list`";
        check(&[second], Err(&format!("no selected scenario has a parameter `size`; {list}")));
        let process = only(Arm::Process, &first);
        check(&[process], Err("no selected scenario exists in a requested arm; the existing arms are: wasm, native"));
    }

    #[test]
    fn cells_are_counted_before_they_are_made() {
        let sizes = |scenario: Scenario, parameters: u32, values: i64| {
            (0..parameters).fold(scenario, |scenario, number| {
                scenario.parameter(Parameter::new(format!("p{number}"), 1, "").sweep(1..=values))
            })
        };
        let check = |scenario: Scenario, axes: &[(&str, &[&str])], cells_max: usize, expect: &str| {
            let descriptor = Descriptor::new("m", "1", "").scenario(scenario);
            let module = LoadedModule { descriptor, ..offer("m", Arm::Wasm) };
            let found = Plan::build_within(vec![module], &[selection("*", axes)], 1, 0, cells_max);
            let found = found.map_or_else(|error| error.to_string(), |plan| format!("{} cells", plan.cells.len()));
            assert!(found.starts_with(expect), "{found}");
        };
        let scenario = || Scenario::new("s", "f", "");
        check(sizes(scenario(), 1, 50), &[], 50, "50 cells");
        check(sizes(scenario(), 1, 51), &[], 50, "the selection has 51 cells, and the maximum is 50");
        // More than fit into any memory.
        check(sizes(scenario(), 40, 1_000), &[], usize::MAX, "m/s: the arguments of its 18446744073709551615 cells");
        let long = "x".repeat(1 << 20);
        let text = scenario().parameter(Parameter::new("text", "a", "")).parameter(Parameter::new("n", 1, ""));
        let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        check(
            text,
            &[("text", &[&long]), ("n", &numbers)],
            1_000,
            "m/s: the arguments of its 100 cells have more than",
        );
    }

    #[test]
    fn filter_keeps_the_order_of_the_remaining_cells() {
        let build =
            || Plan::build(vec![offer("m", Arm::Wasm), offer("m", Arm::Native)], &[selection("*", &[])], 2, 3).unwrap();
        let names = |plan: &Plan| {
            let name = |repetition: &Repetition| {
                let cell = plan.cell(repetition.cell);
                format!("{} {} {} {}", plan.full_name(cell), plan.offer(cell).arm, cell.arguments, repetition.process)
            };
            plan.order.iter().map(name).collect::<Vec<_>>()
        };
        let whole = names(&build());
        let filtered = names(&build().filtered("m/f*").unwrap());
        let expect: Vec<_> = whole.into_iter().filter(|name| name.starts_with("m/first")).collect();
        assert_eq!(filtered, expect);
        assert!(matches!(build().filtered("x"), Err(PlanError::NoScenario { .. })));
    }

    proptest! {
        #[test]
        fn order_has_every_repetition_once_and_is_determined_by_the_seed(seed: u64, processes in 1u32..5) {
            let build = || Plan::build(vec![offer("m", Arm::Wasm)], &[selection("*", &[])], processes, seed).unwrap();
            let plan = build();
            prop_assert_eq!(&plan.order, &build().order);
            let mut sorted = plan.order.clone();
            sorted.sort();
            let all: Vec<_> = (0..plan.cells.len() as u32).flat_map(|cell| (0..processes).map(move |process| Repetition { cell, process })).collect();
            prop_assert_eq!(sorted, all);
            prop_assert!(plan.order.is_sorted_by_key(|repetition| repetition.process), "a round ends before the next begins");
        }
    }
}
