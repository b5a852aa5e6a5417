//! Errors and their texts; a failed load leaves nothing.

use crate::server::{Server, database, load, read, start};
use arrow_schema::{DataType, Field, Schema};
use pg_wire::{DatabaseUrl, Error, Method, RecordBatch, Session};
use std::sync::Arc;

const METHODS: [Method; 3] = [Method::Insert, Method::Copy, Method::CopyBinary];

fn check<T: std::fmt::Debug>(result: Result<T, Error>, expect: &str) {
    let error = result.expect_err(expect).to_string();
    assert!(error.contains(expect), "{error}\nwanted: {expect}");
    assert!(!error.contains('\n'), "{error}");
}

/// Creates a table of `rows` rows.
fn rows(server: &Server, rows: u32) {
    server.execute(&format!(
        "create table every as select i id, repeat('x', 100) note from generate_series(1, {rows}) i"
    ));
}

#[test]
fn a_missing_server_is_named() {
    // Nothing listens on port 1, and no listener of another test is ever given it.
    let url = DatabaseUrl::parse("postgres://127.0.0.1:1/x").expect("a URL");
    check(Session::connect(&url), "cannot connect to PostgreSQL at 127.0.0.1:1");
}

#[test]
fn every_password_method_authenticates() {
    let Some(server) = start() else { return };
    let hba = server.cluster.folder().join("data/pg_hba.conf");
    server.execute(
        "create role trusted login; \
         create role clear login password 'c:l/r'; \
         set password_encryption = 'md5'; create role hashed login password 'h@sh';",
    );
    let rules = "host all trusted all trust\nhost all clear all password\nhost all hashed all md5\n";
    let before = std::fs::read_to_string(&hba).expect("the rules");
    std::fs::write(&hba, format!("{rules}{before}")).expect("new rules");
    // The server reloads its rules with a delay, so wait for the new ones.
    server.execute("select pg_reload_conf()");
    let place = server.cluster.address();
    let connect = |who: &str| {
        Session::connect(&DatabaseUrl::parse(&format!("postgres://{who}@{place}/postgres")).expect("a URL"))
    };
    while connect("trusted").is_err() {
        std::thread::yield_now();
    }
    for who in ["trusted", "clear:c%3Al%2Fr", "hashed:h%40sh"] {
        connect(who).unwrap_or_else(|error| panic!("{who}: {error}"));
    }
    for who in ["clear:wrong", "hashed:wrong", "bench:wrong"] {
        check(connect(who), "password authentication failed for user");
        check(connect(who), "28P01");
    }
    for who in ["clear", "hashed", "bench"] {
        check(connect(who), &format!("the server requires a password for user `{who}`, and the URL has none"));
    }
    check(connect("nobody:x"), "password authentication failed for user");
}

#[test]
fn an_unknown_type_is_named() {
    let Some(server) = database() else { return };
    server.execute("create table every (id int, rights aclitem, more aclitem[])");
    check(
        read(&mut server.session(), "select * from every", 10),
        "the column `rights` has the type `aclitem`, which this connector does not support",
    );
    check(read(&mut server.session(), "select id, more from every", 10), "the column `more` has the type `aclitem[]`");
    check(read(&mut server.session(), "select row(1, 2) as two", 10), "the column `two` has the type `record`");
}

#[test]
fn a_server_without_a_free_connection_is_unavailable() {
    let Some(server) = database() else { return };
    server.execute("create role few login password 'few' connection limit 1");
    let place = server.cluster.address();
    let url = DatabaseUrl::parse(&format!("postgres://few:few@{place}/postgres")).expect("a URL");
    let _first = Session::connect(&url).expect("a connection");
    let error = Session::connect(&url).expect_err("it is one too many");
    assert!(matches!(bench_plugin::model::ModuleError::from(error), bench_plugin::model::ModuleError::Unavailable(_)));
}

#[test]
fn a_type_whose_values_have_no_text_is_named() {
    let Some(server) = database() else { return };
    server.execute("create table every (id int, lasts interval(3))");
    let batches = read(&mut server.session(), "select * from every", 10).expect("rows");
    check(
        load(&mut server.session(), Method::Copy, "loaded", batches),
        "the column `lasts` has the type `interval(3)`, whose values are carried as bytes",
    );
}

#[test]
fn name_of_a_type_is_not_a_statement() {
    let Some(server) = database() else { return };
    server.execute("create table kept (id int)");
    for name in ["int); drop table kept; --", "point, more int", "no_such_type", "int default random()", ""] {
        let metadata = std::collections::HashMap::from([(pg_wire::TYPE_KEY.to_owned(), name.to_owned())]);
        let field = Field::new("p", DataType::Utf8, true).with_metadata(metadata);
        let batch = RecordBatch::new_empty(Arc::new(Schema::new(vec![field])));
        let mut stream = Vec::new();
        pg_wire::batch::encode(&batch, &mut stream).expect("a stream");
        check(
            load(&mut server.session(), Method::CopyBinary, "loaded", vec![stream]),
            &format!("the column `p` has the type `{name}`"),
        );
    }
    assert_eq!(server.value("select to_regclass('kept')"), "kept");
}

#[test]
fn a_value_outside_of_arrows_range_is_named() {
    let Some(server) = database() else { return };
    check(
        read(&mut server.session(), "select timestamp '294276-12-31' as \"end\"", 10),
        "the column `end` has a value that cannot be converted: a timestamp after 294247-01-10",
    );
}

#[test]
fn a_table_with_other_columns_is_not_changed() {
    let Some(server) = database() else { return };
    rows(&server, 10);
    let tried = |table: &str, columns: &str, expect: &str| {
        server.execute(&format!("create table {table} ({columns})"));
        for method in METHODS {
            let batches = read(&mut server.session(), "select * from every", 10).expect("rows");
            check(load(&mut server.session(), method, table, batches), expect);
        }
        assert_eq!(server.value(&format!("select count(*) from {table}")), "0");
    };
    tried("a", "id int", "the table a exists with other columns: it has 1 columns, but the rows have 2");
    tried("b", "id bigint, note text", "column 1 is `id` bigint, but the rows have `id` integer");
    tried("c", "note text, id int", "column 1 is `note` text, but the rows have `id` integer");
    tried("d", "id int, note text, more int", "it has 3 columns, but the rows have 2");
}

#[test]
fn a_server_error_is_reported_and_rolled_back() {
    let Some(server) = database() else { return };
    rows(&server, 5000);
    server.execute("create table loaded (id int check (id <= 4500), note text)");
    for method in METHODS {
        let batches = read(&mut server.session(), "select * from every", 100).expect("rows");
        let mut session = server.session();
        check(load(&mut session, method, "loaded", batches), "violates check constraint");
        // The transaction has ended, and the connection can be used again.
        session.execute("testing", "lock table loaded").expect_err("there is no transaction");
        session.execute("testing", "begin; lock table loaded; commit").expect("nobody holds it");
        assert_eq!(server.value("select count(*) from loaded"), "0", "{method:?}");
    }
}

#[test]
fn a_load_that_ends_early_leaves_no_table() {
    let Some(server) = database() else { return };
    rows(&server, 5000);
    for method in METHODS {
        let mut batches = read(&mut server.session(), "select * from every", 100).expect("rows");
        batches.truncate(20);
        batches.push(b"this is no batch".to_vec());
        let mut session = server.session();
        check(load(&mut session, method, "loaded", batches), "batch 21 is not a valid Arrow IPC stream");
        // The connection still works, and the transaction has ended.
        session.execute("testing", "lock table every").expect_err("there is no transaction");
        assert_eq!(server.value("select coalesce(to_regclass('loaded')::text, 'none')"), "none", "{method:?}");
    }
}

#[test]
fn a_lost_connection_is_reported() {
    let Some(server) = start() else { return };
    rows(&server, 200_000);
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'bench-host'";
    let mut session = server.session();
    let mut cursor = pg_wire::Cursor::open(&mut session, "select * from every", 100).expect("a cursor");
    cursor.next(&mut |_| {}).expect("rows");
    server.execute(cut);
    let broken = loop {
        match cursor.next(&mut |_| {}) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the server was told to cut the connection"),
            Err(error) => break error,
        }
    };
    check(Err::<(), _>(broken), "terminating connection due to administrator command");
    for method in METHODS {
        let batches = read(&mut server.session(), "select * from every", 1000).expect("rows");
        let mut session = server.session();
        let cut_after = 50;
        let batches: Vec<_> = batches.into_iter().take(150).collect();
        let broken = cut_in_mid_load(&server, &mut session, method, batches, cut_after, cut);
        assert!(broken.contains("terminating connection") || broken.contains("was lost while"), "{broken}");
        assert_eq!(server.value("select coalesce(to_regclass('loaded')::text, 'none')"), "none", "{method:?}");
    }
}

fn cut_in_mid_load(
    server: &Server,
    session: &mut Session,
    method: Method,
    batches: Vec<Vec<u8>>,
    cut_after: u64,
    cut: &str,
) -> String {
    let table = pg_wire::Table { name: "loaded".to_owned(), is_logged: true };
    let mut batches =
        (1..).zip(batches).map(|(number, stream)| (number, pg_wire::batch::decode(stream, number).expect("a batch")));
    let (_, first) = batches.next().expect("a batch");
    let mut loader = pg_wire::Loader::begin(session, method, &table, first.schema_ref()).expect("a load");
    for (number, batch) in batches {
        if number == cut_after {
            server.execute(cut);
        }
        if let Err(error) = loader.write(&batch, 1 << 17) {
            loader.abort();
            return error.to_string();
        }
    }
    let error = loader.finish().expect_err("the connection was cut").to_string();
    loader.abort();
    error
}
