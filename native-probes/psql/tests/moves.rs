//! Every transfer method on a throw-away server: all rows arrive, and failures give a reason.

use bench_model::{Arguments, ModuleError, Value};
use pg_cluster::{Cluster, ClusterError};

/// Runs `body` on a throw-away server; skipped with the reason where this machine has no PostgreSQL.
fn with_server(body: impl FnOnce(&Cluster)) {
    let parent = tempfile::tempdir().unwrap();
    std::fs::set_permissions(parent.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    match Cluster::start(parent.path(), &[]) {
        Err(ClusterError::Unavailable(reason)) => eprintln!("skipped: {reason}"),
        cluster => body(&cluster.unwrap()),
    }
}

fn arguments(url: &str, folder: &str) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.set("rows", 1_500);
    arguments.set("seed", 1);
    let texts =
        [("database_url", url), ("payload", "realistic"), ("columns", "all"), ("schema", "s"), ("folder", folder)];
    for (name, value) in texts {
        arguments.set(name, Value::from(value));
    }
    arguments
}

#[test]
fn all_rows_arrive_with_each_method() {
    with_server(|cluster| {
        let folder = tempfile::tempdir().unwrap();
        for scenario in ["pipe", "server-copy", "insert", "dump-restore"] {
            for table in ["logged", "unlogged"] {
                let mut arguments = arguments(&cluster.url(), folder.path().to_str().unwrap());
                arguments.set("table", Value::from(table));
                let mut session = psql::open(scenario, &arguments, None).unwrap();
                assert_eq!(session.iterate(2).unwrap().operations, 2);
                let checks = session.verify().unwrap();
                assert!(checks.iter().all(|check| check.passed), "{scenario}: {checks:?}");
            }
        }
        let left = std::fs::read_dir(cluster.folder().join("data")).unwrap().flatten();
        assert!(!left.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains("bench_host")));
    });
}

#[test]
fn a_users_table_arrives_with_each_method() {
    with_server(|cluster| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        // Without an `id`, with a type of its own, a name that needs quotes, and what an INSERT must quote.
        let make = "WITH drawn AS (SELECT i FROM generate_series(1, 700) AS i) SELECT i AS \"Number\", 'it''s ' || i AS t, \
                    ARRAY[i, NULL] AS list, i * interval '1 second' AS lasts FROM drawn";
        for scenario in ["pipe", "server-copy", "insert"] {
            let mut arguments = arguments(&cluster.url(), folder);
            arguments.set("table", Value::from("logged"));
            arguments.set("source_table", Value::from(make));
            let mut session = psql::open(scenario, &arguments, None).unwrap();
            session.iterate(1).unwrap();
            let checks = session.verify().unwrap();
            assert!(checks.iter().all(|check| check.passed), "{scenario}: {checks:?}");
        }
        let mut arguments = arguments(&cluster.url(), folder);
        arguments.set("table", Value::from("logged"));
        arguments.set("source_table", Value::from("app.orders"));
        let error = psql::open("dump-restore", &arguments, None).err().unwrap();
        assert!(
            matches!(&error, ModuleError::Unavailable(reason) if reason.contains("generated rows only")),
            "{error}"
        );
        let error = psql::open("pipe", &arguments, None).err().unwrap();
        assert!(matches!(&error, ModuleError::Unavailable(_)), "{error}");
        assert!(
            error.to_string().contains("`source_table` cannot be read") && error.to_string().contains("app"),
            "{error}"
        );
    });
}

#[test]
fn a_failed_move_says_why() {
    with_server(|cluster| {
        let check = |url: &str, expect: &str| {
            let mut arguments = arguments(url, "/nowhere");
            arguments.set("table", Value::from("logged"));
            let error = psql::open("insert", &arguments, None).err().unwrap();
            assert!(matches!(error, ModuleError::Unavailable(_)) && error.to_string().contains(expect), "{error}");
        };
        check(&cluster.url(), "/nowhere/inserts.sql: ");
        check(&cluster.url().replace("bench:", "bench:x"), "password authentication failed");
        check("postgres://bench@127.0.0.1:1/postgres", "Connection refused");
    });
}
