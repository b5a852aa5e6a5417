//! A parent that has initialised the function and answered once, and forks a server on each command. It times an empty
//! fork of its own, which only it can time.

use super::serve::serve;
use super::{end_with_parent, standard};
use function_core::State;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;

/// Commands, one byte each; every one except [`FORK`] is answered with eight bytes.
pub(crate) mod command {
    /// Fork a server, which accepts one connection.
    pub(crate) const FORK: u8 = b'f';
    /// Wait until the last server has exited; the answer is its wait status.
    pub(crate) const REAP: u8 = b'r';
    /// Fork a process that exits at once and wait for it; the answer is the time in nanoseconds.
    pub(crate) const BARE: u8 = b'b';
    /// The answer is 0 as soon as the function is initialised.
    pub(crate) const READY: u8 = b'y';
}

/// Listens on its standard input, and reads commands from its standard output.
pub(super) fn run() -> io::Result<()> {
    end_with_parent()?;
    let listener: UnixListener = standard(0);
    let mut control: UnixStream = standard(1);
    let state = State::from_environment().map_err(io::Error::other)?;
    // One answer before the first fork, so that children inherit touched pages.
    state.handle(function_core::REQUEST).map_err(io::Error::other)?;
    let mut child = None;
    let mut byte = [0];
    while control.read(&mut byte)? > 0 {
        let answer = match byte[0] {
            command::FORK => {
                child = Some(fork(|| {
                    // The child drops its copy, so that closing the parent's end is enough to end the parent.
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
            command::REAP => child.take().map_or(Ok(0), reap)?,
            command::BARE => {
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

/// Forks a child that runs `body` and exits with its result.
fn fork(body: impl FnOnce() -> i32) -> io::Result<i32> {
    // SAFETY: this process has one thread, so its child may do everything that it may do itself.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let status = body();
            // SAFETY: exits the child, which uses nothing afterwards.
            unsafe { libc::_exit(status) }
        }
        pid => Ok(pid),
    }
}

/// Waits for a child and returns its wait status.
fn reap(pid: i32) -> io::Result<u64> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
    let ended = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())?;
    Ok(ended.map_or(0, |(_, status)| status.as_raw().cast_unsigned().into()))
}
