//! Plans, executes and calibrates runs, and takes samples of sessions. Modules, loaders and workers are behind traits, which the tests
//! implement with mocks.

pub mod calibration;
mod clock;
mod done;
mod finished;
mod forecast;
mod interrupt;
mod matchup;
mod measure;
#[cfg(test)]
mod mock;
mod paired;
pub mod placement;
mod plan;
mod runner;
pub mod usage;
mod void;
pub mod worker;

pub use clock::{Clock, MonotonicClock};
pub use done::{Done, Misfit};
pub use finished::Finished;
pub use forecast::{Expected, Forecast};
pub use interrupt::{Interrupt, Subscription};
pub use matchup::{Matchup, PairedReport, PairedWorkbench, run_paired};
pub use measure::{Amount, Budget, MeasureError, Measured, Warm, first, measure, overhead, warm_up, warm_up_own_clock};
pub use paired::{Contender, PairedBudget, measure_in_turns, warm_up_contender};
pub use plan::{Cell, Offer, Plan, PlanError, Selection, Unit};
pub use runner::{Ended, Journal, Observer, Report, UnitEnd, Workbench, run};
