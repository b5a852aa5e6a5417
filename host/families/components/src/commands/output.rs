//! The standard output of a command: its digest and its beginning. It is not kept, because it may be large.

use bench_wasm::wasmtime_wasi::async_trait;
use bench_wasm::wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use bench_wasm::wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use bytes::Bytes;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// The digest of an output: its length, its CRC-32C, and its first bytes for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) bytes: u64,
    crc32c: u32,
    begin: Vec<u8>,
}

/// How much of the beginning is kept.
const BEGIN_BYTES: usize = 48;

/// What a command may write at once, as for other streams of WASI.
const WRITE_BYTES: usize = 64 << 10;

impl Digest {
    /// The digest of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut digest = Self::default();
        digest.append(bytes);
        digest
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        let room = BEGIN_BYTES - self.begin.len();
        self.begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// A checksum of the output and the exit status.
    pub(super) fn checksum(&self, exit: i32) -> u64 {
        u64::from(self.crc32c) ^ (self.bytes.rotate_left(32)) ^ u64::from(exit.cast_unsigned()).rotate_left(56)
    }
}

/// The length and the beginning.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.begin);
        let more = if self.bytes > self.begin.len() as u64 { "…" } else { "" };
        write!(f, "{} bytes, {:?}{more} (crc32c {:08x})", self.bytes, text, self.crc32c)
    }
}

/// A standard output of WASI that keeps a digest.
#[derive(Clone, Default)]
pub(super) struct Capture(Arc<Mutex<Digest>>);

impl Capture {
    /// The digest so far.
    pub(super) fn digest(&self) -> Digest {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn append(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(bytes);
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Capture {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digest_does_not_depend_on_how_output_is_written(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let mut digest = Digest::of(first);
            digest.append(second);
            prop_assert_eq!(digest, Digest::of(&bytes));
        }

        #[test]
        fn other_output_or_status_has_another_checksum(mut bytes in proptest::collection::vec(any::<u8>(), 1..200), at in 0..200_usize) {
            let digest = Digest::of(&bytes);
            prop_assert_ne!(digest.checksum(0), digest.checksum(1));
            let at = at % bytes.len();
            bytes[at] ^= 1;
            prop_assert_ne!(digest.checksum(0), Digest::of(&bytes).checksum(0));
        }
    }
}
