//! The layout that was published: a member that lies elsewhere breaks every probe that is built.

use abi_generator::{derive, layout, plan::Plan, wit::Wit};
use std::path::Path;

/// Size of a table, and where some of its members lie, its last one among them.
type Published = (&'static str, usize, &'static [(&'static str, usize)]);

const PUBLISHED: &[Published] = &[
    ("bhp_arg", 32, &[("value", 16)]),
    ("bhp_outcome", 24, &[("checksum", 16)]),
    ("bhp_host", 56, &[("series_open", 16), ("extension", 48)]),
    ("bhp_probe", 72, &[("descriptor", 16), ("open", 32), ("iterate", 40), ("extension", 64)]),
    (
        "bhp_ring",
        136,
        &[("producer_open", 16), ("peek", 48), ("consumer_close", 64), ("peer_start", 72), ("peer_close", 128)],
    ),
    ("bhp_ring_tally", 40, &[("in_place", 32)]),
    ("bhp_log_table", 88, &[("open", 16), ("read", 40), ("close", 80)]),
    ("bhp_function", 32, &[("start", 8), ("stop", 24)]),
    ("bhp_batches", 48, &[("emit", 16), ("stage", 40)]),
    ("bhp_transfer", 16, &[("bytes", 8)]),
    ("bhp_pipeline", 24, &[("read", 8), ("write", 16)]),
    ("bhp_key", 48, &[("space", 16), ("name", 32)]),
    ("bhp_object", 72, &[("resource_version", 48), ("spec", 56)]),
    ("bhp_watch", 32, &[("space", 16)]),
    ("bhp_plane", 64, &[("get", 16), ("update", 40), ("reason", 56)]),
    ("bhp_operators", 56, &[("make", 8), ("start", 16), ("drop", 48)]),
    ("bhp_stage_input", 32, &[("files_len", 8), ("tables", 16), ("tables_len", 24)]),
    ("bhp_stages", 16, &[("run", 8)]),
];

#[test]
fn published_members_stay_where_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let plan = std::fs::read_to_string(root.join("native-probes/probe-abi/abi.toml")).unwrap();
    let plan: Plan = toml::from_str(&plan).unwrap();
    let sections = derive::sections(&plan, &Wit::read(&root.join("wit")).unwrap()).unwrap();
    let layouts = layout::layouts(&sections);
    for (table, size, members) in PUBLISHED {
        let found = layouts.iter().find(|layout| layout.c == *table).unwrap_or_else(|| panic!("{table} is gone"));
        // A table may grow at its end.
        assert!(found.size >= *size, "{table} has shrunk to {}", found.size);
        for (member, offset) in *members {
            let place = found.offsets.iter().find(|(name, _)| name == member).map(|(_, offset)| *offset);
            assert_eq!(place, Some(*offset), "{table}.{member}");
        }
    }
}
