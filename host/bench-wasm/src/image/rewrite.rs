//! Rewrites a component so that the host can access its state: every core module exports its memories and globals, and an additional
//! module, the accessor, reads and writes them.

use super::accessor;
use super::module::{Holdings, exporting};
use wasm_encoder::{ComponentSectionId, RawSection};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ExternalKind, Instance, Parser,
    Payload,
};

/// The reason why a component cannot be rewritten.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It has state that an image cannot contain.
    #[error("it has {0}")]
    Has(&'static str),
    /// It cannot be parsed; the compiler has reported that before.
    #[error(transparent)]
    Damaged(#[from] wasmparser::BinaryReaderError),
}

/// The number of items of each kind in a component, which is the index of the next one. Kinds without additions are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Spaces {
    pub(super) core_functions: u32,
    pub(super) core_instances: u32,
    pub(super) core_memories: u32,
    pub(super) core_modules: u32,
    pub(super) functions: u32,
    pub(super) instances: u32,
    pub(super) types: u32,
}

/// An instance of a module, and its state.
#[derive(Clone, Debug)]
pub(super) struct InstanceState {
    pub(super) instance: u32,
    pub(super) holdings: Holdings,
}

/// Rewrites the component in `bytes`.
pub(super) fn rewrite(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut component = wasm_encoder::Component::new();
    let mut walk = Walk::default();
    // The nesting depth of the payload.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if depth > 0 {
            depth = match &payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth + 1,
                Payload::End(_) => depth - 1,
                Payload::InstanceSection(section) => {
                    // Nested components may only contain types and functions.
                    let instances = section.clone().into_iter().collect::<wasmparser::Result<Vec<_>>>()?;
                    if instances.iter().any(|instance| matches!(instance, Instance::Instantiate { .. })) {
                        return Err(Refusal::Has("core modules in a nested component"));
                    }
                    depth
                }
                _ => depth,
            };
            continue;
        }
        if let Payload::ModuleSection { unchecked_range, .. } = &payload {
            let module = &bytes[unchecked_range.clone()];
            let holdings = Holdings::of(module)?;
            let data = exporting(module, &holdings)?;
            component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: &data });
            walk.add_module(Some(holdings));
            depth = 1;
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            component.section(&RawSection { id, data: &bytes[range] });
        }
        depth = matches!(payload, Payload::ComponentSection { .. }).into();
        walk.follow(payload)?;
    }
    accessor::append(&mut component, &walk.spaces, &walk.held);
    Ok(component.finish())
}

/// What was found in a component so far.
#[derive(Default)]
struct Walk {
    spaces: Spaces,
    /// Nothing is known about imported modules.
    modules: Vec<Option<Holdings>>,
    held: Vec<InstanceState>,
}

impl Walk {
    fn add_module(&mut self, holdings: Option<Holdings>) {
        self.modules.push(holdings);
        self.spaces.core_modules += 1;
    }

    /// Follows a section that is copied as it is.
    fn follow(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.instantiate(module_index)?;
                    }
                    self.spaces.core_instances += 1;
                }
            }
            Payload::ComponentInstanceSection(section) => self.spaces.instances += section.count(),
            Payload::ComponentTypeSection(section) => self.spaces.types += section.count(),
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function? {
                        CanonicalFunction::Lift { .. } => self.spaces.functions += 1,
                        _ => self.spaces.core_functions += 1,
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.item(import?.ty.kind());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.item(export?.kind);
                }
            }
            _ => (),
        }
        Ok(())
    }

    fn instantiate(&mut self, module: u32) -> Result<(), Refusal> {
        // An index that is not there was refused when the component was compiled.
        let Some(Some(holdings)) = self.modules.get(module as usize) else {
            return Err(Refusal::Has("imported core modules"));
        };
        if let Some(what) = holdings.refusal {
            return Err(Refusal::Has(what));
        }
        self.held.push(InstanceState { instance: self.spaces.core_instances, holdings: holdings.clone() });
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, .. } => match kind {
                ExternalKind::Func | ExternalKind::FuncExact => self.spaces.core_functions += 1,
                ExternalKind::Memory => self.spaces.core_memories += 1,
                ExternalKind::Table | ExternalKind::Global | ExternalKind::Tag => (),
            },
            ComponentAlias::InstanceExport { kind, .. } => self.item(*kind),
            ComponentAlias::Outer { kind, .. } => match kind {
                ComponentOuterAliasKind::CoreModule => self.add_module(None),
                ComponentOuterAliasKind::Type => self.spaces.types += 1,
                ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Component => (),
            },
        }
    }

    fn item(&mut self, kind: ComponentExternalKind) {
        match kind {
            ComponentExternalKind::Module => self.add_module(None),
            ComponentExternalKind::Func => self.spaces.functions += 1,
            ComponentExternalKind::Type => self.spaces.types += 1,
            ComponentExternalKind::Instance => self.spaces.instances += 1,
            ComponentExternalKind::Value | ComponentExternalKind::Component => (),
        }
    }
}
