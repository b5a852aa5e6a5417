//! `wrap`: makes a component of the core module that compilers of Go and C build.

use crate::cli::WrapArgs;
use crate::{Exit, output};
use anyhow::Context;
use bench_sink::regular;
use std::fs;

pub(crate) fn run(arguments: &WrapArgs) -> anyhow::Result<Exit> {
    let (core, file) = (&arguments.core, &arguments.output);
    let module = regular::read_whole(core).with_context(|| format!("{} cannot be read", core.display()))?;
    let packages = [bench_kit::wit_packages(), bench_kit::wasi_packages()].concat();
    let component = core_component::component(&module, &packages);
    let component = component.with_context(|| format!("{} cannot be made a component", core.display()))?;
    fs::write(file, &component).with_context(|| format!("{} cannot be written", file.display()))?;
    output::print(&format!("{}: {} bytes\n", file.display(), component.len()))?;
    Ok(Exit::Done)
}
