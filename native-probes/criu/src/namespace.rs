//! A private process and mount namespace, seen from outside: orders go in, answers come out, and everything in it ends with
//! this handle or with the process that holds it. It must not know what the orders are for.

use crate::companion::init::order;
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

/// How long a namespace without orders may take to end.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// A namespace and its first process.
#[derive(Debug)]
pub(crate) struct Namespace {
    control: Option<UnixStream>,
    outside: Child,
    /// The first process as numbered outside.
    first: u32,
}

impl Namespace {
    /// Makes one, whose processes have `listener` for their standard input.
    pub(crate) fn new(companion: &Companion, listener: &Listener) -> Result<Self, ModuleError> {
        let status = fs::read_to_string("/proc/self/status").map_err(|error| failed("no /proc", &error))?;
        if !has_sys_admin(&status) {
            return Err(ModuleError::Unavailable(
                "a checkpoint needs the capability CAP_SYS_ADMIN, which this process lacks; run as root".to_owned(),
            ));
        }
        let (control, theirs) = UnixStream::pair().map_err(|error| failed("no socket", &error))?;
        // Nobody stays here for ever over an order, however long it may take.
        control.set_read_timeout(Some(PATIENCE * 2)).map_err(|error| failed("no socket", &error))?;
        let socket = listener.for_child().map_err(|error| failed("no socket", &error))?;
        let outside = Command::new(&companion.program)
            .arg(role::INIT)
            .stdin(OwnedFd::from(theirs))
            .stdout(socket)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&format!("{} cannot be started", companion.program.display()), &error))?;
        let mut namespace = Self { control: Some(control), outside, first: 0 };
        namespace.answer().map_err(|reason| {
            ModuleError::Unavailable(format!("{reason}; run as root, outside of containers that forbid it"))
        })?;
        namespace.first = namespace.child()?;
        Ok(namespace)
    }

    /// Gives an order and waits for the word that it is answered with.
    pub(crate) fn order<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<String, String> {
        self.send(words)?;
        self.answer()
    }

    /// Gives an order; [`Namespace::answer`] must follow.
    pub(crate) fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<(), String> {
        let mut control = self.control.as_ref().ok_or("the namespace has ended")?;
        frames::send(&mut control, words).map_err(|error| format!("the namespace takes no orders: {error}"))
    }

    /// Waits for the answer to an order.
    pub(crate) fn answer(&mut self) -> Result<String, String> {
        let mut control = self.control.as_ref().ok_or("the namespace has ended")?;
        match frames::receive(&mut control) {
            Ok(Some(words)) => match words.as_slice() {
                [verdict, word] if verdict == order::DONE => Ok(word.clone()),
                [verdict, reason] if verdict == order::FAILED => Err(reason.clone()),
                words => Err(format!("the namespace answered {words:?}")),
            },
            Ok(None) => Err("the namespace has ended".to_owned()),
            Err(error) => Err(format!("the namespace does not answer: {error}")),
        }
    }

    /// What becomes readable with an answer.
    pub(crate) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.control.as_ref().map(AsFd::as_fd)
    }

    /// Where the absolute `path` of the namespace is seen here.
    pub(crate) fn seen_here(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.first));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The number outside of the first process.
    fn child(&self) -> Result<u32, ModuleError> {
        let path = format!("/proc/{0}/task/{0}/children", self.outside.id());
        let children = fs::read_to_string(&path).map_err(|error| failed(&format!("cannot read {path}"), &error))?;
        let child = children.split_whitespace().next().and_then(|child| child.parse().ok());
        child.ok_or_else(|| ModuleError::Other("the namespace has no first process".to_owned()))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Without anybody to give orders the first process ends, and with it everybody else; the one outside waits for that.
        self.control = None;
        let pid = Pid::from_raw(self.outside.id().cast_signed());
        if let Some(Ok(pidfd)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
            let timeout = END_PATIENCE.try_into().ok();
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref());
        }
        // It has ended, or waits for somebody who does not: then it ends now, and takes the others with it.
        let _ = self.outside.kill();
        let _ = self.outside.wait();
    }
}

/// Whether the process with this `/proc/PID/status` may make namespaces and restore processes.
fn has_sys_admin(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    effective.is_some_and(|effective| effective >> SYS_ADMIN & 1 == 1)
}

fn failed(what: &str, error: &io::Error) -> ModuleError {
    ModuleError::Unavailable(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capability_is_seen() {
        assert!(has_sys_admin("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(has_sys_admin("CapEff:\t0000000000200000"));
        assert!(!has_sys_admin("CapEff:\t0000000000000000"));
        assert!(!has_sys_admin("CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffdfffff"));
        assert!(!has_sys_admin(""));
    }
}
