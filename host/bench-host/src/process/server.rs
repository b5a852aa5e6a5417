//! The arm `process` of a function: a program beside the component that serves HTTP itself. It must not know what it serves;
//! what there is to measure says the probe that is built from the same source.

use crate::paths;
use bench_drivers::function::{Functions, Initialisation, Server, Start, Starter};
use bench_drivers::{Module, Recording};
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};
use bench_native::Probe;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program that serves.
#[derive(Debug)]
pub(crate) struct ServerProgram {
    program: PathBuf,
    probe: Probe,
}

impl ServerProgram {
    /// The program at `program`, described by the probe beside it.
    pub(crate) fn load(program: &Path) -> Result<Self, String> {
        let program = std::path::absolute(program).map_err(|error| format!("{}: {error}", program.display()))?;
        let probe = Probe::load(&paths::described_by(&program)).map_err(|error| error.to_string())?;
        Ok(Self { program, probe })
    }
}

impl Module for ServerProgram {
    fn descriptor(&self) -> &Descriptor {
        self.probe.descriptor()
    }

    /// A process may do all that its user may.
    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, _: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        Err(ModuleError::Unavailable(format!("`{}`: a server has no sessions; choose another arm", scenario.name)))
    }

    fn functions(&mut self) -> Option<&mut dyn Functions> {
        Some(self)
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}

impl Functions for ServerProgram {
    fn prepare(&mut self, _: Start<'_>, _: Initialisation) -> Result<Box<dyn Starter>, ModuleError> {
        Err(ModuleError::Unavailable("a server is asked and not called; choose another arm".to_owned()))
    }

    fn serve(&mut self, initialisation: Initialisation) -> Result<Option<Box<dyn Server>>, ModuleError> {
        let running = Running::start(&self.program, initialisation);
        let program = self.program.display();
        let running =
            running.map_err(|error| ModuleError::Unavailable(format!("{program}: cannot be started: {error}")))?;
        Ok(Some(Box::new(running)))
    }
}

/// A server that runs until this is dropped. It ends with this process too, however that ends.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    /// It is given a socket that listens already, so no port is taken by another meanwhile, and nobody need ask when it is ready.
    fn start(program: &Path, initialisation: Initialisation) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let child = Command::new(program)
            .args(["--fd", "0"])
            .env_clear()
            .envs(initialisation.environment())
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { child, address })
    }
}

impl Server for Running {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
