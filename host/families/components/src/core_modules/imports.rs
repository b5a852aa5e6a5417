//! Gives each import of a core module a name of its own. A core module may import a function twice, as those of Go do, but not inside
//! of a component.

use std::borrow::Cow;
use std::collections::HashMap;
use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder};
use wasm_encoder::{ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};

/// Comes between the name of an import that there was before and the number of those. No function of WASI 0.1 has it in its name.
const AGAIN: char = '#';

/// The name of the function that is imported as `name`.
pub(crate) fn imported(name: &str) -> &str {
    name.split_once(AGAIN).map_or(name, |(original, _)| original)
}

/// The module in `bytes`, with the number of earlier imports of the same name behind each repeated one.
pub(super) fn with_distinct_imports(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(section) => {
                let (mut imports, mut counts) = (ImportSection::new(), HashMap::<_, usize>::new());
                for import in section.into_imports() {
                    let import = import?;
                    let count = counts.entry((import.module, import.name)).or_default();
                    let name = match *count {
                        0 => Cow::Borrowed(import.name),
                        count => Cow::Owned(format!("{}{AGAIN}{count}", import.name)),
                    };
                    *count += 1;
                    imports.import(import.module, &name, RoundtripReencoder.entity_type(import.ty)?);
                }
                module.section(&imports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &bytes[range] });
                }
            }
        }
    }
    Ok(module.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_modules::module::CoreModule;

    fn check(imports: &[&str], expect: &[&str]) {
        let fields: String = imports.iter().map(|name| format!(r#"(import "m" "{name}" (func))"#)).collect();
        let bytes = wat::parse_str(format!(
            r#"(module {fields} (memory 1) (data (i32.const 0) "kept") (func (export "f") call 0) (@custom "c" "kept"))"#
        ));
        let bytes = bytes.unwrap();
        let distinct = with_distinct_imports(&bytes).unwrap();
        let module = CoreModule::parse(&distinct).unwrap();
        let names: Vec<_> = module.imports.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, expect);
        assert_eq!(names.into_iter().map(imported).collect::<Vec<_>>(), imports);
        assert_eq!(module.exports.len(), 1);
        if imports == expect {
            assert_eq!(distinct, bytes);
        }
    }

    #[test]
    fn repeated_imports_are_numbered_and_nothing_else_changes() {
        check(&[], &[]);
        check(&["a", "b"], &["a", "b"]);
        check(&["a", "b", "a", "a", "b"], &["a", "b", "a#1", "a#2", "b#1"]);
    }
}
