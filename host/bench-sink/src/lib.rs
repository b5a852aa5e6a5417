//! The one metrics sink. Every module, in whichever arm, records here; every report reads what was written here. It knows
//! no engine, no loader, no command line and no family.

pub mod digest;
pub mod environment;
pub mod fingerprint;
mod histogram;
pub mod runfile;
mod series;
mod sink;

pub use histogram::{HistogramError, RecordedHistogram};
pub use series::{RAW_SAMPLES_MAX, Series};
pub use sink::{SeriesId, Sink, SinkError};
