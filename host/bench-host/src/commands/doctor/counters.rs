//! Checks by opening counters whether events can be counted. Software and hardware events are checked separately, because virtual
//! machines often have only the first.

use super::abilities::Ability;

#[cfg(all(target_os = "linux", feature = "counters"))]
pub(super) fn counters() -> Vec<Ability> {
    use perf_event::events::{Hardware, Software};
    use perf_event::{Builder, Counter};
    let ability = |name, what: &str, opened: std::io::Result<Counter>| match opened {
        Ok(_) => super::abilities::present(name, format!("{what} can be counted")),
        Err(error) => {
            let (found, next_step) = explain(&error);
            super::abilities::lacking(name, format!("{what} cannot be counted: {found}"), next_step)
        }
    };
    vec![
        ability(
            "perf software",
            "events of the kernel",
            Builder::new(Software::TASK_CLOCK).exclude_kernel(true).build(),
        ),
        ability(
            "perf hardware",
            "instructions and cycles",
            Builder::new(Hardware::INSTRUCTIONS).exclude_kernel(true).build(),
        ),
    ]
}

#[cfg(all(target_os = "linux", not(feature = "counters")))]
pub(super) fn counters() -> Vec<Ability> {
    let found = "this bench-host was built without the cargo feature `counters`";
    vec![super::abilities::unknown("perf", found, "build it with default features")]
}

#[cfg(not(target_os = "linux"))]
pub(super) fn counters() -> Vec<Ability> {
    vec![super::abilities::lacking("perf", "this system has no `perf_event_open`", "measure on Linux")]
}

/// Explains an error of `perf_event_open`, and what to do.
#[cfg(all(target_os = "linux", feature = "counters"))]
fn explain(error: &std::io::Error) -> (String, String) {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let paranoid = std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid");
            let paranoid = paranoid.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
            let next_step =
                "`sysctl kernel.perf_event_paranoid=2`; in a container, allow `perf_event_open` or CAP_PERFMON";
            (format!("not permitted (kernel.perf_event_paranoid is {paranoid})"), next_step.to_owned())
        }
        ErrorKind::NotFound | ErrorKind::Unsupported => {
            let next_step = "in a virtual machine, have its host pass the counters on (`-cpu host,pmu=on`)";
            ("this machine has no such counters".to_owned(), next_step.to_owned())
        }
        _ => (error.to_string(), "see perf_event_open(2)".to_owned()),
    }
}

#[cfg(all(test, target_os = "linux", feature = "counters"))]
mod tests {
    use super::*;
    use std::io::Error;

    #[test]
    fn each_error_has_its_own_next_step() {
        let check = |code: i32, found: &str, next: &str| {
            let (why, next_step) = explain(&Error::from_raw_os_error(code));
            assert!(why.contains(found) && next_step.contains(next), "{why}; {next_step}");
        };
        let [eacces, enoent, enosys] = [13, 2, 38];
        check(eacces, "kernel.perf_event_paranoid is", "sysctl");
        check(enoent, "no such counters", "pmu=on");
        check(enosys, "no such counters", "pmu=on");
    }

    #[test]
    fn software_and_hardware_events_are_reported_separately() {
        let names: Vec<_> = counters().into_iter().map(|ability| ability.name).collect();
        assert_eq!(names, ["perf software", "perf hardware"]);
    }
}
