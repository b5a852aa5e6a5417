//! Finds the state of a core module (memories and mutable globals), and rewrites the module to export all of it under reserved names.

use wasm_encoder::{Encode, ExportKind, RawSection, SectionId};
use wasmparser::{BinaryReader, GlobalType, MemoryType, Operator, Parser, Payload, TypeRef, ValType};

/// The mutable state that a module defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holdings {
    /// By index.
    pub(super) memories: Vec<u32>,
    /// The mutable globals, by index.
    pub(super) globals: Vec<(u32, ValType)>,
    /// State that an image cannot contain, if there is any.
    pub(super) refusal: Option<&'static str>,
}

/// The name under which memory `index` is exported.
pub(super) fn memory_name(index: u32) -> String {
    format!("bench-host:image/memory{index}")
}

/// The name under which global `index` is exported.
pub(super) fn global_name(index: u32) -> String {
    format!("bench-host:image/global{index}")
}

impl Holdings {
    /// The memories and globals of a module.
    pub(super) fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut holdings = Self::default();
        let (mut memories, mut globals) = (0, 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        match import?.ty {
                            TypeRef::Memory(_) => memories += 1,
                            TypeRef::Global(_) => globals += 1,
                            _ => (),
                        }
                    }
                }
                Payload::MemorySection(section) => {
                    for (index, memory) in (memories..).zip(section) {
                        holdings.add_memory(index, memory?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for (index, global) in (globals..).zip(section) {
                        holdings.add_global(index, global?.ty);
                    }
                }
                Payload::CodeSectionEntry(body) if holdings.refusal.is_none() => {
                    for operator in body.get_operators_reader()? {
                        if writes_table(&operator?) {
                            holdings.refusal = Some("a table that it writes to");
                            break;
                        }
                    }
                }
                _ => (),
            }
        }
        Ok(holdings)
    }

    fn add_memory(&mut self, index: u32, memory: MemoryType) {
        self.memories.push(index);
        if memory.shared || memory.memory64 || memory.page_size_log2.is_some() {
            self.refusal = Some("a memory that is shared, 64-bit, or has a custom page size");
        }
    }

    fn add_global(&mut self, index: u32, global: GlobalType) {
        if global.mutable {
            self.globals.push((index, global.content_type));
            if global.shared || matches!(global.content_type, ValType::Ref(_)) {
                self.refusal = Some("a global that is shared or a reference");
            }
        }
    }
}

fn writes_table(operator: &Operator<'_>) -> bool {
    use Operator::{TableCopy, TableFill, TableGrow, TableInit, TableSet};
    matches!(operator, TableCopy { .. } | TableFill { .. } | TableGrow { .. } | TableInit { .. } | TableSet { .. })
}

/// The module with all of its `holdings` exported.
pub(super) fn exporting(module: &[u8], holdings: &Holdings) -> wasmparser::Result<Vec<u8>> {
    let mut encoder = wasm_encoder::Module::new();
    let mut is_missing = true;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else { continue };
        let (data, is_exports) = (&module[range], matches!(payload, Payload::ExportSection(_)));
        if is_missing && (is_exports || comes_after_exports(id)) {
            let data = exports(if is_exports { data } else { NO_EXPORTS }, holdings)?;
            encoder.section(&RawSection { id: SectionId::Export.into(), data: &data });
            is_missing = false;
        }
        if !is_exports {
            encoder.section(&RawSection { id, data });
        }
    }
    if is_missing {
        let data = exports(NO_EXPORTS, holdings)?;
        encoder.section(&RawSection { id: SectionId::Export.into(), data: &data });
    }
    Ok(encoder.finish())
}

/// A section of none.
const NO_EXPORTS: &[u8] = &[0];

/// Whether a section must come after the export section. Custom sections may be anywhere.
fn comes_after_exports(id: u8) -> bool {
    [SectionId::Start, SectionId::Element, SectionId::DataCount, SectionId::Code, SectionId::Data]
        .iter()
        .any(|section| u8::from(*section) == id)
}

/// A section of exports with those of `holdings` behind its own.
fn exports(before: &[u8], holdings: &Holdings) -> wasmparser::Result<Vec<u8>> {
    let mut reader = BinaryReader::new(before, 0);
    let count = reader.read_var_u32()? + (holdings.memories.len() + holdings.globals.len()) as u32;
    let mut data = Vec::new();
    count.encode(&mut data);
    data.extend_from_slice(&before[reader.current_position()..]);
    let memories = holdings.memories.iter().map(|&index| (memory_name(index), ExportKind::Memory, index));
    let globals = holdings.globals.iter().map(|&(index, _)| (global_name(index), ExportKind::Global, index));
    for (name, kind, index) in memories.chain(globals) {
        name.encode(&mut data);
        kind.encode(&mut data);
        index.encode(&mut data);
    }
    Ok(data)
}
