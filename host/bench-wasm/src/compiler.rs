//! Names the compilers that made a component, from the `producers` sections that compilers and tools write (tool conventions of
//! WebAssembly, "Producers Section").

use std::collections::BTreeSet;
use wasmparser::{Parser, Payload, ProducersSectionReader};

/// The programs that processed the code, such as `rustc 1.95.0`, in alphabetical order; `None` if the file does not say.
pub fn compiler(bytes: &[u8]) -> Option<String> {
    let mut found = BTreeSet::new();
    // A file that is damaged after the section still says who made it.
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && section.name() == "producers"
        {
            let reader = wasmparser::BinaryReader::new(section.data(), section.data_offset());
            found.extend(processors(reader).unwrap_or_default());
        }
    }
    // Tools that only wrap modules have no part in the code.
    found
        .retain(|name| !["wit-component", "wit-bindgen-rust", "wit-bindgen"].iter().any(|tool| name.starts_with(tool)));
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
}

fn processors(reader: wasmparser::BinaryReader<'_>) -> wasmparser::Result<Vec<String>> {
    let mut found = Vec::new();
    for field in ProducersSectionReader::new(reader)? {
        let field = field?;
        if field.name != "processed-by" {
            continue;
        }
        for value in field.values {
            let value = value?;
            // The version of rustc has the commit after it.
            let version = value.version.split(" (").next().unwrap_or_default();
            found.push(format!("{} {version}", value.name).trim_end().to_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_of_nested_modules_are_named() {
        let module = |name: &str, version: &str| {
            let text = |text: &str| format!("{}{text}", char::from(u8::try_from(text.len()).unwrap()));
            let section = format!("\u{1}{}\u{1}{}{}", text("processed-by"), text(name), text(version));
            let section: String = section.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(core module (@custom \"producers\" \"{section}\"))")
        };
        let component = format!("(component {} {})", module("rustc", "1.95.0 (abc)"), module("wit-component", "0.2"));
        assert_eq!(compiler(&wat::parse_str(component).unwrap()).as_deref(), Some("rustc 1.95.0"));
        assert_eq!(compiler(&wat::parse_str("(component)").unwrap()), None);
        assert_eq!(compiler(b"no module"), None);
    }
}
