//! Generates what both sides of a boundary share out of the WIT packages and `native-probes/probe-abi/abi.toml`: the C header,
//! its Rust twin with the layout that both are held to, the vocabulary, the SDK's bindings, and the reference document.

pub mod bindings;
pub mod derive;
pub mod header;
pub mod item;
pub mod layout;
pub mod plan;
pub mod raw;
pub mod reference;
mod text;
pub mod vocabulary;
pub mod wit;

use anyhow::{Context, Result};
use plan::Plan;
use std::fs;
use std::path::{Path, PathBuf};
use wit::Wit;

/// A generated file: where it lies, from the root, and its text.
pub type Generated = (PathBuf, String);

/// Everything that is generated for the checkout at `root`.
pub fn generate(root: &Path) -> Result<Vec<Generated>> {
    let path = root.join("native-probes/probe-abi/abi.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let plan: Plan = toml::from_str(&text).with_context(|| format!("{}: not valid", path.display()))?;
    let wit = Wit::read(&root.join("wit"))?;
    let mut generated = files(&plan, &wit)?;
    generated.extend(bindings::bindings(&root.join("wit"))?);
    Ok(generated)
}

/// Everything that is generated from a plan.
pub fn files(plan: &Plan, wit: &Wit) -> Result<Vec<Generated>> {
    let sections = derive::sections(plan, wit)?;
    let layouts = layout::layouts(&sections);
    let abi = Path::new("native-probes/probe-abi");
    let raw = abi.join("src/raw");
    let mut files = vec![
        (abi.join("include/bench_probe.h"), header::header(&plan.preamble, &sections, &layouts)),
        (raw.join("tables.rs"), raw::root(&sections)),
        (raw.join("tables/layout.rs"), raw::layout(&layouts)),
    ];
    files.extend(
        sections.iter().map(|section| (raw.join(format!("tables/{}.rs", section.module)), raw::module(section))),
    );
    files.push((Path::new("host/REFERENCE.md").to_owned(), reference::reference(plan, wit, &sections)));
    let vocabulary = Path::new("host/lib/vocabulary/src");
    files.push((vocabulary.join("lib.rs"), vocabulary::root(&plan.vocabulary)));
    for part in &plan.vocabulary {
        let path = vocabulary.join(format!("{}.rs", part.module));
        files.push((path, vocabulary::module(part, wit, &sections)?));
    }
    Ok(files)
}
