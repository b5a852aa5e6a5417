//! Interfaces of the host that the user denies. A component that imports one is linked all the same, so that it can describe itself; each call
//! of what is denied traps.

use crate::state::State;
use bench_model::HostInterface;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, Result, bail};

/// Replaces the functions of the `denied` interfaces that the component imports, in the version that it imports.
pub(crate) fn withhold(
    linker: &mut Linker<State>,
    engine: &Engine,
    component: &Component,
    denied: &[HostInterface],
) -> Result<()> {
    if denied.is_empty() {
        return Ok(());
    }
    let is_denied =
        |import: &str| HostInterface::of_import(import).is_some_and(|interface| denied.contains(&interface));
    let ty = component.component_type();
    linker.allow_shadowing(true);
    for (name, import) in ty.imports(engine).filter(|(name, _)| is_denied(name)) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let mut replaced = linker.instance(name)?;
        for (item, exported) in interface.exports(engine) {
            match exported.ty {
                ComponentItem::ComponentFunc(_) => {
                    let called = format!("{name}#{item}");
                    replaced.func_new(item, move |_, _, _, _| bail!("`{called}` is denied by the user"))?;
                }
                ComponentItem::Resource(_) => replaced.resource(item, ResourceType::host::<()>(), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    linker.allow_shadowing(false);
    Ok(())
}
