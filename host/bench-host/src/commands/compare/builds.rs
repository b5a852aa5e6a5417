//! Compares builds of one module, or scenarios of different modules: each is a variant of the baseline's scenario.

use super::effort;
use super::measure::{Candidates, Lineup, measure};
use crate::cli::CompareArgs;
use crate::commands::run::{fulfilled, requested_selections};
use crate::execute::interrupt;
use crate::modules::{Loaded, Loader, Modules, OwnNames};
use crate::{Exit, paths, stored};
use anyhow::Context;
use bench_engine::{ComparisonGroup, LoadedModule, Plan, Selection};
use bench_model::Arm;
use std::path::{Path, PathBuf};

/// A build, or the modules that stand for one: the name of a variant, and its files.
type Build = (String, Vec<PathBuf>);

/// Compares the builds that `arguments` name; `files` are those among the positional arguments, the others are scenarios.
pub(super) fn run(arguments: &CompareArgs, files: &[PathBuf]) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let measured = &arguments.common.measured;
    let builds: Vec<Build> = named(files).into_iter().chain(arguments.variant.iter().cloned()).collect();
    let builds = Builds::new(builds)?;
    let secrets = measured.secrets.clone();
    let loader = Loader { secrets, ..Loader::new(&measured.grants, measured.limits)? };
    let mut modules = Modules::default();
    for (name, files) in &builds.0 {
        let loaded = loader.load_alone(files, interrupt);
        if let Some(refused) = loaded.refused.first() {
            anyhow::bail!("{}", refused.reason);
        }
        modules.loaded.extend(loaded.loaded.into_iter().map(|loaded| with_variant(loaded, name)));
    }
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    builds.give_one_name(&mut modules);
    modules.ask_for_grants();
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let mut patterns: Vec<String> = arguments.what.iter().filter(|what| !files.contains(what)).cloned().collect();
    if patterns.is_empty() {
        patterns.push("*".to_owned());
    }
    let (wishes, _) = requested_selections(&patterns, &arguments.common)?;
    let selections = fulfilled(wishes, &modules)?;
    let lineup = Lineup { modules, selections, candidates: &builds };
    measure(arguments, &loader, &lineup, effort(arguments)?, interrupt)
}

/// Compares each of the scenarios that `arguments` name with the scenario `baseline`, of another module.
pub(super) fn run_side_by_side(arguments: &CompareArgs, baseline: &str) -> anyhow::Result<Exit> {
    let interrupt = interrupt()?;
    let measured = &arguments.common.measured;
    let arm = match measured.arm.as_deref() {
        None => Arm::Wasm,
        Some([arm]) => *arm,
        Some(_) => anyhow::bail!("--against compares scenarios in one arm; give one with --arm"),
    };
    anyhow::ensure!(!arguments.what.is_empty(), "name the scenario to compare with {baseline}");
    let secrets = measured.secrets.clone();
    let loader = Loader { secrets, ..Loader::new(&measured.grants, measured.limits)? };
    let all = loader.load(&paths::modules(&arguments.modules)?, true, interrupt);
    anyhow::ensure!(!interrupt.is_raised(), "interrupted before anything was measured");
    let (module, scenario) =
        baseline.split_once('/').with_context(|| format!("--against `{baseline}`: expected MODULE/SCENARIO"))?;
    let mut modules = Modules::default();
    let mut builds = Vec::new();
    for name in std::iter::once(baseline).chain(arguments.what.iter().map(String::as_str)) {
        let (loaded, found) = all.scenario(name, arm).map_err(anyhow::Error::msg)?;
        let mut loaded = with_variant(loaded.clone(), name);
        let own = OwnNames { descriptor: loaded.offer.descriptor.clone(), scenario: Some(found.name.clone()) };
        loaded.offer.descriptor.scenarios.retain(|one| one.name == found.name);
        loaded.offer.descriptor.scenarios.iter_mut().for_each(|one| one.name = scenario.to_owned());
        loaded.offer.descriptor.name = module.to_owned();
        loaded.own = Some(Box::new(own));
        builds.push((name.to_owned(), vec![loaded.offer.file.clone()]));
        modules.loaded.push(loaded);
    }
    let builds = Builds::new(builds)?;
    let axes = measured.parameters.clone();
    let selections = vec![Selection { pattern: baseline.to_owned(), arms: Some(vec![arm]), axes }];
    let lineup = Lineup { modules, selections, candidates: &builds };
    measure(arguments, &loader, &lineup, effort(arguments)?, interrupt)
}

fn with_variant(loaded: Loaded, name: &str) -> Loaded {
    let offer = LoadedModule { variant: Some(name.to_owned()), ..loaded.offer };
    Loaded { offer, ..loaded }
}

/// The files among `what` that are modules; the others name scenarios, suites or runs.
pub(super) fn module_files(what: &[String]) -> Vec<PathBuf> {
    let is_module = |path: &Path| paths::is_component(path) || paths::is_probe(path) || stored::is_reference(path);
    what.iter().map(PathBuf::from).filter(|path| is_module(path) && !path.is_dir()).collect()
}

/// A build for each of `files`, named by what distinguishes the paths: the file's name, else that of its folder.
fn named(files: &[PathBuf]) -> Vec<Build> {
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let ways: [fn(&Path) -> Option<&std::ffi::OsStr>; 2] = [stem, |file| file.parent()?.file_name()];
    let distinct = ways.into_iter().map(|way| files.iter().map(|file| text(way(file))).collect::<Vec<_>>());
    let whole = files.iter().map(|file| file.display().to_string()).collect();
    let names = distinct.into_iter().find(|names| are_distinct(names)).unwrap_or(whole);
    names.into_iter().zip(files).map(|(name, file)| (name, vec![file.clone()])).collect()
}

/// The name of the file without its extension; a reference as a whole, because it ends with a version.
fn stem(file: &Path) -> Option<&std::ffi::OsStr> {
    if stored::is_reference(file) { Some(file.as_os_str()) } else { file.file_stem() }
}

fn are_distinct(names: &[String]) -> bool {
    names.iter().enumerate().all(|(at, name)| !name.is_empty() && !names[..at].contains(name))
}

/// The builds, the first of which is the baseline.
#[derive(Debug)]
struct Builds(Vec<Build>);

impl Builds {
    fn new(builds: Vec<Build>) -> anyhow::Result<Self> {
        anyhow::ensure!(
            builds.len() >= 2,
            "a comparison needs at least two builds, such as `compare old.wasm new.wasm` or --variant old=old.wasm --variant new=new.wasm, \
             or the native arm of one next to it (NAME.{} of NAME.wasm)",
            std::env::consts::DLL_EXTENSION
        );
        let names: Vec<String> = builds.iter().map(|(name, _)| name.clone()).collect();
        anyhow::ensure!(are_distinct(&names), "two builds have the same name ({}); name them apart", names.join(", "));
        Ok(Self(builds))
    }

    /// Where each build is one module, those with another name than the baseline's are compared under its name.
    fn give_one_name(&self, modules: &mut Modules) {
        if modules.loaded.len() != self.0.len() {
            return;
        }
        let Some(name) = modules.loaded.first().map(|loaded| loaded.offer.descriptor.name.clone()) else { return };
        for loaded in modules.loaded.iter_mut().filter(|loaded| loaded.offer.descriptor.name != name) {
            let descriptor = loaded.offer.descriptor.clone();
            loaded.own = Some(Box::new(OwnNames { descriptor, scenario: None }));
            loaded.offer.descriptor.name = name.clone();
        }
    }

    fn baseline(&self) -> &str {
        self.0.first().map_or("", |(name, _)| name)
    }
}

impl Candidates for Builds {
    fn is_baseline(&self, offer: &LoadedModule) -> bool {
        offer.variant.as_deref() == Some(self.baseline())
    }

    fn lack(&self, plan: &Plan, _modules: &Modules, group: &ComparisonGroup) -> Option<String> {
        let variants: Vec<_> =
            group.cells.iter().filter_map(|cell| plan.offer(plan.cell(*cell)).variant.as_deref()).collect();
        let (missing, files) = self.0.iter().find(|(name, _)| !variants.contains(&name.as_str()))?;
        let cell = plan.cell(group.cells[0]);
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let arguments = if cell.arguments.is_empty() { String::new() } else { format!(" with {}", cell.arguments) };
        let (name, arm) = (plan.full_name(cell), plan.offer(cell).arm);
        Some(format!(
            "{name}{arguments} is not in `{missing}`: {} has no such scenario in the arm {arm}",
            files.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_named_by_what_distinguishes_their_paths() {
        let check = |files: &[&str], expect: &[&str]| {
            let files: Vec<_> = files.iter().map(PathBuf::from).collect();
            assert_eq!(named(&files).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), expect);
        };
        check(&["old.wasm", "new.wasm"], &["old", "new"]);
        check(&["plugins/kernels.wasm", "plugins/no-simd/kernels.wasm"], &["plugins", "no-simd"]);
        check(&["a/x/k.wasm", "b/x/k.wasm"], &["a/x/k.wasm", "b/x/k.wasm"]);
        check(&["k.wasm", "x/k.wasm"], &["k.wasm", "x/k.wasm"]);
        check(&["a:k@1.2.0", "a:k@1.2.1"], &["a:k@1.2.0", "a:k@1.2.1"]);
    }

    #[test]
    fn one_build_or_two_of_one_name_are_no_comparison() {
        let build = |name: &str| (name.to_owned(), Vec::new());
        assert!(Builds::new(vec![build("a")]).is_err());
        assert!(Builds::new(vec![build("a"), build("a")]).is_err());
        assert!(Builds::new(vec![build("a"), build("b")]).is_ok());
    }
}
