//! The rules themselves: who may depend on whom, and who may not know what, however far away.
//! Everything here is a function of members and edges, so that a forbidden edge can be made up to see a rule fail.

use std::collections::BTreeSet;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Whether it lies in `native-probes/`.
    pub(crate) is_probe: bool,
    /// Whether it lies in `host/families/`.
    pub(crate) is_family: bool,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The crate itself or its build script.
    Shipped,
    /// Tests, examples and benchmarks alone.
    Dev,
}

/// One dependency.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

/// Which crates of the workspace each crate may depend on, tests aside.
const DIRECTION: &[(&str, &[&str])] = &[
    ("abi-generator", &[]),
    ("bench-model", &[]),
    ("pg-cluster", &[]),
    ("pg-connection", &[]),
    ("sample-run", &["bench-model", "bench-report", "bench-sink"]),
    ("session-log", &["vocabulary", "wal-log"]),
    ("shm-ring", &[]),
    ("control-plane", &[]),
    ("xtask", &[]),
    ("bench-profile", &[]),
    (
        "bench-price",
        &["bench-engine", "bench-report", "bench-sink", "bench-stats", "bench-wasm", "synthetic-component"],
    ),
    ("bench-stats", &["bench-model"]),
    ("bench-registry", &["bench-model"]),
    ("bench-fleet", &["bench-model", "bench-sink"]),
    ("bench-kit", &[]),
    ("core-component", &[]),
    ("synthetic-component", &[]),
    ("module-store", &["bench-model", "own-files"]),
    ("own-files", &[]),
    ("oci-registry", &["module-store"]),
    ("function-core", &[]),
    ("operator-core", &[]),
    ("pg-rows", &["bench-model"]),
    ("ring-peer", &["bench-model", "shm-ring", "vocabulary"]),
    ("wal-load", &["bench-model", "probe-abi"]),
    ("table-core", &[]),
    ("test-modules", &[]),
    ("vocabulary", &[]),
    ("wal-log", &["vocabulary"]),
    ("wal-trial", &["bench-model", "probe-abi", "wal-load"]),
    ("operator-process", &["bench-model", "operator-core"]),
    ("probe-abi", &["bench-model", "operator-core", "vocabulary"]),
    ("bench-sink", &["bench-model"]),
    ("bench-engine", &["bench-model", "bench-sink", "bench-stats"]),
    ("bench-drivers", &["bench-engine", "bench-model", "bench-sink", "bench-stats"]),
    ("bench-family", &["bench-drivers", "bench-model", "bench-report", "bench-wasm"]),
    ("bench-report", &["bench-model", "bench-sink", "bench-stats"]),
    ("bench-fleet", &["bench-model", "bench-sink"]),
    (
        "bench-wasm",
        &[
            "bench-drivers",
            "bench-engine",
            "bench-model",
            "bench-sink",
            "bench-stats",
            "own-files",
            "ring-peer",
            "session-log",
            "shm-ring",
            "vocabulary",
        ],
    ),
    (
        "bench-native",
        &[
            "bench-drivers",
            "bench-engine",
            "bench-model",
            "bench-sink",
            "bench-stats",
            "probe-abi",
            "ring-peer",
            "session-log",
            "shm-ring",
            "vocabulary",
        ],
    ),
    (
        "bench-host",
        &[
            "bench-drivers",
            "bench-engine",
            "bench-family",
            "bench-fleet",
            "bench-kit",
            "bench-model",
            "bench-native",
            "bench-price",
            "bench-profile",
            "bench-registry",
            "bench-report",
            "bench-sink",
            "bench-stats",
            "bench-wasm",
            "control-plane",
            "core-component",
            "module-store",
            "oci-registry",
            "own-files",
            "pg-connection",
            "shm-ring",
        ],
    ),
];

/// What a family may depend on: what is below the host, and what families, loaders and probes share, but no other family.
const FAMILY: &[&str] = &[
    "bench-drivers",
    "bench-engine",
    "bench-family",
    "bench-model",
    "bench-native",
    "bench-report",
    "bench-sink",
    "bench-stats",
    "bench-wasm",
    "control-plane",
    "function-core",
    "operator-core",
    "operator-process",
    "pg-cluster",
    "pg-connection",
    "pg-rows",
    "probe-abi",
    "ring-peer",
    "session-log",
    "shm-ring",
    "table-core",
    "vocabulary",
    "wal-load",
    "wal-log",
];

/// What a probe may depend on: the boundary, the nouns, the ring, and what several probes share, so that it can be built
/// without the host.
const PROBE: &[&str] = &[
    "bench-model",
    "function-core",
    "operator-core",
    "pg-connection",
    "pg-rows",
    "probe-abi",
    "ring-peer",
    "shm-ring",
    "table-core",
    "wal-load",
    "wal-log",
];

/// Pure crates: all they may depend on at all, tests aside. The generator of random numbers is one that has to be seeded, and
/// a derive of serde's is not a dependency on a format.
const PURE: &[(&str, &[&str])] =
    &[("bench-model", &["serde", "thiserror"]), ("bench-stats", &["bench-model", "rand", "statrs", "thiserror"])];

/// What a crate must not reach, by however many steps. A name stands for every crate that begins with it and a dash too.
const UNREACHABLE: &[(&str, &[&str])] = &[
    ("bench-sink", &["clap", "libloading", "wasmtime"]),
    ("bench-model", &["serde_json", "toml"]),
    ("bench-drivers", &["hyper", "kube", "lz4_flex", "postgres", "zstd"]),
    // What only some families need, the loaders must not make all others wait for.
    ("bench-native", &["hyper", "kube", "postgres"]),
    ("bench-wasm", &["hyper", "kube", "postgres"]),
];

/// What only one member, or a few, may name, even in their tests. Families reach the engine through what bench-wasm re-exports, so
/// that its version stands in one manifest.
const ONLY: &[(&str, &[&str])] = &[
    ("wasmtime", &["bench-wasm"]),
    // Probes are loaded in one place; a probe of an engine loads that engine's library.
    ("libloading", &["bench-native", "tabular-duckdb"]),
    ("kube", &["control-plane"]),
];

/// Parts of a library that families may name all the same: they add to the engine what one family needs, are too heavy for
/// those without it, and do not build against any version of the engine but that of bench-wasm.
const PARTS_FOR_FAMILIES: &[&str] = &["wasmtime-wasi-http", "wasmtime-wizer"];

/// Every broken rule, as the edge, what the rule is, and why it is there.
pub(crate) fn findings(members: &[Member], edges: &[Edge]) -> Vec<String> {
    let rules = [direction, purity, reach, exclusiveness];
    let found: BTreeSet<String> = rules.iter().flat_map(|rule| rule(members, edges)).collect();
    found.into_iter().collect()
}

fn direction(members: &[Member], edges: &[Edge]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let name = member.name.as_str();
        let row = DIRECTION.iter().find(|(from, _)| *from == name).map(|(_, allowed)| *allowed);
        let Some(allowed) = row.or(member.is_probe.then_some(PROBE)).or(member.is_family.then_some(FAMILY)) else {
            found.push(format!("{name}: a member that DIRECTION does not list: say there what it may depend on"));
            continue;
        };
        for edge in shipped(edges, name) {
            let is_internal = members.iter().any(|other| other.name == edge.to);
            let is_table = name == "bench-host" && members.iter().any(|other| other.name == edge.to && other.is_family);
            if is_internal && !is_table && !allowed.contains(&edge.to.as_str()) {
                let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
                found.push(format!("{name} → {}: of this workspace, {name} may depend on {allowed}", edge.to));
            }
        }
    }
    found
}

fn purity(members: &[Member], edges: &[Edge]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, allowed) in PURE.iter().filter(|(name, _)| is_member(members, name)) {
        for edge in shipped(edges, name).filter(|edge| !allowed.contains(&edge.to.as_str())) {
            let allowed = allowed.join(", ");
            found.push(format!("{name} → {}: {name} is pure and may depend on {allowed} alone", edge.to));
        }
    }
    found
}

fn reach(members: &[Member], edges: &[Edge]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, banned) in UNREACHABLE.iter().filter(|(name, _)| is_member(members, name)) {
        for path in paths_from(name, edges) {
            let end = path.last().copied().unwrap_or_default();
            if let Some(ban) = banned.iter().find(|ban| is_of(end, ban)) {
                found.push(format!("{}: {name} must not reach {ban}, by however many steps", path.join(" → ")));
            }
        }
    }
    found
}

fn exclusiveness(members: &[Member], edges: &[Edge]) -> Vec<String> {
    let mut found = Vec::new();
    for (library, owners) in ONLY {
        // Dev-dependencies count: a test that loads the library itself goes round the one crate that knows how.
        let strangers =
            edges.iter().filter(|edge| is_member(members, &edge.from) && !owners.contains(&edge.from.as_str()));
        let is_part = |edge: &&Edge| {
            let is_family = members.iter().any(|member| member.name == edge.from && member.is_family);
            is_family && PARTS_FOR_FAMILIES.contains(&edge.to.as_str())
        };
        for edge in strangers.filter(|edge| is_of(&edge.to, library) && !is_part(edge)) {
            let owners = owners.join(", ");
            found.push(format!("{} → {}: only {owners} may name {library}, in tests too", edge.from, edge.to));
        }
    }
    found
}

/// The crates that depend on `name` by however many steps, some of which may be for tests: what a change of `name` compiles again,
/// or more than that.
pub(crate) fn dependents<'a>(name: &str, edges: &'a [Edge]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![name];
    while let Some(changed) = next.pop() {
        for edge in edges.iter().filter(|edge| edge.to == changed) {
            if found.insert(edge.from.as_str()) {
                next.push(&edge.from);
            }
        }
    }
    found
}

/// The shortest path from a crate to each one it reaches, tests aside.
fn paths_from<'a>(start: &'a str, edges: &'a [Edge]) -> Vec<Vec<&'a str>> {
    let mut paths = vec![vec![start]];
    let mut seen = BTreeSet::from([start]);
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        let end = path.last().copied().unwrap_or(start);
        for edge in shipped(edges, end) {
            if seen.insert(&edge.to) {
                paths.push(path.iter().copied().chain([edge.to.as_str()]).collect());
            }
        }
        next += 1;
    }
    paths
}

fn shipped<'a>(edges: &'a [Edge], from: &str) -> impl Iterator<Item = &'a Edge> {
    edges.iter().filter(move |edge| edge.from == from && edge.kind == Kind::Shipped)
}

fn is_member(members: &[Member], name: &str) -> bool {
    members.iter().any(|member| member.name == name)
}

/// Whether a crate is the library of this name or one of its family: `wasmtime-wasi` and `serde_json` are.
fn is_of(name: &str, library: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// A workspace of every crate in the tables, a probe, two families, and these edges: `a > b`, or `a ~> b` for tests alone.
fn check(lines: &[&str], expect: &[&str]) {
    let names = DIRECTION.iter().map(|(name, _)| *name).chain(["futex-probe", "family-one", "family-other"]);
    let member = |name: &str| Member {
        name: name.to_owned(),
        is_probe: matches!(name, "probe-abi" | "futex-probe"),
        is_family: name.starts_with("family-"),
    };
    let members: Vec<Member> = names.map(member).collect();
    let edge = |line: &&str| {
        let (from, to) = line.split_once("> ").expect("an edge is written `a > b` or `a ~> b`");
        let kind = if from.ends_with('~') { Kind::Dev } else { Kind::Shipped };
        Edge { from: from.trim_end_matches([' ', '~']).to_owned(), to: to.to_owned(), kind }
    };
    let edges: Vec<Edge> = lines.iter().map(edge).collect();
    assert_eq!(findings(&members, &edges), expect);
}

#[test]
fn allowed_edges_pass() {
    check(
        &[
            "bench-host > bench-wasm",
            "bench-host > clap",
            "bench-wasm > wasmtime-wasi",
            "bench-native > probe-abi",
            "bench-engine ~> bench-drivers",
            "bench-model ~> proptest",
            "proptest > serde",
            "bench-model > thiserror",
            "futex-probe > shm-ring",
            "futex-probe > rustix",
            "bench-host > family-one",
            "family-one > bench-wasm",
            "family-one > wasmtime-wasi-http",
        ],
        &[],
    );
}

#[test]
fn an_edge_against_the_direction_is_found() {
    check(
        &["bench-engine > bench-drivers"],
        &["bench-engine → bench-drivers: of this workspace, bench-engine may depend on \
           bench-model, bench-sink, bench-stats"],
    );
    check(&["shm-ring > bench-model"], &["shm-ring → bench-model: of this workspace, shm-ring may depend on none"]);
    check(
        &["futex-probe > bench-engine"],
        &["futex-probe → bench-engine: of this workspace, futex-probe may depend on \
           bench-model, function-core, operator-core, pg-connection, pg-rows, probe-abi, ring-peer, shm-ring, \
           table-core, wal-load, wal-log"],
    );
}

#[test]
fn a_pure_crate_stays_pure() {
    check(
        &["bench-stats > libc"],
        &["bench-stats → libc: bench-stats is pure and may depend on \
           bench-model, rand, statrs, thiserror alone"],
    );
}

#[test]
fn a_ban_holds_over_many_steps() {
    check(
        &["bench-sink > a", "a > b", "b > wasmtime-environ", "b > clapper"],
        &["bench-sink → a → b → wasmtime-environ: bench-sink must not reach wasmtime, by however many steps"],
    );
    check(
        &["bench-model > serde", "serde > serde_core", "serde_core > serde_json"],
        &[
            "bench-model → serde → serde_core → serde_json: bench-model must not reach serde_json, by however many steps",
        ],
    );
}

#[test]
fn a_library_with_an_owner_is_named_by_no_other() {
    check(
        &["bench-host ~> libloading"],
        &["bench-host → libloading: only bench-native, tabular-duckdb may name libloading, in tests too"],
    );
    check(
        &["bench-drivers > wasmtime"],
        &["bench-drivers → wasmtime: only bench-wasm may name wasmtime, in tests too"],
    );
    check(
        &["family-one > wasmtime", "bench-host > wasmtime-wizer"],
        &[
            "bench-host → wasmtime-wizer: only bench-wasm may name wasmtime, in tests too",
            "family-one → wasmtime: only bench-wasm may name wasmtime, in tests too",
        ],
    );
}

#[test]
fn families_stand_side_by_side() {
    let allowed = FAMILY.join(", ");
    check(
        &["family-one > family-other"],
        &[&format!("family-one → family-other: of this workspace, family-one may depend on {allowed}")],
    );
    check(
        &["bench-wasm > family-one"],
        &["bench-wasm → family-one: of this workspace, bench-wasm may depend on \
           bench-drivers, bench-engine, bench-model, bench-sink, bench-stats, own-files, ring-peer, session-log, shm-ring, \
           vocabulary"],
    );
}

#[test]
fn dependents_are_found_over_many_steps() {
    let edge = |from: &str, to: &str, kind| Edge { from: from.to_owned(), to: to.to_owned(), kind };
    let edges = [
        edge("bench-host", "family-one", Kind::Shipped),
        edge("helper", "family-one", Kind::Shipped),
        edge("family-other", "helper", Kind::Dev),
        edge("family-one", "bench-wasm", Kind::Shipped),
        // Tests of a crate may use one that depends on it.
        edge("bench-wasm", "helper", Kind::Dev),
    ];
    let found: Vec<_> = dependents("family-one", &edges).into_iter().collect();
    assert_eq!(found, ["bench-host", "bench-wasm", "family-one", "family-other", "helper"]);
    assert!(dependents("bench-host", &edges).is_empty());
}

#[test]
fn a_new_member_must_be_placed() {
    let found = findings(&[Member { name: "bench-new".into(), is_probe: false, is_family: false }], &[]);
    assert_eq!(found, ["bench-new: a member that DIRECTION does not list: say there what it may depend on"]);
}
