//! The parameters that all stages share: how many rows, and which.

use bench_plugin::prelude::*;
use table_core::Recipe;

/// Adds them to a scenario.
pub(crate) fn described(scenario: Scenario) -> Scenario {
    let rows = Parameter::new("rows", 20_000, "number of genes, and of publications; all of them are in memory");
    let seed = Parameter::new("seed", 1, "which rows the generator makes; the same in every arm");
    scenario.parameter(rows.between(0, 10_000_000)).parameter(seed.between(0, i64::MAX))
}

/// What they ask for.
pub(crate) fn recipe(arguments: &Arguments) -> Result<Recipe, ModuleError> {
    Ok(Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() })
}
