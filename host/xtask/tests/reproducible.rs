//! Two checkouts in folders of different names build the same plug-ins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plug-ins that are built: a small one in Rust, and one in Go where that is installed.
const PLUGIN: &str = "overhead";
const IN_GO: &str = "operator-go";

fn plugins() -> Vec<&'static str> {
    let has_go = Command::new("go").arg("version").output().is_ok_and(|output| output.status.success());
    if !has_go {
        eprintln!("{IN_GO} is left out: Go is not installed");
    }
    [PLUGIN].into_iter().chain(has_go.then_some(IN_GO)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("host/xtask lies in the project").to_owned()
}

/// Copies what git tracks into `folder`.
fn check_out(folder: &Path) {
    let listed =
        Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git lists the files");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("paths are text");
    for path in listed.split('\0').filter(|path| !path.is_empty() && root().join(path).is_file()) {
        let to = folder.join(path);
        fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("a folder is made");
        fs::copy(root().join(path), to).expect("a file is copied");
    }
}

/// Builds the plug-ins in `folder`, and returns the probe, the components, and the file of digests, by name.
fn build(folder: &Path) -> Vec<(String, Vec<u8>)> {
    check_out(folder);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["xtask", "plugins", "--reproducible"]).args(plugins()).current_dir(folder);
    // Cargo has set these for this test.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_TARGET_DIR"]
    {
        cargo.env_remove(name);
    }
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let library = format!("plugins/{PLUGIN}.{}", std::env::consts::DLL_EXTENSION);
    let components = plugins().into_iter().map(|name| format!("plugins/{name}.wasm"));
    let files = components.chain([library, "registry/modules.toml".to_owned()]);
    let read = |file: String| {
        let bytes = fs::read(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        (file, bytes)
    };
    files.map(read).collect()
}

#[test]
#[ignore = "builds a plug-in twice from nothing, which takes minutes"]
fn plugins_are_the_same_wherever_the_checkout_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [one, other] = ["a", "another/folder with a space"].map(|name| build(&folder.path().join(name)));
    for ((file, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{file} differs");
    }
    let (_, digests) = one.last().expect("files were built");
    let digests = String::from_utf8_lossy(digests);
    assert!(digests.contains("digest = \"sha256:") && digests.contains("sources = \"sha256:"), "{digests}");
}
