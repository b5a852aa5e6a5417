//! What keeps native code of modules apart from the rest of the machine. A component has the engine's sandbox; a probe has only this.

use super::abilities::{Ability, lacking, present, unknown};
use crate::stored::Trust;
use bench_engine::worker::{Offered, ProbeLimits};
use bench_model::HostInterface;
use bench_report::scale;
use bench_sink::environment::Cgroup;

/// How to get a control group of one's own, where the system is run by systemd.
const DELEGATED: &str = "`systemd-run --user --scope -p Delegate=yes bench-host …`, or as root without `--user`";

pub(super) fn isolation() -> Vec<Ability> {
    let offered = Offered::of_this_machine();
    let of_host = Cgroup::of_self().memory_limit_bytes();
    vec![
        ends_with_worker(),
        control_group(&offered.group),
        memory_limit(offered.memory_bytes, of_host),
        goes_first(),
        probe_limits(ProbeLimits::of_this_machine()),
        privileges(&offered.rights),
        filter(&offered.filter),
        sandbox(),
        host_interfaces(&Trust::read().map(|trust| trust.denied()).unwrap_or_default()),
    ]
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

fn control_group(offered: &Result<(), String>) -> Ability {
    const NAME: &str = "control group";
    match offered {
        Ok(()) => present(NAME, "each worker has one, and the kernel ends all of its processes at once"),
        Err(reason) => lacking(NAME, format!("the supervisor ends processes one by one: {reason}"), DELEGATED),
    }
}

/// `of_worker` bounds each worker by itself, `of_host` the host and all of its workers.
fn memory_limit(of_worker: Option<u64>, of_host: Option<u64>) -> Ability {
    const NAME: &str = "memory group";
    let size = |bytes: u64| scale::bytes(bytes as f64);
    match (of_worker, of_host) {
        (Some(bytes), _) => present(NAME, format!("a worker may use {}, then the kernel ends it", size(bytes))),
        (None, Some(bytes)) => present(NAME, format!("probes and host share {}", size(bytes))),
        (None, None) => lacking(
            NAME,
            "nothing bounds the memory of a probe but the machine",
            format!("for probes of others: {DELEGATED}; or a container with a limit"),
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

/// What the kernel bounds for a process with native code of modules.
fn probe_limits(limits: ProbeLimits) -> Ability {
    let size = |bytes: u64| scale::bytes(bytes as f64);
    let data = limits.data_bytes.map_or_else(|| "anything".to_owned(), size);
    let (files, file) = (limits.open_files, size(limits.file_bytes));
    let found = format!("a probe may allocate {data}, open {files} files and write {file} into one");
    present("probe limits", format!("{found}; a group alone bounds its processes"))
}

fn privileges(offered: &Result<(), String>) -> Ability {
    const NAME: &str = "privileges";
    match offered {
        Ok(()) => present(
            NAME,
            "a worker cannot mount, trace other users' processes, load kernel modules, reboot or set clocks",
        ),
        Err(reason) => lacking(NAME, reason, "run bench-host as a user without privileges"),
    }
}

/// Not in force by default.
fn filter(offered: &Result<(), String>) -> Ability {
    const NAME: &str = "call filter";
    match offered {
        Ok(()) => present(NAME, "with `--isolation strict`; not otherwise, because it makes each system call slower"),
        Err(reason) => lacking(NAME, reason, "allow `seccomp`, or use a kernel with CONFIG_SECCOMP_FILTER"),
    }
}

fn sandbox() -> Ability {
    unknown(
        "probe sandbox",
        "a probe has the files, the network and the other processes of its user: no namespaces are set up for it",
        "load probes of others as another user or in a container; components need neither",
    )
}

/// What components have although nothing was granted to them. A policy that cannot be read was reported when modules were to be loaded.
fn host_interfaces(denied: &[HostInterface]) -> Ability {
    let names = |is_denied: bool| {
        let those = HostInterface::ALL.into_iter().filter(|interface| denied.contains(interface) == is_denied);
        those.map(HostInterface::as_str).collect::<Vec<_>>().join(", ")
    };
    let had = match names(false) {
        names if names.is_empty() => "components have nothing of the host without a grant".to_owned(),
        names => format!("components have {names} without a grant: they reach nothing outside of the run"),
    };
    let denied = match names(true) {
        names if names.is_empty() => "`--deny` denies them".to_owned(),
        names => format!("the policy denies {names}"),
    };
    present("host interfaces", format!("{had}; {denied}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ability: &Ability, expect: bool, part: &str) {
        assert_eq!(ability.present, Some(expect), "{ability:?}");
        let said = format!("{} {}", ability.found, ability.next_step.as_deref().unwrap_or_default());
        assert!(said.contains(part), "{said}");
    }

    #[test]
    fn memory_of_probes_is_bounded_by_a_control_group_or_not_at_all() {
        check(&memory_limit(Some(3 << 30), Some(4 << 30)), true, "a worker may use 3.00 GiB");
        check(&memory_limit(None, Some(4 << 30)), true, "share 4.00 GiB");
        check(&memory_limit(None, None), false, "Delegate=yes");
    }

    #[test]
    fn limits_of_probes_are_said() {
        let limits = ProbeLimits { data_bytes: Some(12 << 30), open_files: 1_000, file_bytes: 2 << 30 };
        let said = "a probe may allocate 12.0 GiB, open 1000 files and write 2.00 GiB into one; ";
        check(&probe_limits(limits), true, said);
        check(&probe_limits(ProbeLimits { data_bytes: None, ..limits }), true, "a probe may allocate anything, ");
    }

    #[test]
    fn interfaces_that_components_have_without_a_grant_are_said() {
        check(&host_interfaces(&[]), true, "components have ring, log, control-plane without a grant");
        let some = host_interfaces(&[HostInterface::Log]);
        check(&some, true, "components have ring, control-plane without a grant");
        check(&some, true, "; the policy denies log");
        check(&host_interfaces(&HostInterface::ALL), true, "components have nothing of the host without a grant");
    }

    #[test]
    fn refusal_of_the_kernel_is_reported_with_its_reason() {
        let refused = Err("a reason".to_owned());
        for (ability, next) in [
            (control_group(&refused), "Delegate=yes"),
            (privileges(&refused), "as a user without privileges"),
            (filter(&refused), "CONFIG_SECCOMP_FILTER"),
        ] {
            check(&ability, false, "a reason");
            check(&ability, false, next);
        }
        check(&filter(&Ok(())), true, "--isolation strict");
    }

    #[test]
    fn each_absent_protection_says_what_to_do() {
        let all = isolation();
        let names: Vec<_> = all.iter().map(|ability| ability.name).collect();
        let expect = [
            "supervisor",
            "control group",
            "memory group",
            "memory order",
            "probe limits",
            "privileges",
            "call filter",
            "probe sandbox",
            "host interfaces",
        ];
        assert_eq!(names, expect);
        assert!(all.iter().all(|ability| ability.present == Some(true) || ability.next_step.is_some()), "{all:?}");
    }
}
