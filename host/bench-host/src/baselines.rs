//! Named baselines: a name for a run in its folder of run directories, so that later runs can be compared with it.

use crate::output;
use anyhow::Context;
use bench_sink::regular;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder of the baselines, next to the run directories.
const FOLDER: &str = "baselines";

/// Maximum size of the file of a baseline, which has two fields.
const BYTES_MAX: u64 = 64 << 10;

/// A saved baseline.
#[derive(Debug, Serialize, Deserialize)]
struct Baseline {
    /// The name of the run directory.
    run: String,
    /// RFC 3339, UTC.
    saved: String,
}

/// Checks the name of a baseline, which is also the name of a file.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if text.is_empty() || text.starts_with('.') || !text.chars().all(is_plain) {
        return Err("expected letters, digits, `-`, `_` and `.`, not beginning with `.`".to_owned());
    }
    Ok(text.to_owned())
}

/// Saves the run in `directory` as the baseline `name`, in the folder of its run directories, and says so.
pub(crate) fn save(directory: &Path, name: &str) -> anyhow::Result<()> {
    let run = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let out = directory.parent().unwrap_or(Path::new("."));
    let path = file(out, name);
    let saved = jiff::Timestamp::now().to_string();
    let text = serde_json::to_string_pretty(&Baseline { run: run.clone(), saved })?;
    let folder = path.parent().unwrap_or(out);
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    own_files::replace(&path, (text + "\n").as_bytes())
        .with_context(|| format!("cannot write the baseline {}", path.display()))?;
    output::line(&format!("bench-host: {run} is the baseline `{name}`; compare with it: compare --baseline {name}"));
    Ok(())
}

/// The run directory of the baseline `name` in `out`.
pub(crate) fn directory(out: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = file(out, name);
    let text = match regular::read_text(&path, BYTES_MAX) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            anyhow::bail!("{}: there is no baseline `{name}`{}", out.display(), known(out))
        }
        text => text.with_context(|| format!("cannot read the baseline {}", path.display()))?,
    };
    let baseline: Baseline = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a baseline; save it again with --save-baseline", path.display()))?;
    let directory = out.join(&baseline.run);
    anyhow::ensure!(
        directory.is_dir(),
        "the run {} of the baseline `{name}` no longer exists; save another one with `run --save-baseline {name}`",
        directory.display()
    );
    Ok(directory)
}

fn file(out: &Path, name: &str) -> PathBuf {
    out.join(FOLDER).join(format!("{name}.json"))
}

/// `; the baselines are: a, b`, or how to save the first one.
fn known(out: &Path) -> String {
    let entries = fs::read_dir(out.join(FOLDER)).into_iter().flatten();
    let name = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned());
    let mut names: Vec<_> = entries.filter_map(|entry| name(entry.ok()?)).collect();
    names.sort();
    match names.is_empty() {
        true => "; save one with `bench-host run … --save-baseline NAME`".to_owned(),
        false => format!("; the baselines are: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_baseline_cannot_leave_its_folder() {
        for (text, expect) in
            [("main", true), ("v1.2_x-y", true), ("", false), ("..", false), ("a/b", false), ("a b", false)]
        {
            assert_eq!(name(text).is_ok(), expect, "{text}");
        }
    }

    #[test]
    fn baseline_is_found_by_its_name_until_its_run_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("2026-01-01T00-00-00Z-abc");
        fs::create_dir(&run).unwrap();
        fs::write(run.join(bench_sink::runfile::FILE_NAME), "").unwrap();
        let error = |name: &str| directory(folder.path(), name).unwrap_err().to_string();
        assert!(error("main").contains("--save-baseline"));
        save(&run, "main").unwrap();
        assert_eq!(directory(folder.path(), "main").unwrap(), run);
        assert!(error("other").contains("the baselines are: main"));
        std::os::unix::fs::symlink("/dev/zero", file(folder.path(), "endless")).unwrap();
        assert!(error("endless").contains("cannot read the baseline"), "{}", error("endless"));
        fs::remove_dir_all(&run).unwrap();
        assert!(error("main").contains("no longer exists"));
    }
}
