//! The rules on what a module says of itself, beyond those without which it does not load.

use super::{Finding, Outcome};
use crate::families;
use bench_model::{Capability, Descriptor, Metric, Scenario, Unit};
use bench_report::escape;
use std::borrow::Cow;

/// The units that parameters can have, by their UCUM names. Samples of metrics are in base units.
const UNITS: [&str; 27] = [
    "",
    "ns",
    "us",
    "ms",
    "s",
    "min",
    "h",
    "By",
    "KiBy",
    "MiBy",
    "GiBy",
    "kBy",
    "MBy",
    "bit",
    "1",
    "%",
    "1/s",
    "By/s",
    "MiBy/s",
    "Hz",
    "kHz",
    "MHz",
    "GHz",
    "Cel",
    "{rows}",
    "{requests}",
    "1/min",
];

/// The base units of metrics.
const BASE_UNITS: [Unit; 3] = [Unit::Nanoseconds, Unit::Bytes, Unit::Count];

pub(super) fn findings(descriptor: &Descriptor) -> Vec<Finding> {
    let mut broken = Vec::new();
    let mut text = vec![descriptor.version.as_str(), &descriptor.summary];
    for scenario in &descriptor.scenarios {
        text.extend([scenario.family.as_str(), &scenario.summary]);
        text.extend(scenario.parameters.iter().map(|parameter| parameter.summary.as_str()));
        text.extend(scenario.metrics.iter().map(|metric| metric.summary.as_str()));
        text.extend(scenario.requirements.iter().map(|requirement| requirement.purpose.as_str()));
        broken.extend(of_scenario(scenario));
    }
    for unclean in text.iter().filter(|text| matches!(escape(text), Cow::Owned(_))) {
        let detail = format!("{unclean:?} has characters that are not seen; use plain text on one line");
        broken.push(finding(None, "texts are plain", detail));
    }
    if broken.is_empty() {
        let held = Finding {
            scenario: None,
            rule: "describes units, drivers and capabilities that there are".to_owned(),
            outcome: Outcome::Held,
            detail: String::new(),
        };
        broken.push(held);
    }
    broken
}

fn finding(scenario: Option<&str>, rule: &str, detail: String) -> Finding {
    Finding { scenario: scenario.map(str::to_owned), rule: rule.to_owned(), outcome: Outcome::Broken, detail }
}

fn of_scenario(scenario: &Scenario) -> Vec<Finding> {
    let mut broken = Vec::new();
    let mut push = |rule: &str, detail: String| broken.push(finding(Some(&scenario.name), rule, detail));
    if families::drivers().get(&scenario.driver).is_none() {
        let known: Vec<_> = families::drivers().names().collect();
        push("driver is known", format!("`{}`; use one of {}", scenario.driver, known.join(", ")));
    }
    for parameter in &scenario.parameters {
        if !UNITS.contains(&parameter.unit.as_str()) && !is_annotation(parameter.unit.as_str()) {
            let detail = format!(
                "`{}` of the parameter `{}`; use a UCUM name such as ns, ms, s, By, 1 or 1/s",
                parameter.unit, parameter.name
            );
            push("unit is known", detail);
        }
    }
    // What the driver records is not the module's: a driver may also record rates.
    let specified = families::drivers().get(&scenario.driver).and_then(|driver| driver.specification(&scenario.name));
    let is_own = |metric: &&Metric| !specified.iter().any(|specified| specified.metrics.contains(metric));
    for metric in scenario.metrics.iter().filter(is_own).filter(|metric| !BASE_UNITS.contains(&metric.unit)) {
        let detail = format!("`{}` of the metric `{}`; record samples in ns, By or 1", metric.unit, metric.name);
        push("samples are in base units", detail);
    }
    for requirement in &scenario.requirements {
        if let Capability::Other(text) = &requirement.capability {
            let known = Capability::FORMS.join(", ");
            push("capability is known", format!("`{text}`; use one of {known}"));
        }
    }
    broken
}

/// Whether the unit is an annotation of UCUM, such as `{messages}`.
fn is_annotation(unit: &str) -> bool {
    unit.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Parameter;

    fn check(scenario: Scenario, expect: &[&str]) {
        let found = findings(&Descriptor::new("m", "1", "").scenario(scenario));
        let broken = found.iter().filter(|finding| finding.outcome == Outcome::Broken);
        let lines: Vec<_> = broken.map(|finding| format!("{}: {}", finding.rule, finding.detail)).collect();
        assert_eq!(lines.len(), expect.len(), "{lines:?}");
        for (line, expect) in lines.iter().zip(expect) {
            assert!(line.starts_with(expect), "{line}");
        }
    }

    fn scenario() -> Scenario {
        Scenario::new("s", "f", "One.")
    }

    #[test]
    fn unknown_words_are_broken_rules_with_what_is_known() {
        check(scenario(), &[]);
        check(scenario().driven_by("wrkload"), &["driver is known: `wrkload`; use one of workload"]);
        check(scenario().requires("gpu", "speed"), &["capability is known: `gpu`; use one of probe:NAME"]);
        check(scenario().metric(Metric::new("lag", Unit::from("nsec"), "")), &["samples are in base units: `nsec`"]);
        let bytez = |unit: &str| scenario().parameter(Parameter::new("n", 1, "").unit(Unit::from(unit)));
        check(bytez("bytez"), &["unit is known: `bytez` of the parameter `n`"]);
        check(bytez("{messages}"), &[]);
        check(
            Scenario::new("s", "f", "a\u{1b}[2Jb"),
            &["texts are plain: \"a\\u{1b}[2Jb\" has characters that are not seen"],
        );
        check(
            Scenario::new("s", "f", "a\u{200b}b"),
            &["texts are plain: \"a\\u{200b}b\" has characters that are not seen"],
        );
        check(
            Scenario::new("s", "f", "a\u{202e}b"),
            &["texts are plain: \"a\\u{202e}b\" has characters that are not seen"],
        );
    }

    #[test]
    fn rates_that_a_driver_records_are_not_the_fault_of_a_module() {
        // A build may lack the family.
        let specified = families::drivers().get("function").and_then(|driver| driver.specification("request"));
        let has_rate = |scenario: &Scenario| scenario.metrics.iter().any(|metric| !BASE_UNITS.contains(&metric.unit));
        assert!(specified.iter().all(has_rate), "{specified:?}");
        specified.into_iter().for_each(|scenario| check(scenario, &[]));
    }
}
