//! What a core module imports and exports.

use wasmparser::{ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

/// The imports and the exported functions of a core module.
#[derive(Debug, Default)]
pub(super) struct CoreModule {
    /// The modules and names of its imports.
    pub(super) imports: Vec<(String, String)>,
    /// Its exported functions.
    pub(super) exports: Vec<CoreExport>,
    /// Whether the toolchain of Go linked it.
    pub(super) is_of_go: bool,
}

/// The custom section that Go's linker writes into every module.
const GO_BUILD_ID: &str = "go:buildid";

/// An exported function.
#[derive(Debug)]
pub(super) struct CoreExport {
    pub(super) name: String,
    pub(super) parameters: Vec<ValType>,
    pub(super) results: Vec<ValType>,
}

impl CoreModule {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes).map_err(|error| format!("damaged or incomplete: {error}; build or copy it again"))
    }

    /// Whether it imports something from the module `name`.
    pub(super) fn imports_from(&self, name: &str) -> bool {
        self.imports.iter().any(|(from, _)| from == name)
    }

    /// Whether its allocator takes all memory after its own data for its heap, and there is no `cabi_realloc` that an adapter could ask
    /// for memory instead of growing it. Go's allocator counts the pages that it has asked for, and never reads where they are.
    pub(super) fn owns_all_memory(&self) -> bool {
        self.is_of_go && !self.exports.iter().any(|export| export.name == "cabi_realloc")
    }

    fn read(bytes: &[u8]) -> wasmparser::Result<Self> {
        let mut module = Self::default();
        let (mut types, mut functions) = (Vec::<Option<FuncType>>::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                            wasmparser::CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(ty) = import.ty {
                            functions.push(ty);
                        }
                        module.imports.push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        functions.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let ty = functions.get(export.index as usize).and_then(|ty| types.get(*ty as usize)?.as_ref());
                        if let (ExternalKind::Func, Some(ty)) = (export.kind, ty) {
                            module.exports.push(CoreExport {
                                name: export.name.to_owned(),
                                parameters: ty.params().to_vec(),
                                results: ty.results().to_vec(),
                            });
                        }
                    }
                }
                Payload::CustomSection(section) => module.is_of_go |= section.name() == GO_BUILD_ID,
                _ => {}
            }
        }
        Ok(module)
    }
}
