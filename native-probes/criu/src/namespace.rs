//! Controls a private PID and mount namespace. It ends, with all its processes, when this handle is dropped or its
//! process exits.

use crate::companion::init::command;
use crate::companion::role;
use crate::listener::{Listener, PATIENCE};
use crate::{Companion, frames};
use bench_model::ModuleError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The number of CAP_SYS_ADMIN: see capabilities(7).
const SYS_ADMIN: u32 = 21;

/// How long to wait until a namespace has ended.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// A namespace and its first process.
#[derive(Debug)]
pub(crate) struct Namespace {
    control: Option<UnixStream>,
    outside: Child,
    /// The PID of the first process outside of the namespace.
    first: u32,
}

impl Namespace {
    /// Creates a namespace whose processes get `listener` as their standard input.
    pub(crate) fn new(companion: &Companion, listener: &Listener) -> Result<Self, ModuleError> {
        let status = fs::read_to_string("/proc/self/status")
            .map_err(|error| system_error("cannot read /proc/self/status", &error))?;
        if !has_sys_admin(&status) {
            return Err(ModuleError::Unavailable(
                "checkpoints need the capability CAP_SYS_ADMIN, which this process lacks; run as root".to_owned(),
            ));
        }
        let (control, theirs) = UnixStream::pair().map_err(|error| system_error("cannot create a socket", &error))?;
        // Bounds the wait for the answer to a command.
        control.set_read_timeout(Some(PATIENCE * 2)).map_err(|error| system_error("cannot create a socket", &error))?;
        let socket = listener.for_child().map_err(|error| system_error("cannot create a socket", &error))?;
        let outside = Command::new(&companion.program)
            .arg(role::INIT)
            .stdin(OwnedFd::from(theirs))
            .stdout(socket)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| system_error(&format!("cannot start {}", companion.program.display()), &error))?;
        let mut namespace = Self { control: Some(control), outside, first: 0 };
        namespace.answer().map_err(|reason| {
            ModuleError::Unavailable(format!("{reason}; run as root, outside of containers that forbid namespaces"))
        })?;
        namespace.first = namespace.child()?;
        Ok(namespace)
    }

    /// Sends a command and waits for the word in its answer.
    pub(crate) fn run<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<String, String> {
        self.send(words)?;
        self.answer()
    }

    /// Sends a command; [`Namespace::answer`] must follow.
    pub(crate) fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<(), String> {
        let mut control = self.control.as_ref().ok_or("the namespace has ended")?;
        frames::send(&mut control, words).map_err(|error| format!("cannot send a command to the namespace: {error}"))
    }

    /// Waits for the answer to a command.
    pub(crate) fn answer(&mut self) -> Result<String, String> {
        let mut control = self.control.as_ref().ok_or("the namespace has ended")?;
        match frames::receive(&mut control) {
            Ok(Some(words)) => match words.as_slice() {
                [verdict, word] if verdict == command::DONE => Ok(word.clone()),
                [verdict, reason] if verdict == command::FAILED => Err(reason.clone()),
                words => Err(format!("unexpected answer from the namespace: {words:?}")),
            },
            Ok(None) => Err("the namespace has ended".to_owned()),
            Err(error) => Err(format!("no answer from the namespace: {error}")),
        }
    }

    /// The descriptor that becomes readable with an answer.
    pub(crate) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.control.as_ref().map(AsFd::as_fd)
    }

    /// The path outside of the namespace of its absolute `path`.
    pub(crate) fn seen_here(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.first));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The PID of the first process outside of the namespace.
    fn child(&self) -> Result<u32, ModuleError> {
        let path = format!("/proc/{0}/task/{0}/children", self.outside.id());
        let children =
            fs::read_to_string(&path).map_err(|error| system_error(&format!("cannot read {path}"), &error))?;
        let child = children.split_whitespace().next().and_then(|child| child.parse().ok());
        child.ok_or_else(|| ModuleError::Other("the namespace has no first process".to_owned()))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Closing the control socket makes the first process exit, and the kernel then ends the namespace. The process
        // outside waits for that.
        self.control = None;
        let pid = Pid::from_raw(self.outside.id().cast_signed());
        if let Some(Ok(pidfd)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
            let timeout = END_PATIENCE.try_into().ok();
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref());
        }
        // If it still waits, killing it ends the namespace too.
        let _ = self.outside.kill();
        let _ = self.outside.wait();
    }
}

/// Whether the process with this `/proc/PID/status` may create namespaces and restore processes.
fn has_sys_admin(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    effective.is_some_and(|effective| effective >> SYS_ADMIN & 1 == 1)
}

fn system_error(what: &str, error: &io::Error) -> ModuleError {
    ModuleError::Unavailable(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sys_admin_is_read_from_the_effective_set() {
        assert!(has_sys_admin("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(has_sys_admin("CapEff:\t0000000000200000"));
        assert!(!has_sys_admin("CapEff:\t0000000000000000"));
        assert!(!has_sys_admin("CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffdfffff"));
        assert!(!has_sys_admin(""));
    }
}
