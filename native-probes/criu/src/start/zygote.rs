//! A parent that has initialised the function and forks a server for each start.

use super::{Start, system_error};
use crate::Companion;
use crate::companion::role;
use crate::companion::zygote::command;
use crate::listener::{Listener, PATIENCE};
use crate::options::Options;
use bench_model::ModuleError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::Instant;

/// The parent, which is killed and reaped on drop; its children end with it.
#[derive(Debug)]
pub(crate) struct Zygote {
    parent: Child,
    control: UnixStream,
    has_forked: bool,
}

impl Zygote {
    /// Starts the parent and waits until it has initialised.
    pub(crate) fn new(options: &Options, companion: &Companion, listener: &Listener) -> Result<Self, ModuleError> {
        let (control, theirs) =
            UnixStream::pair().map_err(system_error("cannot create the control socket of the zygote"))?;
        control
            .set_read_timeout(Some(PATIENCE))
            .map_err(system_error("cannot create the control socket of the zygote"))?;
        let socket = listener.for_child().map_err(system_error("cannot duplicate the socket for the function"))?;
        let parent = Command::new(&companion.program)
            .arg(role::ZYGOTE)
            .env_clear()
            .envs(options.environment())
            .stdin(socket)
            .stdout(OwnedFd::from(theirs))
            .spawn()
            .map_err(system_error(&format!("cannot start {}", companion.program.display())))?;
        let mut zygote = Self { parent, control, has_forked: false };
        zygote.ask(command::READY)?;
        Ok(zygote)
    }

    /// Sends a command and waits for its answer.
    fn ask(&mut self, command: u8) -> Result<u64, ModuleError> {
        let mut answer = [0; 8];
        let asked = self.control.write_all(&[command]).and_then(|()| self.control.read_exact(&mut answer));
        asked.map_err(|error| self.gone(&error))?;
        Ok(u64::from_le_bytes(answer))
    }

    fn gone(&mut self, error: &io::Error) -> ModuleError {
        ModuleError::Other(format!("the zygote does not answer: {error}{}", self.failure()))
    }
}

impl Start for Zygote {
    fn bare(&mut self, _: &Listener) -> Result<Option<(&'static str, u64)>, ModuleError> {
        Ok(Some(("bare_fork", self.ask(command::BARE)?)))
    }

    fn prepare(&mut self) -> Result<(), ModuleError> {
        Ok(())
    }

    fn start(&mut self) -> Result<(), ModuleError> {
        self.has_forked = true;
        self.control.write_all(&[command::FORK]).map_err(|error| self.gone(&error))
    }

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        // There is no answer to a fork, so this becomes readable only when the zygote has exited.
        Some(self.control.as_fd())
    }

    fn handle_change(&mut self, _: Instant) -> Result<(), ModuleError> {
        Err(ModuleError::Other(format!("no response from the function{}", self.failure())))
    }

    fn failure(&mut self) -> String {
        let status = self.parent.try_wait().ok().flatten();
        status.map_or_else(String::new, |status| format!(": the zygote exited with {status}"))
    }

    fn end(&mut self, _: Instant) -> Result<Vec<(&'static str, u64)>, ModuleError> {
        // The child exits when its client has closed the connection, which it has.
        if std::mem::take(&mut self.has_forked) {
            self.ask(command::REAP)?;
        }
        Ok(Vec::new())
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        // Fails only if the process has exited already.
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}
