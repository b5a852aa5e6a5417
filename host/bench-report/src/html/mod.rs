//! The report of runs as one HTML file that needs no network, no other file and, but for sorting, filtering and copying, no script.

mod cell;
mod cells;
mod charts;
mod compared;
mod courses;
mod machine;
mod page;
mod sections;
mod strip;
mod targets;
mod write;

pub use self::courses::Courses;
pub use self::page::{Page, PageFile, PageRun};
