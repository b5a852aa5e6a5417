//! Stages of tables: plug-ins that take and give Arrow batches, in both arms.

use crate::Plugin;
use bench_model::{Arguments, ModuleError};

pub use arrow_array::RecordBatch;

/// A plug-in for the driver `stage`. It describes the stages that it has by their names, `Scenario::uses("stage", "stage-join")`;
/// `bench-host wit tabular` says what each takes and gives.
pub trait Stages: Plugin {
    /// Executes one operation of a scenario. A table has at least one batch, so that its schema is known; so must the result.
    fn run(
        scenario: &str,
        arguments: &Arguments,
        files: &[&[u8]],
        tables: Vec<Vec<RecordBatch>>,
    ) -> Result<Vec<RecordBatch>, ModuleError>;
}

/// Exports a [`Stages`] in the arm that the crate is built for, in place of [`crate::export!`]. Use it once per crate.
#[macro_export]
macro_rules! export_stages {
    ($plugin:ty) => {
        $crate::__export_stages_arm!($plugin);
    };
}
