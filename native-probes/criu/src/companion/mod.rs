//! What the executable beside the probe does: it is the function's server, the parent that forks one, the first process of a
//! namespace, or a process that does no more than a restored one must. It must not know what is measured of it.
//!
//! Its standard input is the listening socket, but for the first process of a namespace: that gets its orders there, and the
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

/// Its file.
pub const NAME: &str = "criu-server";

/// What a server does wrong when it is told to, so that it can be seen what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It ends as soon as it has answered once and the connection is closed.
    Die,
    /// It answers something else.
    AnswerWrongly,
    /// It ends before it has answered.
    DieSilently,
}

/// What a process of this executable is told to be.
pub(crate) mod role {
    /// The server. Behind it may come [`SESSION`] and a deed.
    pub(crate) const SERVE: &str = "serve";
    /// The server leads a session of its own, as whoever is checkpointed must.
    pub(crate) const SESSION: &str = "--session";
    /// The parent of servers.
    pub(crate) const ZYGOTE: &str = "zygote";
    /// The first process of a namespace.
    pub(crate) const INIT: &str = "init";
    /// A process that does what no restore can do without. Behind it comes the file of pages.
    pub(crate) const BARE: &str = "bare";
}

const DEEDS: [(&str, Deed); 3] =
    [("--die", Deed::Die), ("--answer-wrongly", Deed::AnswerWrongly), ("--die-silently", Deed::DieSilently)];

impl Deed {
    /// As an argument.
    pub(crate) fn as_str(self) -> &'static str {
        DEEDS.iter().find(|(_, deed)| *deed == self).map_or("", |(name, _)| name)
    }
}

/// Does what the arguments say, and ends.
pub fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [role::SERVE, options @ ..] => serve::run(options),
        [role::ZYGOTE] => zygote::run(),
        [role::INIT] => init::run(),
        [role::BARE, pages] => bare::run(pages),
        _ => Err(io::Error::other("this is a part of the probe `criu`, which starts it; it does nothing alone")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever started this may have given it no place to say so.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{NAME}: {error}\n"));
            ExitCode::from(2)
        }
    }
}

/// Takes possession of a standard stream that is a socket.
fn standard<T: From<OwnedFd>>(number: i32) -> T {
    // SAFETY: called once for each number, before anything uses that standard stream, which no code of ours does.
    T::from(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Ends with the process that started this one, however that ends.
fn end_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

/// Closes whatever was inherited beyond the standard streams.
fn close_inherited() {
    // SAFETY: nothing of this program has opened a descriptor yet. An old kernel refuses the call, and they stay open.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
}

/// The file that this code was loaded from: the probe's library, or a program that it is linked into.
pub(crate) fn this_library() -> Option<PathBuf> {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is one of this library's own code, and there is room for what is found.
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
