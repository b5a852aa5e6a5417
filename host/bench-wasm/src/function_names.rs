//! The names that a file gives its functions, whole: the engine keeps the first 96 bytes of each.

use std::collections::BTreeMap;
use wasmparser::{Encoding, KnownCustom, Name, Parser, Payload};

/// The names of functions, by the number of their core module in the order of the file, and their own number in it.
pub type FunctionNames = BTreeMap<(u32, u32), String>;

/// The names of the functions of the component or core module in `bytes`; none of what is neither.
pub fn function_names(bytes: &[u8]) -> FunctionNames {
    let mut names = FunctionNames::new();
    let mut modules = 0;
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => modules += 1,
            Payload::CustomSection(section) if modules > 0 => {
                let KnownCustom::Name(sections) = section.as_known() else { continue };
                let functions = sections.into_iter().filter_map(Result::ok).filter_map(|section| match section {
                    Name::Function(functions) => Some(functions),
                    _ => None,
                });
                let functions = functions.flatten().filter_map(Result::ok);
                names.extend(functions.map(|naming| ((modules - 1, naming.index), naming.name.to_owned())));
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_the_numbers_that_the_engine_gives_them() {
        let text = r#"(component
            (core module (import "a" "b" (func $imported)) (func $first))
            (component (core module (func) (func $inner)))
            (core module (func $last)))"#;
        let component = wat::parse_str(text).unwrap();
        let expect = [((0, 0), "imported"), ((0, 1), "first"), ((1, 1), "inner"), ((2, 0), "last")];
        assert_eq!(function_names(&component), expect.map(|(place, name)| (place, name.to_owned())).into());
        let module = wat::parse_str("(module (func $only))").unwrap();
        assert_eq!(function_names(&module), [((0, 0), "only".to_owned())].into());
        assert_eq!(function_names(&component[..component.len() / 2]).get(&(9, 9)), None, "half a file has no panic");
        assert!(function_names(b"\x7fELF").is_empty());
    }
}
