//! `cargo xtask abi`: writes the generated files, or says with `--check` which ones differ.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::{env, fs};

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let check = arguments == ["--check"];
    ensure!(check || arguments.is_empty(), "usage: abi-generator [--check]");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut differing = Vec::new();
    for (path, text) in abi_generator::generate(&root)? {
        let full = root.join(&path);
        if fs::read_to_string(&full).is_ok_and(|found| found == text) {
            continue;
        }
        if !check {
            if let Some(folder) = full.parent() {
                fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
            }
            fs::write(&full, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        differing.push(path.display().to_string());
    }
    ensure!(
        !check || differing.is_empty(),
        "not as generated: {}; run `cargo xtask abi` and commit what it writes",
        differing.join(", ")
    );
    Ok(())
}
