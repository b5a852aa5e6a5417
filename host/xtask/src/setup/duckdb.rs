//! Finds DuckDB's library, or takes it out of the package that its authors publish for Node, into the user's cache. Nothing is built, and
//! the system is not changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{State, cache};
use crate::command_line::Extent;
use crate::tool;

/// The package with the library. Its extensions for JSON, Parquet and ICU are linked in, so nothing else is fetched.
const PACKAGE: &str = "@duckdb/node-bindings-linux-x64@1.5.6-r.1";

/// The folder in the user's cache, where the probe `tabular-duckdb` looks.
const FOLDER: &str = "bench-host/duckdb";

const LIBRARY: &str = "libduckdb.so";

/// How the library is fetched.
pub(super) struct DuckDb {
    /// Whether [`DuckDb::fetch`] may be tried; the error is the reason why not.
    may_fetch: fn() -> Result<(), String>,
    /// Downloads the package and unpacks it into this folder, which exists.
    fetch: fn(&Path) -> Result<()>,
}

/// The real one.
pub(super) const DUCKDB: DuckDb = DuckDb { may_fetch, fetch };

impl DuckDb {
    /// Looks for the library. It has 70 MB, so it is only fetched if the optional parts are asked for.
    pub(super) fn ensure(&self, extent: Extent) -> State {
        match cache() {
            Some(cache) => self.ensure_in(&cache.join(FOLDER), extent),
            None => State::Absent("there is no folder for caches: set HOME or XDG_CACHE_HOME".to_owned()),
        }
    }

    fn ensure_in(&self, folder: &Path, extent: Extent) -> State {
        if folder.join(LIBRARY).is_file() {
            return State::Present;
        }
        let absent = |why: &str| State::Absent(format!("needed for: scenarios of tables by DuckDB; {why}"));
        if extent == Extent::Required {
            return absent("install it with `cargo xtask setup --all`");
        }
        if let Err(reason) = (self.may_fetch)() {
            return absent(&format!("{reason}; give the path of a {LIBRARY} with `-p library=PATH`"));
        }
        match self.install(folder) {
            Ok(()) => State::Installed,
            Err(error) => {
                absent(&format!("{error:#}; see that the network is there, then run `cargo xtask setup --all`"))
            }
        }
    }

    /// Installs the library and its licence in `folder`, completely or not at all.
    fn install(&self, folder: &Path) -> Result<()> {
        let new = folder.with_extension(format!("{}.new", std::process::id()));
        fs::create_dir_all(&new).with_context(|| format!("{} cannot be made", new.display()))?;
        let installed = (self.fetch)(&new).and_then(|()| {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
            // The library last: where it is, everything is.
            for file in ["LICENSE", LIBRARY] {
                let from = new.join("package").join(file);
                fs::rename(&from, folder.join(file)).with_context(|| format!("{PACKAGE} has no file {file}"))?;
            }
            Ok(())
        });
        fs::remove_dir_all(&new).with_context(|| format!("{} cannot be removed", new.display()))?;
        installed
    }
}

fn may_fetch() -> Result<(), String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("no package for this machine is known".to_owned());
    }
    for program in ["npm", "tar"] {
        tool::find(program).ok_or_else(|| format!("there is no {program} to fetch it with"))?;
    }
    Ok(())
}

/// npm compares what it downloads with the registry's digest.
fn fetch(folder: &Path) -> Result<()> {
    tool::read(Command::new("npm").args(["pack", "--silent", PACKAGE, "--pack-destination"]).arg(folder))?;
    let mut found = fs::read_dir(folder).context("what was downloaded cannot be listed")?.flatten();
    let Some(archive) = found.find(|file| file.path().extension().is_some_and(|extension| extension == "tgz")) else {
        bail!("npm downloaded nothing");
    };
    tool::run(Command::new("tar").arg("-xzf").arg(archive.path()).arg("-C").arg(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(folder: &Path, files: &[&str]) -> Result<()> {
        fs::create_dir_all(folder.join("package"))?;
        files.iter().try_for_each(|file| fs::write(folder.join("package").join(file), file))?;
        Ok(())
    }

    const FAKE: DuckDb = DuckDb { may_fetch: || Ok(()), fetch: |folder| unpack(folder, &["LICENSE", LIBRARY]) };

    /// Checks the state, and the files afterwards.
    #[track_caller]
    fn check(duckdb: &DuckDb, extent: Extent, expect: &str, files: &[&str]) {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("duckdb");
        let state = duckdb.ensure_in(&folder, extent).to_string();
        assert!(state.starts_with(expect), "{state}");
        let found =
            fs::read_dir(&folder).map_or(Vec::new(), |found| found.flatten().map(|file| file.file_name()).collect());
        assert_eq!(found.len(), files.len(), "{found:?}");
        assert!(files.iter().all(|file| folder.join(file).is_file()));
        assert!(fs::read_dir(cache.path()).unwrap().count() <= 1, "nothing else is left");
    }

    #[test]
    fn library_is_installed_whole_or_not_at_all() {
        let needed = "absent: needed for: scenarios of tables by DuckDB; ";
        check(&FAKE, Extent::All, "installed", &["LICENSE", LIBRARY]);
        check(&FAKE, Extent::Required, &format!("{needed}install it with `cargo xtask setup --all`"), &[]);
        let may_not = DuckDb { may_fetch: || Err("there is no npm".to_owned()), ..FAKE };
        check(&may_not, Extent::All, &format!("{needed}there is no npm; give the path"), &[]);
        let fails = DuckDb { fetch: |_| bail!("no network"), ..FAKE };
        check(&fails, Extent::All, &format!("{needed}no network; see"), &[]);
        let other = DuckDb { fetch: |folder| unpack(folder, &["LICENSE"]), ..FAKE };
        check(&other, Extent::All, &format!("{needed}{PACKAGE} has no file {LIBRARY}"), &["LICENSE"]);
    }

    #[test]
    fn installed_library_is_not_fetched_again() {
        let cache = tempfile::tempdir().unwrap();
        fs::write(cache.path().join(LIBRARY), "").unwrap();
        let duckdb = DuckDb { may_fetch: || Err("it is there".to_owned()), ..FAKE };
        assert_eq!(duckdb.ensure_in(cache.path(), Extent::All), State::Present);
    }
}
