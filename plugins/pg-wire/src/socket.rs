//! One connection, and its receive buffer.

use crate::{DatabaseUrl, Error};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

/// Bytes of one read. The server writes 8 KiB at a time, and one read takes all that has accumulated.
const READ_BYTES: usize = 256 << 10;

/// A message's tag and length.
const HEADER_BYTES: usize = 5;

/// Upper bound of a message: a value has at most 1 GiB.
const MESSAGE_BYTES_MAX: usize = (1 << 30) + (1 << 20);

/// A connection.
pub(crate) struct Socket {
    stream: TcpStream,
    /// The bytes from `start` to `end` are received but not consumed.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// A complete message in the buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) tag: u8,
    /// Without tag and length.
    pub(crate) body: &'a [u8],
}

impl Socket {
    pub(crate) fn connect(url: &DatabaseUrl) -> Result<Self, Error> {
        let unreachable = |source| match source {
            // The error of the host's sandbox, which no server causes.
            error if is_denial(&error) => Error::NotGranted(url.address()),
            source => Error::Unreachable { address: url.address(), source },
        };
        let addresses = (url.host.as_str(), url.port).to_socket_addrs().map_err(unreachable)?;
        let mut refusal = io::Error::new(ErrorKind::NotFound, "the host name has no address");
        for address in addresses {
            match TcpStream::connect(address) {
                Ok(stream) => {
                    // If this fails, small messages may be delayed by Nagle's algorithm.
                    let _ = stream.set_nodelay(true);
                    return Ok(Self { stream, buffer: vec![0; READ_BYTES], start: 0, end: 0 });
                }
                Err(error) => refusal = error,
            }
        }
        Err(unreachable(refusal))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The bytes that are received but not consumed.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The first message, if it is complete.
    pub(crate) fn frame(&self) -> io::Result<Option<Frame<'_>>> {
        frame_of(self.buffered())
    }

    /// Consumes the first bytes.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Waits until more bytes have arrived.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        // Moves the incomplete message to the start: few bytes, unless it is larger than the buffer.
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.end += read;
        Ok(())
    }

    /// Reads available bytes without waiting.
    pub(crate) fn poll(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let polled = match self.fill() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            polled => polled,
        };
        self.stream.set_nonblocking(false)?;
        polled
    }
}

/// The first message in `bytes`, if it is complete.
pub(crate) fn frame_of(bytes: &[u8]) -> io::Result<Option<Frame<'_>>> {
    let Some(([tag, length @ ..], rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    // The length includes itself but not the tag.
    let body = (u32::from_be_bytes(*length) as usize).wrapping_sub(4);
    if body > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("invalid message length of {body} bytes")));
    }
    Ok(rest.get(..body).map(|body| Frame { tag: *tag, body }))
}

impl Frame<'_> {
    /// With tag and length.
    pub(crate) fn bytes(&self) -> usize {
        HEADER_BYTES + self.body.len()
    }
}

fn is_denial(error: &io::Error) -> bool {
    cfg!(target_family = "wasm") && error.kind() == ErrorKind::PermissionDenied
}
