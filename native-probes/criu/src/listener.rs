//! The socket a function is reached by, and the request that waits in it while the function is being started. It must not know
//! who listens.
//!
//! The socket is there before anybody is started, so that connecting succeeds at once and the answer is waited for by one
//! blocking read, whoever is to give it: nothing is polled, and every way of starting is timed alike.

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

/// After so long, nobody will answer any more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A listening socket without a file.
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

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// What was watched has something to say.
    Watched,
    /// Anything else.
    Failed(String),
}

impl Listener {
    /// A new one.
    pub(crate) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("bench-host-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from_abstract_name(name)?;
        let socket = UnixListener::bind_addr(&address)?;
        Ok(Self { socket, address, request: http::request(function_core::REQUEST) })
    }

    /// A copy of the socket for a process to listen at.
    pub(crate) fn for_child(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }

    /// Connects and sends the request whose answer is known.
    pub(crate) fn ask(&self) -> Result<Pending, ModuleError> {
        let connected = UnixStream::connect_addr(&self.address);
        let sent = connected.and_then(|mut stream| stream.write_all(&self.request).map(|()| stream));
        let stream = sent.map_err(|error| ModuleError::Other(format!("cannot send a request: {error}")))?;
        Ok(Pending { stream })
    }
}

impl Pending {
    /// Waits for the answer; where `watch` becomes readable before it has come, returns.
    pub(crate) fn answer(&mut self, watch: Option<BorrowedFd<'_>>) -> Result<Message, Silence> {
        let failed = |what: &str| Silence::Failed(what.to_owned());
        let deadline = Instant::now() + PATIENCE;
        let mut incoming = Incoming::default();
        loop {
            if let Some(message) = incoming.take().map_err(|error| Silence::Failed(format!("it answered {error}")))? {
                return Ok(message);
            }
            match wait(self.stream.as_fd(), watch, deadline) {
                Ready::Stream => {}
                Ready::Watch => return Err(Silence::Watched),
                Ready::Nothing => return Err(Silence::Failed(format!("it has not answered for {PATIENCE:?}"))),
            }
            match incoming.fill(&mut self.stream) {
                Ok(true) => {}
                Ok(false) => return Err(failed("it hung up without an answer")),
                Err(error) => return Err(Silence::Failed(format!("the answer cannot be read: {error}"))),
            }
        }
    }

    /// Says that no more requests follow, and waits until the server has closed the connection too.
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

/// Waits for either; the stream goes first.
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
