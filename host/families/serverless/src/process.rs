//! The arm `process` of a function: a program next to the component that serves HTTP itself. The probe that is built from the same
//! source describes its scenarios.

use crate::functions::{Functions, Initialisation, Server, Start, Starter};
use bench_drivers::{Direct, Module};
use bench_family::Program;
use bench_model::ModuleError;
use bench_native::Probe;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a program that serves a component's function is called after the component.
const ENDING: &str = "-server";

/// A program that serves, and that a probe describes.
pub(crate) const SERVER: Program = Program {
    ending: ENDING,
    is_whole: |path| described_by(path).is_file(),
    describes_itself: false,
    of_probe: false,
    load,
};

/// The ending, after the name of the probe that describes it, of a program that serves by itself and is measured next to a function.
const PEER_ENDING: &str = "-peer";

/// Such a program.
pub(crate) const PEER: Program = Program { ending: PEER_ENDING, of_probe: true, ..SERVER };

/// The probe that describes what the server `program` serves.
fn described_by(program: &Path) -> PathBuf {
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_suffix(ENDING).or(stem.strip_suffix(PEER_ENDING)).unwrap_or(&stem);
    program.with_file_name(format!("{stem}.{}", std::env::consts::DLL_EXTENSION))
}

fn load(program: &Path) -> Result<Box<dyn Module>, String> {
    let program = std::path::absolute(program).map_err(|error| format!("{}: {error}", program.display()))?;
    let probe = Probe::load(&described_by(&program)).map_err(|error| error.to_string())?;
    let descriptor = probe.descriptor().clone();
    let functions: Box<dyn Functions> = Box::new(ServerProgram { program });
    Ok(Box::new(Direct::new(descriptor, functions)))
}

/// A program that serves.
struct ServerProgram {
    program: PathBuf,
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
    /// It is given a socket that listens already, so no port is taken by another meanwhile, and its readiness need not be polled.
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
