//! Compares the arms of scenarios, or engine settings of one arm.

use super::effort;
use super::measure::{Candidates, Lineup, measure};
use crate::cli::CompareArgs;
use crate::commands::run::{fulfilled, requested_selections};
use crate::execute::interrupt;
use crate::modules::{Loaded, Loader, Modules};
use crate::worker::Kind;
use crate::{Exit, paths};
use bench_engine::{ComparisonGroup, LoadedModule, Plan, Selection};
use bench_model::Arm;
use bench_wasm::EngineOption;
use std::path::{Path, PathBuf};

/// The arms that are compared by default; the last one only where it is built.
const ARMS: [Arm; 3] = [Arm::Wasm, Arm::Native, Arm::NativeCpu];

/// Compares the arms of the scenarios that `arguments` name; of `module` alone if there is one, and then all of its scenarios where no other
/// argument names some.
pub(super) fn run(arguments: &CompareArgs, module: Option<&Path>) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let common = &arguments.common;
    let (secrets, native) = (common.measured.secrets.clone(), common.measured.native.clone());
    let loader = Loader { secrets, native, ..Loader::new(&common.measured.grants, common.measured.limits)? };
    let sides = Sides::new(arguments)?;
    let is_module = |what: &String| module.is_some_and(|module| Path::new(what) == module);
    let mut patterns: Vec<String> = arguments.what.iter().filter(|what| !is_module(what)).cloned().collect();
    if patterns.is_empty() && module.is_some() {
        patterns.push("*".to_owned());
    }
    let (wishes, _) = requested_selections(&patterns, common)?;
    let files = match module {
        Some(module) => vec![module.to_owned()],
        None => paths::modules(&arguments.modules)?,
    };
    let modules = loader.load(&with_native_cpu_arms(files), module.is_none(), interrupt);
    if let (Some(_), Some(refused)) = (module, modules.refused.first()) {
        anyhow::bail!("{}", refused.reason);
    }
    let selections = fulfilled(wishes, &modules)?.into_iter().map(|selection| sides.narrowed(selection));
    let selections: Vec<_> = selections.collect();
    let mut modules = modules.only_needed(&selections);
    modules.ask_for_grants();
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    let lineup = Lineup { modules: sides.variants(modules), selections, candidates: &sides };
    measure(arguments, &loader, &lineup, effort(arguments)?, interrupt)
}

/// The arms or engine settings to compare.
struct Sides {
    arms: Vec<Arm>,
    /// Whether the user named the arms, so that none may be missing.
    are_named: bool,
    /// Engine settings to compare with the default ones; arms are compared if this is empty.
    switches: Vec<EngineOption>,
}

impl Sides {
    fn new(arguments: &CompareArgs) -> anyhow::Result<Self> {
        let mut given: Vec<EngineOption> = Vec::new();
        for name in &arguments.engine {
            match name.as_str() {
                "all" => given.extend(EngineOption::ALL.into_iter().filter(|option| option.is_available())),
                // This is the default setting.
                "pool" => {}
                name => given.push(name.parse().map_err(anyhow::Error::msg)?),
            }
        }
        let switches = each_once(given);
        if let Some(absent) = switches.iter().find(|option| !option.is_available()) {
            anyhow::bail!("{}", not_available(*absent));
        }
        let named = arguments.common.measured.arm.clone().map(each_once);
        if !arguments.engine.is_empty() {
            anyhow::ensure!(
                !switches.is_empty(),
                "--engine pool is the default setting; name another one to compare with it"
            );
            let wasm_alone = named.as_ref().is_none_or(|arms| arms == &[Arm::Wasm]);
            anyhow::ensure!(wasm_alone, "--engine compares settings of the arm wasm; remove --arm");
            return Ok(Self { arms: vec![Arm::Wasm], are_named: true, switches });
        }
        if let Some(arms) = &named {
            anyhow::ensure!(arms.len() >= 2, "a comparison needs at least two arms, such as --arm wasm,native");
        }
        Ok(Self { are_named: named.is_some(), arms: named.unwrap_or_else(|| ARMS.to_vec()), switches })
    }

    /// The selection in the arms that are compared.
    fn narrowed(&self, selection: Selection) -> Selection {
        let arms = match &selection.arms {
            Some(arms) => self.arms.iter().filter(|arm| arms.contains(arm)).copied().collect(),
            None => self.arms.clone(),
        };
        Selection { arms: Some(arms), ..selection }
    }

    /// Adds each component once more per engine setting that is compared.
    fn variants(&self, mut modules: Modules) -> Modules {
        let components = modules.loaded.iter().filter(|loaded| loaded.spec.kind == Kind::Component);
        let variant = |loaded: &Loaded, switch: &EngineOption| {
            let mut loaded = loaded.clone();
            loaded.spec.engine = Some(switch.to_string());
            loaded.offer.variant = Some(switch.to_string());
            loaded
        };
        let variants: Vec<_> =
            components.flat_map(|loaded| self.switches.iter().map(move |switch| variant(loaded, switch))).collect();
        modules.loaded.extend(variants);
        modules
    }
}

/// Each of `given` where it is first, because two candidates of one name would be measured as one.
fn each_once<T: PartialEq>(given: Vec<T>) -> Vec<T> {
    let mut once = Vec::new();
    for one in given {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

impl Candidates for Sides {
    /// Native where it takes part, else the arm named last.
    fn is_baseline(&self, offer: &LoadedModule) -> bool {
        let native = self.arms.contains(&Arm::Native).then_some(Arm::Native);
        Some(offer.arm) == native.or_else(|| self.arms.last().copied()) && offer.variant.is_none()
    }

    /// Names the first arm that is needed and missing.
    fn lack(&self, plan: &Plan, modules: &Modules, compared: &ComparisonGroup) -> Option<String> {
        let offers = || compared.cells.iter().map(|cell| plan.offer(plan.cell(*cell)));
        let is_needed = |arm: &&Arm| self.are_named || **arm != Arm::NativeCpu;
        let missing = self.arms.iter().filter(is_needed).find(|arm| offers().all(|offer| offer.arm != **arm))?;
        let name = plan.full_name(plan.cell(compared.cells[0]));
        let there = offers().next()?;
        let file = arm_file(&there.file, there.arm, *missing);
        let refused = modules.refused.iter().find(|refused| file.as_ref() == Some(&refused.file));
        let why = match (refused, file) {
            (Some(refused), _) => refused.reason.clone(),
            (None, Some(file)) => {
                format!("{} does not exist; build it, in the checkout with `cargo xtask plugins`", file.display())
            }
            (None, None) => format!("{} has no such counterpart", there.file.display()),
        };
        Some(format!("{name} has no arm {missing}: {why}"))
    }
}

/// Why an option cannot be used, and what to do.
pub(super) fn not_available(option: EngineOption) -> String {
    let feature = option.feature().unwrap_or("full");
    format!("this bench-host was built without {option}; build it with the cargo feature `{feature}`")
}

/// The path at which the `wanted` arm of the module at `file` is expected, if its kind has such an arm.
fn arm_file(file: &Path, arm: Arm, wanted: Arm) -> Option<PathBuf> {
    let component = match arm {
        Arm::Wasm => file.to_owned(),
        Arm::Native => paths::component_of(file).unwrap_or_else(|| file.with_extension("wasm")),
        Arm::NativeCpu => file.parent()?.parent()?.join(file.file_name()?).with_extension("wasm"),
        Arm::Process => return None,
    };
    match wanted {
        Arm::Wasm => Some(component),
        Arm::Native => Some(
            paths::native_arm(&component).unwrap_or_else(|| component.with_extension(std::env::consts::DLL_EXTENSION)),
        ),
        Arm::NativeCpu => Some(paths::native_cpu_arm(&component)),
        Arm::Process => None,
    }
}

/// Inserts after each component its probe for this processor, where it is built.
pub(super) fn with_native_cpu_arms(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let probes = files.iter().filter(|file| paths::is_component(file)).map(|file| paths::native_cpu_arm(file));
    let probes: Vec<_> = probes.filter(|probe| probe.is_file()).collect();
    files.into_iter().chain(probes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn sides(options: &str) -> anyhow::Result<Sides> {
        let words = format!("bench-host compare m/s {options}");
        let Command::Compare(compare) = Cli::try_parse_from(words.split(' ')).unwrap().command else {
            panic!("{options}")
        };
        Sides::new(&compare)
    }

    #[test]
    fn engine_setting_that_is_named_twice_is_compared_once() {
        use EngineOption::{Epoch, Fuel};
        let check = |options: &str, expect: &[EngineOption]| {
            assert_eq!(sides(options).unwrap().switches, expect, "{options}");
        };
        check("--engine fuel,epoch,fuel", &[Fuel, Epoch]);
        check("--engine fuel --engine pool --engine fuel", &[Fuel]);
        let all = sides("--engine all").unwrap().switches;
        check("--engine all,fuel", &all);
        check("--engine all,all", &all);
    }

    #[test]
    fn arm_that_is_named_twice_is_no_comparison() {
        assert_eq!(sides("--arm wasm,native,wasm").unwrap().arms, [Arm::Wasm, Arm::Native]);
        let error = sides("--arm wasm,wasm").err().unwrap().to_string();
        assert!(error.contains("needs at least two arms"), "{error}");
    }
}
