//! The processor this runs on, as the compiler sees it: the flags that make it use every instruction there is.
//! It must not know what is compiled with them.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::project::Project;
use crate::tool;

const TARGET_CPU: &str = "-Ctarget-cpu=native";

/// Flags for rustc that compile for this very processor; nothing where rustc refuses to.
pub(crate) fn flags(project: &Project) -> Option<Vec<String>> {
    let described = tool::ask(project.rustc().args(["--print", "cfg", TARGET_CPU]))?;
    Some(vec![TARGET_CPU.to_owned(), named_after(&described)])
}

/// A flag that changes with the instructions there are. `native` is the same word on every processor, so without this
/// cargo would take what it built in the same folder on another one for fresh, and it might not run here.
fn named_after(described: &str) -> String {
    let mut hasher = DefaultHasher::new();
    described.hash(&mut hasher);
    format!("-Cmetadata={:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_processor_has_another_name() {
        let [old, new] = ["target_feature=\"sse2\"", "target_feature=\"avx2\"\ntarget_feature=\"sse2\""];
        assert_eq!(named_after(old), named_after(old));
        assert_ne!(named_after(old), named_after(new));
        assert_eq!(named_after(old).len(), "-Cmetadata=".len() + 16);
    }
}
