//! The rows in a real server: they follow from the seed, hold what is documented, and every difference between two tables is
//! found.

use pg_cluster::{Cluster, ClusterError};
use pg_rows::{Columns, Dataset, Payload, fingerprint};
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
