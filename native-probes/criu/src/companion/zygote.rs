//! A parent that has initialised the function, answered once, and forks a server whenever it is told to. It must not know how
//! long that takes, but for a fork of its own that does nothing, which only it can time.

use super::serve::serve;
use super::{end_with_parent, standard};
use function_core::State;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;

/// Orders, one byte each; every one but [`FORK`] is answered with eight bytes.
pub(crate) mod order {
    /// Fork a server, which accepts one connection.
    pub(crate) const FORK: u8 = b'f';
    /// Wait for the end of the server that was forked last; the answer is how it ended.
    pub(crate) const REAP: u8 = b'r';
    /// Fork a process that ends at once, and wait for its end; the answer is the nanoseconds it took.
    pub(crate) const BARE: u8 = b'b';
    /// The answer is 0 as soon as the function is initialised.
    pub(crate) const READY: u8 = b'y';
}

/// Listens at its standard input, and is told what to do over its standard output.
pub(super) fn run() -> io::Result<()> {
    end_with_parent()?;
    let listener: UnixListener = standard(0);
    let mut control: UnixStream = standard(1);
    let state = State::from_environment().map_err(io::Error::other)?;
    // What the first answer writes to, it has written to before a child could copy it.
    state.handle(function_core::REQUEST).map_err(io::Error::other)?;
    let mut child = None;
    let mut order = [0];
    while control.read(&mut order)? > 0 {
        let answer = match order[0] {
            order::FORK => {
                child = Some(fork(|| {
                    // The parent's end decides when the parent ends, not a child's copy of it.
                    if rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).is_err() {
                        return 2;
                    }
                    match listener.accept() {
                        Ok((stream, _)) => serve(stream, &state, None),
                        Err(_) => return 2,
                    }
                    0
                })?);
                continue;
            }
            order::REAP => child.take().map_or(Ok(0), reap)?,
            order::BARE => {
                let start = Instant::now();
                reap(fork(|| 0)?)?;
                start.elapsed().as_nanos() as u64
            }
            _ => 0,
        };
        control.write_all(&answer.to_le_bytes())?;
    }
    Ok(())
}

/// A child that runs `body` and ends with what it returns.
fn fork(body: impl FnOnce() -> i32) -> io::Result<i32> {
    // SAFETY: this process has one thread, so its child may do everything that it may do itself.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let status = body();
            // SAFETY: ends the child; nothing of it is used again.
            unsafe { libc::_exit(status) }
        }
        pid => Ok(pid),
    }
}

/// Waits for a child; how it ended, as the kernel tells it.
fn reap(pid: i32) -> io::Result<u64> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
    let ended = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())?;
    Ok(ended.map_or(0, |(_, status)| status.as_raw().cast_unsigned().into()))
}
