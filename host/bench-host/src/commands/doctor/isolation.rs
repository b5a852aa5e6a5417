//! What keeps native code of modules apart from the rest of the machine. A component has the engine's sandbox; a probe has only this.

use super::abilities::{Ability, lacking, present, unknown};
use bench_report::scale;
use bench_sink::environment::Cgroup;

pub(super) fn isolation() -> Vec<Ability> {
    vec![ends_with_worker(), memory_limit(Cgroup::of_self().memory_limit_bytes()), goes_first(), sandbox()]
}

/// Whether a supervisor can adopt and end what a worker leaves behind.
fn ends_with_worker() -> Ability {
    const NAME: &str = "supervisor";
    #[cfg(target_os = "linux")]
    let opened = {
        use rustix::process::{PidfdFlags, getpid, pidfd_open};
        pidfd_open(getpid(), PidfdFlags::empty()).map(drop).map_err(|error| error.to_string())
    };
    #[cfg(not(target_os = "linux"))]
    let opened: Result<(), String> = Err("this system has no subreapers".to_owned());
    match opened {
        Ok(()) => present(NAME, "processes that a module leaves behind end with its worker"),
        Err(error) => lacking(
            NAME,
            format!("a module can leave processes behind (pidfd_open: {error})"),
            "measure on Linux 5.3 or later; in a container, allow `pidfd_open`",
        ),
    }
}

fn memory_limit(bytes: Option<u64>) -> Ability {
    const NAME: &str = "memory group";
    match bytes {
        Some(bytes) => present(NAME, format!("probes and host share {}", scale::bytes(bytes as f64))),
        None => lacking(
            NAME,
            "nothing bounds the memory of a probe but the machine",
            "for probes of others: `systemd-run --user --scope -p MemoryMax=4G bench-host …`, or a container",
        ),
    }
}

/// Whether the kernel can be told to end a worker before others when memory runs out.
fn goes_first() -> Ability {
    const NAME: &str = "memory order";
    match std::fs::OpenOptions::new().write(true).open("/proc/self/oom_score_adj") {
        Ok(_) => present(NAME, "when memory runs out, the kernel ends a worker first"),
        Err(error) => lacking(
            NAME,
            format!("when memory runs out, the kernel may end any process (oom_score_adj: {error})"),
            "mount /proc so that it can be written to",
        ),
    }
}

fn sandbox() -> Ability {
    unknown(
        "probe sandbox",
        "a probe has all rights of its user: no namespaces and no seccomp filter are set up for it",
        "load probes of others as another user or in a container; components need neither",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_probes_is_bounded_by_a_control_group_or_not_at_all() {
        let check = |bytes: Option<u64>, expect: bool, part: &str| {
            let ability = memory_limit(bytes);
            assert_eq!(ability.present, Some(expect));
            let said = format!("{} {}", ability.found, ability.next_step.unwrap_or_default());
            assert!(said.contains(part), "{said}");
        };
        check(Some(4 << 30), true, "4.00 GiB");
        check(None, false, "MemoryMax");
    }

    #[test]
    fn each_absent_protection_says_what_to_do() {
        let all = isolation();
        let names: Vec<_> = all.iter().map(|ability| ability.name).collect();
        assert_eq!(names, ["supervisor", "memory group", "memory order", "probe sandbox"]);
        assert!(all.iter().all(|ability| ability.present == Some(true) || ability.next_step.is_some()), "{all:?}");
    }
}
