//! What is wrong with a selection.

use super::matrix::ARGUMENT_BYTES_MAX;

/// A selection that cannot be planned. Each error says what exists instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The pattern is not a valid glob.
    #[error("invalid pattern `{pattern}`: {reason}")]
    Pattern {
        /// The text that the user wrote.
        pattern: String,
        /// What is wrong with the pattern.
        reason: String,
    },
    /// The pattern matches no scenario.
    #[error("no scenario matches `{pattern}`{}; list the modules with `bench-host list`", hint(nearest))]
    NoScenario {
        /// The text that the user wrote.
        pattern: String,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// The selected scenarios exist, but not in the requested arms.
    #[error("no selected scenario exists in a requested arm; the existing arms are: {arms}")]
    NoArm {
        /// The arms of the selected scenarios.
        arms: String,
    },
    /// No selected scenario has such a parameter.
    #[error("no selected scenario has a parameter `{name}`{}; list the modules with `bench-host list`", hint(nearest))]
    NoParameter {
        /// The text that the user wrote.
        name: String,
        /// The most similar name.
        nearest: Option<String>,
    },
    /// The value is not of the parameter's kind.
    #[error("{scenario}: parameter `{parameter}`: {reason}")]
    Kind {
        /// `module/scenario`.
        scenario: String,
        /// The parameter.
        parameter: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// The value is outside the parameter's domain.
    #[error("{scenario}: parameter `{parameter}`: `{value}` is outside its domain ({domain})")]
    Domain {
        /// `module/scenario`.
        scenario: String,
        /// The parameter.
        parameter: String,
        /// The text that the user wrote.
        value: String,
        /// The allowed values.
        domain: String,
    },
    /// The selection has too many cells.
    #[error(
        "the selection has {cells} cells, and the maximum is {cells_max}; give fewer scenarios or values, or --cells-max"
    )]
    TooMany {
        /// The number of cells.
        cells: usize,
        /// The maximum.
        cells_max: usize,
    },
    /// The arguments of the cells are too long.
    #[error("{scenario}: the arguments of its {cells} cells have more than {} MiB together; give fewer or shorter values", ARGUMENT_BYTES_MAX >> 20)]
    TooLong {
        /// `module/scenario`.
        scenario: String,
        /// The number of its cells.
        cells: usize,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}
