//! Two checkouts in folders of different names build the same plug-ins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plug-in that is built: a small one.
const PLUGIN: &str = "overhead";

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

/// Builds the plug-in in `folder`, and returns its component, its probe, and the file of digests.
fn build(folder: &Path) -> [Vec<u8>; 3] {
    check_out(folder);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["xtask", "plugins", PLUGIN, "--reproducible"]).current_dir(folder);
    // Cargo has set these for this test.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_TARGET_DIR"]
    {
        cargo.env_remove(name);
    }
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let library = format!("plugins/{PLUGIN}.{}", std::env::consts::DLL_EXTENSION);
    let files = [format!("plugins/{PLUGIN}.wasm"), library, "registry/modules.toml".to_owned()];
    files.map(|file| fs::read(folder.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}")))
}

#[test]
#[ignore = "builds a plug-in twice from nothing, which takes minutes"]
fn plugins_are_the_same_wherever_the_checkout_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [one, other] = ["a", "another/folder with a space"].map(|name| build(&folder.path().join(name)));
    for (what, (one, other)) in ["component", "probe", "digests"].iter().zip(one.iter().zip(&other)) {
        assert!(one == other, "the {what} differs");
    }
    assert!(String::from_utf8_lossy(&one[2]).contains("digest = \"sha256:"), "{}", String::from_utf8_lossy(&one[2]));
}
