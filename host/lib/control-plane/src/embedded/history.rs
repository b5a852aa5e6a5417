//! The last changes, for watches that begin at an earlier version.

use super::HISTORY_CHANGES;
use crate::{Event, PlaneError};
use std::collections::VecDeque;

/// Changes in order, and the version up to which they are forgotten.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Event>,
    forgotten: u64,
}

impl History {
    pub(super) fn push(&mut self, event: Event) {
        if self.changes.len() == HISTORY_CHANGES
            && let Some(oldest) = self.changes.pop_front()
        {
            self.forgotten = oldest.version();
        }
        self.changes.push_back(event);
    }

    /// The changes after version `from`.
    pub(super) fn since(&self, from: u64) -> Result<impl Iterator<Item = &Event>, PlaneError> {
        if from < self.forgotten {
            return Err(PlaneError::TooOld { oldest: self.forgotten });
        }
        let known = self.changes.partition_point(|event| event.version() <= from);
        Ok(self.changes.range(known..))
    }
}
