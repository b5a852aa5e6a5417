//! Programs that are the arm `process` of a component, found by their names in the component's folder.

use bench_drivers::Module;
use std::path::{Path, PathBuf};

/// A kind of program.
#[derive(Clone, Copy)]
pub struct Program {
    /// The end of the program's name, after the component's name: `-server` in `function-server`.
    pub ending: &'static str,
    /// Whether the files that the program needs next to it exist.
    pub is_whole: fn(&Path) -> bool,
    /// Whether the program describes itself. Otherwise a file next to it describes it.
    pub describes_itself: bool,
    /// Whether it may also belong to a probe, which then has no component and describes it.
    pub of_probe: bool,
    /// Loads the program at this path. An error names the file, the reason and what to do.
    pub load: fn(&Path) -> Result<Box<dyn Module>, String>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("ending", &self.ending).finish_non_exhaustive()
    }
}

impl Program {
    /// The path at which the program of this kind for `component` is expected.
    pub fn beside(&self, component: &Path) -> PathBuf {
        let stem = component.file_stem().unwrap_or_default().to_string_lossy();
        component.with_file_name(format!("{stem}{}{}", self.ending, std::env::consts::EXE_SUFFIX))
    }

    /// Whether the file at `path` is named like a program of this kind, and the files that it needs exist.
    pub fn is(&self, path: &Path) -> bool {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        stem.is_some_and(|stem| stem.ends_with(self.ending)) && (self.is_whole)(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        let load = |_: &Path| Err(String::new());
        let program = Program {
            ending: "-server",
            is_whole: |path| !path.ends_with("half-server"),
            describes_itself: true,
            of_probe: false,
            load,
        };
        assert_eq!(program.beside(Path::new("a/function.wasm")).file_stem().unwrap(), "function-server");
        assert!(program.is(Path::new("a/function-server")) && !program.is(Path::new("a/function")));
        assert!(!program.is(Path::new("a/half-server")));
    }
}
