//! Where the server listens: a socket that it was given, a path, or an address. It must not know what is said there.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

const USAGE: &str = "give --fd N (a socket that listens), --unix PATH or --tcp ADDRESS:PORT";

/// A socket that listens.
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// One connection.
pub(crate) trait Connection: Read + Write + AsFd {}
impl<C: Read + Write + AsFd> Connection for C {}

impl Listener {
    /// What the command line asks for.
    pub(crate) fn of(arguments: &[String]) -> Result<Self, String> {
        let [kind, place] = arguments else { return Err(USAGE.to_owned()) };
        let cannot = |error: io::Error| format!("cannot listen on {place}: {error}; give a free one");
        let listener = match kind.as_str() {
            "--tcp" => Self::Tcp(TcpListener::bind(place).map_err(cannot)?),
            "--unix" => Self::Unix(UnixListener::bind(place).map_err(cannot)?),
            "--fd" => Self::given(place).map_err(|error| format!("--fd {place}: {error}; {USAGE}"))?,
            other => return Err(format!("{other}: no such option; {USAGE}")),
        };
        listener.set_nonblocking().map_err(|error| format!("{place}: {error}"))?;
        Ok(listener)
    }

    fn given(number: &str) -> io::Result<Self> {
        let number: i32 = number.parse().map_err(|_| io::Error::other("no number"))?;
        let fd = if number == 0 { io::stdin().as_fd().try_clone_to_owned()? } else { taken(number)? };
        let is_tcp = rustix::net::getsockname(&fd)?.address_family() != rustix::net::AddressFamily::UNIX;
        Ok(if is_tcp { Self::Tcp(fd.into()) } else { Self::Unix(fd.into()) })
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    /// The next connection, where one waits.
    pub(crate) fn accept(&self) -> io::Result<Option<Box<dyn Connection>>> {
        let accepted = match self {
            Self::Tcp(listener) => listener.accept().and_then(|(stream, _)| tcp(stream)),
            Self::Unix(listener) => listener.accept().and_then(|(stream, _)| unix(stream)),
        };
        match accepted {
            Ok(connection) => Ok(Some(connection)),
            // One that has gone before it was accepted is none.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionAborted) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn tcp(stream: TcpStream) -> io::Result<Box<dyn Connection>> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(Box::new(stream))
}

fn unix(stream: UnixStream) -> io::Result<Box<dyn Connection>> {
    stream.set_nonblocking(true)?;
    Ok(Box::new(stream))
}

/// A copy of the descriptor of that number, which only the kernel knows to be one.
fn taken(number: i32) -> io::Result<OwnedFd> {
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(&own, number, PidfdGetfdFlags::empty())?)
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects that these words are refused with a reason that contains `expect`.
    #[track_caller]
    fn refused(words: &[&str], expect: &str) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let reason = Listener::of(&words).err().expect("it is refused");
        assert!(reason.contains(expect), "{reason}");
    }

    #[test]
    fn a_place_that_is_taken_or_none_is_refused_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        refused(&["--tcp", &taken.local_addr().unwrap().to_string()], "give a free one");
        refused(&["--unix", "/"], "give a free one");
        refused(&["--fd", "x"], "no number");
        refused(&["--fd", "1000000"], "give --fd N");
        refused(&["--port", "1"], "no such option");
        refused(&[], "give --fd N");
    }
}
