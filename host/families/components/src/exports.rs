//! The functions that a component exports and that can be called with arguments in WAVE notation.

use crate::wave::{WaveType, show_function};
use bench_wasm::wasmtime::component::ComponentExportIndex;
use bench_wasm::wasmtime::component::types::{ComponentFunc, ComponentItem};
use bench_wasm::{Component, first_few};
use std::borrow::Cow;
use wasm_wave::wasm::{WasmType, WasmTypeKind};

/// An exported function.
pub(crate) struct Export {
    /// Its name in WAVE notation: `add`, or `math.add` in an interface.
    pub(crate) name: String,
    /// The name of its interface, such as `my:calculator/math@1.0.0`, if it is in one.
    interface: Option<String>,
    pub(crate) index: ComponentExportIndex,
    pub(crate) ty: ComponentFunc,
}

impl Export {
    /// Its name and type: `add: func(a: u32, b: u32) -> u32`.
    pub(crate) fn signature(&self) -> String {
        let keyword = if self.ty.async_() { "async " } else { "" };
        format!("{}: {keyword}{}", self.name, show_function(&self.ty))
    }

    /// Whether a user means it by `name`: the name, the name without the interface, or with the interface's package and version
    /// (`my:calculator/math.add@1.0.0`).
    fn is_meant_by(&self, name: &str) -> bool {
        name == self.name || name == self.bare() || name == self.qualified()
    }

    /// Its name without the interface.
    fn bare(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// Its longest name, which no other function has.
    fn qualified(&self) -> String {
        let bare = self.bare();
        match self.interface.as_deref().map(|interface| interface.split_once('@').unwrap_or((interface, ""))) {
            Some((interface, "")) => format!("{interface}.{bare}"),
            Some((interface, version)) => format!("{interface}.{bare}@{version}"),
            None => self.name.clone(),
        }
    }
}

/// The functions of `component` that can be called, in the order in which it exports them.
pub(crate) fn functions(component: &Component) -> Vec<Export> {
    let mut exports = all(component);
    exports.retain(|export| why_not_callable(export).is_none());
    exports
}

/// All functions of `component`, except those of interfaces of WASI and of bench-host: they are called by drivers that know them.
fn all(component: &Component) -> Vec<Export> {
    let compiled = component.instance_pre().component();
    let engine = component.runtime().engine();
    let mut exports = Vec::new();
    for (name, item) in compiled.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                let index = compiled.get_export_index(None, name);
                exports.extend(index.map(|index| Export { name: name.to_owned(), interface: None, index, ty }));
            }
            ComponentItem::ComponentInstance(interface)
                if !name.starts_with("wasi:") && !name.starts_with("bench-host:") =>
            {
                let Some(instance) = compiled.get_export_index(None, name) else { continue };
                let label = name.split('@').next().and_then(|name| name.rsplit('/').next()).unwrap_or(name);
                for (function, item) in interface.exports(engine) {
                    let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
                    let index = compiled.get_export_index(Some(&instance), function);
                    exports.extend(index.map(|index| Export {
                        name: format!("{label}.{function}"),
                        interface: Some(name.to_owned()),
                        index,
                        ty,
                    }));
                }
            }
            _ => {}
        }
    }
    exports
}

/// Why a call of `export` cannot be written; `None` if it can.
fn why_not_callable(export: &Export) -> Option<&'static str> {
    // WIT names them `[method]blob.read`, `[static]blob.merge`, `[constructor]blob`.
    if export.name.contains('[') {
        Some("it belongs to a resource, whose handles WAVE notation cannot write")
    } else if !is_callable(&export.ty) {
        Some("its type has a part that WAVE notation cannot write, such as a handle or a stream")
    } else {
        None
    }
}

/// The function that `name` means; an error says which functions there are.
pub(crate) fn find<'a>(exports: &'a [Export], name: &str) -> Result<&'a Export, String> {
    // A function of the world itself has no longer name.
    if let Some(export) = exports.iter().find(|export| export.interface.is_none() && export.name == name) {
        return Ok(export);
    }
    let mut meant = exports.iter().filter(|export| export.is_meant_by(name));
    match (meant.next(), meant.next()) {
        (Some(export), None) => Ok(export),
        (Some(first), Some(second)) => {
            let (first, second) = (first.qualified(), second.qualified());
            Err(format!("`{name}` is exported more than once; write `{first}` or `{second}`"))
        }
        (None, _) => Err(format!("no exported function `{name}`; there is {}", signatures(exports))),
    }
}

/// The functions of a component by the names that it, or the core module that it was made of, has for them.
#[derive(Debug, Default)]
pub(crate) struct RealNames {
    /// Those of a core module that can be called, each with its name in WAVE notation, which may be another.
    pub(crate) callable: Vec<(String, String)>,
    /// Those that cannot be called, each with the reason.
    pub(crate) left_out: Vec<(String, String)>,
}

impl RealNames {
    pub(crate) fn of(component: &Component) -> Self {
        #[cfg(feature = "core-modules")]
        if let Some(names) = crate::core_modules::real_names(component) {
            return names;
        }
        let left_out = all(component).into_iter().filter_map(|export| {
            let reason = why_not_callable(&export)?;
            Some((export.name, reason.to_owned()))
        });
        Self { callable: Vec::new(), left_out: left_out.collect() }
    }

    /// The call in `text` with the function's name in WAVE notation; an error if it is one that is left out.
    pub(crate) fn in_notation<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, String> {
        let Some((name, rest)) = text.split_once('(') else { return Ok(Cow::Borrowed(text)) };
        let is_meant = |(real, _): &&(String, String)| real == name.trim();
        if let Some((_, notation)) = self.callable.iter().find(is_meant) {
            return Ok(Cow::Owned(format!("{notation}({rest}")));
        }
        match self.left_out.iter().find(is_meant) {
            Some((name, reason)) => Err(format!("`{name}` is exported and cannot be called: {reason}")),
            None => Ok(Cow::Borrowed(text)),
        }
    }

    /// A line for each function that is left out, as lists of signatures have it.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        self.left_out.iter().map(|(name, reason)| format!("{name}: left out: {reason}"))
    }

    /// The same for the end of a message; nothing if there is none.
    pub(crate) fn left_out_note(&self) -> String {
        let named = self.left_out.iter().map(|(name, reason)| format!("{name} ({reason})"));
        if self.left_out.is_empty() { String::new() } else { format!("; left out: {}", first_few(named, ", ", "")) }
    }
}

/// All signatures in one line.
pub(crate) fn signatures(exports: &[Export]) -> String {
    first_few(exports.iter().map(Export::signature), "; ", ", which `bench-host list` shows")
}

/// Whether all its values can be written in WAVE notation: no handles, streams and futures.
fn is_callable(ty: &ComponentFunc) -> bool {
    ty.params().all(|(_, ty)| is_value(&WaveType(ty))) && ty.results().all(|ty| is_value(&WaveType(ty)))
}

fn is_value(ty: &WaveType) -> bool {
    let optional = |ty: Option<WaveType>| ty.is_none_or(|ty| is_value(&ty));
    match ty.kind() {
        WasmTypeKind::Unsupported => false,
        WasmTypeKind::List => optional(ty.list_element_type()),
        WasmTypeKind::Record => ty.record_fields().all(|(_, ty)| is_value(&ty)),
        WasmTypeKind::Tuple => ty.tuple_element_types().all(|ty| is_value(&ty)),
        WasmTypeKind::Variant => ty.variant_cases().all(|(_, ty)| optional(ty)),
        WasmTypeKind::Option => optional(ty.option_some_type()),
        WasmTypeKind::Result => ty.result_types().is_none_or(|(ok, error)| optional(ok) && optional(error)),
        _ => true,
    }
}
