//! Splits this process in two.

use std::io;

/// Forks this process, which must have one thread. Returns the id of the new process in the old one, and `None` in the new one.
pub fn fork() -> io::Result<Option<rustix::process::Pid>> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("a process with {threads} threads cannot be split")));
    }
    // SAFETY: fork(2) has no preconditions on its own. What is unsafe is that the new process has only the calling thread, so a lock
    // that another one held stays locked for ever; that there is no other was just seen.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        child => Ok(rustix::process::Pid::from_raw(child)),
    }
}
