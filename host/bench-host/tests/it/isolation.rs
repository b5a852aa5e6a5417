//! What the kernel keeps workers from, seen by a library that they load.

use crate::host::{Host, cells, eventually, skip};
use crate::stopped::workers;
use bench_engine::worker::{Offered, ProbeLimits};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The bit of CAP_SYS_ADMIN (capabilities(7)).
const SYS_ADMIN: u64 = 1 << 21;

/// How a worker is confined.
struct Confined {
    rights: u64,
    gains_rights: bool,
    is_filtered: bool,
    /// The path of its control group of version 2, if there is such a hierarchy.
    group: Option<String>,
}

impl Confined {
    /// How a worker of the host is, with this `isolation`; `None` without a C compiler.
    fn with(isolation: &str) -> Option<Self> {
        let source: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/it/probes/confined.c"].iter().collect();
        let host = Host::new();
        let mut compiler = Command::new("cc");
        compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]);
        match compiler.arg(host.path("confined.so")).arg(source).output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                skip(&format!("there is no C compiler (cc: {error}); install one"));
                return None;
            }
        }
        let ran = host.check(&format!("list confined.so --isolation {isolation}"), 1);
        let (_, told) = ran.stderr.split_once("confined;").unwrap_or_else(|| panic!("{}", ran.stderr));
        let parts: BTreeMap<_, _> = told.split(';').filter_map(|part| part.split_once(':')).collect();
        let number = |name: &str| u64::from_str_radix(parts[name].trim(), 16).unwrap();
        Some(Self {
            rights: number("CapEff"),
            gains_rights: number("NoNewPrivs") == 0,
            is_filtered: number("Seccomp") == 2,
            group: parts.get("0").map(|path| path.trim_start_matches(':').to_owned()),
        })
    }
}

#[test]
fn worker_has_its_own_group_and_no_privileges() {
    let Some(confined) = Confined::with("standard") else { return };
    assert_eq!(confined.rights & SYS_ADMIN, 0);
    assert!(!confined.gains_rights);
    match Offered::of_this_machine().group {
        Err(reason) => skip(&reason),
        Ok(()) => {
            let group = confined.group.unwrap();
            assert!(group.contains("/bench-host-"), "{group}");
            // It is removed with the worker.
            let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
            assert!(mounts.iter().all(|mount| !Path::new(&format!("{mount}{group}")).exists()), "{group}");
        }
    }
}

#[test]
fn worker_without_isolation_is_as_its_parent() {
    let Some(confined) = Confined::with("none") else { return };
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let own = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    assert_eq!(confined.rights, u64::from_str_radix(own.trim(), 16).unwrap());
    assert!(confined.group.is_none_or(|group| !group.contains("/bench-host-")));
}

#[test]
fn strict_worker_has_a_filter_of_system_calls() {
    if let Err(reason) = Offered::of_this_machine().filter {
        return skip(&reason);
    }
    let Some(confined) = Confined::with("strict") else { return };
    assert!(confined.is_filtered && !confined.gains_rights);
    let Some(standard) = Confined::with("standard") else { return };
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own_is_filtered = own.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"]));
    assert_eq!(standard.is_filtered, own_is_filtered, "a filter costs every call, so there is none by default");
}

#[test]
fn run_keeps_its_isolation_and_measures_with_each() {
    for (isolation, begin) in [("none", "none"), ("standard", "standard: "), ("strict", "strict: ")] {
        if isolation == "strict"
            && let Err(reason) = Offered::of_this_machine().filter
        {
            skip(&reason);
            continue;
        }
        let host = Host::with_hostile();
        let line = format!(
            "load hostile.wasm --filter hostile/good --quick --time 20ms --isolation {isolation} --format json"
        );
        let document = host.check(&line, 0).json();
        let kept = document["run"]["fingerprint"]["isolation"].as_str().unwrap_or_default();
        assert!(kept.starts_with(begin), "{kept}");
        assert_eq!(cells(&document, "hostile/good").len(), 2);
    }
}

#[test]
fn cost_of_isolation_is_measured_in_pairs_of_workers() {
    let host = Host::new();
    let line = "run self/{worker-start,isolated-cell} --quick --processes 1 --isolation none --format json";
    let document = host.check(line, 0).json();
    let levels = |cell: &serde_json::Value, metric: &str| -> Vec<(String, u64)> {
        let series = cell["series"].as_array().into_iter().flatten().filter(|series| series["metric"] == metric);
        let level = |series: &serde_json::Value| series["labels"]["isolation"].as_str().unwrap_or_default().to_owned();
        let mut levels: Vec<_> = series.map(|series| (level(series), series["count"].as_u64().unwrap())).collect();
        levels.sort();
        levels
    };
    let cells = document["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3, "{document:#}");
    for cell in cells {
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let is_start = cell["scenario"] == "self/worker-start";
        let found = levels(cell, if is_start { "worker_start" } else { "operations_1000" });
        let [(none, count), (standard, other)] = &found[..] else { panic!("{cell:#}") };
        assert_eq!((none.as_str(), standard.as_str()), ("none", "standard"));
        assert!(*count > 0 && count == other, "each has its other: {cell:#}");
    }
}

#[test]
fn unknown_isolation_is_refused_by_name() {
    let ran = Host::new().check("list x.wasm --isolation soft", 2);
    assert!(ran.stderr.contains("use none, standard or strict"), "{}", ran.stderr);
}

/// What a process may allocate, in bytes (proc_pid_limits(5)).
fn data_bytes_max(process: u32) -> Option<String> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max data size"))?;
    line.split_whitespace().next().map(str::to_owned)
}

#[test]
fn worker_of_a_component_may_allocate_so_much_with_all_that_the_host_holds_for_it() {
    let host = Host::with_hostile();
    let line = "load hostile.wasm --filter hostile/loop --arm wasm --quick --deadline 10m --memory 64Mi";
    let mut child = host.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let expect = ((64_u64 << 20) + (3 << 30)).to_string();
    // Before, the rooflines are measured, in a worker without a component.
    eventually("the worker of the component has its limit", || {
        let mut workers = workers(child.id()).into_iter();
        workers.any(|worker| data_bytes_max(worker).as_ref() == Some(&expect))
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The most that a process may set one of its limits to (proc_pid_limits(5)).
fn limit_of(process: &str, name: &str) -> Option<String> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

#[test]
fn worker_of_a_probe_has_limits_that_no_benchmark_reaches() {
    let limits = ProbeLimits::of_this_machine();
    let Some(data) = limits.data_bytes else { return skip("it is not known how much memory there is") };
    let host = Host::with_hostile();
    // What a stricter limit of this process leaves.
    let lowered = |name: &str, most: u64| {
        let own = limit_of("self", name).expect("this process has limits");
        own.parse::<u64>().map_or(most, |own| own.min(most)).to_string()
    };
    let with_component = data + 4 * (64 << 20) + (3 << 30);
    for (line, data) in [
        ("load hostile.wasm --filter hostile/loop --arm native --quick --deadline 10m", data),
        ("compare hostile/loop --modules . --quick --deadline 10m --memory 64Mi", with_component),
    ] {
        let all =
            [("Max data size", data), ("Max open files", limits.open_files), ("Max file size", limits.file_bytes)];
        let all = all.map(|(name, most)| (name, lowered(name, most)));
        let mut child = host.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the worker of the probe has its limits", || {
            let has = |worker: u32| {
                let of = |name: &str| limit_of(&worker.to_string(), name);
                all.iter().all(|(name, most)| of(name).as_ref() == Some(most))
            };
            workers(child.id()).into_iter().any(has)
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
