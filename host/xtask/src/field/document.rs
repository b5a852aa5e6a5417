//! What the document of a run says, as `--format json` prints it: what was measured, and why the rest was not.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::hostile;

/// The document of a run.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("it printed no document: {error}"))
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0[name].as_array().into_iter().flatten()
    }

    /// A line for each file that was refused, and for each cell without a figure.
    pub(super) fn lines(&self) -> Vec<String> {
        let refused =
            |module: &Value| Some(format!("{}: refused: {}", word(&module["file"]), module["refused"].as_str()?));
        let cell = |cell: &Value| {
            let [scenario, status, reason] = ["scenario", "status", "reason"].map(|name| word(&cell[name]));
            (status != "ok").then(|| format!("{scenario}: {status}: {reason}"))
        };
        self.list("modules").filter_map(refused).chain(self.list("cells").filter_map(cell)).collect()
    }

    /// Whether every cell of the scenario has a figure, and there is one.
    pub(super) fn measures(&self, scenario: &str) -> bool {
        let mut cells = self.list("cells").filter(|cell| cell["scenario"] == scenario).peekable();
        cells.peek().is_some() && cells.all(|cell| cell["status"] == "ok")
    }

    /// What is wrong with a run of the `hostile` plug-ins of these names together with good ones: each of the former must be named by a line,
    /// and each of the latter must be measured, unless all of it needs what this machine has not.
    pub(super) fn faults_beside(&self, hostile: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        let lines = self.lines();
        let is_named = |name: &String| {
            let [of_file, of_cell] = [format!("/{name}.wasm: "), format!("{name}/")];
            lines.iter().any(|line| line.contains(&of_file) || line.starts_with(&of_cell))
        };
        faults.extend(hostile.iter().filter(|name| !is_named(name)).map(|name| format!("no line names {name}.wasm")));
        let good = |value: &&Value| !is_hostile(word(&value["file"]));
        let refused = self.list("modules").filter(good).filter(|module| !module["refused"].is_null());
        faults.extend(refused.map(|module| format!("{} was refused", word(&module["file"]))));
        let cells: Vec<_> = self.list("cells").filter(|cell| good(&&cell["module"])).collect();
        let failed = cells.iter().filter(|cell| cell["status"] == "failed");
        faults.extend(failed.map(|cell| format!("{} failed: {}", word(&cell["scenario"]), word(&cell["reason"]))));
        let (measured, unmeasured) = (files(&cells, "ok"), files(&cells, "void"));
        faults.extend(unmeasured.difference(&measured).map(|file| format!("{file} was not measured")));
        if measured.is_empty() {
            faults.push("no good plug-in was measured".to_owned());
        }
        faults
    }
}

/// The files of the modules of those of `cells` that have this status.
fn files<'a>(cells: &[&'a Value], status: &str) -> BTreeSet<&'a str> {
    let with_status = cells.iter().copied().filter(|cell| cell["status"] == status);
    with_status.map(|cell| word(&cell["module"]["file"])).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_hostile(file: &str) -> bool {
    Path::new(file).parent().is_some_and(|folder| folder.ends_with(hostile::FOLDER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(good: &str) -> Document {
        let text = format!(
            r#"{{"modules": [{{"file": "plugins/a.wasm", "refused": null}},
                            {{"file": "plugins/hostile/bomb.wasm", "refused": "too large"}},
                            {{"file": "plugins/hostile/loop.wasm", "refused": null}}],
                "cells": [{{"scenario": "a/x", "status": "{good}", "reason": "why", "module": {{"file": "plugins/a.wasm"}}}},
                          {{"scenario": "loop/y", "status": "failed", "reason": "late",
                            "module": {{"file": "plugins/hostile/loop.wasm"}}}}]}}"#
        );
        Document::parse(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn lines_name_what_has_no_figure() {
        let lines = ["plugins/hostile/bomb.wasm: refused: too large", "loop/y: failed: late"];
        assert_eq!(document("ok").lines(), lines);
        assert!(document("ok").measures("a/x") && !document("void").measures("a/x") && !document("ok").measures("a/z"));
        assert!(Document::parse("no document").is_err());
    }

    #[test]
    fn each_hostile_plug_in_must_be_named_and_each_good_one_measured() {
        let check = |good: &str, hostile: &[&str], expect: &[&str]| {
            let hostile = hostile.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(document(good).faults_beside(&hostile), expect);
        };
        check("ok", &["bomb", "loop"], &[]);
        check("ok", &["bomb", "other"], &["no line names other.wasm"]);
        check("failed", &[], &["a/x failed: why", "no good plug-in was measured"]);
        check("void", &[], &["plugins/a.wasm was not measured", "no good plug-in was measured"]);
        check("skipped", &[], &["no good plug-in was measured"]);
    }
}
