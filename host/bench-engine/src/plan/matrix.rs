//! The cells of a selection: every combination of the values of every parameter, counted before any is made.

use super::selection::{Named, Selection, in_arms};
use super::{Cell, LoadedModule, PlanError, full_name};
use bench_model::{Arguments, Parameter, Scenario, Value};
use std::sync::Arc;

/// Maximum size of the arguments of all cells of a scenario.
pub const ARGUMENT_BYTES_MAX: usize = 64 << 20;

/// The number of cells that `select` makes.
pub(super) fn count(offers: &[LoadedModule], selection: &Selection, named: &[Named<'_>]) -> Result<usize, PlanError> {
    let mut cells = 0_usize;
    for (offer, scenario) in in_arms(offers, selection, named) {
        let name = full_name(&offers[offer].descriptor, scenario);
        let (mut combinations, mut bytes) = (1_usize, 0_usize);
        for parameter in &scenario.parameters {
            let values = values(&name, parameter, selection)?;
            combinations = combinations.saturating_mul(values.len());
            let longest = values.iter().map(text_bytes).max().unwrap_or_default();
            bytes += parameter.name.len() + size_of::<(String, Value)>() + longest;
        }
        if combinations.saturating_mul(bytes) > ARGUMENT_BYTES_MAX {
            return Err(PlanError::TooLong { scenario: name, cells: combinations });
        }
        cells = cells.saturating_add(combinations);
    }
    Ok(cells)
}

fn text_bytes(value: &Value) -> usize {
    if let Value::Text(text) = value { text.len() } else { 0 }
}

pub(super) fn select(
    offers: &[LoadedModule],
    selection: &Selection,
    named: &[Named<'_>],
) -> Result<Vec<Cell>, PlanError> {
    let mut cells = Vec::new();
    for (offer, scenario) in in_arms(offers, selection, named) {
        let name = full_name(&offers[offer].descriptor, scenario);
        let scenario = Arc::new(scenario.clone());
        let arguments = matrix(&name, &scenario, selection)?;
        cells.extend(arguments.into_iter().map(|arguments| Cell { offer, scenario: Arc::clone(&scenario), arguments }));
    }
    Ok(cells)
}

/// Every combination of the values of every parameter, the last parameter changing fastest.
fn matrix(name: &str, scenario: &Scenario, selection: &Selection) -> Result<Vec<Arguments>, PlanError> {
    let mut combinations = vec![Arguments::default()];
    for parameter in &scenario.parameters {
        let values = values(name, parameter, selection)?;
        combinations = combinations
            .iter()
            .flat_map(|arguments| {
                values.iter().map(|value| {
                    let mut arguments = arguments.clone();
                    arguments.set(&parameter.name, value.clone());
                    arguments
                })
            })
            .collect();
    }
    Ok(combinations)
}

fn values(scenario: &str, parameter: &Parameter, selection: &Selection) -> Result<Vec<Value>, PlanError> {
    // The last one wins.
    let Some((_, texts)) = selection.axes.iter().rev().find(|(name, _)| *name == parameter.name) else {
        return Ok(parameter.defaults.clone());
    };
    let parse = |text: &String| {
        let value = Value::parse(parameter.kind(), text).map_err(|error| PlanError::Kind {
            scenario: scenario.to_owned(),
            parameter: parameter.name.clone(),
            reason: error.to_string(),
        })?;
        if !parameter.domain.contains(&value) {
            return Err(PlanError::Domain {
                scenario: scenario.to_owned(),
                parameter: parameter.name.clone(),
                value: text.clone(),
                domain: parameter.domain.to_string(),
            });
        }
        Ok(value)
    };
    texts.iter().map(parse).collect()
}
