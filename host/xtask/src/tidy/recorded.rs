//! The rule that the recorded components of plug-ins are of the sources that are there: nobody builds all of them to see that.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::Finding;
use crate::output::say;
use crate::project::Project;
use crate::{lock, sources, tool};

/// Finds the entries whose sources have changed, and prints which plug-ins have no digest of their sources yet.
pub(super) fn check(project: &Project) -> Result<Vec<Finding>> {
    if tool::find("sha256sum").is_none() {
        say(format_args!("tidy: {} is not compared with the sources, because there is no sha256sum", lock::FILE));
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(project.root().join(lock::FILE));
    let text = text.with_context(|| format!("{} cannot be read", lock::FILE))?;
    let plugins = sources::of_plugins(project)?;
    let present = plugins.iter().map(|plugin| Ok((plugin.plugin.as_str(), plugin.digest(project)?)));
    let present = present.collect::<Result<Vec<_>>>()?;
    let unrecorded = unrecorded(&text, &present);
    if !unrecorded.is_empty() {
        let (names, file, command) = (unrecorded.join(", "), lock::FILE, lock::COMMAND);
        say(format_args!("tidy: {file} has no digest of the sources of {names}: `{command}` records them"));
    }
    Ok(changed(&text, &present))
}

/// The recorded digests of sources by the names of the plug-ins, each with the number of its line.
fn recorded(text: &str) -> BTreeMap<&str, (usize, &str)> {
    let (mut found, mut plugin) = (BTreeMap::new(), "");
    for (index, line) in text.lines().enumerate() {
        plugin = value(line, "name").map_or(plugin, |name| name.trim_start_matches(lock::NAMESPACE));
        if let Some(digest) = value(line, "sources") {
            found.insert(plugin, (index + 1, digest));
        }
    }
    found
}

/// The text that the line gives `key`, if it does.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

/// Which of the plug-ins that are `present`, with the digests of their sources, are recorded with others.
fn changed(text: &str, present: &[(&str, String)]) -> Vec<Finding> {
    let recorded = recorded(text);
    let of_others = present.iter().filter_map(|(plugin, digest)| {
        let (line, known) = recorded.get(plugin)?;
        (known != digest).then(|| Finding {
            path: lock::FILE.to_owned(),
            line: *line,
            what: format!(
                "the sources of {plugin} are others than those of the recorded component ({digest}): run `{}`",
                lock::COMMAND
            ),
        })
    });
    of_others.collect()
}

/// Which of them are recorded without.
fn unrecorded<'a>(text: &str, present: &[(&'a str, String)]) -> Vec<&'a str> {
    let recorded = recorded(text);
    present.iter().map(|(plugin, _)| *plugin).filter(|plugin| !recorded.contains_key(plugin)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# The plug-ins.\n\n[[module]]\nname = \"bench-host:a\"\nsource = \"plugins/a\"\nsources = \"sha256:1\"\n\n\
                        [[module]]\nname = \"bench-host:b\"\nsource = \"plugins/b\"\n";

    #[track_caller]
    fn check(present: &[(&str, &str)], expect_changed: &[usize], expect_unrecorded: &[&str]) {
        let present: Vec<_> = present.iter().map(|(plugin, digest)| (*plugin, (*digest).to_owned())).collect();
        let found = changed(TEXT, &present);
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), expect_changed, "{found:?}");
        assert!(found.iter().all(|finding| finding.what.ends_with("run `cargo xtask plugins --reproducible`")));
        assert_eq!(unrecorded(TEXT, &present), expect_unrecorded);
    }

    #[test]
    fn entry_of_other_sources_is_found_and_one_without_is_told() {
        check(&[("a", "sha256:1")], &[], &[]);
        check(&[("a", "sha256:2")], &[6], &[]);
        check(&[("a", "sha256:1"), ("b", "sha256:2"), ("c", "sha256:3")], &[], &["b", "c"]);
    }
}
