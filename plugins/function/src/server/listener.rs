//! The socket that the server listens on: an inherited one, a path, or an address.

use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

const USAGE: &str = "give --fd N (a listening socket), --unix PATH or --tcp ADDRESS:PORT";

/// A listening socket.
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// A listening socket in the asynchronous runtime.
pub(crate) enum Listening {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// One connection.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin {}
impl<C: AsyncRead + AsyncWrite + Unpin> Connection for C {}

impl Listener {
    /// Opens the socket that the command line names.
    pub(crate) fn of(arguments: &[String]) -> Result<Self, String> {
        let [kind, place] = arguments else { return Err(USAGE.to_owned()) };
        let cannot = |error: io::Error| format!("cannot listen on {place}: {error}; give a free address or path");
        match kind.as_str() {
            "--tcp" => std::net::TcpListener::bind(place).map(Self::Tcp).map_err(cannot),
            "--unix" => std::os::unix::net::UnixListener::bind(place).map(Self::Unix).map_err(cannot),
            "--fd" => Self::given(place).map_err(|error| format!("--fd {place}: {error}; {USAGE}")),
            other => Err(format!("unknown option {other}; {USAGE}")),
        }
    }

    fn given(number: &str) -> io::Result<Self> {
        let number: i32 = number.parse().map_err(|_| io::Error::other("no number"))?;
        let fd = if number == 0 { io::stdin().as_fd().try_clone_to_owned()? } else { taken(number)? };
        let is_tcp = rustix::net::getsockname(&fd)?.address_family() != rustix::net::AddressFamily::UNIX;
        Ok(if is_tcp { Self::Tcp(fd.into()) } else { Self::Unix(fd.into()) })
    }

    /// Registers the socket with the current runtime.
    pub(crate) fn listen(self) -> io::Result<Listening> {
        match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener).map(Listening::Tcp)
            }
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::UnixListener::from_std(listener).map(Listening::Unix)
            }
        }
    }
}

impl Listening {
    /// Accepts the next connection.
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        loop {
            match self.accept_one().await {
                // Skips a connection that was closed before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                accepted => return accepted,
            }
        }
    }

    async fn accept_one(&self) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// Duplicates the descriptor with this number; the kernel checks that it exists.
fn taken(number: i32) -> io::Result<OwnedFd> {
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(&own, number, PidfdGetfdFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects that these arguments are refused with a reason that contains `expect`.
    #[track_caller]
    fn refused(words: &[&str], expect: &str) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let reason = Listener::of(&words).err().expect("it is refused");
        assert!(reason.contains(expect), "{reason}");
    }

    #[test]
    fn an_unusable_address_is_refused_with_the_next_step() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        refused(&["--tcp", &taken.local_addr().unwrap().to_string()], "give a free address or path");
        refused(&["--unix", "/"], "give a free address or path");
        refused(&["--fd", "x"], "no number");
        refused(&["--fd", "1000000"], "give --fd N");
        refused(&["--port", "1"], "unknown option");
        refused(&[], "give --fd N");
    }
}
