//! Finds the packages whose documentation has examples, which rustdoc compiles and runs. It takes a look at a whole crate to find none.

use std::fs;

use anyhow::{Context, Result};

use crate::package::Package;
use crate::unchanged;

/// The words after the beginning of a block that make it an example; so does the absence of any.
const RUST: [&str; 6] = ["compile_fail", "edition", "ignore", "no_run", "rust", "should_panic"];

/// The names of the packages with examples in their documentation.
pub(super) fn packages(members: &[Package]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for member in members {
        let sources = member.manifest.with_file_name("src");
        let files = if sources.is_dir() { unchanged::files(&[sources])? } else { Vec::new() };
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
            let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            if has_example(&text) {
                names.push(member.name.clone());
                break;
            }
        }
    }
    Ok(names)
}

/// Whether the documentation in a source may have an example: a block of Rust, an indented block, or a text of another file.
fn has_example(source: &str) -> bool {
    let (mut is_in_block, mut is_after_blank) = (false, false);
    for line in source.lines().map(str::trim) {
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            (is_in_block, is_after_blank) = (false, false);
            if line.starts_with("/**") || line.starts_with("/*!") || line.contains("doc = include_str!") {
                return true;
            }
            continue;
        };
        let words = text.trim_start();
        if let Some(words) = words.strip_prefix("```").or_else(|| words.strip_prefix("~~~")) {
            is_in_block = !is_in_block;
            if is_in_block && (words.is_empty() || RUST.iter().any(|word| words.contains(word))) {
                return true;
            }
        } else if !is_in_block && is_after_blank && text.starts_with("     ") {
            return true;
        }
        is_after_blank = words.is_empty();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_told_from_other_blocks() {
        let check = |source: &str, expect: bool| assert_eq!(has_example(source), expect, "{source}");
        check("//! Text.\n//! ```\n//! assert!(true);\n//! ```\n", true);
        check("    /// ```no_run\n    /// stop();\n    /// ```\n", true);
        check("/// ~~~ rust,should_panic\n", true);
        check("/// ```text\n/// a\n/// ```\nfn f() {}\n", false);
        check("/// ```text\n/// a\n/// ```\n/// and\n/// ```\n/// a();\n/// ```\n", true);
        // Indented by four after a blank line.
        check("/// Text.\n///\n///     a();\n", true);
        check("/// Text.\n///     that goes on\n", false);
        check("#![doc = include_str!(\"../README.md\")]\n", true);
        check("/** Text. */\nfn f() {}\n", true);
        check("// ```\nlet text = \"```\";\n", false);
    }
}
