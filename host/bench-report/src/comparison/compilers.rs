//! Names the compilers of both sides, as far as the run files have them.

use super::{Candidate, ComparisonReport, Runs, Side};
use crate::RunView;
use std::path::Path;

impl ComparisonReport {
    /// The compilers that made the code of `candidate`; `None` if its run file does not say.
    pub fn compiler(&self, candidate: &Candidate) -> Option<&str> {
        let module = candidate.module.as_ref()?;
        let runs: &[RunView] = match (&self.runs, candidate.label.side) {
            (Runs::Paired(run), _) => std::slice::from_ref(&**run),
            (Runs::Sides { b, .. }, Some(Side::B)) => b,
            (Runs::Sides { a, .. }, _) => a,
        };
        let mut records = runs.iter().flat_map(|run| &run.modules);
        records.find(|record| record.sha256.as_ref() == Some(&module.sha256))?.compiler.as_deref()
    }
}

/// A line for each compiler with the files that it made, or one line if it made all of them; none if no file says who made it. Not
/// escaped.
pub(super) fn lines(comparison: &ComparisonReport) -> Vec<String> {
    let mut files: Vec<(&str, Option<Side>)> = Vec::new();
    let mut made: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for candidate in comparison.comparisons.iter().flat_map(|compared| [&compared.baseline, &compared.candidate]) {
        let Some(module) = &candidate.module else { continue };
        let file = (module.sha256.as_str(), candidate.label.side);
        if files.contains(&file) {
            continue;
        }
        files.push(file);
        let compiler = comparison.compiler(candidate);
        let name = name(candidate, &module.file);
        match made.iter_mut().find(|(known, _)| *known == compiler) {
            Some((_, names)) => names.push(name),
            None => made.push((compiler, vec![name])),
        }
    }
    match &made[..] {
        [(Some(compiler), _)] => vec![format!("compiled by {compiler}")],
        made if made.iter().all(|(compiler, _)| compiler.is_none()) => Vec::new(),
        made => made.iter().map(|(compiler, names)| line(*compiler, names)).collect(),
    }
}

fn line(compiler: Option<&str>, names: &[String]) -> String {
    match compiler {
        Some(compiler) => format!("compiled by {compiler}: {}", names.join(", ")),
        None => format!("compiled by something that the file does not name: {}", names.join(", ")),
    }
}

/// `wasm sum.wasm`, or `wasm A sum.wasm`.
fn name(candidate: &Candidate, file: &str) -> String {
    let side = candidate.label.side.map_or_else(String::new, |side| format!("{side} "));
    let file = Path::new(file).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned());
    format!("{} {side}{file}", candidate.label.arm.as_str())
}
