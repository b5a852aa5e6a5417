//! The direction of dependency between the crates, and the libraries that only some of them may know.
//! The rules are pure functions of a list of edges.

mod rules;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use rules::{Edge, Kind, Member, dependents, findings};

fn workspace() -> Metadata {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    MetadataCommand::new().current_dir(root).exec().expect("cargo describes the workspace")
}

#[test]
#[expect(clippy::print_stdout, reason = "what is compiled again is for the readers of the test's output")]
fn change_of_a_family_compiles_no_other_family() {
    let metadata = workspace();
    let (members, edges) = (members(&metadata), edges(&metadata));
    let families: Vec<_> = members.iter().filter(|member| member.is_family).collect();
    assert!(families.len() > 1, "{families:?}");
    for family in &families {
        let compiled = dependents(&family.name, &edges);
        println!("a change of {} compiles it and {compiled:?}", family.name);
        assert!(compiled.contains("bench-host"), "{}: the host is not built with it: {compiled:?}", family.name);
        let others: Vec<_> = families.iter().filter(|other| compiled.contains(other.name.as_str())).collect();
        assert!(others.is_empty(), "a change of {} compiles other families too: {others:?}", family.name);
    }
}

#[test]
fn the_workspace_keeps_its_direction() {
    let metadata = workspace();
    let found = findings(&members(&metadata), &edges(&metadata));
    assert!(found.is_empty(), "dependencies that break the rules:\n  {}", found.join("\n  "));
}

fn members(metadata: &Metadata) -> Vec<Member> {
    let (probes, families) =
        (metadata.workspace_root.join("native-probes"), metadata.workspace_root.join("host/families"));
    let packages = metadata.workspace_packages();
    let member = |package: &&cargo_metadata::Package| Member {
        name: package.name.to_string(),
        is_probe: package.manifest_path.starts_with(&probes),
        is_family: package.manifest_path.starts_with(&families),
    };
    packages.iter().map(member).collect()
}

/// Every edge of the resolved graph, that of other people's crates included. A crate in two versions is one node here,
/// which can only make a rule stricter.
fn edges(metadata: &Metadata) -> Vec<Edge> {
    let resolve = metadata.resolve.as_ref().expect("cargo resolves the workspace");
    let name = |id| metadata[id].name.to_string();
    let mut edges = Vec::new();
    for node in &resolve.nodes {
        for dependency in &node.deps {
            for kind in dependency.dep_kinds.iter().map(|info| info.kind) {
                let kind = if kind == DependencyKind::Development { Kind::Dev } else { Kind::Shipped };
                edges.push(Edge { from: name(&node.id), to: name(&dependency.pkg), kind });
            }
        }
    }
    edges
}
