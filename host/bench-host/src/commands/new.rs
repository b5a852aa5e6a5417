//! `new`: makes the folder of a new plug-in, which builds, passes `check` and is measured.

use crate::cli::NewArgs;
use crate::{Exit, output};
use anyhow::{Context, ensure};
use bench_kit::{Driver, Project};
use std::path::Path;

pub(crate) fn run(arguments: &NewArgs) -> anyhow::Result<Exit> {
    let project = Project {
        name: arguments.name.clone(),
        language: arguments.lang,
        driver: arguments.driver,
        is_probe: arguments.probe,
    };
    let files = project.files()?;
    let folder = Path::new(&project.name);
    ensure!(!folder.exists(), "{} exists already; choose another name, or remove it", folder.display());
    bench_kit::write_all(folder, &files).with_context(|| format!("cannot write {}", folder.display()))?;
    let name = &project.name;
    let built = if project.is_probe { std::env::consts::DLL_EXTENSION } else { "wasm" };
    output::print(&format!(
        "{name}/ is a plug-in for the driver {} in {}; its README.md says what is needed to build it\n  \
         cd {name} && ./build.sh\n  bench-host check out/{name}.{built}\n  bench-host load out/{name}.{built}\n",
        driver(project.driver),
        project.language
    ))?;
    Ok(Exit::Done)
}

/// The driver that such a plug-in names. A function of one's own answers with its first response, which the driver `function` does not.
fn driver(chosen: Driver) -> &'static str {
    if chosen == Driver::Function { "handler" } else { chosen.as_str() }
}
