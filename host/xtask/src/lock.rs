//! `registry/modules.toml`: which files the plug-ins are, by digest, and what they were built of and with.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::output::say;
use crate::package::Package;
use crate::plugins::WASM_TARGET;
use crate::project::Project;
use crate::{go, sources, tool};

/// The file, from the root.
pub(crate) const FILE: &str = "registry/modules.toml";

/// The command whose components the file is of.
pub(crate) const COMMAND: &str = "cargo xtask plugins --reproducible";

/// The namespace of the names of our own plug-ins.
pub(crate) const NAMESPACE: &str = "bench-host:";

/// The target of components in Go, whose core module is wrapped.
const GO_TARGET: &str = "wasip1";

const BEGIN: &str = "[[module]]\n";

/// Writes the entries of the components that were built of the plug-ins `of_rust` and `of_go`, and says which are new. Those of other plug-ins
/// are kept. With `is_locked`, nothing is written, and an entry that would change is an error.
pub(crate) fn record(project: &Project, of_rust: &[Package], of_go: &[String], is_locked: bool) -> Result<()> {
    let path = project.root().join(FILE);
    let old = match fs::read_to_string(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {FILE}"));
        }
        read => read.unwrap_or_default(),
    };
    let (old, new) = (entries(&old), built(project, of_rust, of_go, COMMAND)?);
    let changes = changes(&old, &new);
    changes.iter().for_each(|change| say(format_args!("plugins: {change}")));
    if is_locked {
        ensure!(
            changes.is_empty(),
            "{FILE} does not have what was built: build with the sources and the compiler that it names, or write it with `{COMMAND}`"
        );
        say(format_args!("plugins: {FILE} has what was built"));
        return Ok(());
    }
    let kept = old.into_iter().filter(|entry| new.iter().all(|other| other.name() != entry.name()));
    let all = kept.chain(new.iter().cloned()).collect();
    fs::write(&path, text(all, COMMAND)).with_context(|| format!("cannot write {FILE}"))?;
    say(format_args!("plugins: {FILE} has their digests"));
    Ok(())
}

/// The text of a file with the entries of `plugins/NAME.wasm`, which `command` has built.
pub(crate) fn text_of(project: &Project, of_rust: &[Package], of_go: &[String], command: &str) -> Result<String> {
    Ok(text(built(project, of_rust, of_go, command)?, command))
}

fn text(mut entries: Vec<Entry>, command: &str) -> String {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let head = format!("# The plug-ins as components, which `{command}` has built.\n");
    std::iter::once(head).chain(entries.into_iter().map(|entry| entry.0)).collect::<Vec<_>>().join("\n")
}

/// The lines of a plug-in, each with its end of line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry(String);

impl Entry {
    /// The value of `key`; empty if there is none.
    fn field(&self, key: &str) -> &str {
        let begin = format!("{key} = \"");
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(begin.as_str())?.strip_suffix('"')).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.field("name")
    }
}

/// The entries of a file.
fn entries(text: &str) -> Vec<Entry> {
    text.split(BEGIN).skip(1).map(|rest| Entry(format!("{BEGIN}{}\n", rest.trim_end()))).collect()
}

/// The entries of `plugins/NAME.wasm`. Where no Go is installed, there are none of the plug-ins `of_go`.
fn built(project: &Project, of_rust: &[Package], of_go: &[String], command: &str) -> Result<Vec<Entry>> {
    let compiler = tool::read(project.rustc().arg("--version"))?;
    let of_rust = of_rust.iter().map(|plugin| Plugin::of_rust(project, plugin));
    let with_rust = format!("{WASM_TARGET}; {}", compiler.trim());
    let go = go::installed(project)?;
    let of_go = of_go.iter().filter(|_| go.is_some()).map(|name| Plugin::of_go(name));
    let with_go = format!("{GO_TARGET}; {}", go.as_deref().unwrap_or_default());
    let known = sources::of_plugins(project)?;
    let entry_of = |plugin: &Plugin, tools: &str| -> Result<Entry> {
        let file = format!("plugins/{}.wasm", plugin.name);
        let sum = tool::read(project.command("sha256sum").arg(&file))?;
        let digest = sum.split_whitespace().next().with_context(|| format!("sha256sum printed no digest of {file}"))?;
        let of_plugin = known.iter().find(|sources| sources.plugin == plugin.name);
        let sources = of_plugin.with_context(|| format!("{} has no sources", plugin.name))?.digest(project)?;
        Ok(plugin.entry(digest, &sources, &format!("{command}; {tools}")))
    };
    let of_rust = of_rust.map(|plugin| entry_of(&plugin, &with_rust));
    of_rust.chain(of_go.map(|plugin| entry_of(&plugin, &with_go))).collect()
}

/// What an entry says of a plug-in, whichever component is built of it.
#[derive(Clone, Debug)]
struct Plugin {
    name: String,
    version: String,
    licence: String,
    /// Its folder, from the root.
    source: String,
}

impl Plugin {
    fn of_rust(project: &Project, plugin: &Package) -> Self {
        let folder = plugin.manifest.parent().and_then(|folder| folder.strip_prefix(project.root()).ok());
        let source = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
        let Package { name, version, license, .. } = plugin;
        Self { name: name.clone(), version: version.clone(), licence: license.clone(), source }
    }

    /// A module of Go has no version and no licence of its own: they are those of the project.
    fn of_go(name: &str) -> Self {
        let (version, licence) = (env!("CARGO_PKG_VERSION").to_owned(), env!("CARGO_PKG_LICENSE").to_owned());
        Self { name: name.to_owned(), version, licence, source: format!("plugins/{name}") }
    }

    /// The entry of the component that has this `digest`, `built` of these `sources` with these tools.
    fn entry(&self, digest: &str, sources: &str, built: &str) -> Entry {
        let Self { name, version, licence, source } = self;
        Entry(format!(
            "{BEGIN}name = \"{NAMESPACE}{name}\"\nversion = \"{version}\"\ndigest = \"sha256:{digest}\"\nsource = \"{source}\"\n\
             sources = \"{sources}\"\nbuilt = \"{built}\"\nlicence = \"{licence}\"\n"
        ))
    }
}

/// A line for each entry of `new` that is not in `old`.
fn changes(old: &[Entry], new: &[Entry]) -> Vec<String> {
    let mut changes = Vec::new();
    for entry in new {
        let (name, digest) = (entry.name(), entry.field("digest"));
        let Some(known) = old.iter().find(|known| known.name() == name) else {
            changes.push(format!("{name} is {digest}, and was not recorded"));
            continue;
        };
        let keys = ["version", "digest", "source", "sources", "built", "licence"];
        // Older files do not have the digest of the sources.
        let is_recorded = |key: &str| key != "sources" || !known.field(key).is_empty();
        let differing = keys.iter().filter(|key| is_recorded(key) && known.field(key) != entry.field(key));
        let differing: Vec<_> =
            differing.map(|key| format!("{key} `{}` → `{}`", known.field(key), entry.field(key))).collect();
        if !differing.is_empty() {
            changes.push(format!("{name}: {}", differing.join(", ")));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins;
    use std::collections::BTreeSet;

    /// A plug-in that was added, moved, renamed or removed since shows here; that its sources are others, in `cargo xtask tidy`. One in Go is
    /// recorded where there was a Go.
    #[test]
    fn every_plug_in_is_recorded() {
        let project = Project::find().expect("the checkout");
        let text = fs::read_to_string(project.root().join(FILE)).expect("the file of digests");
        let (of_rust, of_go) = plugins::chosen(&project, &[]).expect("the plug-ins");
        let facts = |entry: &Entry| ["name", "version", "source", "licence"].map(|key| entry.field(key).to_owned());
        let of_plugin = |plugin: Plugin| facts(&plugin.entry("", "", ""));
        let mut recorded: BTreeSet<_> = entries(&text).iter().map(facts).collect();
        for go in of_go.iter().map(|name| of_plugin(Plugin::of_go(name))) {
            recorded.remove(&go);
        }
        let expected: BTreeSet<_> = of_rust.iter().map(|plugin| of_plugin(Plugin::of_rust(&project, plugin))).collect();
        assert_eq!(recorded, expected, "write it with `{COMMAND}`");
    }

    fn entry(name: &str, digest: &str, built: &str) -> Entry {
        Entry(format!("{BEGIN}name = \"{name}\"\ndigest = \"{digest}\"\nbuilt = \"{built}\"\n"))
    }

    #[test]
    fn entries_come_back_from_the_text() {
        let all = vec![entry("b", "2", "x"), entry("a", "1", "x")];
        let written = text(all.clone(), "c");
        let read = entries(&written);
        assert_eq!(read, [all[1].clone(), all[0].clone()]);
        assert_eq!(text(read, "c"), written);
        assert_eq!((all[0].name(), all[0].field("digest"), all[0].field("nothing")), ("b", "2", ""));
        assert!(entries("").is_empty());
    }

    #[test]
    fn every_change_is_told() {
        let old = [entry("a", "1", "x"), entry("b", "2", "x"), entry("d", "4", "x")];
        let check = |new: Entry, expect: &[&str]| assert_eq!(changes(&old, &[new]), expect);
        check(entry("a", "1", "x"), &[]);
        check(entry("a", "3", "x"), &["a: digest `1` → `3`"]);
        check(entry("b", "3", "y"), &["b: digest `2` → `3`, built `x` → `y`"]);
        check(entry("c", "3", "x"), &["c is 3, and was not recorded"]);
        // Where its sources were not recorded, they have not changed.
        check(Entry(format!("{}sources = \"s\"\n", entry("a", "1", "x").0)), &[]);
    }

    #[test]
    fn entry_has_the_digests_of_component_and_sources() {
        let entry = Plugin::of_go("a-go").entry("1", "sha256:2", "c; wasip1; go1.26.8");
        let fields = ["name", "digest", "source", "sources", "built"].map(|key| entry.field(key));
        assert_eq!(fields, ["bench-host:a-go", "sha256:1", "plugins/a-go", "sha256:2", "c; wasip1; go1.26.8"]);
        assert_eq!(entries(&entry.0), [entry]);
    }
}
