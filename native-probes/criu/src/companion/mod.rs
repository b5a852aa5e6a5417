//! The roles of the executable next to the probe: the function's server, the parent that forks servers, the first
//! process of a namespace, or the lower bound of a restore.
//!
//! Its standard input is the listening socket. Only the first process of a namespace gets its commands there, and the
//! socket as its standard output.

mod bare;
pub(crate) mod init;
mod serve;
pub(crate) mod zygote;

use rustix::fd::{FromRawFd, OwnedFd};
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Its file name.
pub const NAME: &str = "criu-server";

/// A fault that tests ask a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFault {
    /// It exits once it has answered one request and the connection is closed.
    Die,
    /// It answers with a wrong body.
    AnswerWrongly,
    /// It exits before it has answered.
    DieSilently,
}

/// The roles, as arguments.
pub(crate) mod role {
    /// The server. [`SESSION`] and a fault may follow.
    pub(crate) const SERVE: &str = "serve";
    /// The server leads a session of its own, which CRIU requires for a checkpoint.
    pub(crate) const SESSION: &str = "--session";
    /// The parent of servers.
    pub(crate) const ZYGOTE: &str = "zygote";
    /// The first process of a namespace.
    pub(crate) const INIT: &str = "init";
    /// The lower bound of a restore. The file of pages follows.
    pub(crate) const BARE: &str = "bare";
}

const DEEDS: [(&str, ServerFault); 3] = [
    ("--die", ServerFault::Die),
    ("--answer-wrongly", ServerFault::AnswerWrongly),
    ("--die-silently", ServerFault::DieSilently),
];

impl ServerFault {
    /// As an argument.
    pub(crate) fn as_str(self) -> &'static str {
        DEEDS.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }
}

/// Runs the role that the arguments name.
pub fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [role::SERVE, options @ ..] => serve::run(options),
        [role::ZYGOTE] => zygote::run(),
        [role::INIT] => init::run(),
        [role::BARE, pages] => bare::run(pages),
        _ => Err(io::Error::other(
            "this program is started by the probe `criu`; run `bench-host load` on the probe instead",
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{NAME}: {error}\n"));
            ExitCode::from(2)
        }
    }
}

/// Takes ownership of a standard stream that is a socket.
fn standard<T: From<OwnedFd>>(number: i32) -> T {
    // SAFETY: called once for each number, before anything uses that standard stream, which this program does nowhere
    // else.
    T::from(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Has the kernel kill this process when its parent exits.
fn end_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

/// Closes all inherited descriptors except the standard streams.
fn close_inherited() {
    // SAFETY: this program has opened no descriptor yet. On an old kernel the call fails, and they stay open.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
}

/// The file that this code was loaded from: the probe's library, or a program that it is linked into.
pub(crate) fn this_library() -> Option<PathBuf> {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is that of this library's code, and `found` has room for the result.
    let status = unsafe { libc::dladdr(run as *const libc::c_void, found.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is a value of the type.
    let found = unsafe { found.assume_init() };
    if status == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader keeps the name for as long as the library is loaded, and no probe is ever unloaded.
    let name = unsafe { CStr::from_ptr(found.dli_fname) };
    PathBuf::from(OsStr::from_bytes(name.to_bytes())).canonicalize().ok()
}
