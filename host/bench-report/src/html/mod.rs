//! The report of runs as one HTML file that needs no network and no other file. Its script opens rows, sorts, filters and copies.

mod axes;
mod cell;
mod cells;
mod charts;
mod compared;
mod courses;
mod families;
mod files;
mod machine;
mod page;
mod sections;
mod strip;
mod tables;
mod targets;
mod write;

pub use self::courses::Courses;
pub use self::files::{PageFile, PageFiles};
pub use self::page::{Page, PageRun};
