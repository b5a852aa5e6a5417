//! Plan, measure, run, calibrate: everything about a run but what a module is. It knows neither an engine nor a loader, and
//! no family; what it runs is behind traits that a mock implements as well.

#![forbid(unsafe_code)]

pub mod calibration;
mod clock;
mod interrupt;
mod measure;
pub mod placement;
mod plan;
mod runner;
pub mod worker;

pub use clock::{Clock, MonotonicClock};
pub use interrupt::{Interrupt, Subscription};
pub use measure::{Amount, Budget, MeasureError, Measured, Warm, first, measure, overhead, warm_up};
pub use plan::{Cell, Offer, Plan, PlanError, Selection, Unit};
pub use runner::{Ended, Journal, Observer, Report, UnitEnd, Workbench, run};
