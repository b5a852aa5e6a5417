//! Names the compilers that made a module, as the module's file says.

use crate::worker::{Kind, ModuleSpec};
use bench_sink::regular;

/// The largest file that is read for this.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// How much of a name is kept, which is text of the module.
const NAME_CHARS_MAX: usize = 200;

/// The compilers; `None` if the file does not name them or cannot be read.
pub(crate) fn compilers(spec: &ModuleSpec) -> Option<String> {
    let named: fn(&[u8]) -> Option<String> = match spec.kind {
        Kind::Component => bench_wasm::compiler,
        Kind::Probe | Kind::Program { .. } | Kind::Native => bench_native::compiler,
        Kind::Builtin => return None,
    };
    let found = named(&regular::read(&spec.file, FILE_BYTES_MAX).ok()?)?;
    let plain: String = found.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    (!plain.is_empty()).then_some(plain)
}
