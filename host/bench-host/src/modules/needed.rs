//! Which of the modules that were found a run needs.

use super::{Loaded, Modules};
use crate::stored;
use bench_engine::Selection;
use bench_model::{Requirement, Value};
use std::collections::BTreeSet;
use std::path::Path;

impl Modules {
    /// Only the modules that `selections` match, so that a run records only those it used, and is no finding because of another one in the
    /// same folder. All modules if a selection matches none or is malformed, so that the plan can report it.
    pub(crate) fn only_needed(mut self, selections: &[Selection]) -> Self {
        let is_named = |loaded: &Loaded| {
            let mut named = selections.iter().map(|selection| selection.names(&loaded.offer.descriptor));
            named.any(|named| named.unwrap_or(true))
        };
        if self.loaded.iter().any(is_named) {
            let (kept, others) = self.loaded.drain(..).partition(is_named);
            self.loaded = kept;
            let wanted = self.wanted(selections.iter().flat_map(|selection| &selection.axes));
            self.companions
                .extend(others.into_iter().filter(|other: &Loaded| wanted.contains(&other.offer.descriptor.name)));
            self.refused.retain(|refused| may_be_needed(&refused.file, selections, &wanted));
        }
        self
    }

    /// The names of the modules that scenarios name, by default values of parameters or by `axes`.
    pub(super) fn wanted<'a>(&self, axes: impl Iterator<Item = &'a (String, Vec<String>)> + Clone) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for scenario in self.loaded.iter().flat_map(|loaded| &loaded.offer.descriptor.scenarios) {
            for name in scenario.requirements.iter().filter_map(Requirement::module_parameter) {
                let parameters = scenario.parameters.iter().filter(|parameter| parameter.name == name);
                let defaults = parameters.flat_map(|parameter| &parameter.defaults).map(Value::to_string);
                let said = axes.clone().filter(|(axis, _)| axis == name).flat_map(|(_, values)| values).cloned();
                names.extend(defaults.chain(said).filter_map(|value| Some(value.split_once('/')?.0.to_owned())));
            }
        }
        names
    }
}

/// Whether the module in a file that could not be loaded may be one of `selections` or of the names `wanted`. Only its file has a name: that of
/// the module, perhaps with a prefix, or with more behind a dot.
fn may_be_needed(file: &Path, selections: &[Selection], wanted: &BTreeSet<String>) -> bool {
    let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()).filter(|_| !stored::is_reference(file)) else {
        return true;
    };
    let name = stem.split('.').next().unwrap_or(stem);
    let names = [name, name.strip_prefix("lib").unwrap_or(name)];
    let is_needed = |name: &str| {
        let mut may_name = selections.iter().map(|selection| selection.may_name(name));
        wanted.contains(name) || may_name.any(|may_name| may_name.unwrap_or(true))
    };
    names.into_iter().any(is_needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_needed_if_its_module_may_be_selected() {
        let wanted = BTreeSet::from(["function".to_owned()]);
        let check = |pattern: &str, file: &str, expect: bool| {
            let selection = Selection { pattern: pattern.to_owned(), arms: None, axes: Vec::new() };
            assert_eq!(may_be_needed(Path::new(file), &[selection], &wanted), expect, "{pattern} {file}");
        };
        check("kernels/*", "plugins/kernels.wasm", true);
        check("kernels/*", "plugins/libkernels.so", true);
        check("kernels/*", "plugins/kernels.simd.wasm", true);
        check("kernels/*", "plugins/other.wasm", false);
        check("kernels/*", "plugins/function.wasm", true);
        check("k*/sort", "plugins/kernels.wasm", true);
        check("*", "plugins/other.wasm", true);
        check("*/sort", "plugins/other.wasm", true);
        // It may be the name of a scenario.
        check("kernels", "plugins/other.wasm", true);
        check("kernels/*", "acme:other@1.2.0", true);
    }
}
