//! Rules on unsafe code: forbidden in every crate but those that exist for it, one block in bench-wasm, and the adapter of a family
//! to probes.
//! It must not know what the unsafe code does; its safety comments are clippy's to see to.

use super::Finding;
use super::source::{Source, has_word};

/// The crates of the host that exist to hold unsafe code. bench-wasm has a rule of its own.
const EXCEPT: [&str; 6] = [
    "host/bench-native/",
    "host/bench-wasm/",
    "host/lib/ring-peer/",
    "host/lib/shm-ring/",
    "host/lib/wal-load/",
    "host/lib/wal-log/",
];

const FAMILIES: &str = "host/families/";

/// Where a family calls functions of probes.
const ADAPTER: &str = "/src/native.rs";

const WASM: &str = "host/bench-wasm/src/";

/// Every root file of a crate forbids unsafe code; that of a family with an adapter to probes denies it.
pub(super) fn is_forbidden(sources: &[Source]) -> Vec<Finding> {
    let roots = sources.iter().filter(|source| is_crate_root(&source.path) && !source.is_in(&EXCEPT));
    let without = roots.filter(|source| {
        let has_adapter = sources.iter().any(|other| is_adapter_of(&other.path, &source.path));
        let attribute = if has_adapter { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
        !source.code().contains(attribute)
    });
    let what = "no `#![forbid(unsafe_code)]` (`deny` in a family with a `native.rs`), though unsafe code lives in bench-native, bench-wasm, the ring, the probes and the families' `native.rs` alone";
    without.map(|source| source.finding(1, what)).collect()
}

/// A family has unsafe code in its adapter to probes, `native.rs`, alone.
pub(super) fn is_in_adapters_alone(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_families = sources.iter().filter(|source| source.is_in(&[FAMILIES]) && source.has_extension(&["rs"]));
    for source in of_families.filter(|source| !source.path.ends_with(ADAPTER)) {
        for (index, _) in source.code().lines().enumerate().filter(|(_, line)| has_word(line, "unsafe")) {
            findings.push(source.finding(index + 1, "unsafe code of a family outside of its `native.rs`"));
        }
    }
    findings
}

/// Whether `path` is the adapter to probes of the family whose root file is `root`.
fn is_adapter_of(path: &str, root: &str) -> bool {
    root.starts_with(FAMILIES)
        && root.strip_suffix("/src/lib.rs").is_some_and(|family| path == format!("{family}{ADAPTER}"))
}

/// bench-wasm denies unsafe code and has the one block that maps the compiled-code cache.
pub(super) fn is_one_block_in_wasm(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut blocks = 0;
    for source in sources.iter().filter(|source| source.is_in(&[WASM]) && source.has_extension(&["rs"])) {
        let code = source.code();
        if source.path == format!("{WASM}lib.rs") && !code.contains("#![deny(unsafe_code)]") {
            findings.push(source.finding(1, "no `#![deny(unsafe_code)]`, so a second unsafe place would pass unseen"));
        }
        for (index, line) in code.lines().enumerate().filter(|(_, line)| has_word(line, "unsafe")) {
            blocks += 1;
            if blocks > 1 || !line.contains("unsafe {") {
                let what = "unsafe code beside the one block that maps the compiled-code cache, which is all bench-wasm may have";
                findings.push(source.finding(index + 1, what));
            }
        }
    }
    let root = sources.iter().find(|source| source.path == format!("{WASM}lib.rs"));
    if let (Some(root), 0) = (root, blocks) {
        let what =
            "no unsafe block in bench-wasm, so this exception is out of date: forbid unsafe code here as elsewhere";
        findings.push(root.finding(1, what));
    }
    findings
}

/// Whether this is the root file of a program or library of the host or the registry.
fn is_crate_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["host", _, "src", file] | ["host", "lib" | "families", _, "src", file] | ["registry", "src", file] => {
            file == "lib.rs" || file == "main.rs"
        }
        ["host", _, "src", "bin", file]
        | ["host", "lib" | "families", _, "src", "bin", file]
        | ["registry", "src", "bin", file] => file.ends_with(".rs"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn crate_roots_forbid() {
        check(is_forbidden, &[("host/a/src/lib.rs", "//! A.\n#![forbid(unsafe_code)]\n")], &[]);
        check(is_forbidden, &[("host/a/src/main.rs", "// #![forbid(unsafe_code)]\n")], &["host/a/src/main.rs:1"]);
        check(is_forbidden, &[("registry/src/lib.rs", "")], &["registry/src/lib.rs:1"]);
        check(is_forbidden, &[("host/a/src/bin/b.rs", "")], &["host/a/src/bin/b.rs:1"]);
        check(
            is_forbidden,
            &[("host/a/src/b.rs", ""), ("host/lib/shm-ring/src/lib.rs", ""), ("plugins/a/src/lib.rs", "")],
            &[],
        );
    }

    #[test]
    fn families_have_it_in_one_file() {
        let (denies, forbids) = ("#![deny(unsafe_code)]\n", "#![forbid(unsafe_code)]\n");
        let root = "host/families/a/src/lib.rs";
        let adapter = ("host/families/a/src/native.rs", "unsafe { b() }\n");
        check(is_forbidden, &[(root, denies), adapter], &[]);
        check(is_forbidden, &[(root, forbids)], &[]);
        check(is_forbidden, &[(root, denies)], &["host/families/a/src/lib.rs:1"]);
        check(is_in_adapters_alone, &[adapter, ("host/families/a/src/b.rs", "// unsafe\n")], &[]);
        check(is_in_adapters_alone, &[("host/families/a/src/b.rs", "unsafe {}\n")], &["host/families/a/src/b.rs:1"]);
    }

    fn check_wasm(lib: &str, cache: &str, expect: &[&str]) {
        check(
            is_one_block_in_wasm,
            &[("host/bench-wasm/src/cache.rs", cache), ("host/bench-wasm/src/lib.rs", lib)],
            expect,
        );
    }

    #[test]
    fn wasm_has_one_block() {
        let denies = "#![deny(unsafe_code)]\n";
        let one = "#[expect(unsafe_code, reason = \"unsafe\")]\n// unsafe {\nlet a = unsafe { b() };\n";
        check_wasm(denies, one, &[]);
        check_wasm(denies, &one.repeat(2), &["host/bench-wasm/src/cache.rs:6"]);
        check_wasm(denies, "unsafe fn a() {}\n", &["host/bench-wasm/src/cache.rs:1"]);
        check_wasm(denies, "", &["host/bench-wasm/src/lib.rs:1"]);
        check_wasm("", one, &["host/bench-wasm/src/lib.rs:1"]);
        check(is_one_block_in_wasm, &[], &[]);
    }
}
