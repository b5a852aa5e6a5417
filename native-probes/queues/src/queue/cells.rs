//! The ring in shared memory, with a cache line for each message.

use super::{Queue, Receiver, SLOTS, Sender};
use crate::message::Message;
use bench_model::ModuleError;
use shm_ring::{CellConsumer, CellProducer, Waking};

pub(crate) struct Cells;

/// Bytes of a cell.
const CELL_BYTES: usize = 64;

impl<const W: usize> Queue<W> for Cells {
    type Sender = CellProducer;
    type Receiver = CellConsumer;

    fn open() -> Result<(CellProducer, CellConsumer), ModuleError> {
        let cells = shm_ring::Cells::create(SLOTS * CELL_BYTES, Waking::Never).map_err(super::failed)?;
        Ok((cells.producer().map_err(super::failed)?, cells.consumer().map_err(super::failed)?))
    }
}

impl<const W: usize> Sender<W> for CellProducer {
    #[inline(always)]
    fn send(&mut self, message: &Message<W>) -> bool {
        self.push(message.as_flattened()).is_ok()
    }
}

impl Receiver for CellConsumer {
    /// A damaged cell yields nothing more, so the messages are missing from the count.
    #[inline(always)]
    fn receive(&mut self, read: impl FnOnce(&[u8])) -> bool {
        matches!(self.pop(read), Ok(Some(())))
    }
}
