//! Builds the plug-ins: each as a component and, from the same source, as probes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command_line::{PluginRequest, Profile};
use crate::output::say;
use crate::package::{self, Package};
use crate::project::{PLUGINS_MANIFEST, Project};
use crate::{artifact, go, lock, processor, setup};

/// The target of components.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The folder of the probes for this processor, separate from the ordinary probes.
pub(crate) const NATIVE_CPU_FOLDER: &str = "plugins/native-cpu";

/// The instructions of components. Every engine has SIMD, which WebAssembly has had since its version 2.0.
const SIMD: &str = "-Ctarget-feature=+simd128";

/// The variants that `compare --ladder` shows, each in a folder next to the plug-ins. One with a feature is built of the plug-ins
/// that have a cargo feature of this name.
const VARIANTS: [Variant; 3] = [
    Variant { folder: "plugins/no-simd", target: WASM_TARGET, feature: None, flags: &[] },
    Variant {
        folder: "plugins/native-portable",
        target: artifact::HOST_TARGET,
        feature: Some("portable"),
        // Of the crate sha2.
        flags: &["--cfg", "sha2_backend=\"soft\""],
    },
    Variant { folder: "plugins/native-dlmalloc", target: artifact::HOST_TARGET, feature: Some("dlmalloc"), flags: &[] },
];

/// A variant of the plug-ins.
struct Variant {
    /// The folder of the modules, from the root.
    folder: &'static str,
    target: &'static str,
    /// The cargo feature that makes it, if one does.
    feature: Option<&'static str>,
    /// Additional flags for rustc.
    flags: &'static [&'static str],
}

/// One way to build the plug-ins.
struct Arm {
    /// The target, if it is not cargo's default.
    target: Option<&'static str>,
    /// Additional flags for rustc.
    flags: Vec<String>,
    /// The cargo feature of every plug-in, if it needs one.
    feature: Option<&'static str>,
    /// The folder of the modules, from the root.
    folder: &'static str,
    extension: &'static str,
}

/// Builds the requested plug-ins into `plugins/<name>.wasm` and `plugins/<name>.so`, their programs into `plugins/<program>`, and, if
/// requested, probes with all instructions of this processor into `plugins/native-cpu/<name>.so`.
pub(crate) fn run(project: &Project, request: &PluginRequest) -> Result<()> {
    if request.is_reproducible {
        let plain = PluginRequest { is_reproducible: false, ..request.clone() };
        run(&project.reproducible()?, &plain)?;
        return lock::record(project, &plugins(project, &request.names)?, request.is_locked);
    }
    let profile = request.profile;
    let plugins = plugins(project, &request.names)?;
    if plugins.is_empty() {
        say(format_args!("plugins: no member of {PLUGINS_MANIFEST} has a [lib] with the crate-type cdylib"));
        return Ok(());
    }
    ensure!(
        setup::has_wasm_target(project),
        "rustc has no target {WASM_TARGET}, so no component can be built: run `cargo xtask setup`, which adds it"
    );
    say(format_args!("plugins: {} as {WASM_TARGET} and natively ({})", plugins.len(), profile.name()));
    if request.has_variants {
        build_variants(project, profile, &plugins)?;
    }
    let mut changed = BTreeSet::new();
    // After the variants, so that the next build finds what it needs in the target folder.
    for (target, extension, flags) in
        [(Some(WASM_TARGET), "wasm", vec![SIMD.to_owned()]), (None, artifact::LIBRARY, Vec::new())]
    {
        let arm = Arm { target, flags, feature: None, folder: "plugins", extension };
        changed.extend(build(project, profile, &plugins, &arm)?);
    }
    let cargo = || cargo(project, "rustc", profile, &[]);
    artifact::build_programs(project, cargo, &plugins, "plugins")?;
    if request.has_native_cpu {
        build_native_cpu(project, profile, &plugins)?;
    }
    forget_older(project, request, &changed)?;
    // Plug-ins in Go are built together.
    if request.names.is_empty() {
        go::run(project)?;
    }
    if profile == Profile::Dev {
        say("plugins: these are not optimised: run `cargo xtask plugins` before you measure");
    }
    Ok(())
}

/// The plug-ins of the workspace in `names`, or all if `names` is empty.
pub(crate) fn plugins(project: &Project, names: &[String]) -> Result<Vec<Package>> {
    let members = package::members(project, Some(PLUGINS_MANIFEST))?;
    let plugins: Vec<Package> = members.into_iter().filter(|member| member.is_module && member.is_default).collect();
    named(plugins, names)
}

/// The plug-ins in `names`, or all if `names` is empty.
fn named(mut plugins: Vec<Package>, names: &[String]) -> Result<Vec<Package>> {
    let known = plugins.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>().join(", ");
    for name in names {
        ensure!(plugins.iter().any(|plugin| plugin.name == *name), "there is no plug-in `{name}`; there are: {known}");
    }
    plugins.retain(|plugin| names.is_empty() || names.contains(&plugin.name));
    Ok(plugins)
}

/// Builds the probes for this processor. They only show the effect of instructions that other arms do not use, so it is not an
/// error if the compiler cannot build them.
fn build_native_cpu(project: &Project, profile: Profile, plugins: &[Package]) -> Result<()> {
    let Some(flags) = processor::flags(project) else {
        say("plugins: native-cpu left out, because rustc refuses -Ctarget-cpu=native: compare without that arm");
        return remove(NATIVE_CPU_FOLDER, fs::remove_dir_all(project.root().join(NATIVE_CPU_FOLDER)));
    };
    say(format_args!("plugins: {} natively for this very processor ({})", plugins.len(), profile.name()));
    let (folder, extension) = (NATIVE_CPU_FOLDER, artifact::LIBRARY);
    let target = Some(artifact::HOST_TARGET);
    build(project, profile, plugins, &Arm { target, flags, feature: None, folder, extension }).map(drop)
}

/// Builds the variants of the plug-ins that have them.
fn build_variants(project: &Project, profile: Profile, plugins: &[Package]) -> Result<()> {
    for Variant { folder, target, feature, flags } in &VARIANTS {
        let has_feature = |plugin: &&Package| feature.is_none_or(|name| plugin.features.iter().any(|own| own == name));
        let plugins: Vec<Package> = plugins.iter().filter(has_feature).cloned().collect();
        say(format_args!("plugins: {} into {folder} ({})", plugins.len(), profile.name()));
        if plugins.is_empty() {
            continue;
        }
        let extension = if *target == WASM_TARGET { "wasm" } else { artifact::LIBRARY };
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        build(project, profile, &plugins, &Arm { target: Some(target), flags, feature: *feature, folder, extension })?;
    }
    Ok(())
}

/// Removes builds in other folders that were not made now, of all plug-ins, or of those that have `changed`: a comparison would set what is
/// of older sources, or of another processor, beside what is new.
fn forget_older(project: &Project, request: &PluginRequest, changed: &BTreeSet<String>) -> Result<()> {
    let variants = VARIANTS.iter().map(|variant| variant.folder).filter(|_| !request.has_variants);
    for folder in variants.chain((!request.has_native_cpu).then_some(NATIVE_CPU_FOLDER)) {
        let path = project.root().join(folder);
        if request.names.is_empty() {
            remove(folder, fs::remove_dir_all(&path))?;
            continue;
        }
        for file in
            changed.iter().flat_map(|name| ["wasm", artifact::LIBRARY].map(|extension| format!("{name}.{extension}")))
        {
            remove(folder, fs::remove_file(path.join(file)))?;
        }
    }
    Ok(())
}

/// What was removed need not have been there.
fn remove(folder: &str, removed: io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{folder} is out of date and cannot be removed"))
        }
        _ => Ok(()),
    }
}

/// A cargo command that builds in the workspace of the plug-ins, with these additional flags for rustc.
fn cargo(project: &Project, command: &str, profile: Profile, flags: &[String]) -> Command {
    let mut cargo = project.cargo(Some(PLUGINS_MANIFEST));
    let (variable, flags) = project.plugin_flags(flags);
    cargo.env(variable, flags).args([command, "--manifest-path", PLUGINS_MANIFEST, "--profile", profile.name()]);
    cargo
}

/// Returns the names of the plug-ins that are others than before.
fn build(project: &Project, profile: Profile, plugins: &[Package], arm: &Arm) -> Result<Vec<String>> {
    let mut command = cargo(project, "build", profile, &arm.flags);
    if let Some(target) = arm.target {
        command.args(["--target", target]);
    }
    if let Some(feature) = arm.feature {
        let features: Vec<_> = plugins.iter().map(|plugin| format!("{}/{feature}", plugin.name)).collect();
        command.arg("--features").arg(features.join(","));
    }
    artifact::build(project, &mut command, plugins, arm.folder, arm.extension)
}
