//! What a family adds to the report of a run.

use crate::{CellView, RunView, Section, SeriesView};

/// The part of a report that only a family knows how to make.
pub trait FamilyReport: Sync {
    /// The sections on the family's cells in `view`; none where it has none.
    fn sections(&self, view: &RunView) -> Vec<Section>;

    /// Whether these sections show the series of `cell` already.
    fn covers(&self, cell: &CellView) -> bool;

    /// Whether `series`, which is not the timed one, has a row in the table of the run unless the user asks for all of them.
    fn shows_series(&self, _cell: &CellView, _series: &SeriesView) -> bool {
        false
    }
}

/// The families whose reports are part of this crate.
pub const FAMILIES: &[&dyn FamilyReport] = &[&crate::transfers::Transfers, &crate::operators::Operators];
