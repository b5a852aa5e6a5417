//! A command that is a program: each run is a process of its own, with the grants of the component and nothing else of this
//! process's environment but what makes it as long as was drawn.

use super::options::Options;
use super::output::Digest;
use super::session::{Command, CommandSession, Finished};
use bench_drivers::{DirectoryGrant, Grants, Module, Recording, layout_variable};
use bench_model::{Arguments, Descriptor, ModuleError, Scenario};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread;
use std::time::Instant;

/// Read at once from a program's output.
const READ_BYTES: usize = 64 << 10;

/// A program that was built from the same source as a component, described as the component is.
#[derive(Debug)]
pub(crate) struct NativeCommand {
    program: PathBuf,
    descriptor: Descriptor,
    grants: Grants,
}

impl NativeCommand {
    /// The program at `program`.
    pub(crate) fn new(program: &Path, descriptor: Descriptor, grants: Grants) -> Result<Self, String> {
        let absolute = std::path::absolute(program).map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { program: absolute, descriptor, grants })
    }
}

impl Module for NativeCommand {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open(&mut self, scenario: &Scenario, arguments: &Arguments) -> Result<Box<dyn Recording>, ModuleError> {
        if scenario.name != super::SCENARIO {
            return Err(ModuleError::UnknownScenario(scenario.name.clone()));
        }
        let options = Options::of(arguments)?;
        let environment = self.grants.environment.iter().cloned().chain(layout_variable()).collect();
        let folder = working_folder(&self.grants.directories)?;
        let process = Process { program: self.program.clone(), environment, folder, options: options.clone() };
        Ok(Box::new(CommandSession::new(process, options, scenario)))
    }

    fn watch(&mut self, body: &mut dyn FnMut(&mut dyn Module)) -> Vec<String> {
        body(self);
        Vec::new()
    }
}

/// The folder that a component sees as its working directory, `.`, in which the program is started; `None` if it was granted no folder. An
/// error if it was granted one under another name, which a program would look for in vain, or find with other files.
fn working_folder(granted: &[DirectoryGrant]) -> Result<Option<PathBuf>, ModuleError> {
    let mut folder = None;
    for DirectoryGrant { host, guest, .. } in granted {
        if guest == "." {
            folder = Some(host.clone());
        } else if Path::new(guest) != host {
            return Err(ModuleError::Unavailable(format!(
                "the component sees {} as {guest}, and a program cannot: grant it as `.`, which becomes the program's working directory, or \
                 under its own path",
                host.display()
            )));
        }
    }
    Ok(folder)
}

/// Runs of the program.
struct Process {
    program: PathBuf,
    environment: Vec<(String, String)>,
    /// Its working directory, if not that of this process.
    folder: Option<PathBuf>,
    options: Options,
}

impl Command for Process {
    fn run(&mut self) -> Result<Finished, ModuleError> {
        let failed =
            |error: io::Error| ModuleError::Unavailable(format!("{}: cannot be run: {error}", self.program.display()));
        let input = if self.options.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        let begin = Instant::now();
        let mut command = process::Command::new(&self.program);
        command.args(&self.options.args).env_clear().envs(self.environment.iter().cloned());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut child = command.stdin(input).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let spawned = Instant::now();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let digest = thread::scope(|scope| {
            // A program that writes before it has read everything must not wait for its own output.
            let bytes = &self.options.stdin;
            stdin.map(|mut stdin| scope.spawn(move || stdin.write_all(bytes)));
            stdout.map_or_else(|| Ok(Digest::default()), read)
        });
        let status = child.wait().map_err(failed)?;
        let exited = Instant::now();
        let stages = [("spawn", spawned - begin), ("run", exited - spawned)];
        let stages = stages.map(|(name, time)| (name, time.as_nanos() as u64));
        let exit = status.code().ok_or_else(|| {
            let signal = status.signal().unwrap_or_default();
            ModuleError::Crashed(format!("{} was killed by signal {signal}", self.program.display()))
        })?;
        Ok(Finished { exit, stdout: digest.map_err(failed)?, stages: stages.to_vec(), timed: None })
    }
}

/// The digest of everything that the program writes.
fn read(mut output: impl Read) -> io::Result<Digest> {
    let (mut digest, mut buffer) = (Digest::default(), vec![0; READ_BYTES]);
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return Ok(digest),
            Ok(bytes) => digest.append(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
