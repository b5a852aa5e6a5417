//! The forms in which the results of `check` are printed.

use crate::conformance::{Finding, Findings, Outcome};
use bench_report::{escape, print_json, xml};
use serde_json::{Value, json};
use std::fmt::Write;

fn total(modules: &[Findings], outcome: Outcome) -> usize {
    modules.iter().map(|module| module.count(outcome)).sum()
}

/// A line per rule, and the numbers of rules at the end.
pub(super) fn text(modules: &[Findings]) -> String {
    let mut text = String::new();
    for module in modules {
        let arm = module.arm.map_or_else(String::new, |arm| format!(" ({arm})"));
        let name = module.module.as_deref().unwrap_or("not a module that this host can load");
        line(&mut text, &format!("{}{arm}: {name}", module.file.display()));
        for finding in &module.findings {
            let colon = if finding.detail.is_empty() { "" } else { ": " };
            line(&mut text, &format!("  {:7} {}{colon}{}", mark(finding.outcome), full_name(finding), finding.detail));
        }
        for printed in &module.printed {
            line(&mut text, &format!("  printed {printed}"));
        }
        if module.arm.is_some() {
            line(&mut text, &format!("  imported  {}", listed(&module.imported)));
            line(&mut text, &format!("  used      {}", listed(&module.used)));
        }
    }
    let (held, broken, skipped) =
        (total(modules, Outcome::Held), total(modules, Outcome::Broken), total(modules, Outcome::Skipped));
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} not tested here") };
    let count = modules.len();
    let tested = held + broken;
    line(
        &mut text,
        &format!(
            "{count} module{}: {held} of {tested} rule{} hold, {broken} broken{skipped}",
            plural(count),
            plural(tested)
        ),
    );
    text
}

fn line(text: &mut String, words: &str) {
    text.push_str(&escape(words));
    text.push('\n');
}

fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "ok",
        Outcome::Broken => "FAILED",
        Outcome::Skipped => "skipped",
    }
}

fn full_name(finding: &Finding) -> String {
    match &finding.scenario {
        Some(scenario) => format!("{scenario}: {}", finding.rule),
        None => finding.rule.clone(),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

pub(super) fn json(modules: &[Findings]) -> String {
    let rule = |finding: &Finding| {
        let outcome = match finding.outcome {
            Outcome::Held => "held",
            Outcome::Broken => "broken",
            Outcome::Skipped => "skipped",
        };
        json!({"scenario": finding.scenario, "rule": finding.rule, "outcome": outcome, "detail": finding.detail})
    };
    let module = |module: &Findings| {
        json!({
            "file": module.file.display().to_string(),
            "arm": module.arm.map(|arm| arm.to_string()),
            "module": module.module,
            "rules": module.findings.iter().map(rule).collect::<Vec<Value>>(),
            "printed": module.printed,
            "imported": module.imported,
            "used": module.used,
        })
    };
    let document = json!({
        "modules": modules.iter().map(module).collect::<Vec<Value>>(),
        "held": total(modules, Outcome::Held),
        "broken": total(modules, Outcome::Broken),
        "skipped": total(modules, Outcome::Skipped),
    });
    print_json(&document)
}

/// A test suite per module, and a test case per rule, in the form that services for tests read.
pub(super) fn junit(modules: &[Findings]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for module in modules {
        let arm = module.arm.map_or_else(String::new, |arm| format!(" ({arm})"));
        let name = xml(&format!("{}{arm}", module.file.display()));
        let (broken, skipped) = (module.count(Outcome::Broken), module.count(Outcome::Skipped));
        let tests = module.findings.len();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{broken}\" errors=\"0\" skipped=\"{skipped}\">"
        );
        for finding in &module.findings {
            let (rule, detail) = (xml(&finding.rule), xml(&finding.detail));
            let class = xml(finding.scenario.as_deref().unwrap_or("module"));
            let inner = match finding.outcome {
                Outcome::Held => String::new(),
                Outcome::Broken => format!("<failure message=\"{detail}\"/>"),
                Outcome::Skipped => format!("<skipped message=\"{detail}\"/>"),
            };
            let _ = writeln!(text, "    <testcase classname=\"{class}\" name=\"{rule}\">{inner}</testcase>");
        }
        if !module.printed.is_empty() {
            let _ = writeln!(text, "    <system-out>{}</system-out>", xml(&module.printed.join("\n")));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Arm;

    fn modules() -> Vec<Findings> {
        let finding = |scenario: Option<&str>, rule: &str, outcome, detail: &str| Finding {
            scenario: scenario.map(str::to_owned),
            rule: rule.to_owned(),
            outcome,
            detail: detail.to_owned(),
        };
        vec![Findings {
            file: "out/sum.wasm".into(),
            arm: Some(Arm::Wasm),
            module: Some("sum 0.1.0".to_owned()),
            findings: vec![
                finding(None, "loads", Outcome::Held, ""),
                finding(Some("sum"), "verify: sum", Outcome::Broken, "expected <1>, found \u{1b}[2J"),
                finding(Some("sum"), "is tested", Outcome::Skipped, "no disk"),
            ],
            printed: vec!["a panic of user\u{202e}txt.exe".to_owned()],
            imported: vec!["wasi:clocks/wall-clock@0.2.6".to_owned()],
            used: Vec::new(),
        }]
    }

    #[test]
    fn text_has_a_line_per_rule_and_the_numbers() {
        let expect = "out/sum.wasm (wasm): sum 0.1.0\n  ok      loads\n  FAILED  sum: verify: sum: expected <1>, found \\u{1b}[2J\n  \
                      skipped sum: is tested: no disk\n  printed a panic of user\\u{202e}txt.exe\n  \
                      imported  wasi:clocks/wall-clock@0.2.6\n  used      nothing\n\
                      1 module: 1 of 2 rules hold, 1 broken, 1 not tested here\n";
        assert_eq!(text(&modules()), expect);
    }

    #[test]
    fn documents_have_every_rule() {
        let text = json(&modules());
        assert!(!text.contains('\u{202e}') && text.ends_with("}\n"), "{text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["modules"][0]["printed"][0], "a panic of user\u{202e}txt.exe");
        assert_eq!(
            (&document["broken"], &document["modules"][0]["rules"][1]["outcome"]),
            (&json!(1), &json!("broken"))
        );
        let junit = junit(&modules());
        assert!(!junit.contains('\u{202e}'), "{junit}");
        assert!(junit.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{junit}");
        assert!(junit.contains("<failure message=\"expected &lt;1&gt;, found \\u{1b}[2J\"/>"), "{junit}");
    }
}
