//! Rights (capabilities(7)) that no module needs which does not say so. They are given up and not filtered, because a right that is not
//! there costs a system call nothing.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

/// What is given up. Kept is what measurements use: locking memory, priorities, hardware counters, other users' files and processes of
/// the own run.
const GIVEN_UP: [CapabilitySet; 15] = [
    // Mounting, namespaces, swapping, and much else.
    CapabilitySet::SYS_ADMIN,
    // Reading and changing processes of other users.
    CapabilitySet::SYS_PTRACE,
    CapabilitySet::SYS_MODULE,
    // Restarting the machine, also into another kernel.
    CapabilitySet::SYS_BOOT,
    // Setting clocks.
    CapabilitySet::SYS_TIME,
    // Ports, and memory of devices.
    CapabilitySet::SYS_RAWIO,
    CapabilitySet::MKNOD,
    CapabilitySet::SYS_PACCT,
    CapabilitySet::SYS_TTY_CONFIG,
    CapabilitySet::SYSLOG,
    CapabilitySet::AUDIT_CONTROL,
    CapabilitySet::MAC_ADMIN,
    CapabilitySet::MAC_OVERRIDE,
    CapabilitySet::BPF,
    // Giving rights to programs on the disk.
    CapabilitySet::SETFCAP,
];

/// Gives them up, for this thread and all that it starts. Programs that it starts do not get them back, not even those of the superuser.
pub(super) fn give_up() -> Result<(), String> {
    try_to_give_up().map_err(|error| format!("the rights of a worker cannot be reduced ({error})"))
}

fn try_to_give_up() -> rustix::io::Result<()> {
    set_no_new_privs(true)?;
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None)?;
    if effective.contains(CapabilitySet::SETPCAP) {
        for right in GIVEN_UP {
            match remove_capability_from_bounding_set(right) {
                // An older kernel does not know it.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let left = |rights: CapabilitySet| GIVEN_UP.iter().fold(rights, |left, right| left.difference(*right));
    let reduced =
        CapabilitySets { effective: left(effective), permitted: left(permitted), inheritable: left(inheritable) };
    set_capabilities(None, reduced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The value of a line of `/proc/self/status` in a program that this thread starts.
    fn of_started_program(name: &str) -> u64 {
        let output = Command::new("cat").arg("/proc/self/status").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        u64::from_str_radix(value.trim(), 16).unwrap()
    }

    #[test]
    fn program_that_is_started_afterwards_has_no_such_right() {
        // Rights are those of a thread.
        let (of_program, gains_nothing, of_thread) = std::thread::spawn(|| {
            give_up().unwrap();
            (of_started_program("CapEff"), of_started_program("NoNewPrivs"), capabilities(None).unwrap())
        })
        .join()
        .unwrap();
        assert_eq!(gains_nothing, 1);
        for right in GIVEN_UP {
            assert_eq!(of_program & right.bits(), 0, "{right:?}");
            assert!(!of_thread.permitted.intersects(right) && !of_thread.effective.intersects(right), "{right:?}");
        }
    }

    #[test]
    fn rights_that_measurements_use_are_kept() {
        let own = capabilities(None).unwrap().permitted;
        let used = [CapabilitySet::IPC_LOCK, CapabilitySet::SYS_NICE, CapabilitySet::PERFMON, CapabilitySet::SETUID];
        let left = std::thread::spawn(|| {
            give_up().unwrap();
            capabilities(None).unwrap().permitted
        })
        .join()
        .unwrap();
        for right in used {
            assert_eq!(left.contains(right), own.contains(right), "{right:?}");
        }
    }

    #[test]
    fn nothing_is_mounted_afterwards() {
        let unshare = || {
            let output = Command::new("unshare").args(["--mount", "true"]).output();
            output.is_ok_and(|output| output.status.success())
        };
        if !unshare() {
            eprintln!("skipped: this user may not make a mount namespace before either; run the test as root");
            return;
        }
        let may_still = std::thread::spawn(move || {
            give_up().unwrap();
            unshare()
        });
        assert!(!may_still.join().unwrap());
    }
}
