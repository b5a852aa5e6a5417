//! The socket that a function listens on, and the request that waits in it while the function is started.
//!
//! The socket exists before the function is started, so that connecting succeeds at once and one blocking read waits
//! for the response. Nothing is polled, and every start method is timed alike.

use crate::http::{self, Incoming, Message};
use bench_model::ModuleError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long to wait for a response.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A listening socket in the abstract namespace.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    address: SocketAddr,
    request: Vec<u8>,
}

/// A request that has been sent.
#[derive(Debug)]
pub(crate) struct Pending {
    stream: UnixStream,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum NoResponse {
    /// The watched descriptor became readable.
    Watched,
    /// Any other failure.
    Failed(String),
}

impl Listener {
    /// Creates a listening socket.
    pub(crate) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("bench-host-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from_abstract_name(name)?;
        let socket = UnixListener::bind_addr(&address)?;
        Ok(Self { socket, address, request: http::request(function_core::REQUEST) })
    }

    /// A duplicate of the socket for a process to listen on.
    pub(crate) fn for_child(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }

    /// Connects and sends the request whose response is known.
    pub(crate) fn ask(&self) -> Result<Pending, ModuleError> {
        let connected = UnixStream::connect_addr(&self.address);
        let sent = connected.and_then(|mut stream| stream.write_all(&self.request).map(|()| stream));
        let stream = sent.map_err(|error| ModuleError::Other(format!("cannot send a request: {error}")))?;
        Ok(Pending { stream })
    }
}

impl Pending {
    /// Waits for the response, or until `watch` becomes readable.
    pub(crate) fn answer(&mut self, watch: Option<BorrowedFd<'_>>) -> Result<Message, NoResponse> {
        let failed = |what: &str| NoResponse::Failed(what.to_owned());
        let deadline = Instant::now() + PATIENCE;
        let mut incoming = Incoming::default();
        loop {
            if let Some(message) = incoming.take().map_err(|error| NoResponse::Failed(format!("it sent {error}")))? {
                return Ok(message);
            }
            match wait(self.stream.as_fd(), watch, deadline) {
                Ready::Stream => {}
                Ready::Watch => return Err(NoResponse::Watched),
                Ready::Nothing => return Err(NoResponse::Failed(format!("it did not respond within {PATIENCE:?}"))),
            }
            match incoming.fill(&mut self.stream) {
                Ok(true) => {}
                Ok(false) => return Err(failed("it closed the connection without a response")),
                Err(error) => return Err(NoResponse::Failed(format!("cannot read the response: {error}"))),
            }
        }
    }

    /// Shuts the connection down, and waits until the server has closed it too.
    pub(crate) fn hang_up(mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

enum Ready {
    Stream,
    Watch,
    Nothing,
}

/// Waits for either descriptor; the stream takes precedence.
fn wait(stream: BorrowedFd<'_>, watch: Option<BorrowedFd<'_>>, deadline: Instant) -> Ready {
    loop {
        let mut fds = vec![PollFd::from_borrowed_fd(stream, PollFlags::IN)];
        fds.extend(watch.map(|watch| PollFd::from_borrowed_fd(watch, PollFlags::IN)));
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(&mut fds, left.try_into().ok().as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(0) | Err(_) => return Ready::Nothing,
            Ok(_) if !fds[0].revents().is_empty() => return Ready::Stream,
            Ok(_) => return Ready::Watch,
        }
    }
}
