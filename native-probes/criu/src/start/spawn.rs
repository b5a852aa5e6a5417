//! Spawned processes, and the function's native server as one of them.

use super::{Start, system_error};
use crate::Companion;
use crate::companion::role;
use crate::listener::Listener;
use crate::options::Options;
use bench_model::ModuleError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// How a process comes to run another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exec {
    /// `posix_spawn`. The C library does what `vfork` does: the child borrows the memory of its parent, which waits, until it executes.
    PosixSpawn,
    /// `fork` and `exec`: the child gets copies of the page tables of its parent, the worker.
    Fork,
}

/// The program to spawn.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// Spawns a program that listens on its standard input.
#[derive(Debug)]
pub(crate) struct Spawn {
    exec: Exec,
    what: Program,
    socket: OwnedFd,
    ready: Option<Command>,
    running: Option<Running>,
}

/// A process that is killed and reaped on drop.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Becomes readable when it exits.
    end: OwnedFd,
}

impl Spawn {
    /// The native server.
    pub(crate) fn new(
        exec: Exec,
        options: &Options,
        companion: Companion,
        listener: &Listener,
    ) -> Result<Self, ModuleError> {
        let fault = companion.fault.map(|fault| fault.as_str().into());
        let arguments = std::iter::once(role::SERVE.into()).chain(fault).collect();
        let environment = options.environment().to_vec();
        let spawn = Self::program(Program { program: companion.program, arguments, environment }, listener)?;
        Ok(Self { exec, ..spawn })
    }

    /// Any program, with `posix_spawn`.
    pub(super) fn program(what: Program, listener: &Listener) -> Result<Self, ModuleError> {
        let socket = listener.for_child().map_err(system_error("cannot duplicate the socket for the function"))?;
        Ok(Self { exec: Exec::PosixSpawn, what, socket, ready: None, running: None })
    }
}

impl Start for Spawn {
    fn prepare(&mut self) -> Result<(), ModuleError> {
        let socket = self
            .socket
            .as_fd()
            .try_clone_to_owned()
            .map_err(system_error("cannot duplicate the socket for the function"))?;
        let mut command = Command::new(&self.what.program);
        command.env_clear().envs(self.what.environment.iter().map(|(name, value)| (name, value)));
        command.args(&self.what.arguments).stdin(socket).stdout(Stdio::null());
        if self.exec == Exec::Fork {
            // SAFETY: it does nothing. With something to do before `exec`, the standard library forks; without, it uses `posix_spawn`.
            unsafe { command.pre_exec(|| Ok(())) };
        }
        self.ready = Some(command);
        Ok(())
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        let mut command =
            self.ready.take().ok_or_else(|| ModuleError::Other("the start was not prepared".to_owned()))?;
        let spawned = command.spawn();
        let program = self.what.program.display();
        let mut child = spawned.map_err(system_error(&format!("cannot start {program}")))?;
        let pid = Pid::from_raw(child.id().cast_signed());
        // A child that was not reaped keeps its PID, so the descriptor refers to this child.
        match pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
            Some(Ok(end)) => self.running = Some(Running { child, end }),
            _ => {
                end(&mut child);
                return Err(ModuleError::Unavailable("pidfd_open failed; it needs Linux 5.3".to_owned()));
            }
        }
        Ok(())
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.running.as_ref().map(|running| running.end.as_fd())
    }

    fn handle_change(&mut self, _: Instant) -> Result<(), ModuleError> {
        Err(ModuleError::Other(format!("no response from the function{}", self.failure())))
    }

    fn failure(&mut self) -> String {
        let status = self.running.as_mut().and_then(|running| running.child.try_wait().ok().flatten());
        status.map_or_else(String::new, |status| format!(": {} exited with {status}", self.what.program.display()))
    }

    fn end(&mut self, _: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        self.running = None;
        Ok(Vec::new())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Fails only if the process has exited already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
