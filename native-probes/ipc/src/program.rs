//! A program that the peer process executes, where the peer is not this code. It is prepared before the fork.

use bench_model::ModuleError;
use ring_peer::EXIT_SETUP;
use rustix::fd::{BorrowedFd, RawFd};
use rustix::io::{FdFlags, fcntl_setfd};
use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The program and its arguments, the first of which is its name.
#[derive(Debug)]
pub(crate) struct Program {
    path: CString,
    arguments: Vec<CString>,
}

impl Program {
    /// Prepares `path` with `arguments`.
    pub(crate) fn new(path: &Path, arguments: &[&str]) -> Result<Self, ModuleError> {
        let nul = |_| ModuleError::Other(format!("{} or its arguments contain NUL", path.display()));
        let path_text = CString::new(path.as_os_str().as_bytes()).map_err(nul)?;
        let mut all = vec![path_text.clone()];
        for argument in arguments {
            all.push(CString::new(*argument).map_err(nul)?);
        }
        Ok(Self { path: path_text, arguments: all })
    }

    /// Executes the program, which inherits `fds` and standard input, output and error. Returns an exit status if that
    /// fails. The kernel still kills the process when its parent exits, because that setting survives exec.
    pub(crate) fn become_it(&self, fds: &[RawFd]) -> i32 {
        for fd in fds {
            // SAFETY: the caller's descriptors are open, and only this process has them.
            let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
            if fcntl_setfd(fd, FdFlags::empty()).is_err() {
                return EXIT_SETUP;
            }
        }
        let mut arguments: Vec<*const c_char> = self.arguments.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(std::ptr::null());
        // SAFETY: the strings end with NUL and the list with a null pointer; both live until the call has replaced them.
        unsafe { libc::execv(self.path.as_ptr(), arguments.as_ptr()) };
        EXIT_SETUP
    }
}

/// The first file of this name in PATH that may be executed.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let files = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let mut runnable =
        files.filter(|file| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok());
    runnable.next()
}
