//! The worker's side: receives one request and sends one reply, on a channel that the output of modules cannot reach.

use super::layout::in_layout;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// The reason why a worker could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Standard input is not the socket of a parent.
    #[error("standard input is not a socket of bench-host, which starts workers itself; use another command")]
    NotAWorker(#[source] io::Error),
    /// The parent is gone, or the channel broke.
    #[error("cannot read the request or write the reply")]
    Io(#[from] io::Error),
    /// The parent is another version of this program.
    #[error("the request cannot be parsed: it is of another version of this program")]
    Request(#[from] serde_json::Error),
}

/// Answers the request on standard input. The worker dies with its `supervisor`, or with its parent if it has none. Standard input
/// is then replaced by `/dev/null`, so that a component cannot read or write the channel; native code in this process can.
pub fn serve<Request: DeserializeOwned, Reply: Serialize>(
    supervisor: Option<rustix::process::Pid>,
    answer: impl FnOnce(Request) -> Reply,
) -> Result<(), ServeError> {
    let channel = take_stdin().map_err(ServeError::NotAWorker)?;
    #[cfg(target_os = "linux")]
    die_with_parent(&channel, supervisor)?;
    #[cfg(not(target_os = "linux"))]
    let _ = supervisor;
    super::progress::connect(&channel)?;
    // A crash is reported to the parent, so no core dump is written.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none).map_err(io::Error::from)?;
    end_first_without_memory();
    let mut line = String::new();
    BufReader::new(&channel).read_line(&mut line)?;
    let request = serde_json::from_str(&line)?;
    let reply = in_layout(|| answer(request));
    let mut text = serde_json::to_vec(&reply)?;
    text.push(b'\n');
    (&channel).write_all(&text)?;
    Ok(())
}

/// When memory runs out, the kernel ends this process and what it starts before others (proc_pid_oom_score_adj(5)). A process may
/// always ask for that; where there is no such file, nothing is lost but the order.
fn end_first_without_memory() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Makes this process die with its supervisor, or else with the maker of the channel. One that has died before is detected by the
/// parent's process id.
#[cfg(target_os = "linux")]
fn die_with_parent(channel: &UnixStream, supervisor: Option<rustix::process::Pid>) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let maker = rustix::net::sockopt::socket_peercred(channel)?.pid;
    let parent = rustix::process::getppid();
    let is_alive = match supervisor {
        Some(supervisor) => parent == Some(supervisor),
        // The maker may have started this process through another program, such as a profiler.
        None => parent == Some(maker) || parent.and_then(parent_of) == Some(maker),
    };
    if is_alive { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// The parent of another process (proc(5)).
#[cfg(target_os = "linux")]
fn parent_of(process: rustix::process::Pid) -> Option<rustix::process::Pid> {
    use procfs_core::FromRead;
    let stat = procfs_core::process::Stat::from_file(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    rustix::process::Pid::from_raw(stat.ppid)
}

fn take_stdin() -> io::Result<UnixStream> {
    let channel = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Fails with ENOTSOCK if standard input is not a socket.
    channel.local_addr()?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(channel)
}
