//! Documents beside the table's own: in the shape of other suites, so that what reads theirs reads ours, and figures of one
//! family. Knows their shapes, not how anything was run.

mod aetherless;
mod break_even;

pub use aetherless::aetherless_json;
pub use break_even::{BreakEven, StartCurve, StartPoint, break_even_json, break_even_svg, break_evens, start_curves};
