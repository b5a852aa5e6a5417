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
use crate::{artifact, go, hostile, lock, processor, setup};

/// The target of components.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The folder of the probes for this processor, separate from the ordinary probes.
pub(crate) const NATIVE_CPU_FOLDER: &str = "plugins/native-cpu";

/// The instructions of components. Every engine has SIMD, which WebAssembly has had since its version 2.0.
pub(crate) const SIMD: &str = "-Ctarget-feature=+simd128";

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
    target: &'static str,
    /// Additional flags for rustc.
    flags: Vec<String>,
    /// The cargo feature of every plug-in, if it needs one.
    feature: Option<&'static str>,
    /// The folder of the modules, from the root.
    folder: &'static str,
    extension: &'static str,
}

/// Builds the requested plug-ins into `plugins/<name>.wasm` and `plugins/<name>.so`, their programs into `plugins/<program>`, and, if
/// requested, probes with all instructions of this processor into `plugins/native-cpu/<name>.so`. Those that harm a careless host are
/// built only if they are named.
pub(crate) fn run(project: &Project, request: &PluginRequest) -> Result<()> {
    if request.names.iter().any(|name| name == hostile::NAME) {
        hostile::build(project)?;
        let names: Vec<_> = request.names.iter().filter(|name| *name != hostile::NAME).cloned().collect();
        // Without names, all would be meant.
        return if names.is_empty() { Ok(()) } else { run(project, &PluginRequest { names, ..request.clone() }) };
    }
    if request.is_reproducible {
        let plain = PluginRequest { is_reproducible: false, ..request.clone() };
        run(&project.reproducible()?, &plain)?;
        let (of_rust, of_go) = chosen(project, &request.names)?;
        return lock::record(project, &of_rust, &of_go, request.is_locked);
    }
    let (of_rust, of_go) = chosen(project, &request.names)?;
    if of_rust.is_empty() && of_go.is_empty() {
        say(format_args!("plugins: no member of {PLUGINS_MANIFEST} has a [lib] with the crate-type cdylib"));
    }
    if !of_rust.is_empty() {
        build_all(project, request, &of_rust)?;
    }
    go::run(project, &of_go)?;
    if request.profile == Profile::Dev {
        say("plugins: these are not optimised: run `cargo xtask plugins` before you measure");
    }
    Ok(())
}

/// Builds these plug-ins in Rust in every way that is requested.
fn build_all(project: &Project, request: &PluginRequest, plugins: &[Package]) -> Result<()> {
    let profile = request.profile;
    ensure_wasm_target(project)?;
    say(format_args!("plugins: {} as {WASM_TARGET} and natively ({})", plugins.len(), profile.name()));
    if request.has_variants {
        build_variants(project, profile, plugins)?;
    }
    let mut changed = BTreeSet::new();
    // Both name their target: otherwise the flags would be those of macros and build scripts too, and each of them would be compiled twice.
    for (target, extension, flags) in
        [(WASM_TARGET, "wasm", vec![SIMD.to_owned()]), (artifact::HOST_TARGET, artifact::LIBRARY, Vec::new())]
    {
        let arm = Arm { target, flags, feature: None, folder: "plugins", extension };
        changed.extend(build(project, profile, plugins, &arm)?);
    }
    let cargo = || {
        let mut cargo = cargo(project, "rustc", profile, &[]);
        cargo.args(["--target", artifact::HOST_TARGET]);
        cargo
    };
    artifact::build_programs(project, cargo, plugins, "plugins")?;
    if request.has_native_cpu {
        build_native_cpu(project, profile, plugins)?;
    }
    forget_older(project, request, &changed)
}

/// The plug-ins in `names`, or all if `names` is empty: those in Rust, and the names of those in Go.
pub(crate) fn chosen(project: &Project, names: &[String]) -> Result<(Vec<Package>, Vec<String>)> {
    let (mut of_go, mut of_rust) = (go::plugins(project)?, names.to_vec());
    of_rust.retain(|name| !of_go.contains(name));
    of_go.retain(|name| names.is_empty() || names.contains(name));
    let none_in_rust = of_rust.is_empty() && !names.is_empty();
    let of_rust = if none_in_rust { Vec::new() } else { plugins(project, &of_rust)? };
    Ok((of_rust, of_go))
}

/// An error if the compiler has no target for components.
pub(crate) fn ensure_wasm_target(project: &Project) -> Result<()> {
    ensure!(
        setup::has_wasm_target(project),
        "rustc has no target {WASM_TARGET}, so no component can be built: run `cargo xtask setup`, which adds it"
    );
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
    let target = artifact::HOST_TARGET;
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
        build(project, profile, &plugins, &Arm { target, flags, feature: *feature, folder, extension })?;
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
    command.args(["--target", arm.target]);
    // Cargo keeps one build of what differs in flags alone, so in one folder each would be compiled again after the other.
    if let Some(variant) = arm.folder.strip_prefix("plugins/") {
        command.env("CARGO_TARGET_DIR", project.target_of(Some(PLUGINS_MANIFEST)).join("variants").join(variant));
    }
    if let Some(feature) = arm.feature {
        let features: Vec<_> = plugins.iter().map(|plugin| format!("{}/{feature}", plugin.name)).collect();
        command.arg("--features").arg(features.join(","));
    }
    artifact::build(project, &mut command, plugins, arm.folder, arm.extension)
}
