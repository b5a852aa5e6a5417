//! The host's append-only log as a probe sees it: the extension `bench-host:log/0.1` behind a safe type.

use crate::author::not_offered;
use crate::{Host, raw};
use bench_model::ModuleError;
use std::fmt;
use std::ops::Range;
use std::ptr::NonNull;

pub use vocabulary::log::{Durability, Fault, PageState};

/// Why a log did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    /// For the module to act on.
    pub fault: Fault,
    /// For a person to read.
    pub reason: String,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<LogError> for ModuleError {
    fn from(error: LogError) -> Self {
        Self::Other(error.reason)
    }
}

/// A log that belongs to this session.
#[derive(Debug)]
pub struct Log {
    table: &'static raw::Log,
    raw: NonNull<raw::OpenLog>,
    /// Of a batch; kept so that none is allocated while a clock runs. Nothing in it is used after a call.
    batch: Vec<raw::Bytes>,
}

impl Host {
    /// A new log in the scratch folder `directory`, with segments of `segment_bytes`, a multiple of 64 KiB up to 64 MiB.
    pub fn log(
        self,
        directory: &str,
        durability: Durability,
        page_state: PageState,
        segment_bytes: u64,
    ) -> Result<Log, ModuleError> {
        let table: *const raw::Log = self.extension(raw::EXTENSION_LOG).cast();
        // SAFETY: an extension is valid until the process ends.
        let table = unsafe { table.as_ref() }.filter(|table| table.size >= size_of::<raw::Log>());
        let table = table.ok_or_else(|| not_offered(raw::EXTENSION_LOG))?;
        Log::open(table, directory, durability, page_state, segment_bytes)
    }
}

impl Log {
    fn open(
        table: &'static raw::Log,
        directory: &str,
        durability: Durability,
        page_state: PageState,
        segment_bytes: u64,
    ) -> Result<Self, ModuleError> {
        let (durability, page_state) = (durability.code(), page_state.code());
        let mut out = std::ptr::null_mut();
        let path = raw::Str::new(directory);
        // SAFETY: the table is the host's; the path and `out` outlive the call.
        let status = unsafe { (table.open)(table.ctx, path, durability, page_state, segment_bytes, &mut out) };
        match raw::error_of(status, format!("the host refused a log in `{directory}`")) {
            Some(error) => Err(error),
            None => match NonNull::new(out) {
                Some(raw) => Ok(Self { table, raw, batch: Vec::new() }),
                None => Err(ModuleError::Other(format!("the host opened no log in `{directory}`"))),
            },
        }
    }

    /// Appends one payload; its sequence.
    #[inline]
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        let mut sequence = 0;
        // SAFETY: the log is open; the payload and the room for the sequence outlive the call.
        let status = unsafe { (self.table.append)(self.raw.as_ptr(), payload.as_ptr(), payload.len(), &mut sequence) };
        if status == raw::LOG_OK { Ok(sequence) } else { Err(self.error(status)) }
    }

    /// Appends payloads in order, durable together; their sequences.
    #[inline]
    pub fn append_batch(&mut self, payloads: &[Vec<u8>]) -> Result<Range<u64>, LogError> {
        self.batch.clear();
        self.batch.extend(payloads.iter().map(|payload| raw::Bytes { ptr: payload.as_ptr(), len: payload.len() }));
        let (mut start, mut end) = (0, 0);
        let (raw, batch) = (self.raw.as_ptr(), self.batch.as_slice());
        // SAFETY: the log is open; the payloads, the list of them and the room for the sequences outlive the call.
        let status = unsafe { (self.table.append_batch)(raw, batch.as_ptr(), batch.len(), &mut start, &mut end) };
        if status == raw::LOG_OK { Ok(start..end) } else { Err(self.error(status)) }
    }

    /// Hands the payload of a sequence to `read`, where it lies.
    #[inline]
    pub fn read<R>(&mut self, sequence: u64, read: impl FnOnce(&[u8]) -> R) -> Result<R, LogError> {
        let mut payload = raw::Bytes { ptr: std::ptr::null(), len: 0 };
        // SAFETY: the log is open, and there is room for the result.
        let status = unsafe { (self.table.read)(self.raw.as_ptr(), sequence, &mut payload) };
        if status != raw::LOG_OK {
            return Err(self.error(status));
        }
        // SAFETY: the host lends the payload until the next call for this log, of which `read` can make none: it has no
        // way to this value, which is borrowed mutably.
        Ok(read(unsafe { raw::slice(payload.ptr, payload.len) }))
    }

    /// The first sequence that can still be read, or the next one where there is none.
    pub fn first_sequence(&self) -> u64 {
        // SAFETY: the log is open.
        unsafe { (self.table.first_sequence)(self.raw.as_ptr()) }
    }

    /// The sequence that the next payload will have.
    pub fn next_sequence(&self) -> u64 {
        // SAFETY: the log is open.
        unsafe { (self.table.next_sequence)(self.raw.as_ptr()) }
    }

    /// Makes what was appended durable; the first sequence that is not.
    pub fn sync(&mut self) -> Result<u64, LogError> {
        let mut sequence = 0;
        // SAFETY: the log is open, and there is room for the result.
        let status = unsafe { (self.table.sync)(self.raw.as_ptr(), &mut sequence) };
        if status == raw::LOG_OK { Ok(sequence) } else { Err(self.error(status)) }
    }

    #[cold]
    fn error(&self, status: i32) -> LogError {
        let fault = Fault::from_code(status).unwrap_or(Fault::Other);
        // SAFETY: the log is open, and the host lends the text until the next call for it.
        let reason = unsafe { (self.table.reason)(self.raw.as_ptr()).text() }.into_owned();
        LogError { fault, reason }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // SAFETY: the log is open and is not used again.
        unsafe { (self.table.close)(self.raw.as_ptr()) }
    }
}
