//! Documents for other programs, each in the format of that program.

mod aetherless;
mod bencher;
mod break_even;
mod cells;
mod github;
mod hgrm;
mod junit;
mod openmetrics;

pub use self::aetherless::aetherless_json;
pub use self::bencher::bencher_json;
pub use self::break_even::{
    BreakEven, StartCurve, StartPoint, break_even_json, break_even_svg, break_evens, start_curves,
};
pub use self::github::{COMMENT_MARK, github_comment, github_summary};
pub use self::hgrm::{Hgrm, hgrm};
pub use self::junit::junit_xml;
pub use self::openmetrics::openmetrics;
