//! Pages that a fetch kept in a folder, read back and compared with what the fetch said of them.

use bench_plugin::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use table_core::kept::{self, Kept, Results};
use table_core::mine::{self, Format};
use table_core::{Recipe, Table};

/// The pages, and the genes that they must hold, if those were generated.
pub(crate) struct Replayed {
    pub(crate) format: Format,
    pub(crate) pages: Vec<Vec<u8>>,
    pub(crate) genes: Option<Table>,
    /// An answer with publications, if the fetch kept one, and what the stages must make of all, if it knew that.
    pub(crate) publications: Option<Vec<u8>>,
    pub(crate) results: Option<Results>,
}

impl Replayed {
    pub(crate) fn read(folder: &str) -> Result<Self, ModuleError> {
        let folder = &pages_folder(folder);
        let fault = |reason: String| {
            let next = "fetch again, with `bench-host run mine/fetch -p keep=FOLDER`";
            ModuleError::InvalidArgument(format!("`replay`: {}: {reason}; {next}", folder.display()))
        };
        let file = |name: &str| fs::read(folder.join(name)).map_err(|error| fault(format!("{name}: {error}")));
        let manifest = String::from_utf8_lossy(&file(kept::MANIFEST)?).into_owned();
        let kept: Kept = manifest.parse().map_err(|reason| fault(format!("{}: {reason}", kept::MANIFEST)))?;
        let pages = (0..kept.pages).map(|page| file(&kept::page_name(page))).collect::<Result<Vec<_>, _>>()?;
        if mine::rows_hash(pages.iter().map(Vec::as_slice), kept.format) != kept.hash {
            return Err(fault("its rows are not those that were fetched".to_owned()));
        }
        let genes = kept.seed.map(|seed| Recipe { rows: kept.rows, seed }.genes());
        let is_joined = kept.results.is_some_and(|results| results.joined.is_some());
        let publications = is_joined.then(|| file(kept::PUBLICATIONS)).transpose()?;
        Ok(Self { format: kept.format, pages, genes, publications, results: kept.results })
    }
}

/// The folder with the pages: the given one, or the one in the directory of a run that kept them.
fn pages_folder(given: &str) -> PathBuf {
    let of_run = Path::new(given).join(kept::FOLDER);
    if of_run.join(kept::MANIFEST).is_file() { of_run } else { PathBuf::from(given) }
}

/// The bytes of a file in which a replay kept rows with their types.
pub(crate) fn typed(folder: &str, name: &str) -> Result<Vec<u8>, ModuleError> {
    fs::read(pages_folder(folder).join(name)).map_err(|error| {
        let next = "keep the rows first, with `-p form=pages -p keep_typed=FOLDER --arm native`";
        ModuleError::InvalidArgument(format!("`replay`: {folder}: {name}: {error}; {next}"))
    })
}

/// Writes a file that is there whole or not at all.
pub(crate) fn write_whole(folder: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let written = fs::write(&part, content).and_then(|()| fs::rename(&part, folder.join(name)));
    if written.is_err() {
        // What is left of it is not worth a second error.
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    fn refused(folder: &Path, expect: &str) {
        let error = Replayed::read(folder.to_str().unwrap()).err().unwrap().to_string();
        assert!(error.contains(expect) && error.contains("-p keep=FOLDER"), "{error}");
    }

    #[test]
    fn changed_and_missing_pages_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        refused(folder.path(), "fetched.txt");
        let genes = Recipe { rows: 20, seed: 1 }.genes();
        let page = mine::answer(&genes, 0..20, Format::Json);
        let hash = mine::rows_hash([page.as_bytes()], Format::Json);
        let kept = Kept { format: Format::Json, rows: 20, pages: 1, seed: Some(1), hash, results: None };
        write(kept::MANIFEST, &kept.to_string());
        refused(folder.path(), "page-000000");
        write(&kept::page_name(0), &page);
        let replayed = Replayed::read(folder.path().to_str().unwrap()).unwrap();
        assert_eq!((replayed.pages.len(), replayed.genes.map(|genes| genes.rows())), (1, Some(20)));
        // The directory of a run has them in a folder of their own.
        let run = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path(), run.path().join(kept::FOLDER)).unwrap();
        assert_eq!(Replayed::read(run.path().to_str().unwrap()).unwrap().pages.len(), 1);
        let results = Some(Results { genes: 0, groups: 0, joined: Some(0) });
        write(kept::MANIFEST, &Kept { results, ..kept }.to_string());
        refused(folder.path(), "publications: ");
        write(&kept::page_name(0), &page.replacen("FBgn", "FBgm", 1));
        refused(folder.path(), "its rows are not those that were fetched");
        write(kept::MANIFEST, "rows 20");
        refused(folder.path(), "it has no line `hash`");
    }
}
