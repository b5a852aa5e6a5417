//! What the driver `workload` relies on, tried on a module: the conformance test that a plug-in's author runs.

use crate::Module;
use bench_model::{Arguments, Check, ModuleError, Scenario};

/// Tries one scenario with `arguments`. Each check names the rule; none of them takes a time. An error is the environment's:
/// the scenario cannot be tried here.
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
        let rule = name(&format!("iterate({times}) does {times} operations"));
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
                name("verify looks at something"),
                !found.is_empty(),
                format!("{} checks", found.len()),
            ));
            // What this machine cannot do is not the module's fault.
            let found = found.into_iter().filter(|check| check.passed || !check.is_of_machine());
            checks.extend(found.map(|check| Check { name: name(&format!("verify: {}", check.name)), ..check }));
        }
        Err(error) => checks.push(Check::that(name("verify looks at something"), false, error.to_string())),
    }
    drop(session);
    checksums.extend(
        module.open(scenario, arguments).and_then(|mut again| again.iterate(3)).map(|outcome| outcome.checksum),
    );
    let equal = checksums.len() == 3 && checksums.iter().all(|checksum| *checksum == checksums[0]);
    let shown: Vec<_> = checksums.iter().map(|checksum| format!("{checksum:016x}")).collect();
    checks.push(Check::that(name("equal arguments yield equal checksums"), equal, shown.join(", ")));
    checks.push(unknown_scenario(module, scenario, arguments));
    Ok(checks)
}

fn unknown_scenario(module: &mut dyn Module, scenario: &Scenario, arguments: &Arguments) -> Check {
    let unknown = Scenario { name: "no-such-scenario".to_owned(), ..scenario.clone() };
    let answer = match module.open(&unknown, arguments) {
        Ok(_) => "it was opened".to_owned(),
        Err(error @ ModuleError::UnknownScenario(_)) => {
            return Check::that(
                format!("{}: an unknown scenario is refused as such", scenario.name),
                true,
                error.to_string(),
            );
        }
        Err(error) => error.to_string(),
    };
    Check::that(format!("{}: an unknown scenario is refused as such", scenario.name), false, answer)
}
