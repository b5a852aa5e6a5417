//! Transfers of every type with each method, with values that are easily damaged without an error.

use crate::server::{database, load, read};
use pg_wire::Method;

const METHODS: [Method; 3] = [Method::Insert, Method::Copy, Method::CopyBinary];

/// A column of every type, with rows of extreme, null and empty values, other scripts, and characters that COPY must
/// escape.
const EVERY_TYPE: &str = r#"
    create table every (
        id int primary key, flag boolean, small smallint, big bigint, single real, double double precision,
        words text, short varchar(12), padded char(5), free bpchar, called name, document json, tree jsonb, raw bytea,
        amount numeric, price numeric(12,4), tens numeric(3,-2), day date, clock time, clock_ms time(3),
        moment timestamp, moment_s timestamp(0), zoned timestamptz, "Odd ""name""" uuid);
    insert into every values
        (1, true, 32767, 9223372036854775807, 'NaN', 'infinity', 'żółć – 日本語 🦀', 'twelve chars', 'abc', 'x ', 'n',
         '{"a": [1, null]}', '{"b": "\"ü\""}', '\x00ff5c0a09', 'NaN', 12345678.9012, 99900, 'infinity', '24:00', '23:59:59.999',
         'infinity', '2024-02-29 23:59:59', '-infinity', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
        (2, false, -32768, -9223372036854775808, -0.0, 5e-324, E'tab\tline\nreturn\rslash\\ \\N \\. ''q'' "', '', '', '', '',
         '[]', 'null', '', '-Infinity', -0.0001, -100, '-infinity', '00:00', '00:00:00.001', '-infinity', '0001-12-31 00:00:00 BC',
         'infinity', '00000000-0000-0000-0000-000000000000'),
        (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
         null, null, null, null),
        (4, true, 0, 0, 3.4028235e38, 1.7976931348623157e308, '\N', E'\\.', E'\n', E'\t', E'\\', '"\u0000"', '{}', '\x5c4e',
         '-123456789012345678901234567890.000000000100', 0, 0, '4714-11-24 BC', '12:34:56.789012', '12:34:56.789',
         '4714-11-24 00:00:00 BC', '9999-12-31 23:59:59', '294246-12-31 23:59:59.999999+00',
         'ffffffff-ffff-ffff-ffff-ffffffffffff'),
        (5, false, 1, 1, 0.1, 0.1, '', E'é', 'ä', 'ß', 'ü', ' 1 ', '[1.10, 1e2]', '\x01', 0.00, 1.5, 100, '5874897-12-31',
         '00:00:00.000001', '00:00', '1999-12-31 23:59:59.999999', '2000-01-01 00:00:00', '1969-12-31 23:59:59.999999+00',
         '00000000-0000-0000-0000-000000000001');
    insert into every (id, words, amount) select i, repeat('x', i % 97), i / 7.0 from generate_series(6, 1500) i;
"#;

/// The rows, including null values, and the columns with their types that only one of two tables has.
fn difference(table: &str) -> String {
    let rows = |one: &str, other: &str| {
        format!(
            "select t::text from (select {one}::text t from {one} except all select {other}::text t from {other}) s"
        )
    };
    let columns = |table: &str| {
        format!(
            "select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum) \
             from pg_attribute where attrelid = '{table}'::regclass and attnum > 0"
        )
    };
    format!(
        "select coalesce(string_agg(t, E'\\n'), '') from ({} union all {} union all select 'columns' where ({}) <> ({})) d",
        rows("every", table),
        rows(table, "every"),
        columns("every"),
        columns(table)
    )
}

#[test]
fn every_type_arrives_unchanged() {
    let Some(server) = database() else { return };
    server.execute(EVERY_TYPE);
    for (at, method) in METHODS.into_iter().enumerate() {
        for batch_rows in [1, 7, 1000, u16::MAX] {
            let table = format!("loaded_{at}_{batch_rows}");
            let batches = read(&mut server.session(), "select * from every", batch_rows).expect("rows");
            // One more than the full batches; empty if the rows divide evenly.
            assert_eq!(batches.len(), 1500 / usize::from(batch_rows) + 1, "{method:?} {batch_rows}");
            let rows = load(&mut server.session(), method, &table, batches).expect("a load");
            assert_eq!(rows, 1500, "{method:?} {batch_rows}");
            assert_eq!(server.value(&difference(&table)), "", "{method:?} {batch_rows}");
        }
    }
}

/// Columns whose values only the server can read, and an enum, with nulls, empty values and characters that are quoted.
const OTHER_TYPES: &str = r#"
    create type "Mood" as enum ('sad', 'o''k, "so"', 'größer');
    create type pair as (a int, b text);
    create table every (
        id int primary key, kind "Mood", lasts interval, days interval day to second(3), host inet, net cidr, card macaddr,
        bits bit(5), more bit varying, clock timetz, span int4range, period tstzrange, numbers int[], words text[],
        moods "Mood"[], grid numeric(6,2)[], spot point, cost money, pairing pair, found tsvector, link oid, level "char");
    insert into every values
        (1, 'o''k, "so"', '-178000000 years 11 mons -3 days 04:05:06.789', '3 04:05:06.789', '2001:db8::1/64', '10.0.0.0/8',
         '08:00:2b:01:02:03', b'10101', b'1', '24:00:00-15:59', '[1,5)', '(,2024-02-29 12:00+00]', '{{1,null},{3,4}}',
         '{NULL,"NULL",""," a,b ","\"q\"","ü{}"}', '{größer,NULL}', '{{1.10},{-2.00}}', '(1e300,-0.5)', '-1.50',
         '(7,"a ""b"", c")', 'a:1 fat:2', 4294967295, 'x'),
        (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
         null, null),
        (3, 'sad', '0', '0', '0.0.0.0', '::/0', '00:00:00:00:00:00', b'00000', b'', '00:00+00', 'empty', 'empty', '{}', '{}',
         '{}', '{}', '(0,0)', '0', '(,)', '', 0, '');
    insert into every (id, numbers) select i, array_fill(i, array[i % 5], array[-3]) from generate_series(4, 500) i;
"#;

#[test]
fn other_types_arrive_unchanged_in_binary() {
    let Some(server) = database() else { return };
    server.execute(OTHER_TYPES);
    for (at, method) in [Method::Insert, Method::CopyBinary].into_iter().enumerate() {
        let table = format!("loaded_{at}");
        let batches = read(&mut server.session(), "select * from every", 7).expect("rows");
        assert_eq!(load(&mut server.session(), method, &table, batches).expect("a load"), 500, "{method:?}");
        assert_eq!(server.value(&difference(&table)), "", "{method:?}");
    }
}

#[test]
fn enums_and_domains_arrive_with_each_method() {
    let Some(server) = database() else { return };
    server.execute(OTHER_TYPES);
    server.execute(
        "create domain price as numeric(6,2) check (value > 0); create domain kind as \"Mood\"; \
         create table sold as select id, 1.5::price cost, kind::kind, kind::kind again from every",
    );
    for (at, method) in METHODS.into_iter().enumerate() {
        let table = format!("loaded_{at}");
        let batches = read(&mut server.session(), "select * from sold", 100).expect("rows");
        assert_eq!(load(&mut server.session(), method, &table, batches).expect("a load"), 500, "{method:?}");
        let missing =
            format!("select count(*) from (select s::text from sold s except all select l::text from {table} l) d");
        assert_eq!(server.value(&missing), "0", "{method:?}");
        let types = "select string_agg(format_type(atttypid, atttypmod), ', ' order by attnum) from pg_attribute where attnum > 0";
        let types = server.value(&format!("{types} and attrelid = '{table}'::regclass"));
        assert_eq!(types, "integer, numeric(6,2), \"Mood\", \"Mood\"", "those of the domains");
    }
}

#[test]
fn an_empty_table_is_created_empty() {
    let Some(server) = database() else { return };
    server.execute("create table every (id int, note text)");
    for (at, method) in METHODS.into_iter().enumerate() {
        let table = format!("loaded_{at}");
        let batches = read(&mut server.session(), "select * from every", 100).expect("rows");
        assert_eq!(batches.len(), 1, "one empty batch with the columns");
        assert_eq!(load(&mut server.session(), method, &table, batches).expect("a load"), 0);
        assert_eq!(server.value(&difference(&table)), "");
        assert_eq!(server.value(&format!("select count(*) from {table}")), "0");
    }
}

#[test]
fn rows_are_added_to_a_table_with_the_same_columns() {
    let Some(server) = database() else { return };
    server.execute("create table every as select i id from generate_series(1, 10) i");
    for rows in [10, 20] {
        let batches = read(&mut server.session(), "select * from every", 100).expect("rows");
        assert_eq!(load(&mut server.session(), Method::Copy, "loaded", batches).expect("a load"), 10);
        assert_eq!(server.value("select count(*) from loaded"), rows.to_string());
    }
}

#[test]
fn a_cursor_reads_a_snapshot() {
    let Some(server) = database() else { return };
    server.execute("create table every as select i id from generate_series(1, 1000) i");
    let mut session = server.session();
    let mut cursor = pg_wire::Cursor::open(&mut session, "select * from every", 10).expect("a cursor");
    server.execute("delete from every");
    let mut rows = 0;
    while let Some(batch) = cursor.next(&mut |_| {}).expect("rows") {
        rows += batch.num_rows();
    }
    assert_eq!(rows, 1000);
}
