//! The rows in a real server: they follow from the seed, hold what is documented, and every difference between two tables is
//! found.

use bench_model::Arguments;
use pg_cluster::{Cluster, ClusterError};
use pg_rows::{Columns, Dataset, Payload, SCHEMA, SOURCE_TABLE, Source, fingerprint};
use postgres::{Client, NoTls};

/// Runs `body` on a server of its own; skips it with a message where this machine has no PostgreSQL.
fn with_server(body: impl FnOnce(&mut Client)) {
    let parent = tempfile::tempdir().unwrap();
    std::fs::set_permissions(parent.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    match Cluster::start(parent.path(), &[]) {
        Err(ClusterError::Unavailable(reason)) => eprintln!("skipped: {reason}"),
        cluster => body(&mut Client::connect(&cluster.unwrap().url(), NoTls).unwrap()),
    }
}

fn dataset(payload: Payload, columns: Columns, seed: i64) -> Dataset {
    Dataset { schema: "bench \"quoted\"".to_owned(), rows: 3_000, payload, columns, seed }
}

fn found(client: &mut Client, table: &str) -> (i64, String, String) {
    let row = client.query_one(&fingerprint(table), &[]).unwrap();
    (row.get(0), row.get(1), row.get(2))
}

fn number(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap().get(0)
}

#[test]
fn rows_follow_from_the_seed_and_contain_rare_values() {
    with_server(|client| {
        let [first, again, other] = [1, 1, 2].map(|seed| {
            let dataset = dataset(Payload::Realistic, Columns::All, seed);
            client.batch_execute(&dataset.create()).unwrap();
            found(client, &dataset.table())
        });
        assert_eq!(first, again);
        assert_eq!(first.0, 3_000);
        assert_ne!(first.1, other.1);
        let table = dataset(Payload::Realistic, Columns::All, 1).table();
        for (condition, at_least) in [
            ("note IS NULL", 600),
            ("note = ''", 600),
            ("note LIKE '%日本語 🦀%'", 600),
            ("price = 'NaN'", 2),
            ("seen_at IN ('infinity', '-infinity')", 4),
            ("seen_at < '2000-01-01'", 500),
            ("digest = ''", 25),
            ("attributes IS NULL", 20),
            ("amount IN (-2147483648, 2147483647)", 6),
        ] {
            let rows = number(client, &format!("SELECT count(*) FROM {table} WHERE {condition}"));
            assert!(rows >= at_least, "{rows} rows with {condition}");
        }
    });
}

#[test]
fn payloads_have_the_documented_length_and_entropy() {
    with_server(|client| {
        let mut distinct = |payload| {
            let dataset = dataset(payload, Columns::Seed, 1);
            client.batch_execute(&dataset.create()).unwrap();
            let table = dataset.table();
            let length = number(client, &format!("SELECT avg(length(payload))::bigint FROM {table}"));
            assert!((55..=66).contains(&length), "{payload:?}: {length}");
            number(client, &format!("SELECT count(DISTINCT substr(payload, 20, 20)) FROM {table}"))
        };
        assert!(distinct(Payload::Repetitive) < 10);
        assert!(distinct(Payload::Realistic) > 2_000);
    });
}

#[test]
fn fingerprint_detects_every_difference() {
    with_server(|client| {
        let dataset = dataset(Payload::Realistic, Columns::All, 1);
        client.batch_execute(&dataset.create()).unwrap();
        let table = dataset.table();
        let expect = found(client, &table);
        let copy = "\"copy\"";
        client.batch_execute(&format!("CREATE TABLE {copy} AS SELECT * FROM {table} ORDER BY note, id DESC")).unwrap();
        assert_eq!(found(client, copy), expect, "another order");
        let changes = [
            "UPDATE {} SET note = '' WHERE id = 5",
            "UPDATE {} SET note = NULL WHERE id = 6",
            "UPDATE {} SET price = 0.0 WHERE id = 101",
            "UPDATE {} SET seen_at = seen_at + interval '1 microsecond' WHERE id = 2999",
            "UPDATE {} SET digest = '\\x00' WHERE id = 107",
            "DELETE FROM {} WHERE id = 3000",
            "INSERT INTO {} SELECT * FROM {} WHERE id = 1",
            "DELETE FROM {} WHERE id = 1; INSERT INTO {} SELECT * FROM {} WHERE id = 2",
            "ALTER TABLE {} ALTER user_id TYPE bigint",
            "ALTER TABLE {} RENAME user_id TO other",
        ];
        for change in changes {
            client.batch_execute("BEGIN").unwrap();
            client.batch_execute(&change.replace("{}", copy)).unwrap();
            assert_ne!(found(client, copy), expect, "{change}");
            client.batch_execute("ROLLBACK").unwrap();
        }
        assert_eq!(found(client, copy), expect);
    });
}

#[test]
fn rows_of_a_user_are_found_by_table_and_by_query() {
    with_server(|client| {
        client
            .batch_execute(
                "CREATE SCHEMA app; CREATE DOMAIN app.price AS numeric(6, 2); CREATE DOMAIN app.cost AS app.price; \
                 CREATE TABLE app.\"Orders\" AS SELECT i AS bench, 't' || i AS t, 1.5::app.cost AS cost, i AS row \
                 FROM generate_series(1, 100) AS i; CREATE TABLE app.other AS TABLE app.\"Orders\"",
            )
            .unwrap();
        let mut source = |text: &str| {
            let mut arguments = Arguments::default();
            arguments.set(SOURCE_TABLE, text);
            arguments.set(SCHEMA, "bench_host_0");
            let source = Source::of(&arguments).unwrap();
            client.batch_execute(&source.create()).map(|()| found(client, &source.table()))
        };
        let table = source("app.\"Orders\"").unwrap();
        assert_eq!((table.0, table.2.as_str()), (100, "bench integer, t text, cost numeric(6,2), row integer"));
        let query = "WITH all_of_them AS (TABLE app.\"Orders\") SELECT * FROM all_of_them ORDER BY t; -- all";
        assert_eq!(source(query).unwrap(), table);
        assert_eq!(source(query).unwrap(), table, "the view is there already");
        assert_eq!(source("SELECT t FROM app.\"Orders\" WHERE bench <= 7").unwrap().0, 7);
        for text in ["app.orders", "orders; DROP TABLE app.other", "SELECT nothing FROM app.other"] {
            assert!(source(text).is_err(), "{text}");
        }
        assert_eq!(source("app.other").unwrap(), table);
        client.batch_execute("UPDATE app.other SET bench = 0 WHERE bench = 5").unwrap();
        let changed = found(client, "app.other");
        assert!(changed.0 == table.0 && changed.1 != table.1, "not only the column `t` counts");
    });
}
