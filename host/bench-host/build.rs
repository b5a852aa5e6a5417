//! Tells the program which compiler it is built with, and whether little of it is optimised.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let version = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    if let Some(version) = version.and_then(|version| String::from_utf8(version).ok()) {
        println!("cargo::rustc-env=BENCH_HOST_RUSTC={}", version.trim());
    }
    // Cargo tells a script the level of its package, and of the profile only what it inherits.
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("OPT_LEVEL", "0") {
        println!("cargo::rustc-env=BENCH_HOST_BUILD=quick");
    }
}
