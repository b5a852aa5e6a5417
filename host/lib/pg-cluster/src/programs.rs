//! Finds PostgreSQL's programs. Installations differ in where they keep them.

use crate::ClusterError;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The two programs that a cluster needs, of one installation.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) initdb: PathBuf,
    pub(crate) postgres: PathBuf,
}

/// Folders of installations that are not on the search path, on Debian, Red Hat and Homebrew: the parts before and after the
/// version.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

impl Programs {
    /// Finds those on the search path, else those of the newest version elsewhere.
    pub(crate) fn find() -> Result<Self, ClusterError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).find_map(|folder| Self::in_folder(&folder));
        on_path.or_else(|| elsewhere().iter().find_map(|folder| Self::in_folder(folder))).ok_or_else(|| {
            let reason = "no PostgreSQL server is installed (`initdb` and `postgres`): run `cargo xtask setup`, install it \
                          by the system's own means, or give --database-url URL";
            ClusterError::Unavailable(reason.to_owned())
        })
    }

    /// Both programs must exist: `initdb` alone, or a link to it, may belong to a client installation.
    fn in_folder(folder: &Path) -> Option<Self> {
        // A link on the search path leads to the folder with the other programs.
        let initdb = folder.join("initdb").canonicalize().ok()?;
        let postgres = initdb.with_file_name("postgres");
        postgres.is_file().then_some(Self { initdb, postgres })
    }
}

/// Newest version first.
fn elsewhere() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (folder, prefix, rest) in ELSEWHERE {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.strip_prefix(prefix).and_then(version) {
                found.push((version, entry.path().join(rest)));
            }
        }
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn version(text: &str) -> Option<f64> {
    text.parse().ok().filter(|version: &f64| version.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_without_both_programs_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        let links = folder.path().join("links");
        for folder in [&bin, &links] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(bin.join("initdb"), "").unwrap();
        std::os::unix::fs::symlink(bin.join("initdb"), links.join("initdb")).unwrap();
        assert!(Programs::in_folder(&bin).is_none());
        fs::write(bin.join("postgres"), "").unwrap();
        let expect = bin.canonicalize().unwrap().join("postgres");
        for folder in [&bin, &links] {
            assert_eq!(Programs::in_folder(folder).unwrap().postgres, expect);
        }
        assert!(Programs::in_folder(folder.path()).is_none());
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(
            [version("15"), version("9.6"), version("common"), version("")],
            [Some(15.0), Some(9.6), None, None]
        );
    }
}
