//! Documents for other programs, each in the format of that program.

mod aetherless;
mod bencher;
mod cells;
mod github;
mod hgrm;
mod junit;
mod openmetrics;

pub use self::aetherless::aetherless_json;
pub use self::bencher::bencher_json;
pub use self::github::{COMMENT_MARK, github_comment, github_summary};
pub use self::hgrm::{Hgrm, hgrm};
pub use self::junit::junit_xml;
pub use self::openmetrics::openmetrics;
