//! The conformance tests of modules: everything that the host relies on, tested without trusting a module. Each scenario is executed in
//! workers of its own, so that a hang or crash does not affect the other tests.

mod descriptor;
mod domains;
mod evidence;
mod scenario;
mod sensitivity;

use crate::modules::{Loaded, Loader, Modules};
use crate::worker::{Reply, Request};
use bench_engine::{Interrupt, placement};
use bench_model::{Arm, Capability, Checksum, Descriptor};
use pg_connection::redact_text;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub(crate) use scenario::used;

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Held,
    Broken,
    /// It was not tested: this machine or the time does not allow it.
    Skipped,
}

/// The result of testing one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The scenario, with arguments other than its defaults; `None` for rules on the module.
    pub(crate) scenario: Option<String>,
    pub(crate) rule: String,
    pub(crate) outcome: Outcome,
    /// What was found; for a broken rule also what to do.
    pub(crate) detail: String,
}

/// The findings on one module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) file: PathBuf,
    pub(crate) arm: Option<Arm>,
    /// Name and version.
    pub(crate) module: Option<String>,
    pub(crate) findings: Vec<Finding>,
    /// What it printed where a rule was broken, a line each.
    pub(crate) printed: Vec<String>,
    pub(crate) imported: Vec<String>,
    /// The imported functions that were called.
    pub(crate) used: Vec<String>,
}

/// The checksum of each scenario and arguments, by arm.
type Checksums = BTreeMap<(String, String), Vec<(Arm, Checksum)>>;

impl Findings {
    fn push(&mut self, scenario: Option<&str>, rule: impl Into<String>, outcome: Outcome, detail: impl Into<String>) {
        // A module that was given a connection string may repeat it.
        let detail: String = detail.into();
        let (scenario, rule, detail) = (scenario.map(str::to_owned), rule.into(), redact_text(&detail));
        self.findings.push(Finding { scenario, rule, outcome, detail });
    }

    /// The number of findings with this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// How much is tested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Also whether errors and more work are noticed.
    pub(crate) sensitivity: bool,
    /// When this time has passed, no further scenario of a module is tested: a descriptor may name a thousand.
    pub(crate) within: Duration,
}

/// Tests all modules in `files`, each with the scenarios' defaults, or with the values in the loader's parameters, and at the edges of the
/// domains. Ends early on an interrupt.
pub(crate) fn check(
    loader: &Loader,
    files: &[PathBuf],
    extent: Extent,
    interrupt: &Interrupt,
) -> anyhow::Result<Vec<Findings>> {
    let modules = loader.load(files, false, interrupt);
    scenario::known_parameters(&modules, &loader.parameters)?;
    let mut all = Vec::new();
    for refused in &modules.refused {
        let mut findings = Findings { file: refused.file.clone(), ..Findings::default() };
        findings.push(None, "loads", Outcome::Broken, without_advice(&refused.reason, &refused.file));
        all.push(findings);
    }
    // With other modules beside it, two per cent more work would not be noticed.
    let is_alone = extent.sensitivity || modules.loaded.iter().any(|loaded| disturbs(&loaded.offer.descriptor));
    let at_once = if is_alone { 1 } else { placement::allowed_cpus().len() };
    let mut checksums = Checksums::new();
    for tested in each(&modules.loaded, at_once, |loaded| of_module(loader, &modules, loaded, extent, interrupt)) {
        let Some((findings, of_module)) = tested? else { continue };
        all.push(findings);
        for (key, mut of_arms) in of_module {
            checksums.entry(key).or_default().append(&mut of_arms);
        }
    }
    arms_agree(&modules, &checksums, &mut all);
    Ok(all)
}

/// Whether modules like this one get into each other's way: the tables of a run's server have one name each, and scenarios that keep several
/// processors busy have none left for others.
fn disturbs(descriptor: &Descriptor) -> bool {
    let requirements = descriptor.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    let mut capabilities = requirements.map(|requirement| &requirement.capability);
    capabilities.any(|capability| matches!(capability, Capability::Postgres(_) | Capability::Cpu(2..)))
}

/// What `test` returns for each of `items`, in their order, of which so many are tested at once.
fn each<'a, T: Sync, R: Send>(items: &'a [T], at_once: usize, test: impl Fn(&'a T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, test(item)))
        };
        std::iter::from_fn(take).collect::<Vec<_>>()
    };
    let mut tested = thread::scope(|scope| {
        let others: Vec<_> = (1..at_once.min(items.len())).map(|_| scope.spawn(work)).collect();
        let mut tested = work();
        tested.extend(others.into_iter().flat_map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        tested
    });
    tested.sort_by_key(|(index, _)| *index);
    tested.into_iter().map(|(_, result)| result).collect()
}

/// Tests one module. Its findings and checksums; `None` after an interrupt.
fn of_module(
    loader: &Loader,
    modules: &Modules,
    loaded: &Loaded,
    extent: Extent,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<(Findings, Checksums)>> {
    if interrupt.is_raised() {
        return Ok(None);
    }
    let descriptor = &loaded.offer.descriptor;
    let mut findings = Findings {
        file: loaded.offer.file.clone(),
        arm: Some(loaded.offer.arm),
        module: Some(format!("{} {}", descriptor.name, descriptor.version)),
        imported: loaded.imports.clone(),
        ..Findings::default()
    };
    findings.push(None, "loads", Outcome::Held, "");
    findings.findings.extend(descriptor::findings(descriptor));
    describes_the_same(loader, loaded, interrupt, &mut findings);
    let mut checksums = Checksums::new();
    let trial = scenario::ConformanceRun {
        loader,
        modules,
        loaded,
        interrupt,
        extent,
        findings: &mut findings,
        seen: domains::Seen::default(),
    };
    scenario::check(trial, &mut checksums)?;
    Ok(Some((findings, checksums)))
}

/// The reason without the file, which is in the heading, and without the advice to run this command.
fn without_advice(reason: &str, file: &Path) -> String {
    let reason = reason.strip_prefix(&format!("{}: ", file.display())).unwrap_or(reason);
    reason.strip_suffix("; run `bench-host check` for details").unwrap_or(reason).to_owned()
}

/// Describes the module once more, in another process.
fn describes_the_same(loader: &Loader, loaded: &Loaded, interrupt: &Interrupt, findings: &mut Findings) {
    const RULE: &str = "describes itself in the same way each time";
    let deadline = loader.deadline_of(&loaded.spec);
    match loader.workers.call(&Request::Describe(loaded.spec.clone()), deadline, interrupt).result {
        Ok(Reply::Described { descriptor, .. }) if descriptor == loaded.offer.descriptor => {
            findings.push(None, RULE, Outcome::Held, "");
        }
        Ok(Reply::Described { .. }) => {
            let detail = "two processes were told different things; `describe` must not depend on time, randomness or the environment";
            findings.push(None, RULE, Outcome::Broken, detail);
        }
        Ok(Reply::Refused(reason)) => {
            findings.push(None, RULE, Outcome::Broken, without_advice(&reason, &loaded.offer.file));
        }
        Ok(_) => findings.push(None, RULE, Outcome::Broken, "unexpected reply of the worker"),
        Err(error) => findings.push(None, RULE, Outcome::Broken, error.to_string()),
    }
}

/// Compares the checksums of the arms of a module, which `load` does too.
fn arms_agree(modules: &Modules, checksums: &Checksums, all: &mut [Findings]) {
    for ((scenario, arguments), of_arms) in checksums {
        let [(first, expected), others @ ..] = &of_arms[..] else { continue };
        for (arm, found) in others {
            let (module, name) = scenario.split_once('/').unwrap_or_default();
            let is_file = |loaded: &&Loaded| loaded.offer.descriptor.name == module && loaded.offer.arm == *arm;
            let Some(loaded) = modules.loaded.iter().find(is_file) else { continue };
            let Some(findings) = all.iter_mut().find(|findings| findings.file == loaded.offer.file) else { continue };
            let outcome = if found == expected { Outcome::Held } else { Outcome::Broken };
            let detail = match outcome {
                Outcome::Held => arguments.clone(),
                _ => format!(
                    "{first} {expected}, {arm} {found} with {arguments}; digest the result only: no pointers, no order of a hash map, \
                     no result of floating-point operations that a processor may fuse"
                ),
            };
            findings.push(Some(name), "arms have equal checksums", outcome, detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for at_once in 0..5 {
            let items: Vec<u64> = (0..20).collect();
            let expect: Vec<u64> = items.iter().map(|item| item * 2).collect();
            assert_eq!(each(&items, at_once, |item| item * 2), expect, "{at_once} at once");
        }
        assert!(each(&[], 2, |item: &u64| *item).is_empty());
    }

    #[test]
    fn advice_to_run_this_command_is_left_out() {
        let check = |reason: &str, expect: &str| assert_eq!(without_advice(reason, Path::new("a.wasm")), expect);
        check("a.wasm: `describe` failed: no; run `bench-host check` for details", "`describe` failed: no");
        check("a.wasm: cannot be read", "cannot be read");
    }
}
