//! Splits this process in two.

use rustix::process::Pid;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Forks this process, which must have one thread. Returns the id of the new process in the old one, and `None` in the new one. The new
/// process begins its life in the control group whose folder `group` is, if the kernel can do that (Linux 5.7 or later).
pub fn fork(group: Option<BorrowedFd<'_>>) -> io::Result<Option<Pid>> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("a process with {threads} threads cannot be split")));
    }
    if let Some(Ok(child)) = group.map(fork_into) {
        return Ok(child);
    }
    // Outside of the group, the process is the same.
    // SAFETY: fork(2) has no preconditions on its own. What is unsafe is that the new process has only the calling thread, so a lock
    // that another one held stays locked for ever; that there is no other was just seen.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        child => Ok(Pid::from_raw(child)),
    }
}

/// The flag of clone3(2) that names a control group. The C library's crate has it as a number that is too small for it.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Forks into a control group. To move a process into a group afterwards takes many milliseconds, because the kernel waits until no
/// processor uses the groups (`cgroup_threadgroup_rwsem`).
fn fork_into(group: BorrowedFd<'_>) -> io::Result<Option<Pid>> {
    // The C library keeps the id of each thread and a list of its locks. Its `fork` has the kernel renew both, and so must this.
    let mut thread_id = std::ptr::null_mut::<libc::c_int>();
    // SAFETY: the kernel writes one pointer to the given place.
    if unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut thread_id) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (mut locks, mut locks_bytes) = (std::ptr::null_mut::<libc::c_void>(), 0_usize);
    // SAFETY: the kernel writes a pointer and a size to the given places.
    if unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut locks, &raw mut locks_bytes) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let arguments: [u64; ARGUMENTS] = [
        CLONE_INTO_CGROUP | (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID) as u64,
        0,
        thread_id.expose_provenance() as u64,
        0,
        libc::SIGCHLD as u64,
        0,
        0,
        0,
        0,
        0,
        group.as_raw_fd() as u64,
    ];
    // SAFETY: the arguments have the layout of version 2 of `clone_args`. Without CLONE_VM and without a stack the new process goes on
    // here with a copy of all memory, as after fork(2), and has the one thread that there was. The kernel writes to the id of this
    // thread in the copy.
    match unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: the list is that of this thread, at the same address in the copy.
            unsafe { libc::syscall(libc::SYS_set_robust_list, locks, locks_bytes) };
            Ok(None)
        }
        child => Ok(i32::try_from(child).ok().and_then(Pid::from_raw)),
    }
}

/// The fields of `clone_args` up to `cgroup`: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
/// set_tid_size, cgroup.
const ARGUMENTS: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_with_several_threads_is_not_split() {
        // The tests run in a thread of their own.
        let error = fork(None).unwrap_err();
        assert!(error.to_string().contains("threads cannot be split"), "{error}");
    }
}
