//! Starts the host of a row in a process of its own, which waits for it and then knows the largest of all processes that were started and
//! waited for: the host, its workers, and what modules have started.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::resource::{UsageWho, getrusage};

/// The environment variable that makes this program such a process: the file into which it writes the size.
pub(crate) const USAGE: &str = "BENCH_HOST_FIELD_USAGE";

/// The unit of the size on this system, in bytes (getrusage(2)).
const UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

/// The same command, started by a process that writes the size into `file`.
pub(super) fn measured(command: &Command, file: &Path) -> io::Result<Command> {
    let mut measured = Command::new(std::env::current_exe()?);
    measured.arg(command.get_program()).args(command.get_args()).env(USAGE, file);
    Ok(measured)
}

/// Runs the command in the arguments of this process, writes the size into `file`, and exits as a shell would.
pub(crate) fn run_measured(file: &Path) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match wait_for(&arguments, file) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let program = arguments.first().map_or(OsStr::new(""), |program| program.as_os_str());
            eprintln!("error: {}: {error}", program.display());
            ExitCode::FAILURE
        }
    }
}

fn wait_for(arguments: &[impl AsRef<OsStr>], file: &Path) -> io::Result<u8> {
    let (program, arguments) = arguments.split_first().ok_or_else(|| io::Error::other("no command was given"))?;
    let status = Command::new(program).args(arguments).env_remove(USAGE).status()?;
    let largest = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    fs::write(file, (u64::try_from(largest).unwrap_or_default() * UNIT).to_string())?;
    let code = status.code().unwrap_or_else(|| status.signal().map_or(1, |signal| 128 + signal));
    Ok(u8::try_from(code).unwrap_or(1))
}

/// What such a process has written, in MiB.
pub(super) fn largest_mib(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.parse::<u64>().ok().map(|bytes| bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_process_is_told_and_the_status_is_that_of_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage");
        assert_eq!(wait_for(&["sh", "-c", "exit 7"], &file).unwrap(), 7);
        assert!(fs::read_to_string(&file).unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(wait_for(&["sh", "-c", "kill -KILL $$"], &file).unwrap(), 128 + 9);
        assert!(largest_mib(&file).is_some());
        assert!(wait_for(&["no-such-program-anywhere"], &file).is_err());
        assert!(wait_for(&[] as &[&str], &file).is_err());
    }

    #[test]
    fn command_is_passed_on_whole() {
        let mut command = Command::new("program");
        command.args(["a b", ""]);
        let measured = measured(&command, Path::new("file")).unwrap();
        assert_eq!(measured.get_args().collect::<Vec<_>>(), ["program", "a b", ""]);
        assert!(measured.get_envs().any(|pair| pair == (OsStr::new(USAGE), Some(OsStr::new("file")))));
    }
}
