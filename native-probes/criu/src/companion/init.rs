//! The first process of a private PID and mount namespace: it runs commands for the probe and reaps processes. When the
//! probe closes the control socket it exits, and the kernel ends the namespace with it.

use super::{close_inherited, end_with_parent, role, standard};
use crate::frames;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

/// Commands from the probe. The answer is [`DONE`] and a word, or [`FAILED`] and the reason.
pub(crate) mod command {
    /// Start the server: then its environment as `NAME=VALUE` words, then its options.
    pub(crate) const SERVE: &str = "serve";
    /// Run the program that follows with its arguments, the socket as its standard input. The word is empty.
    pub(crate) const RUN: &str = "run";
    /// Like [`RUN`], but the word is what the program printed, even if it failed.
    pub(crate) const ASK: &str = "ask";
    /// Like [`RUN`], but first start a background program and wait until it writes one byte to its standard output as
    /// its sign of readiness. Its words come first, preceded by their number.
    pub(crate) const RUN_BEHIND: &str = "run-behind";
    /// Open the folder that follows, and start the program after it, which waits for a request on its standard output.
    /// The word is the descriptor of the folder in this process.
    pub(crate) const STAND_BY: &str = "stand-by";
    /// Send the request that follows, in hexadecimal, to the waiting program, and wait for its exit. The word is the
    /// response, in hexadecimal too.
    pub(crate) const REQUEST: &str = "request";
    /// Kill the process with this number and all others, and wait for them.
    pub(crate) const END: &str = "end";

    /// Success; a word follows.
    pub(crate) const DONE: &str = "done";
    /// Failure; the reason follows.
    pub(crate) const FAILED: &str = "failed";
}

/// Creates the namespaces, and runs commands until the control socket is closed.
pub(super) fn run() -> io::Result<()> {
    close_inherited();
    end_with_parent()?;
    let mut control: UnixStream = standard(0);
    let listener: OwnedFd = standard(1);
    // SAFETY: this process has one thread.
    if unsafe { libc::unshare(libc::CLONE_NEWPID | libc::CLONE_NEWNS) } != 0 {
        let reason = format!("cannot create namespaces: {}", io::Error::last_os_error());
        return frames::send(&mut control, &[command::FAILED, &reason]);
    }
    // SAFETY: this process has one thread, so its child may call any function that this process may call.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => first(control, listener),
        child => {
            // Only the child may hold this end open, so that the other side sees its exit.
            drop((control, listener));
            wait_for(child)
        }
    }
}

/// The process outside the namespace, which exits when the namespace has ended.
fn wait_for(child: i32) -> io::Result<()> {
    loop {
        match rustix::process::waitpid(Pid::from_raw(child), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            waited => return Ok(waited.map(drop)?),
        }
    }
}

/// The process inside the namespace.
fn first(mut control: UnixStream, listener: OwnedFd) -> io::Result<()> {
    end_with_parent()?;
    match mounted() {
        Ok(()) => frames::send(&mut control, &[command::DONE, ""])?,
        Err(error) => {
            return frames::send(
                &mut control,
                &[command::FAILED, &format!("cannot mount file systems in the namespace: {error}")],
            );
        }
    }
    let mut init = Init { listener, standby: None, behind: Vec::new(), ended: BTreeMap::new() };
    while let Some(words) = frames::receive(&mut control)? {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match init.obey(&words) {
            Ok(word) => frames::send(&mut control, &[command::DONE, &word])?,
            Err(reason) => frames::send(&mut control, &[command::FAILED, &reason])?,
        }
    }
    // The kernel kills all other processes of the namespace before this one can exit.
    Ok(())
}

/// Mounts that are visible in this namespace only: an empty `/run` in memory, and a `/proc` of its processes.
fn mounted() -> io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=0700,size=90%")?;
    mount("proc", "/proc", "proc", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)?;
    rustix::fs::mkdir("/run/images", Mode::RWXU)?;
    Ok(())
}

struct Init {
    listener: OwnedFd,
    standby: Option<Standby>,
    /// A background program that supports another one.
    behind: Vec<Pid>,
    /// Processes that exited while another one was waited for.
    ended: BTreeMap<i32, WaitStatus>,
}

/// The program that waits for a request, and its socket. It reads the folder through this process.
struct Standby {
    pid: Pid,
    socket: OwnedFd,
    _folder: File,
}

impl Init {
    fn obey(&mut self, words: &[&str]) -> Result<String, String> {
        match words {
            [command::SERVE, options @ ..] => self.serve(options),
            [command::RUN, program, arguments @ ..] => self.run(program, arguments),
            [command::ASK, program, arguments @ ..] => self.ask(program, arguments),
            [command::RUN_BEHIND, count, words @ ..] => {
                let split = count.parse().ok().and_then(|count: usize| words.split_at_checked(count));
                let (behind, words) = split.ok_or("malformed command: wrong number of words")?;
                self.start_behind(behind)?;
                match words {
                    [program, arguments @ ..] => self.run(program, arguments),
                    [] => Err("malformed command: no program".to_owned()),
                }
            }
            [command::STAND_BY, folder, program, arguments @ ..] => self.stand_by(folder, program, arguments),
            [command::REQUEST, request] => self.request(request),
            [command::END, pid] => self.end(pid),
            _ => Err(format!("unknown command {words:?}")),
        }
    }

    fn serve(&mut self, words: &[&str]) -> Result<String, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.env_clear().args([role::SERVE, role::SESSION]);
        for word in words {
            match word.split_once('=') {
                Some((name, value)) => command.env(name, value),
                None => command.arg(word),
            };
        }
        Ok(self.spawn(&mut command)?.as_raw_nonzero().to_string())
    }

    fn run(&mut self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let pid = self.spawn(Command::new(program).args(arguments))?;
        succeeded(self.wait(pid)?).map(|()| String::new())
    }

    fn ask(&mut self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        let asked = command.args(arguments).stdin(self.socket()?).output();
        let output = asked.map_err(|error| format!("cannot start `{program}`: {error}"))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).replace('\0', " ");
        if output.status.success() { Ok(text) } else { Err(text) }
    }

    fn start_behind(&mut self, words: &[&str]) -> Result<(), String> {
        let Some((program, arguments)) = words.split_first() else {
            return Err("malformed command: no program".to_owned());
        };
        let (mut ready, told) = std::io::pipe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(told).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("cannot start `{program}`: {error}"))?;
        drop(command);
        self.behind.push(pid_of(&child)?);
        match ready.read(&mut [0]) {
            Ok(1..) => Ok(()),
            Ok(0) => Err(format!("`{program}` ended before it was ready")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn stand_by(&mut self, folder: &str, program: &str, arguments: &[&str]) -> Result<String, String> {
        let folder = File::open(folder).map_err(|error| format!("cannot open {folder}: {error}"))?;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(self.socket()?).stdout(theirs).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("cannot start `{program}`: {error}"))?;
        let number = folder.as_raw_fd().to_string();
        self.standby = Some(Standby { pid: pid_of(&child)?, socket: ours, _folder: folder });
        Ok(number)
    }

    fn request(&mut self, request: &str) -> Result<String, String> {
        let Standby { pid, socket, _folder } = self.standby.take().ok_or("no program waits for a request")?;
        let request = unhex(request).ok_or("malformed command: the request is not hexadecimal")?;
        send(&socket, &request, SendFlags::NOSIGNAL).map_err(|error| error.to_string())?;
        let mut answer = [0; 4096];
        let (_, count) = recv(&socket, &mut answer, RecvFlags::empty()).map_err(|error| error.to_string())?;
        drop(socket);
        self.wait(pid)?;
        Ok(hex(&answer[..count]))
    }

    fn end(&mut self, pid: &str) -> Result<String, String> {
        let pid: i32 = pid.parse().map_err(|_| "malformed command: no process number")?;
        let behind = std::mem::take(&mut self.behind);
        for pid in Pid::from_raw(pid).into_iter().chain(behind) {
            // It has exited and was reaped, or it is killed now.
            if kill_process(pid, Signal::KILL).is_ok() {
                self.wait(pid)?;
            }
        }
        self.ended.clear();
        Ok(String::new())
    }

    /// Starts a program whose only open descriptor is the socket.
    fn spawn(&mut self, command: &mut Command) -> Result<Pid, String> {
        command.stdin(self.socket()?).stdout(Stdio::null()).stderr(Stdio::null());
        let spawned = command.spawn();
        pid_of(&spawned.map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))?)
    }

    fn socket(&self) -> Result<Stdio, String> {
        self.listener.as_fd().try_clone_to_owned().map(Stdio::from).map_err(|error| error.to_string())
    }

    /// Waits for one process, and reaps all that exit before it.
    fn wait(&mut self, pid: Pid) -> Result<WaitStatus, String> {
        let number = pid.as_raw_nonzero().get();
        if let Some(status) = self.ended.remove(&number) {
            return Ok(status);
        }
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((ended, status))) if ended == pid => return Ok(status),
                Ok(Some((ended, status))) => drop(self.ended.insert(ended.as_raw_nonzero().get(), status)),
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => return Err(format!("cannot wait for process {number}: {error}")),
            }
        }
    }
}

/// The number of a child. This process reaps all children itself, so the handle is not used further.
fn pid_of(child: &std::process::Child) -> Result<Pid, String> {
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| "malformed command: no process number".to_owned())
}

fn succeeded(status: WaitStatus) -> Result<(), String> {
    let status = ExitStatus::from_raw(status.as_raw());
    if status.success() { Ok(()) } else { Err(format!("it exited with {status}")) }
}

/// Bytes as hexadecimal digits, so that no word contains a zero byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that [`hex`] wrote.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
