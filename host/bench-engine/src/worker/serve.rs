//! The worker's side: one request comes in, one reply goes out, and nothing that a module prints gets in between.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// Why a worker could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Standard input is not the socket a parent gives its worker.
    #[error("a worker is started by bench-host itself, not by hand")]
    NotAWorker(#[source] io::Error),
    /// The parent is gone, or speaks another language.
    #[error("cannot read the request or write the reply")]
    Io(#[from] io::Error),
    /// The parent is another version of this program.
    #[error("the request is not one this version knows")]
    Request(#[from] serde_json::Error),
}

/// Answers the one request that standard input carries. The worker dies with its parent; standard input is replaced by
/// nothing, so that a module cannot read or write the channel.
pub fn serve<Request: DeserializeOwned, Reply: Serialize>(
    answer: impl FnOnce(Request) -> Reply,
) -> Result<(), ServeError> {
    let channel = take_stdin().map_err(ServeError::NotAWorker)?;
    #[cfg(target_os = "linux")]
    die_with_parent(&channel)?;
    // A module that crashes is reported as such; its memory need not land in the user's folder.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none).map_err(io::Error::from)?;
    let mut line = String::new();
    BufReader::new(&channel).read_line(&mut line)?;
    let reply = answer(serde_json::from_str(&line)?);
    let mut text = serde_json::to_vec(&reply)?;
    text.push(b'\n');
    (&channel).write_all(&text)?;
    Ok(())
}

/// The signal is sent when the parent dies from now on; one that has died before is seen by whose child this is.
#[cfg(target_os = "linux")]
fn die_with_parent(channel: &UnixStream) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let parent = rustix::net::sockopt::socket_peercred(channel)?.pid;
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

fn take_stdin() -> io::Result<UnixStream> {
    let channel = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Fails with ENOTSOCK where standard input is anything but a socket.
    channel.local_addr()?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(channel)
}
