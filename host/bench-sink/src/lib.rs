//! The metrics sink and the run file. Modules of all arms record their samples here, and all reports are made from what is written
//! here.

pub mod digest;
pub mod environment;
pub mod fingerprint;
mod histogram;
pub mod regular;
pub mod runfile;
mod series;
mod sink;

pub use histogram::{HistogramError, RecordedHistogram};
pub use series::{RAW_SAMPLES_MAX, Series};
pub use sink::{KEPT_SAMPLES_MAX, LABEL_BYTES_MAX, SERIES_MAX, SeriesId, Sink, SinkError};
