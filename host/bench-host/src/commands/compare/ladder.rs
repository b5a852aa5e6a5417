//! The ladder: one scenario from native code to an interpreted component, each rung one step from the one before, so that each step
//! has its own ratio.

use super::arms::{not_available, with_native_cpu_arms};
use super::measure::{Candidates, Lineup, measure};
use crate::cli::CompareArgs;
use crate::commands::run::{fulfilled, requested_selections};
use crate::effort::Effort;
use crate::execute::interrupt;
use crate::modules::{Loaded, Loader, Modules};
use crate::{Exit, paths};
use bench_engine::{ComparisonGroup, Interrupt, LoadedModule, Plan, Selection};
use bench_model::Arm;
use bench_sink::runfile::{LadderRecord, Record, RungRecord};
use bench_wasm::{EngineOption, Settings};
use std::path::{Path, PathBuf};

/// A rung of every ladder.
struct Rung {
    name: &'static str,
    /// How it differs from the rung before.
    step: &'static str,
    arm: Arm,
    source: Source,
}

/// Where a rung's code comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The module as it was loaded.
    Loaded,
    /// A build of its own, in this folder next to the component.
    Folder(&'static str),
    /// The component with these engine settings.
    Engine(&'static str),
}

impl Source {
    /// Why a build that is loaded does not have a scenario that the others have.
    fn why_without_scenario(self) -> &'static str {
        match self {
            Self::Folder(PORTABLE) => {
                "what it calls, a crate or the C library, chooses instructions when it runs and cannot be built without them"
            }
            _ => "this build does not have the scenario",
        }
    }
}

/// From the fastest to the slowest, as is expected. The rungs of the engine use the build without SIMD, if there is one.
const RUNGS: [Rung; 11] = [
    Rung { name: "native-cpu", step: "native code for this processor", arm: Arm::NativeCpu, source: Source::Loaded },
    Rung { name: "native", step: "for any processor of the architecture", arm: Arm::Native, source: Source::Loaded },
    Rung {
        name: "portable",
        step: "no instructions that crates choose at run time",
        arm: Arm::Native,
        source: Source::Folder(PORTABLE),
    },
    Rung {
        name: "dlmalloc",
        step: "with the allocator of components",
        arm: Arm::Native,
        source: Source::Folder("native-dlmalloc"),
    },
    Rung { name: "wasm", step: "a component, with SIMD", arm: Arm::Wasm, source: Source::Loaded },
    Rung { name: NO_SIMD, step: "without SIMD", arm: Arm::Wasm, source: Source::Folder(NO_SIMD) },
    Rung { name: "bounds", step: "bounds checked by instructions", arm: Arm::Wasm, source: Source::Engine("bounds") },
    Rung {
        name: "spectre",
        step: "the checks hold under speculation",
        arm: Arm::Wasm,
        source: Source::Engine("spectre"),
    },
    Rung { name: "opt-none", step: "not optimised", arm: Arm::Wasm, source: Source::Engine("opt-none+spectre") },
    Rung { name: "winch", step: "compiled in one pass by Winch", arm: Arm::Wasm, source: Source::Engine("winch") },
    Rung { name: "pulley", step: "interpreted by Pulley", arm: Arm::Wasm, source: Source::Engine("pulley") },
];

/// The folder of components that are built without SIMD.
const NO_SIMD: &str = "no-simd";

/// The folder of probes that choose no instructions when they run.
const PORTABLE: &str = "native-portable";

/// The arms of rungs.
const ARMS: [Arm; 3] = [Arm::Wasm, Arm::Native, Arm::NativeCpu];

pub(super) fn run(arguments: &CompareArgs) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let measured = &arguments.common.measured;
    let secrets = measured.secrets.clone();
    let loader = Loader { secrets, ..Loader::new(&measured.grants, measured.limits)? };
    let (wishes, _) = requested_selections(&arguments.what, &arguments.common)?;
    let modules = loader.load(&with_native_cpu_arms(paths::modules(&arguments.modules)?), true, interrupt);
    let selections = fulfilled(wishes, &modules)?;
    let selections =
        selections.into_iter().map(|one| Selection { arms: Some(ARMS.to_vec()), ..one }).collect::<Vec<_>>();
    let mut modules = modules.only_needed(&selections);
    let mut ladder = Ladder { absent: Vec::new() };
    let components: Vec<Loaded> =
        modules.loaded.iter().filter(|loaded| loaded.offer.arm == Arm::Wasm).cloned().collect();
    for component in &components {
        ladder.add_rungs(&mut modules, component, &loader, interrupt);
    }
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    let lineup = Lineup { modules, selections, candidates: &ladder };
    measure(arguments, &loader, &lineup, Effort::ladder(measured, arguments.breakdown)?, interrupt)
}

/// The rungs that modules lack.
struct Ladder {
    /// The name of the module, the name of the rung, and the reason.
    absent: Vec<(String, &'static str, String)>,
}

impl Ladder {
    /// Adds the rungs of `component` that are not loaded yet. Each is loaded once before it takes part, because one that cannot
    /// be loaded would leave its whole group without figures.
    fn add_rungs(&mut self, modules: &mut Modules, component: &Loaded, loader: &Loader, interrupt: &Interrupt) {
        let module = component.offer.descriptor.name.clone();
        // What the rungs of the engine have in common, and its place in their names.
        let mut base = component.clone();
        for rung in &RUNGS {
            let added = match rung.source {
                Source::Loaded => {
                    let is_there = modules.loaded.iter().any(|loaded| is_rung(rung, &module, &loaded.offer));
                    if is_there { continue } else { Err(why_not_built(rung, &component.offer.file, modules)) }
                }
                Source::Folder(folder) => load_from(folder, rung, &component.offer.file, loader, interrupt),
                Source::Engine(settings) => with_settings(settings, &base, loader, interrupt),
            };
            match added {
                Ok(mut loaded) => {
                    loaded.offer.variant = Some(rung.name.to_owned());
                    if rung.name == NO_SIMD {
                        base = loaded.clone();
                    }
                    modules.loaded.push(loaded);
                }
                Err(reason) => self.absent.push((module.clone(), rung.name, reason)),
            }
        }
    }

    fn rung(&self, plan: &Plan, group: &ComparisonGroup, rung: &Rung) -> RungRecord {
        let module = &plan.offer(plan.cell(group.cells[0])).descriptor.name;
        let cell = group.cells.iter().copied().find(|cell| is_rung(rung, module, plan.offer(plan.cell(*cell))));
        let absent = || {
            let known = self.absent.iter().find(|(of, name, _)| of == module && *name == rung.name);
            known.map_or_else(|| rung.source.why_without_scenario().to_owned(), |(.., reason)| reason.clone())
        };
        let skipped = cell.is_none().then(absent);
        RungRecord { name: rung.name.to_owned(), step: rung.step.to_owned(), cell, skipped }
    }
}

impl Candidates for Ladder {
    fn is_baseline(&self, offer: &LoadedModule) -> bool {
        offer.arm == Arm::Native && offer.variant.is_none()
    }

    fn lack(&self, plan: &Plan, _modules: &Modules, group: &ComparisonGroup) -> Option<String> {
        let name = || plan.full_name(plan.cell(group.cells[0]));
        (group.cells.len() < 2)
            .then(|| format!("{} has one rung only; build its other arms with `cargo xtask plugins`", name()))
    }

    fn records(&self, plan: &Plan, groups: &[ComparisonGroup]) -> Vec<Record> {
        let ladder = |group: &ComparisonGroup| {
            let cell = plan.cell(group.cells[0]);
            Record::Ladder(LadderRecord {
                scenario: plan.full_name(cell),
                arguments: cell.arguments.clone(),
                rungs: RUNGS.iter().map(|rung| self.rung(plan, group, rung)).collect(),
            })
        };
        groups.iter().map(ladder).collect()
    }
}

/// Whether `offer` is this rung of `module`.
fn is_rung(rung: &Rung, module: &str, offer: &LoadedModule) -> bool {
    let variant = (rung.source != Source::Loaded).then_some(rung.name);
    offer.descriptor.name == module && offer.arm == rung.arm && offer.variant.as_deref() == variant
}

/// The module of a rung that has a build of its own, or the reason why there is none.
fn load_from(
    folder: &str,
    rung: &Rung,
    component: &Path,
    loader: &Loader,
    interrupt: &Interrupt,
) -> Result<Loaded, String> {
    let file = component.with_file_name(folder).join(component.file_name().unwrap_or_default());
    let file = if rung.arm == Arm::Wasm { file } else { file.with_extension(std::env::consts::DLL_EXTENSION) };
    if !file.is_file() {
        let stem = file.file_stem().unwrap_or_default().display();
        return Err(format!(
            "{} does not exist; build it with `cargo xtask plugins {stem} --variants`",
            file.display()
        ));
    }
    let modules = loader.load_alone(&[file], interrupt);
    let refused = modules.refused.first().map(|refused| refused.reason.clone());
    modules.loaded.into_iter().next().ok_or_else(|| refused.unwrap_or_else(|| "it could not be loaded".to_owned()))
}

/// The component with these engine settings, or the reason why it cannot run with them.
fn with_settings(settings: &str, component: &Loaded, loader: &Loader, interrupt: &Interrupt) -> Result<Loaded, String> {
    let parsed: Settings = settings.parse()?;
    if let Some(absent) = EngineOption::ALL.into_iter().find(|option| parsed.has(*option) && !option.is_available()) {
        return Err(not_available(absent));
    }
    let mut loaded = component.clone();
    loaded.spec.engine = Some(settings.to_owned());
    loader.try_out(&loaded.spec, interrupt).map(|()| loaded)
}

/// Why an arm of the module is not loaded.
fn why_not_built(rung: &Rung, component: &Path, modules: &Modules) -> String {
    let file: PathBuf = match rung.arm {
        Arm::NativeCpu => paths::native_cpu_arm(component),
        _ => component.with_extension(std::env::consts::DLL_EXTENSION),
    };
    if let Some(refused) = modules.refused.iter().find(|refused| refused.file == file) {
        return refused.reason.clone();
    }
    let option = if rung.arm == Arm::NativeCpu { " --native-cpu" } else { "" };
    let stem = component.file_stem().unwrap_or_default().display();
    format!("{} does not exist; build it with `cargo xtask plugins {stem}{option}`", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_that_a_build_lacks_has_its_reason() {
        for rung in &RUNGS {
            let is_portable = rung.source.why_without_scenario().contains("chooses instructions when it runs");
            assert_eq!(is_portable, rung.name == "portable", "{}", rung.name);
        }
    }
}
