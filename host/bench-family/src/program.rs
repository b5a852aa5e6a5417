//! Programs that lie beside a component and are its arm `process`, by their names. It must not know what one does.

use bench_drivers::Module;
use std::path::{Path, PathBuf};

/// A kind of program.
#[derive(Clone, Copy)]
pub struct Program {
    /// What comes after the component's name in the program's: `-server` of `function-server`.
    pub ending: &'static str,
    /// Whether what has to lie beside the program is there.
    pub is_whole: fn(&Path) -> bool,
    /// Whether the program describes itself. Another one is described by a file beside it.
    pub describes_itself: bool,
    /// Loads the program at this path; or why not, with the file's name and what to do.
    pub load: fn(&Path) -> Result<Box<dyn Module>, String>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("ending", &self.ending).finish_non_exhaustive()
    }
}

impl Program {
    /// Where the program of this kind beside `component` may be.
    pub fn beside(&self, component: &Path) -> PathBuf {
        let stem = component.file_stem().unwrap_or_default().to_string_lossy();
        component.with_file_name(format!("{stem}{}{}", self.ending, std::env::consts::EXE_SUFFIX))
    }

    /// Whether the file at `path`, which is no module, is called like a program of this kind, and is whole.
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
            load,
        };
        assert_eq!(program.beside(Path::new("a/function.wasm")).file_stem().unwrap(), "function-server");
        assert!(program.is(Path::new("a/function-server")) && !program.is(Path::new("a/function")));
        assert!(!program.is(Path::new("a/half-server")));
    }
}
