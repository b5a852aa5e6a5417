//! A function that answers requests, as a probe offers it to the driver `function`: the extension `bench-host:function/0.1` behind a safe
//! trait.

use bench_model::ModuleError;

/// A function that was started.
pub trait Answering {
    /// Answers a `POST` of `body` to `/`: an HTTP status and a body.
    fn answer(&mut self, body: &[u8]) -> (u16, Vec<u8>);
}

/// Initialises a function that fills so many bytes and works for so many milliseconds before its first request.
pub type Start = fn(heap_bytes: u64, init_ms: u64) -> Result<Box<dyn Answering>, ModuleError>;
