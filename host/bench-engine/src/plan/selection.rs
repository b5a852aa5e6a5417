//! Which scenarios of the loaded modules a selection names.

use super::{LoadedModule, PlanError, full_name};
use bench_model::{Arm, Descriptor, Scenario};
use globset::{Glob, GlobMatcher};

/// Maximum size of a pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1_000;

/// Which scenarios to run, in which arms, and with which arguments.
#[derive(Clone, Debug)]
pub struct Selection {
    /// A glob over `module/scenario`, which also matches the bare name of a module or a scenario.
    pub pattern: String,
    /// The arms, or `None` for all arms.
    pub arms: Option<Vec<Arm>>,
    /// Values of parameters, as text. They are ignored for scenarios without the parameter.
    pub axes: Vec<(String, Vec<String>)>,
}

impl Selection {
    /// Whether it matches a scenario of `module`.
    pub fn names(&self, module: &Descriptor) -> Result<bool, PlanError> {
        let matcher = matcher(&self.pattern)?;
        Ok(module.scenarios.iter().any(|scenario| matches(&matcher, module, scenario)))
    }

    /// Whether it may match a scenario of a module of this name whose scenarios are unknown. A pattern without a slash may be the name of any
    /// scenario.
    pub fn may_name(&self, module: &str) -> Result<bool, PlanError> {
        let Some((pattern, _)) = self.pattern.split_once('/') else { return Ok(true) };
        Ok(matcher(pattern)?.is_match(module))
    }
}

/// A scenario, and the index of its module.
pub(super) type Named<'a> = (usize, &'a Scenario);

/// The scenarios whose names match, in all arms.
pub(super) fn named<'a>(offers: &'a [LoadedModule], selection: &Selection) -> Result<Vec<Named<'a>>, PlanError> {
    let all = offers.iter().enumerate().flat_map(|(offer, module)| {
        module.descriptor.scenarios.iter().map(move |scenario| (offer, &module.descriptor, scenario))
    });
    let matcher = matcher(&selection.pattern)?;
    let named: Vec<_> = all
        .clone()
        .filter(|(_, module, scenario)| matches(&matcher, module, scenario))
        .map(|(offer, _, scenario)| (offer, scenario))
        .collect();
    if named.is_empty() {
        let names = all.map(|(_, module, scenario)| full_name(module, scenario));
        let nearest = nearest(&selection.pattern, names);
        return Err(PlanError::NoScenario { pattern: selection.pattern.clone(), nearest });
    }
    Ok(named)
}

fn matches(matcher: &GlobMatcher, module: &Descriptor, scenario: &Scenario) -> bool {
    let names = [full_name(module, scenario), module.name.clone(), scenario.name.clone()];
    names.iter().any(|name| matcher.is_match(name))
}

/// Those of `named` that exist in an arm of the selection.
pub(super) fn in_arms<'a>(
    offers: &[LoadedModule],
    selection: &Selection,
    named: &[Named<'a>],
) -> impl Iterator<Item = Named<'a>> {
    let runs = |&(offer, scenario): &Named<'_>| {
        let arm = offers[offer].arm;
        scenario.runs_in(arm) && selection.arms.as_ref().is_none_or(|arms| arms.contains(&arm))
    };
    named.iter().copied().filter(runs)
}

pub(super) fn matcher(pattern: &str) -> Result<GlobMatcher, PlanError> {
    if pattern.len() > PATTERN_BYTES_MAX {
        let shown = pattern.chars().take(40).collect::<String>() + "…";
        let reason = format!("it has {} bytes, and the maximum is {PATTERN_BYTES_MAX}", pattern.len());
        return Err(PlanError::Pattern { pattern: shown, reason });
    }
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| PlanError::Pattern { pattern: pattern.to_owned(), reason: error.kind().to_string() })
}

/// A parameter override must apply to at least one selected scenario.
pub(super) fn known_parameters(selections: &[Selection], named: &[Vec<Named<'_>>]) -> Result<(), PlanError> {
    for name in selections.iter().flat_map(|selection| selection.axes.iter().map(|(name, _)| name)) {
        let concerned =
            selections.iter().zip(named).filter(|(selection, _)| selection.axes.iter().any(|(axis, _)| axis == name));
        let scenarios = concerned.flat_map(|(_, named)| named.iter().map(|(_, scenario)| *scenario));
        let known: Vec<_> =
            scenarios.flat_map(|scenario| &scenario.parameters).map(|parameter| parameter.name.clone()).collect();
        if !known.contains(name) {
            return Err(PlanError::NoParameter { name: name.clone(), nearest: nearest(name, known.into_iter()) });
        }
    }
    Ok(())
}

pub(super) fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::jaro_winkler(wanted, &name), name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
