//! The server's process and its keeper, a shell that waits for this process to end and then stops the server and removes its
//! folder, so that even a SIGKILL leaves nothing.

use crate::account::Account;
use crate::folder::{self, Folder};
use crate::programs::Programs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The script of the keeper: starts the server, waits for the end of its input, which comes when this process ends, and cleans
/// up, but leaves the folder if it was told to keep it. `$1` is the folder; the rest is the server's command. Its output ends when all of
/// them have ended.
const KEEPER: &str = r#"folder=$1; shift
"$@" </dev/null & server=$!
exec 2>/dev/null
read -r keep
kill -QUIT $server; wait $server
cd /; [ "$keep" ] || rm -rf "$folder""#;

/// The log message of a server that accepts clients.
const READY: &str = "database system is ready to accept connections";

/// How long the server may take to start.
const START: Duration = Duration::from_secs(60);

/// How long the server and the keeper may take to end.
const STOP_SECONDS: i64 = 20;

/// Lines of the log that are kept.
const COMPLAINTS_MAX: usize = 20;

/// A server that was started, and is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    keeper: Child,
    /// The keeper waits for the end of this pipe.
    life: Option<ChildStdin>,
    /// Ends when the keeper and the server have ended.
    end: ChildStdout,
    complaints: Complaints,
    log: Option<JoinHandle<()>>,
    folder: PathBuf,
}

type Complaints = Arc<Mutex<VecDeque<String>>>;

impl Server {
    /// Starts it with `settings`, and waits until it accepts clients. An error quotes the server.
    pub(crate) fn start(
        programs: &Programs,
        account: Account,
        folder: &Folder,
        settings: &[(&str, &str)],
    ) -> Result<Self, String> {
        let mut command = account.command(Path::new("/bin/sh"), folder.path());
        command.args(["-c", KEEPER, "keeper"]).arg(folder.path()).arg(&programs.postgres).arg("-D").arg(folder.data());
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut keeper = command.spawn().map_err(|error| error.to_string())?;
        let (Some(end), Some(log)) = (keeper.stdout.take(), keeper.stderr.take()) else {
            return Err("its output cannot be read".to_owned());
        };
        let complaints = Complaints::default();
        let (ready, is_ready) = mpsc::channel();
        let kept = complaints.clone();
        let log = std::thread::spawn(move || read_log(log, &kept, ready));
        let life = keeper.stdin.take();
        let mut server = Self { keeper, life, end, complaints, log: Some(log), folder: folder.path().to_owned() };
        let why = match is_ready.recv_timeout(START) {
            Ok(()) => return Ok(server),
            Err(RecvTimeoutError::Timeout) => format!("it is not ready after {} s", START.as_secs()),
            // The log has ended, so the server has.
            Err(RecvTimeoutError::Disconnected) => {
                server.complaints().pop().unwrap_or_else(|| "it said nothing".to_owned())
            }
        };
        // The folder has the files of the cluster, which another start needs.
        if let Some(life) = &mut server.life {
            let _ = life.write_all(b"keep\n");
        }
        Err(why)
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.life.take());
        let mut ends = [PollFd::new(&self.end, PollFlags::IN)];
        let ended = poll(&mut ends, Some(&Timespec { tv_sec: STOP_SECONDS, tv_nsec: 0 }));
        if !matches!(ended, Ok(1..)) {
            // The keeper itself may have been killed.
            if let Err(error) = folder::stop_server(&self.folder) {
                tracing::warn!(%error, "a PostgreSQL server does not stop");
            }
        }
        // The keeper alone may have been killed; this does nothing where no server runs.
        let stopped = folder::stop_server(&self.folder);
        if let Err(error) = stopped.and_then(|()| self.keeper.wait().map(drop)) {
            tracing::warn!(%error, "a PostgreSQL server may still run");
        }
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
    }
}

/// Reads the log: keeps lines about failures, and signals once that the server is ready. Ends with the server.
fn read_log(log: impl Read, complaints: &Complaints, ready: Sender<()>) {
    let mut ready = Some(ready);
    let lines = BufReader::new(log).split(b'\n').map_while(Result::ok);
    for line in lines.map(|line| String::from_utf8_lossy(&line).into_owned()) {
        if line.contains(READY) {
            ready.take().map(|ready| ready.send(()));
        }
        if let Some(complaint) = find_error(&line) {
            let mut complaints = complaints.lock().unwrap_or_else(PoisonError::into_inner);
            if complaints.len() == COMPLAINTS_MAX {
                complaints.pop_front();
            }
            complaints.push_back(complaint);
        }
    }
}

/// A log line about a failure, without time and process id.
fn find_error(line: &str) -> Option<String> {
    let severities = ["PANIC:", "FATAL:", "ERROR:"];
    let begin = severities.iter().find_map(|severity| line.find(severity))?;
    Some(line[begin..].split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The last line that is not empty.
pub(crate) fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find(|line| line.contains("error:") || line.contains("FATAL"));
    error.or_else(|| lines.next_back()).unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_selected_from_the_log() {
        let log = "2026-01-31 12:00:00 UTC [7] LOG:  starting PostgreSQL\n\
                   2026-01-31 12:00:00 UTC [9] FATAL:  password authentication failed\n\
                   2026-01-31 12:00:00 UTC [7] LOG:  database system is ready to accept connections\n\
                   2026-01-31 12:00:01 UTC [8] PANIC:  could not write:  No space left\n";
        let (complaints, (ready, is_ready)) = (Complaints::default(), mpsc::channel());
        read_log(log.as_bytes(), &complaints, ready);
        assert_eq!(is_ready.iter().count(), 1);
        let found = complaints.lock().unwrap();
        assert_eq!(*found, ["FATAL: password authentication failed", "PANIC: could not write: No space left"]);
    }

    #[test]
    fn program_error_is_its_telling_line() {
        let check = |text: &str, expect: &str| assert_eq!(one_line(text), expect);
        check("creating…\ninitdb: error: no room\ninitdb: removing\n", "initdb: error: no room");
        check("a\nb\n\n", "b");
        check("", "it said nothing");
    }
}
