//! Tells where the blocks of a run file end, so that what a killed process left unfinished is left out.

use super::Record;
use super::reader::WholeLine;

/// The lines up to the end of the last complete block.
pub(super) fn whole_blocks(mut lines: Vec<WholeLine>) -> Vec<WholeLine> {
    let mut blocks = Blocks::default();
    let ends_block: Vec<bool> = lines.iter().map(|line| blocks.end_with(line.record.as_ref())).collect();
    lines.truncate(ends_block.iter().rposition(|ends| *ends).map_or(0, |last| last + 1));
    lines
}

/// Finds the ends of the blocks of a run file. The block of a repetition ends with its outcome; every other record is a block of its
/// own.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Option<(u32, u32)>,
}

impl Blocks {
    /// Takes the next `record`, and returns whether a block ends with it.
    pub(super) fn end_with(&mut self, record: Option<&Record>) -> bool {
        match record {
            Some(Record::Cell(cell)) => self.open = Some((cell.cell, cell.process)),
            Some(Record::Outcome(outcome)) if self.open == Some((outcome.cell, outcome.process)) => self.open = None,
            // These records are not part of a repetition, so an open repetition before them was never finished.
            Some(Record::Part(_) | Record::Resumed(_) | Record::Calibration(_) | Record::End(_)) => self.open = None,
            _ => {}
        }
        self.open.is_none()
    }
}
