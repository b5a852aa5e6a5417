//! Prepares a core module that exports functions of numbers: gives it names that a component can have, and the world that declares
//! these functions. The types `i32` and `i64` become signed numbers.

use super::module::{CoreExport, CoreModule};
use crate::exports::RealNames;
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload, ValType};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The most parameters that a component passes one by one.
const PARAMETERS_MAX: usize = 16;

/// An exported function, and its name in the component.
struct Function<'a> {
    export: &'a CoreExport,
    name: String,
}

/// The core module in `bytes` with names and metadata from which a component can be made.
pub(super) fn library(bytes: &[u8], module: &CoreModule) -> Result<Vec<u8>, String> {
    let (functions, _) = functions(module);
    if module.exports.iter().any(|export| export.name.contains('#')) {
        return Err("a core module with interfaces of WIT; make a component of it with `bench-host wrap`".to_owned());
    }
    if functions.is_empty() {
        let reason = "a core module that exports neither `_start` nor a function of numbers";
        return Err(format!("{reason}; build it as a command, or export a function{}", names(module).left_out_note()));
    }
    let failed = |error: &dyn std::fmt::Display| format!("a core module of which no component can be made: {error}");
    let mut renamed = renamed(bytes, &functions).map_err(|error| failed(&error))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("library.wit", &wit(&functions)).map_err(|error| failed(&error))?;
    let world = resolve.select_world(&[package], Some("library")).map_err(|error| failed(&error))?;
    embed_component_metadata(&mut renamed, &resolve, world, StringEncoding::UTF8).map_err(|error| failed(&error))?;
    Ok(renamed)
}

/// What the module calls its functions.
pub(super) fn names(module: &CoreModule) -> RealNames {
    let (functions, left_out) = functions(module);
    let callable = functions.into_iter().map(|Function { export, name }| (export.name.clone(), name));
    RealNames { callable: callable.collect(), left_out }
}

/// The functions that a component can export, each name once; and the names of the others, each with the reason. Those of toolchains
/// are neither.
fn functions(module: &CoreModule) -> (Vec<Function<'_>>, Vec<(String, String)>) {
    let (mut functions, mut left_out) = (Vec::<Function<'_>>::new(), Vec::new());
    for export in module.exports.iter().filter(|export| !is_of_toolchain(&export.name)) {
        let name = why_not_of_component(export).map_or_else(|| name_of(export, module, &functions), Err);
        match name {
            Ok(name) => functions.push(Function { export, name }),
            Err(reason) => left_out.push((export.name.clone(), reason)),
        }
    }
    (functions, left_out)
}

/// The name of `export` in the component, which none of `functions` has, nor any other export already; an error says why there is none.
fn name_of(export: &CoreExport, module: &CoreModule, functions: &[Function<'_>]) -> Result<String, String> {
    let name = kebab_case(&export.name);
    let name = name.ok_or("components export words of letters and digits alone, each of which begins with a letter")?;
    let is_given = || functions.iter().any(|function| function.name == name);
    let is_anothers = || export.name != name && module.exports.iter().any(|other| other.name == name);
    if is_given() || is_anothers() {
        return Err(format!("its name becomes `{name}`, which another function has"));
    }
    Ok(name)
}

/// Why a component cannot export a function of this type, if it cannot.
fn why_not_of_component(CoreExport { parameters, results, .. }: &CoreExport) -> Option<String> {
    let other = parameters.iter().chain(results).find(|ty| wit_type(**ty).is_none());
    match (other, results.len(), parameters.len()) {
        (Some(ty), ..) => Some(format!("components have no type `{ty}`")),
        (None, 2.., _) => Some(format!("it returns {} values, and components return one", results.len())),
        (None, _, many) if many > PARAMETERS_MAX => {
            Some(format!("it takes {many} parameters, and components pass up to {PARAMETERS_MAX} one by one"))
        }
        _ => None,
    }
}

/// Whether a toolchain exports a function of this name for itself.
fn is_of_toolchain(name: &str) -> bool {
    name == "_initialize" || name.starts_with("__") || name.starts_with("cabi_")
}

fn wit_type(ty: ValType) -> Option<&'static str> {
    match ty {
        ValType::I32 => Some("s32"),
        ValType::I64 => Some("s64"),
        ValType::F32 => Some("f32"),
        ValType::F64 => Some("f64"),
        _ => None,
    }
}

/// The name in lower case, its words joined by dashes: `add_two` is `add-two`. `None` if that is no name of a component.
fn kebab_case(name: &str) -> Option<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(str::to_ascii_lowercase).collect();
    let begins = |word: &String| word.starts_with(|c: char| c.is_ascii_lowercase());
    (!words.is_empty() && words.iter().all(begins)).then(|| words.join("-"))
}

/// The world that exports the functions.
fn wit(functions: &[Function<'_>]) -> String {
    let mut wit = "package bench-host:library;\nworld library {\n".to_owned();
    for Function { export, name } in functions {
        let parameters = export.parameters.iter().enumerate();
        let parameters = parameters.filter_map(|(index, ty)| Some(format!("p{index}: {}", wit_type(*ty)?)));
        let result = export.results.first().and_then(|ty| Some(format!(" -> {}", wit_type(*ty)?)));
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        wit.push_str(&format!("  export %{name}: func({parameters}){};\n", result.unwrap_or_default()));
    }
    wit.push_str("}\n");
    wit
}

/// The module with its functions exported under their names in the component, and everything else as it was.
fn renamed(bytes: &[u8], functions: &[Function<'_>]) -> wasmparser::Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::ExportSection(section) = payload {
            let mut exports = ExportSection::new();
            for export in section {
                let export = export?;
                let function = functions.iter().find(|function| function.export.name == export.name);
                let name = match (export.kind, function) {
                    (ExternalKind::Func, Some(function)) => &function.name,
                    _ => export.name,
                };
                exports.export(name, export_kind(export.kind), export.index);
            }
            module.section(&exports);
        } else if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &bytes[range] });
        }
    }
    Ok(module.finish())
}

fn export_kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid_if_they_can_be() {
        for (name, expect) in [
            ("add", Some("add")),
            ("add_two", Some("add-two")),
            ("List.push$", Some("list-push")),
            ("_private", Some("private")),
            ("f_1", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(kebab_case(name).as_deref(), expect, "{name}");
        }
    }
}
