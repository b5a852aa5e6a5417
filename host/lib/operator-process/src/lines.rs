//! Sends and receives lines over a socket: one JSON object per line, of bounded length.

use crate::Unreadable;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

/// The longest line in bytes: longer than a line with the largest accepted state or object.
pub const LINE_BYTES_MAX: usize = 96 << 20;

/// Buffer capacity that is kept for the next line, in bytes.
const KEPT_BYTES: usize = 4 << 10;

/// Both directions of a socket.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<UnixStream>,
    /// The line that was read last.
    line: Vec<u8>,
    /// The line that was written last, kept for its capacity.
    written: Vec<u8>,
}

impl Lines {
    /// Lines over `socket`.
    pub fn new(socket: UnixStream) -> Self {
        // A host has hundreds of these, and their lines are short.
        Self { reader: BufReader::with_capacity(1 << 10, socket), line: Vec::new(), written: Vec::new() }
    }

    /// Sends `message` as a line, in one piece.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.written.clear();
        self.written.shrink_to(KEPT_BYTES);
        serde_json::to_writer(&mut self.written, message)?;
        self.written.push(b'\n');
        self.reader.get_mut().write_all(&self.written)
    }

    /// Waits for a line; `None` at the end of the socket. A line that is cut off is an error.
    pub fn receive<'a, T: Deserialize<'a>>(&'a mut self) -> io::Result<Option<Result<T, Unreadable>>> {
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
        let mut bounded = self.reader.by_ref().take(LINE_BYTES_MAX as u64);
        if bounded.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') {
            let length = self.line.len();
            let reason = if length == LINE_BYTES_MAX { "is longer than the limit" } else { "was cut off" };
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line {reason}, at {length} bytes")));
        }
        let read = serde_json::from_slice(&self.line);
        Ok(Some(read.map_err(|error| Unreadable(format!("malformed message: {error}")))))
    }
}
