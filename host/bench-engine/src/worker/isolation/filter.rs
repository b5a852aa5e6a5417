//! A filter of system calls that no module needs (seccomp(2)). It refuses them as if the user had no right to them.

use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// The calls that are refused.
const REFUSED: [libc::c_long; 33] = [
    // Another kernel, and code in this one.
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    // What all processes see.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_pivot_root,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    // Other processes, among them the host.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    // Keys of the user, and files by number past their folders.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_setns,
];

/// The calls that are refused and that other architectures have not.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[libc::SYS_kexec_file_load, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Has the kernel refuse them to this thread and to all that it starts.
pub(super) fn apply() -> Result<(), String> {
    let refuse = |error: &dyn std::fmt::Display| format!("system calls cannot be filtered ({error})");
    let program = program().map_err(|error| refuse(&error))?;
    apply_filter(&program).map_err(|error| refuse(&error))
}

fn program() -> Result<BpfProgram, BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    // A call without conditions is refused whatever its arguments are.
    let rules = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn filter_holds_for_programs_that_are_started_afterwards() {
        let filters = || {
            let output = Command::new("cat").arg("/proc/self/status").output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"]))
        };
        match std::thread::spawn(move || apply().map(|()| filters())).join().unwrap() {
            Ok(filters) => assert!(filters),
            Err(reason) => eprintln!("skipped: {reason}; build the kernel with CONFIG_SECCOMP_FILTER"),
        }
    }

    #[test]
    fn refused_call_is_not_looked_at_further() {
        use rustix::time::{ClockId, Timespec, clock_settime};
        // The kernel finds this time invalid before it asks for the right to set it.
        let invalid = Timespec { tv_sec: 0, tv_nsec: -1 };
        assert_eq!(clock_settime(ClockId::Realtime, invalid), Err(rustix::io::Errno::INVAL));
        let attempt = move || apply().map(|()| clock_settime(ClockId::Realtime, invalid));
        match std::thread::spawn(attempt).join().unwrap() {
            Ok(result) => assert_eq!(result, Err(rustix::io::Errno::PERM)),
            Err(reason) => eprintln!("skipped: {reason}; build the kernel with CONFIG_SECCOMP_FILTER"),
        }
    }

    #[test]
    fn no_call_is_listed_twice() {
        let all: std::collections::BTreeSet<_> = REFUSED.iter().chain(REFUSED_HERE).collect();
        assert_eq!(all.len(), REFUSED.len() + REFUSED_HERE.len());
    }
}
