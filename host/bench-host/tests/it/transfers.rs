//! Rows moved from one table to another: in both arms, with a server that dies, on a disk that is full, by a user who stops; and
//! that nothing is left of a server that the host has started.
#![cfg(target_os = "linux")]

use crate::host::{Host, Ran, cells, command, eventually, skip};
use crate::modules;
use pg_cluster::{Cluster, ClusterError};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;

/// A host with an empty folder `tmp`, in which servers of the run are, and a line that runs source and destination; nothing, said so,
/// where the modules are not built or this machine has no PostgreSQL.
fn host() -> Option<(Host, String)> {
    let files = modules::plugins(&["pg-source", "pg-dest", "pg-transform"])?;
    let host = Host::new();
    fs::create_dir(host.path("tmp")).unwrap();
    // The server's user has to get to its files.
    for folder in ["", "tmp"] {
        fs::set_permissions(host.path(folder), fs::Permissions::from_mode(0o711)).unwrap();
    }
    if let Some(reason) = missing(&host) {
        skip(&reason);
        return None;
    }
    fs::create_dir(host.path("modules")).unwrap();
    for file in files.iter().flat_map(|file| [file.clone(), file.with_extension(std::env::consts::DLL_EXTENSION)]) {
        fs::copy(&file, host.path("modules").join(file.file_name().unwrap())).unwrap();
    }
    Some((host, "run pg-dest/load pg-source/read --modules modules --quick --processes 1 --deadline 5m".to_owned()))
}

/// What this machine lacks to run servers, as one that is started for all tests tells.
fn missing(host: &Host) -> Option<String> {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    let start = || match Cluster::start(&host.path("tmp"), &[]) {
        Err(ClusterError::Unavailable(reason)) => Some(reason),
        started => {
            drop(started.unwrap());
            None
        }
    };
    MISSING.get_or_init(start).clone()
}

/// A server that is the test's own.
fn server(host: &Host) -> Option<Cluster> {
    match Cluster::start(&host.path("tmp"), &[]) {
        Err(ClusterError::Unavailable(reason)) => {
            skip(&reason);
            None
        }
        cluster => Some(cluster.unwrap()),
    }
}

fn run(host: &Host, line: &str) -> Ran {
    Ran::of(host.command(line).env("TMPDIR", host.path("tmp")))
}

/// A run that goes on, and the process of its server, once a server process does `what`.
fn start(host: &Host, line: &str, what: &str) -> (Child, u32) {
    let mut command = host.command(line);
    let command = command.env("TMPDIR", host.path("tmp")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let mut found = None;
    eventually("the server is at it", || {
        found = postmaster(&host.path("tmp")).filter(|server| backend(*server, what).is_some());
        found.is_some()
    });
    (child, found.unwrap())
}

/// The process of the server in a folder below `parent`.
fn postmaster(parent: &Path) -> Option<u32> {
    let folders = fs::read_dir(parent).ok()?.flatten();
    let mut files = folders.filter_map(|folder| fs::read_to_string(folder.path().join("data/postmaster.pid")).ok());
    files.find_map(|file| file.lines().next()?.parse().ok())
}

/// A process of the server `server` that says of itself that it does `what`.
fn backend(server: u32, what: &str) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_it = |process: &u32| {
        let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
        let parent = read("stat").rsplit_once(") ").and_then(|(_, rest)| Some(rest.split(' ').nth(1)?.to_owned()));
        parent == Some(server.to_string()) && read("cmdline").contains(what)
    };
    processes.into_iter().find(is_it)
}

fn kill(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.cast_signed()).unwrap(), signal).unwrap();
}

fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[track_caller]
fn nothing_left(host: &Host) {
    let left: Vec<_> = fs::read_dir(host.path("tmp")).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What psql prints.
fn ask(server: &Cluster, query: &str) -> Ran {
    Ran::of(command("psql").args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query, &server.url()]))
}

#[test]
fn rows_arrive_in_both_arms_and_repetitions_are_in_the_history() {
    let Some((host, line)) = host() else { return };
    let line = format!(
        "{line} --rows 700 --iters 2 -p load_method=insert,copy,copy-binary --compression none,zstd --format json"
    );
    let ran = run(&host, &line).check(&line, 0);
    let document = ran.json();
    let loads = cells(&document, "pg-dest/load");
    assert_eq!((loads.len(), cells(&document, "pg-source/read").len()), (12, 2));
    for cell in loads {
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let checks = cell["checks"].as_array().unwrap();
        assert!(checks.iter().any(|check| check["name"] == "hash over all columns of all rows"), "{checks:?}");
        assert_eq!(cell["conditions"]["fsync"], "on");
    }
    let history = fs::read_to_string(host.path("results/results.jsonl")).unwrap();
    let lines: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 14 * 2);
    assert!(lines.iter().all(|line| line["records.source"] == 700 && line["timestamp"].is_string()));
    nothing_left(&host);
}

#[test]
fn transformed_rows_arrive_in_both_arms() {
    let Some((host, line)) = host() else { return };
    let transforms = ["filter", "project", "map"].map(|name| format!("pg-transform/{name}")).join(",");
    let line = format!("{line} --filter pg-dest/load --rows 700 --iters 1 -p transform={transforms} --format json");
    let ran = run(&host, &line).check(&line, 0);
    let document = ran.json();
    let loads = cells(&document, "pg-dest/load");
    assert_eq!(loads.len(), 6);
    for cell in loads {
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let rows = |side: &str| {
            let series = cell["series"].as_array().unwrap();
            let found = series.iter().find(|one| one["metric"] == "records" && one["labels"]["side"] == side).unwrap();
            found["max"].as_f64().unwrap()
        };
        let expect = if cell["arguments"]["transform"] == "pg-transform/filter" { 140.0 } else { 700.0 };
        assert_eq!((rows("source"), rows("transform"), rows("destination")), (700.0, expect, expect), "{cell:#}");
    }
    nothing_left(&host);
}

#[test]
fn table_and_query_of_a_user_arrive_and_are_only_read() {
    let Some((host, line)) = host() else { return };
    let Some(server) = server(&host) else { return };
    let make = "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'happy'); CREATE TABLE app.orders AS \
                SELECT i AS n, ARRAY[i, NULL] AS parts, 'sad'::app.mood AS mood FROM generate_series(1, 321) AS i";
    ask(&server, make).check("psql", 0);
    let line = format!("{line} --iters 1 --database-url {}", server.url());
    let moved = |table: &str, format: &str| {
        let mut command = host.command(&line);
        Ran::of(command.args(["--source-table", table, "--format", format]).env("TMPDIR", host.path("tmp")))
    };
    for (table, rows) in [("app.orders", "321"), ("SELECT mood, n, parts FROM app.orders WHERE n > 300", "21")] {
        let document = moved(table, "json").check(table, 0).json();
        let all: Vec<_> = ["pg-dest/load", "pg-source/read"].iter().flat_map(|name| cells(&document, name)).collect();
        assert_eq!(all.len(), 4, "{table}");
        for cell in all {
            assert_eq!((&cell["status"], &cell["conditions"]["source_rows"]), (&"ok".into(), &rows.into()), "{cell:#}");
        }
    }
    let ran = moved("app.order", "table").check("app.order", 2);
    assert!(ran.stdout.contains("`source_table` cannot be read"), "{}", ran.stdout);
    assert_eq!(ask(&server, "SELECT count(*) FROM app.orders").stdout.trim(), "321");
    assert_eq!(ask(&server, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'bench%'").stdout.trim(), "0");
}

#[test]
fn no_aot_compiles_code_on_both_sides() {
    let Some((host, line)) = host() else { return };
    let line = format!("{line} --filter pg-dest/load --rows 10 --arm wasm --iters 1 --no-aot --format json");
    let document = run(&host, &line).check(&line, 0).json();
    let conditions = &cells(&document, "pg-dest/load")[0]["conditions"];
    assert_eq!([&conditions["source_code"], &conditions["destination_code"]], ["compiled"; 2], "{conditions:#}");
}

#[test]
fn killed_server_fails_the_cell_and_nothing_is_left() {
    let Some((host, line)) = host() else { return };
    let line = format!("{line} --rows 300k --filter pg-dest/load --arm native");
    let (child, server) = start(&host, &line, "COPY");
    kill(server, Signal::KILL);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(matches!(ran.status, Some(1 | 2)), "{}\n{}", ran.stdout, ran.stderr);
    // What is heard last of the server is its own word or the end of the connection, whichever comes first.
    let told = ["unexpected postmaster exit", "the connection to PostgreSQL was lost"];
    let is_told = told.iter().any(|words| ran.stdout.contains(words));
    assert!(is_told && !ran.stdout.contains("rows/s"), "{}", ran.stdout);
    nothing_left(&host);
}

#[test]
fn load_with_broken_connection_leaves_no_rows() {
    let Some((host, line)) = host() else { return };
    let Some(server) = server(&host) else { return };
    let line = format!("{line} --rows 300k --filter pg-dest/load --arm native --database-url {}", server.url());
    let (child, postmaster) = start(&host, &line, "COPY");
    ask(&server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'copy %'").check("psql", 0);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("terminating connection due to administrator command"), "{}", ran.stdout);
    let text = fs::read_to_string(host.run_with_history().join("run.jsonl")).unwrap();
    assert!(text.contains("0 rows are left of the transfer that failed"), "{text}");
    // What is the run's goes, the server stays; and its password is nowhere.
    assert!(is_running(postmaster));
    assert_eq!(ask(&server, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'bench%'").stdout.trim(), "0");
    let url = server.url();
    let (_, login) = url.split_once("bench:").unwrap();
    assert!(!text.contains(login.split('@').next().unwrap()), "{text}");
}

#[test]
fn full_disk_of_the_server_is_reported_in_its_words() {
    let Some((host, line)) = host() else { return };
    let Some(server) = server(&host) else { return };
    let Some(_disk) = SmallDisk::mount(&host.path("small"), &server) else { return };
    let space = format!("CREATE TABLESPACE small LOCATION '{}'", host.path("small").display());
    ask(&server, &space).check(&space, 0);
    ask(&server, "ALTER DATABASE postgres SET default_tablespace = small").check("ALTER DATABASE", 0);
    let line = format!("{line} --rows 100k --filter pg-dest/load --arm native --database-url {}", server.url());
    let ran = run(&host, &line).check(&line, 1);
    assert!(ran.stdout.contains("No space left on device"), "{}", ran.stdout);
    let text = fs::read_to_string(host.run_with_history().join("run.jsonl")).unwrap();
    assert!(text.contains("0 rows are left of the transfer that failed"), "{text}");
}

/// A disk of which the rows fill more than half.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path, server: &Cluster) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let owner = fs::metadata(server.folder().join("data")).unwrap();
        let options = format!("size=40m,mode=700,uid={},gid={}", owner.uid(), owner.gid());
        let ran = Ran::of(command("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path));
        if ran.status != Some(0) {
            skip(&format!("a small disk cannot be mounted: {}", ran.stderr.trim()));
            return None;
        }
        Some(Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Ran::of(command("umount").arg("--lazy").arg(&self.0));
    }
}

#[test]
fn stopped_run_leaves_no_server() {
    let Some((host, line)) = host() else { return };
    let line = format!("{line} --rows 300k --filter pg-dest/load");
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let (child, server) = start(&host, &line, "postgres: bench");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.status, if signal == Signal::KILL { None } else { Some(2) }, "{}", ran.stderr);
        eventually("the server has gone", || !is_running(server));
        // Its folder is removed after it, without the host.
        eventually("its folder has gone", || postmaster(&host.path("tmp")).is_none());
    }
    let quick = line.replace("300k", "10");
    run(&host, &quick).check(&quick, 0);
    nothing_left(&host);
}

#[test]
fn a_server_that_cannot_be_reached_is_said_and_no_fault() {
    let Some((host, line)) = host() else { return };
    let Some(server) = server(&host) else { return };
    let check = |url: &str, part: &str| {
        let line = format!("{line} --database-url {url}");
        let ran = run(&host, &line).check(&line, 2);
        assert!(ran.stdout.contains(part), "{part:?} is not in: {}", ran.stdout);
    };
    check("postgres://bench:secret@127.0.0.1:1/postgres", "no connection to 127.0.0.1:1: ");
    check(&server.url().replace("bench:", "bench:not"), "password authentication failed for user");
}
