//! Every stage against DuckDB's real library; skipped where it is not installed.

use bench_model::{Arguments, ModuleError, Scenario, Session, Value};
use probe_abi::Probe;
use table_core::csv::{self, Dialect};
use table_core::{Digest, Recipe};
use tabular_duckdb::DuckDb;

/// The defaults of a scenario with these changes.
fn arguments(scenario: &str, changes: &[(&str, Value)]) -> Arguments {
    let descriptor = DuckDb::describe();
    let described = descriptor.scenarios.iter().find(|described| described.name == scenario).unwrap();
    let mut arguments = Arguments::default();
    for parameter in &described.parameters {
        arguments.set(parameter.name.clone(), parameter.defaults[0].clone());
    }
    arguments.set("rows", 3_000);
    changes.iter().for_each(|(name, value)| arguments.set(*name, value.clone()));
    arguments
}

/// Opens a scenario with its defaults and these changes, or says why that is left out here.
fn open(scenario: &str, changes: &[(&str, Value)]) -> Option<(Box<dyn Session>, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![("folder", Value::from(folder.path().to_str().unwrap()))];
    all.extend_from_slice(changes);
    match tabular_duckdb::open(scenario, &arguments(scenario, &all), None) {
        Ok(session) => Some((session, folder)),
        Err(error @ ModuleError::Unavailable(_)) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{scenario}: {error}"),
    }
}

#[test]
fn every_stage_gives_the_rows_of_the_generator() {
    let is_generated = |scenario: &&Scenario| scenario.name != "tpch" && !scenario.name.starts_with("own-");
    for scenario in DuckDb::describe().scenarios.iter().filter(is_generated) {
        for rows in [0, 3_000] {
            let Some((mut session, _folder)) = open(&scenario.name, &[("rows", Value::from(rows))]) else { return };
            session.iterate(2).unwrap();
            for check in session.verify().unwrap() {
                assert!(check.passed, "{}, {rows} rows: {}: {}", scenario.name, check.name, check.detail);
            }
        }
    }
}

#[test]
fn own_files_give_their_rows() {
    let files = tempfile::tempdir().unwrap();
    let genes = Recipe { rows: 3_000, seed: 1 }.genes();
    let text = csv::write(&genes, Dialect::Exact);
    for text in [text.clone(), "code,n\r\n007,1\r\n,2\r\n".to_owned()] {
        let path = files.path().join("it's.csv");
        std::fs::write(&path, text).unwrap();
        let Some((mut session, _folder)) = open("own-csv", &[("csv", Value::from(path.to_str().unwrap()))]) else {
            return;
        };
        session.iterate(2).unwrap();
        for check in session.verify().unwrap() {
            assert!(check.passed, "{}: {}", check.name, check.detail);
        }
    }
    // A file that DuckDB itself writes.
    let Some((_writer, folder)) = open("parquet-write", &[]) else { return };
    let path = folder.path().join("output.parquet");
    let (mut session, _folder) = open("own-parquet", &[("parquet", Value::from(path.to_str().unwrap()))]).unwrap();
    assert_eq!(session.iterate(1).unwrap().checksum, Digest::of(&genes).checksum());
    assert!(session.verify().unwrap().iter().all(|check| check.passed));
}

/// Opens a scenario over the user's own file that must be refused, where the library is installed.
fn refused(scenario: &str, parameter: &str, path: &std::path::Path, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Arguments::default();
    for (name, value) in [("threads", 1), ("memory_mib", 256)] {
        arguments.set(name, value);
    }
    arguments.set("library", "@setup");
    arguments.set("folder", folder.path().to_str().unwrap());
    arguments.set(parameter, path.to_str().unwrap());
    match tabular_duckdb::open(scenario, &arguments, None).err().unwrap() {
        ModuleError::Unavailable(reason) => eprintln!("skipped: {reason}"),
        error => assert!(error.to_string().contains(expect), "{scenario} {}: {error}", path.display()),
    }
}

#[test]
fn files_that_are_not_tables_are_refused() {
    let files = tempfile::tempdir().unwrap();
    refused("own-parquet", "parquet", files.path(), "cannot be read: is a directory; give a file");
    refused("own-csv", "csv", files.path(), "cannot be read: Is a directory");
    let path = files.path().join("table");
    let write = |content: &[u8]| std::fs::write(&path, content).unwrap();
    write(b"PAR1 is not all of it PAR1");
    refused("own-parquet", "parquet", &path, "DuckDB: ");
    write(b"a,b\n1,2\n3,4,5\n");
    refused("own-csv", "csv", &path, "`csv`: row 2: more cells than the 2 columns");
}

#[test]
fn result_does_not_depend_on_threads() {
    for scenario in ["join", "aggregate"] {
        let checksum = |threads: i64| {
            let (mut session, _folder) = open(scenario, &[("threads", Value::from(threads))])?;
            Some(session.iterate(1).unwrap().checksum)
        };
        assert_eq!(checksum(1), checksum(2), "{scenario}");
    }
}

#[test]
fn queries_of_tpch_equal_sums_in_whole_numbers() {
    for query in [1, 3, 4, 5, 6, 12, 14, 19] {
        let Some((mut session, _folder)) = open("tpch", &[("query", Value::from(query))]) else { return };
        session.iterate(2).unwrap();
        for check in session.verify().unwrap() {
            assert!(check.passed, "query {query}: {}: {}", check.name, check.detail);
        }
    }
}

#[test]
#[ignore = "six million rows for each query take minutes in a release build: cargo test --release -p tabular-duckdb -- --ignored"]
fn queries_of_tpch_at_scale_1_equal_the_published_answers() {
    for query in [1, 3, 4, 5, 6, 12, 14, 19] {
        let changes = [("query", query), ("scale_permille", 1_000), ("memory_mib", 8_192)];
        let Some((mut session, _folder)) = open("tpch", &changes.map(|(name, value)| (name, Value::from(value))))
        else {
            return;
        };
        session.iterate(1).unwrap();
        let checks = session.verify().unwrap();
        assert!(checks.iter().any(|check| check.name == "published-answer"));
        for check in checks {
            assert!(check.passed, "query {query}: {}: {}", check.name, check.detail);
        }
    }
}

/// The folder on a disk of 64 KiB, in the process that has it.
#[cfg(target_os = "linux")]
const SMALL_DISK: &str = "TABULAR_TEST_SMALL_DISK";

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_the_environment() {
    if let Some(folder) = std::env::var_os(SMALL_DISK) {
        let folder = Value::from(folder.to_str().unwrap());
        let error = tabular_duckdb::open("parquet-write", &arguments("parquet-write", &[("folder", folder)]), None);
        let error = error.err().unwrap();
        assert!(error.is_environment() && error.to_string().contains("No space left on device"), "{error}");
        return;
    }
    if open("parquet-footer", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" || exit 77; exec \"$0\" --exact full_disk_is_the_environment";
    let mut again = std::process::Command::new("unshare");
    again.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(std::env::current_exe().unwrap());
    let output = again.arg(folder.path()).env(SMALL_DISK, folder.path()).output();
    let output = match output {
        Ok(output) if output.status.code() != Some(77) && !output.stderr.starts_with(b"unshare: ") => output,
        other => return eprintln!("skipped: a small disk cannot be mounted: {other:?}; allow user namespaces"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn absent_library_is_the_environment() {
    let mut arguments = Arguments::default();
    arguments.set("library", "/nowhere/libduckdb.so");
    arguments.set("threads", 1);
    arguments.set("memory_mib", 64);
    let error = tabular_duckdb::open("join", &arguments, None).err().unwrap();
    assert!(error.is_environment() && error.to_string().contains("cargo xtask setup --all"), "{error}");
}

#[test]
fn too_little_memory_is_an_error_with_its_cause() {
    if open("join", &[]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Arguments::default();
    for (name, value) in [("rows", 200_000), ("seed", 1), ("threads", 1), ("memory_mib", 16)] {
        arguments.set(name, value);
    }
    arguments.set("library", "@setup");
    arguments.set("folder", folder.path().to_str().unwrap());
    let error = tabular_duckdb::open("join", &arguments, None).err().unwrap().to_string();
    assert!(error.contains("DuckDB: Out of Memory Error"), "{error}");
}
