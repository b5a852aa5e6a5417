//! The host's side of a transfer as a probe sees it: what a connector reads goes out as batches, and what it writes comes in as batches.

use crate::raw;
use bench_model::ModuleError;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The call's batches. Lives as long as the call that it was given to.
#[derive(Debug)]
pub struct Batches<'a> {
    /// Valid for `'a`, as the ABI promises.
    raw: NonNull<raw::Batches>,
    /// Bytes of the batches so far.
    bytes: u64,
    call: PhantomData<(&'a raw::Batches, *mut ())>,
}

/// How a connector reads, or writes: the scenario, its arguments, and the batches; the rows it has read and handed over, or
/// written and committed.
pub type Transfer = fn(&str, &bench_model::Arguments, &mut Batches<'_>) -> Result<u64, ModuleError>;

impl Batches<'_> {
    /// The batches behind `raw`, unless the table is too small.
    ///
    /// # Safety
    /// `raw` is null, or points to a table whose first member is its size and which stays valid for `'a`.
    pub(crate) unsafe fn new(raw: *const raw::Batches) -> Option<Self> {
        let raw = NonNull::new(raw.cast_mut())?;
        // SAFETY: the caller promises a table whose first member is its size.
        let size = unsafe { raw.as_ref().size };
        (size >= size_of::<raw::Batches>()).then_some(Self { raw, bytes: 0, call: PhantomData })
    }

    /// Hands over one batch, and waits while there is no room.
    pub fn emit(&mut self, batch: &[u8]) -> Result<(), ModuleError> {
        let (table, ctx) = self.table();
        // SAFETY: the table is the host's, and the batch outlives the call.
        match unsafe { (table.emit)(ctx, batch.as_ptr(), batch.len()) } {
            raw::BATCH_OK => {
                self.bytes += batch.len() as u64;
                Ok(())
            }
            status => Err(self.error(status)),
        }
    }

    /// The next batch, waiting for it; `None` after the last.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>, ModuleError> {
        let mut batch = raw::Bytes { ptr: std::ptr::null(), len: 0 };
        let (table, ctx) = self.table();
        // SAFETY: the table is the host's, and there is room for the result.
        match unsafe { (table.next)(ctx, &mut batch) } {
            raw::BATCH_OK => {
                // SAFETY: the host lends the batch until the next call of the function.
                let batch = unsafe { raw::slice(batch.ptr, batch.len) }.to_vec();
                self.bytes += batch.len() as u64;
                Ok(Some(batch))
            }
            raw::BATCH_END => Ok(None),
            status => Err(self.error(status)),
        }
    }

    /// Adds time to a stage.
    pub fn stage(&mut self, name: &str, nanoseconds: u64) {
        let (table, ctx) = self.table();
        // SAFETY: the table is the host's, and the name outlives the call. What the host refuses, it says itself.
        let _ = unsafe { (table.stage)(ctx, raw::Str::new(name), nanoseconds) };
    }

    /// Bytes of the batches so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn table(&self) -> (&raw::Batches, *mut c_void) {
        // SAFETY: the host keeps the table for the duration of the call, and `new` looked at its size.
        let table = unsafe { self.raw.as_ref() };
        (table, table.ctx)
    }

    #[cold]
    fn error(&self, status: i32) -> ModuleError {
        let (table, ctx) = self.table();
        // SAFETY: the table is the host's, and the text is lent until the next call of `emit` or `next`.
        let reason = unsafe { (table.reason)(ctx).text() };
        ModuleError::Other(match status {
            raw::BATCH_CLOSED | raw::BATCH_TOO_LARGE | raw::BATCH_OTHER if !reason.is_empty() => reason.into_owned(),
            _ => format!("the host carried no batch and gave status {status}"),
        })
    }
}
