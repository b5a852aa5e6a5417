//! Where the server listens: a socket that it was given, a path, or an address. It must not know what is said there.

use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

const USAGE: &str = "give --fd N (a socket that listens), --unix PATH or --tcp ADDRESS:PORT";

/// A socket that listens.
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// The same, ready to be waited for.
pub(crate) enum Listening {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// One connection.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin {}
impl<C: AsyncRead + AsyncWrite + Unpin> Connection for C {}

impl Listener {
    /// What the command line asks for.
    pub(crate) fn of(arguments: &[String]) -> Result<Self, String> {
        let [kind, place] = arguments else { return Err(USAGE.to_owned()) };
        let cannot = |error: io::Error| format!("cannot listen on {place}: {error}; give a free one");
        match kind.as_str() {
            "--tcp" => std::net::TcpListener::bind(place).map(Self::Tcp).map_err(cannot),
            "--unix" => std::os::unix::net::UnixListener::bind(place).map(Self::Unix).map_err(cannot),
            "--fd" => Self::given(place).map_err(|error| format!("--fd {place}: {error}; {USAGE}")),
            other => Err(format!("{other}: no such option; {USAGE}")),
        }
    }

    fn given(number: &str) -> io::Result<Self> {
        let number: i32 = number.parse().map_err(|_| io::Error::other("no number"))?;
        let fd = if number == 0 { io::stdin().as_fd().try_clone_to_owned()? } else { taken(number)? };
        let is_tcp = rustix::net::getsockname(&fd)?.address_family() != rustix::net::AddressFamily::UNIX;
        Ok(if is_tcp { Self::Tcp(fd.into()) } else { Self::Unix(fd.into()) })
    }

    /// Within a run-time.
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
    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        loop {
            match self.accept_one().await {
                // One that has gone before it was accepted is none.
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

/// A copy of the descriptor of that number, which only the kernel knows to be one.
fn taken(number: i32) -> io::Result<OwnedFd> {
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(&own, number, PidfdGetfdFlags::empty())?)
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
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        refused(&["--tcp", &taken.local_addr().unwrap().to_string()], "give a free one");
        refused(&["--unix", "/"], "give a free one");
        refused(&["--fd", "x"], "no number");
        refused(&["--fd", "1000000"], "give --fd N");
        refused(&["--port", "1"], "no such option");
        refused(&[], "give --fd N");
    }
}
