//! Plans, executes and calibrates runs, and takes samples of sessions. Modules, loaders and workers are behind traits, which the tests
//! implement with mocks.

pub mod calibration;
mod clock;
mod comparison_group;
mod contradiction;
mod done;
mod finished;
mod forecast;
pub mod hardware;
mod interrupt;
mod measure;
#[cfg(test)]
mod mock;
mod open_loop;
mod paired;
pub mod placement;
mod plan;
mod plausibility;
mod runner;
mod shard;
pub mod thread_counts;
pub mod usage;
mod void;
pub mod worker;

pub use clock::{Clock, MonotonicClock};
pub use comparison_group::{ComparisonGroup, FixedRounds, PairedExecutor, PairedReport, Schedule, run_paired};
pub use done::{Done, Misfit};
pub use finished::Finished;
pub use forecast::{Expected, Forecast};
pub use interrupt::{Interrupt, Subscription};
pub use measure::{Amount, Budget, MeasureError, Measured, Warm, first, measure, overhead, warm_up, warm_up_own_clock};
pub use open_loop::OpenLoop;
pub use paired::{BatchNs, Candidate, PairedBudget, measure_interleaved, warm_up_candidate};
pub use plan::{
    ARGUMENT_BYTES_MAX, CELLS_MAX, Cell, LoadedModule, PATTERN_BYTES_MAX, Plan, PlanError, Repetition, Selection,
};
pub use plausibility::{Implausible, grows, possible, possible_by_own_clock};
pub use runner::{Executor, Journal, Observer, RepetitionEnd, Report, RunEnd, run};
pub use shard::Shard;
