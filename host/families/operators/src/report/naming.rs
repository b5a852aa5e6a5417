//! The names of chains of operators: the language of the operators, the arm, and other arguments in which chains of a run differ.

use super::{COUNT, EVERY_OTHER};
use bench_model::{Arguments, Arm, Value};
use bench_report::arm_label;
use std::collections::BTreeMap;

/// The properties by which chains are distinguished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    /// `module/scenario`.
    pub(super) scenario: &'a str,
    pub(super) arm: Arm,
    pub(super) variant: Option<&'a str>,
    pub(super) arguments: &'a Arguments,
    /// The module's file.
    pub(super) file: &'a str,
}

/// The name of a chain, in parts. Chains with the same name differ only in the number of operators.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// `mixed`, `rust-only`.
    pub(super) kind: String,
    pub(super) arm: Arm,
    pub(super) variant: Option<String>,
    /// Further differences from chains of the same kind and arm, such as `-rate-100`; usually empty.
    pub(super) detail: String,
}

impl Name {
    /// The name of a folder, valid on every file system: `rust-only`, `rust-only-process-rate-100`.
    pub(super) fn folder(&self) -> String {
        let arm = match (self.arm, &self.variant) {
            (Arm::Wasm, None) => String::new(),
            (Arm::Wasm, Some(variant)) => format!("-{}", plain(variant)),
            _ => format!("-{}", plain(&self.arm_label())),
        };
        format!("{}{arm}{}", self.kind, self.detail)
    }

    /// `wasm`, `process`, `wasm+fuel`.
    pub(super) fn arm_label(&self) -> String {
        arm_label(self.arm, self.variant.as_deref())
    }

    /// Whether the chain is in this arm, and in no variant of it.
    pub(super) fn is_in(&self, arm: Arm) -> bool {
        self.arm == arm && self.variant.is_none()
    }

    /// The kind and further differences, without the arm.
    pub(super) fn title(&self) -> String {
        format!("{}{}", self.kind, self.detail)
    }
}

/// The number of operators.
pub(super) fn count(arguments: &Arguments) -> Option<i64> {
    match arguments.get(COUNT) {
        Some(Value::Integer(count)) => Some(*count),
        _ => None,
    }
}

/// The names of all chains of a run, in the order of `keys`.
pub(super) fn names(keys: &[Key<'_>]) -> Vec<Name> {
    let bases: Vec<(String, Arm, Option<&str>)> = keys.iter().map(|key| (kind(key), key.arm, key.variant)).collect();
    let all: Vec<BTreeMap<String, String>> = keys.iter().map(details).collect();
    let mut names = Vec::new();
    // Chains with the same name have the same details. Different details that are written alike get a number.
    let mut known: BTreeMap<Name, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for (base, own) in bases.iter().zip(&all) {
        let others = || bases.iter().zip(&all).filter(|(other, _)| *other == base).map(|(_, details)| details);
        let mut parts: Vec<&String> = others().flat_map(BTreeMap::keys).collect();
        parts.sort_unstable();
        parts.dedup();
        let telling = parts.into_iter().filter(|part| others().any(|other| other.get(*part) != own.get(*part)));
        let absent = String::new();
        let detail: String =
            telling.map(|part| format!("-{}-{}", plain(part), plain(own.get(part).unwrap_or(&absent)))).collect();
        let (kind, arm, variant) = base;
        let mut name = Name { kind: kind.clone(), arm: *arm, variant: variant.map(str::to_owned), detail };
        let alike = known.entry(name.clone()).or_default();
        let index = alike.iter().position(|known| *known == own).unwrap_or_else(|| {
            alike.push(own);
            alike.len() - 1
        });
        if index > 0 {
            name.detail.push_str(&format!("-{}", index + 1));
        }
        names.push(name);
    }
    names
}

/// `mixed` if operators of two modules alternate, or else the module's own name.
fn kind(key: &Key<'_>) -> String {
    let every_other = key.arguments.get(EVERY_OTHER).map(ToString::to_string).unwrap_or_default();
    if !every_other.is_empty() {
        return "mixed".to_owned();
    }
    let module = key.scenario.split('/').next().unwrap_or_default();
    format!("{}-only", plain(module.strip_prefix("operator-").unwrap_or(module)))
}

/// All arguments except the number of operators, and the module.
fn details(key: &Key<'_>) -> BTreeMap<String, String> {
    let arguments = key.arguments.iter().filter(|(name, _)| *name != COUNT);
    let arguments = arguments.map(|(name, value)| (name.to_owned(), value.to_string()));
    let (module, scenario) = key.scenario.split_once('/').unwrap_or((key.scenario, ""));
    let own = [("module", module), ("scenario", scenario), ("file", key.file)];
    arguments.chain(own.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// `text` with every character that is not a letter or digit replaced by a dash.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario, an arm, a variant and arguments.
    type Cell<'a> = (&'a str, Arm, Option<&'a str>, &'a [(&'a str, &'a str)]);

    #[track_caller]
    fn check(cells: &[Cell<'_>], folders: &[&str]) {
        let arguments: Vec<Arguments> =
            cells.iter().map(|(.., arguments)| arguments.iter().copied().collect()).collect();
        let keys: Vec<_> = cells
            .iter()
            .zip(&arguments)
            .map(|((scenario, arm, variant, _), arguments)| Key {
                scenario,
                arm: *arm,
                variant: *variant,
                arguments,
                file: "plugins/operator.wasm",
            })
            .collect();
        let found: Vec<_> = names(&keys).iter().map(Name::folder).collect();
        assert_eq!(found, folders);
    }

    #[test]
    fn a_folder_says_whose_operators_and_which_arm() {
        check(
            &[
                ("operator-rust/chain", Arm::Wasm, None, &[("every_other", "")]),
                ("operator-rust/chain", Arm::Native, None, &[]),
                ("operator-rust/chain", Arm::Wasm, Some("fuel"), &[]),
                ("operator-rust/chain", Arm::Wasm, None, &[("every_other", "operator-go/chain")]),
                ("operator-rust/chain", Arm::Process, None, &[("every_other", "operator-go/chain")]),
                ("operator-go/chain", Arm::Process, None, &[]),
                ("ours/chain", Arm::Wasm, None, &[]),
            ],
            &[
                "rust-only",
                "rust-only-native",
                "rust-only-fuel",
                "mixed",
                "mixed-process",
                "go-only-process",
                "ours-only",
            ],
        );
    }

    #[test]
    fn arguments_other_than_the_count_are_in_the_name() {
        check(
            &[
                ("operator-rust/chain", Arm::Wasm, None, &[("count", "10"), ("rate", "0"), ("suspend", "own")]),
                ("operator-rust/chain", Arm::Wasm, None, &[("count", "20"), ("rate", "100"), ("suspend", "own")]),
                ("operator-rust/chain", Arm::Native, None, &[("count", "20"), ("rate", "100")]),
            ],
            &["rust-only-rate-0", "rust-only-rate-100", "rust-only-native"],
        );
        check(
            &[
                ("operator-rust/chain", Arm::Wasm, None, &[("suspend", "own")]),
                ("operator-rust/chain", Arm::Wasm, None, &[]),
            ],
            &["rust-only-suspend-own", "rust-only-suspend-"],
        );
        check(
            &[
                ("operator-rust/chain", Arm::Wasm, None, &[("x", "a/b")]),
                ("operator-rust/chain", Arm::Wasm, None, &[("x", "a b")]),
                ("operator-rust/chain", Arm::Wasm, None, &[("x", "a/b")]),
            ],
            &["rust-only-x-a-b", "rust-only-x-a-b-2", "rust-only-x-a-b"],
        );
    }
}
