//! A parent that has initialised the function and forks a server for each start. It must not know what the parent does else.

use super::{Start, failed};
use crate::Companion;
use crate::companion::role;
use crate::companion::zygote::order;
use crate::listener::{Listener, PATIENCE};
use crate::options::Options;
use bench_model::ModuleError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::Instant;

/// The parent, killed and waited for when this is dropped; its children end with it.
#[derive(Debug)]
pub(crate) struct Zygote {
    parent: Child,
    control: UnixStream,
    has_forked: bool,
}

impl Zygote {
    /// Starts the parent and waits until it has initialised.
    pub(crate) fn new(options: &Options, companion: &Companion, listener: &Listener) -> Result<Self, ModuleError> {
        let (control, theirs) = UnixStream::pair().map_err(failed("no socket for the parent"))?;
        control.set_read_timeout(Some(PATIENCE)).map_err(failed("no socket for the parent"))?;
        let socket = listener.for_child().map_err(failed("no socket for the function"))?;
        let parent = Command::new(&companion.program)
            .arg(role::ZYGOTE)
            .env_clear()
            .envs(options.environment())
            .stdin(socket)
            .stdout(OwnedFd::from(theirs))
            .spawn()
            .map_err(failed(&format!("{} cannot be started", companion.program.display())))?;
        let mut zygote = Self { parent, control, has_forked: false };
        zygote.ask(order::READY)?;
        Ok(zygote)
    }

    /// Gives an order and waits for its answer.
    fn ask(&mut self, order: u8) -> Result<u64, ModuleError> {
        let mut answer = [0; 8];
        let asked = self.control.write_all(&[order]).and_then(|()| self.control.read_exact(&mut answer));
        asked.map_err(|error| self.gone(&error))?;
        Ok(u64::from_le_bytes(answer))
    }

    fn gone(&mut self, error: &io::Error) -> ModuleError {
        ModuleError::Other(format!("the parent that forks does not answer: {error}{}", self.fate()))
    }
}

impl Start for Zygote {
    fn bare(&mut self, _: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        Ok(Some(("bare_fork", self.ask(order::BARE)?)))
    }

    fn prepare(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.has_forked = true;
        self.control.write_all(&[order::FORK]).map_err(|error| self.gone(&error))
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        // Nothing is said after a fork, so this is readable only when the parent has ended.
        Some(self.control.as_fd())
    }

    fn news(&mut self, _: Instant) -> Result<(), ModuleError> {
        Err(ModuleError::Other(format!("no answer from the function{}", self.fate())))
    }

    fn fate(&mut self) -> String {
        let status = self.parent.try_wait().ok().flatten();
        status.map_or_else(String::new, |status| format!(": the parent that forks ended with {status}"))
    }

    fn end(&mut self, _: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        // The child ends when its client has hung up, which it has.
        if std::mem::take(&mut self.has_forked) {
            self.ask(order::REAP)?;
        }
        Ok(Vec::new())
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        // It fails only where the process has ended already.
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}
