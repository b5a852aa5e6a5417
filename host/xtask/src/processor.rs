//! The flags with which the compiler uses all instructions of this processor.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::project::Project;
use crate::tool;

const TARGET_CPU: &str = "-Ctarget-cpu=native";

/// Flags for rustc to compile for this processor; `None` if rustc refuses them.
pub(crate) fn flags(project: &Project) -> Option<Vec<String>> {
    let described = tool::ask(project.rustc().args(["--print", "cfg", TARGET_CPU]))?;
    Some(vec![TARGET_CPU.to_owned(), named_after(&described)])
}

/// A flag that depends on the instructions of the processor. `native` is the same on every processor, so without this flag cargo
/// would reuse a build from another processor in the same folder, which might not run here.
fn named_after(described: &str) -> String {
    let mut hasher = DefaultHasher::new();
    described.hash(&mut hasher);
    format!("-Cmetadata={:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_depends_on_the_instructions() {
        let [old, new] = ["target_feature=\"sse2\"", "target_feature=\"avx2\"\ntarget_feature=\"sse2\""];
        assert_eq!(named_after(old), named_after(old));
        assert_ne!(named_after(old), named_after(new));
        assert_eq!(named_after(old).len(), "-Cmetadata=".len() + 16);
    }
}
