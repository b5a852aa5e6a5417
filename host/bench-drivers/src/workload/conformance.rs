//! The conformance tests of the driver `workload`, which authors of plug-ins run.

use crate::Module;
use bench_model::{Arguments, Check, ModuleError, Scenario};

/// Tests one scenario with `arguments`. Each check names the rule; nothing is timed. An error means that the environment cannot run
/// the scenario.
pub fn conformance(
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let name = |rule: &str| format!("{}: {rule}", scenario.name);
    let mut session = match module.open(scenario, arguments) {
        Ok(session) => session,
        Err(error) if error.is_environment() => return Err(error),
        Err(error) => return Ok(vec![Check::that(name("opens with its defaults"), false, error.to_string())]),
    };
    let mut checks = vec![Check::that(name("opens with its defaults"), true, arguments.to_string())];
    let mut checksums = Vec::new();
    for times in [1, 0, 7] {
        let rule = name(&format!("iterate({times}) executes {times} operations"));
        match session.iterate(times) {
            Ok(outcome) => {
                checks.push(Check::equal(rule, &times, &outcome.operations));
                checksums.extend((times > 0).then_some(outcome.checksum));
            }
            Err(error) => checks.push(Check::that(rule, false, error.to_string())),
        }
    }
    match session.verify() {
        Ok(found) => {
            checks.push(Check::that(
                name("verify returns at least one check"),
                !found.is_empty(),
                format!("{} checks", found.len()),
            ));
            // A missing feature of the machine is not the module's fault.
            let found = found.into_iter().filter(|check| check.passed || !check.is_of_machine());
            checks.extend(found.map(|check| Check { name: name(&format!("verify: {}", check.name)), ..check }));
        }
        Err(error) => checks.push(Check::that(name("verify returns at least one check"), false, error.to_string())),
    }
    drop(session);
    checksums.extend(
        module.open(scenario, arguments).and_then(|mut again| again.iterate(3)).map(|outcome| outcome.checksum),
    );
    let equal = checksums.len() == 3 && checksums.iter().all(|checksum| *checksum == checksums[0]);
    let shown: Vec<_> = checksums.iter().map(|checksum| format!("{checksum:016x}")).collect();
    checks.push(Check::that(name("equal arguments have equal checksums"), equal, shown.join(", ")));
    checks.push(unknown_scenario(module, scenario, arguments));
    Ok(checks)
}

fn unknown_scenario(module: &mut dyn Module, scenario: &Scenario, arguments: &Arguments) -> Check {
    let unknown = Scenario { name: "no-such-scenario".to_owned(), ..scenario.clone() };
    let answer = match module.open(&unknown, arguments) {
        Ok(_) => "it was opened".to_owned(),
        Err(error @ ModuleError::UnknownScenario(_)) => {
            return Check::that(
                format!("{}: unknown scenario is refused with the right error", scenario.name),
                true,
                error.to_string(),
            );
        }
        Err(error) => error.to_string(),
    };
    Check::that(format!("{}: unknown scenario is refused with the right error", scenario.name), false, answer)
}
