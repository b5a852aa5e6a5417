//! Finds CRIU, calls it, and reads its error messages.

mod request;
mod statistics;

pub(crate) use request::{restore_request, restored};
pub(crate) use statistics::statistics;

use std::env;
use std::path::{Path, PathBuf};

/// What to do where no working CRIU was found.
pub(crate) const NEXT_STEP: &str = "run `cargo xtask setup` as root, or install criu, at least 4.1 on a recent kernel";

/// An installed CRIU.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    /// The program, and arguments that precede CRIU's own.
    words: Vec<String>,
}

impl Tool {
    /// The CRIU that `cargo xtask setup` unpacked into the user's cache, or else the one on the search path.
    pub(crate) fn find() -> Option<Self> {
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = cache.or_else(|| Some(env::home_dir()?.join(".cache")));
        let unpacked = cache.and_then(|cache| Self::unpacked(&cache.join("bench-host/criu")));
        unpacked.or_else(|| {
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
            let found = folders.map(|folder| folder.join("criu")).find(|file| file.is_file())?;
            Some(Self { words: vec![found.to_str()?.to_owned()] })
        })
    }

    /// A CRIU that was unpacked with its own loader and libraries into `folder`.
    fn unpacked(folder: &Path) -> Option<Self> {
        let program = folder.join("usr/sbin/criu");
        let loader = folder.join("usr/lib64/ld-linux-x86-64.so.2");
        let libraries = folder.join("usr/lib/x86_64-linux-gnu");
        let is_there = program.is_file() && loader.is_file();
        let words = [loader.as_path(), Path::new("--library-path"), &libraries, &program];
        let words = words.iter().map(|word| word.to_str().map(str::to_owned)).collect::<Option<_>>();
        words.filter(|_| is_there).map(|words| Self { words })
    }

    /// The command with these arguments, as words.
    pub(crate) fn call(&self, arguments: &[&str]) -> Vec<String> {
        self.words.iter().cloned().chain(arguments.iter().map(|word| (*word).to_owned())).collect()
    }
}

/// CRIU logs this as an error and continues: it may not raise a resource limit that it hardly needs.
const HARMLESS: &str = "RLIMIT_NOFILE for self";

/// The reason for a failure in CRIU's log: its first error, without the time and the source position.
pub(crate) fn reason(log: &str) -> String {
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut errors = lines().filter(|line| !line.contains(HARMLESS));
    let error = errors.find_map(|line| Some(line.split_once("Error ")?.1));
    let error = error.map(|text| text.split_once("): ").map_or(text, |(_, text)| text));
    error.or_else(|| lines().next_back()).unwrap_or("it printed no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(log: &str, expect: &str) {
        assert_eq!(reason(log), expect);
    }

    #[test]
    fn the_first_error_is_the_reason() {
        check("", "it printed no message");
        check("Looks good.\n", "Looks good.");
        check(
            "(00.003) Warn  (criu/kerndat.c:1285): no cache\n(00.004) Error (criu/vdso.c:9): vdso: Unexpected\n(00.005) Error (criu/x.c:1): later",
            "vdso: Unexpected",
        );
        check("Error (criu/util.c:1): a (b): c", "a (b): c");
        check("Error (criu/rlimit.c:9): rlimit: Can't setup RLIMIT_NOFILE for self: x\nError (criu/a.c:1): why", "why");
    }
}
