//! Builds of the plug-ins that are the same wherever the checkout is. Cargo hashes the path of a dependency outside of the workspace into
//! its symbols, so cargo starts this program instead of the compiler, and it replaces that hash.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// The environment variable that makes this program a compiler: the root of the checkout.
pub(crate) const ROOT: &str = "BENCH_HOST_REPRODUCIBLE_ROOT";

const METADATA: &str = "metadata=";

/// Becomes the compiler that cargo names in the first argument. For packages of the checkout, the hash of cargo is replaced.
pub(crate) fn compile(root: &Path) -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("error: {ROOT} is set, so cargo must start this with a compiler: unset it");
        return ExitCode::FAILURE;
    }
    let compiler = arguments.remove(0);
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // Cargo sets these for each package; not when it asks the compiler for its version.
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some_and(|folder| Path::new(&folder).starts_with(root)) {
        let texts: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let metadata = stable_metadata(&texts, &variable("CARGO_PKG_VERSION"));
        for (argument, text) in arguments.iter_mut().zip(&texts) {
            if text.starts_with(METADATA) {
                *argument = format!("{METADATA}{metadata}").into();
            }
        }
    }
    let error = Command::new(&compiler).args(arguments).exec();
    eprintln!("error: cannot start {}: {error}", compiler.display());
    ExitCode::FAILURE
}

/// A hash of what tells the builds of a package in one graph apart, without paths: name, version, kind, target, features, and code
/// generation.
fn stable_metadata(arguments: &[String], version: &str) -> String {
    const NAMED: [&str; 5] = ["--crate-name", "--crate-type", "--cfg", "--target", "-C"];
    const WITH_PATHS: [&str; 4] = [METADATA, "extra-filename=", "incremental=", "linker="];
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    for pair in arguments.windows(2).filter(|pair| NAMED.contains(&pair[0].as_str())) {
        if !WITH_PATHS.iter().any(|begin| pair[1].starts_with(begin)) {
            pair.hash(&mut hasher);
        }
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo passes, with what differs between two checkouts and two builds.
    fn arguments(path: &str, feature: &str) -> Vec<String> {
        let line = format!(
            "--crate-name bench_model --edition=2024 {path}/host/bench-model/src/lib.rs --crate-type lib --cfg feature=\"{feature}\" \
             -C opt-level=3 -C metadata={path} -C extra-filename=-{path} --out-dir {path}/target --target wasm32-wasip2"
        );
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn hash_depends_on_the_build_and_not_on_the_path() {
        let hash = |path: &str, feature: &str, version: &str| stable_metadata(&arguments(path, feature), version);
        let one = hash("/a", "serde", "1");
        assert_eq!(one, hash("/home/b", "serde", "1"));
        assert_ne!(one, hash("/a", "other", "1"));
        assert_ne!(one, hash("/a", "serde", "2"));
        let native: Vec<_> = arguments("/a", "serde").into_iter().filter(|word| !word.contains("wasip2")).collect();
        assert_ne!(one, stable_metadata(&native, "1"));
    }
}
