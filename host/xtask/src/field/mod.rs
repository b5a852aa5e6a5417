//! `field`: runs the host on inputs that people met and that harm a careless host, and holds what comes of each: no hang, no panic, no
//! process or file left behind, no secret shown, bounded memory, the exit status that the documentation promises, and what is good beside
//! it measured.

mod corpus;
mod document;
mod rows;
mod usage;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use self::corpus::Corpus;
use self::document::Document;
use self::rows::{Row, rows};
pub(crate) use self::usage::{USAGE, run_measured};
use crate::output::say;
use crate::project::Project;
use crate::{artifact, hostile};

/// No process may use more: the memory that a component may have, and as much again for the host.
const MEMORY_MIB_MAX: u64 = 2 * 1024;

/// The name of processes that the corpus starts and that must end with their worker, as `/proc` shows it.
const LEFT: &str = "hostile-left";

/// The beginning of the names of folders that the host makes for the time of a run.
const TEMPORARY: &str = "bench-host-";

/// Of a line that names an input, so many characters are shown.
const LINE_MAX: usize = 160;

/// Where rows are run, and with what.
struct Field<'a> {
    project: &'a Project,
    /// The host.
    program: PathBuf,
    folder: PathBuf,
    corpus: Corpus,
}

/// What came of a row that was run.
struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
    /// The size of the largest process, if it is known.
    mib: Option<u64>,
}

/// What came of a row.
#[derive(Default)]
struct Outcome {
    /// Why it cannot be tried here.
    skipped: Option<String>,
    /// What was wrong.
    faults: Vec<String>,
    status: Option<i32>,
    mib: Option<u64>,
    /// The line that names the input.
    line: Option<String>,
}

/// Builds the host and the hostile plug-ins, makes the corpus, runs every row, and prints a table. An error if a row does not come out
/// right.
pub(crate) fn run(project: &Project) -> Result<()> {
    let [program, maker] = artifact::programs_of_tests(project, ["bench-host", hostile::PROGRAM])?;
    hostile::build_with(project, &maker)?;
    let folder = scratch_folder()?;
    let corpus = Corpus::make(project, &folder)?;
    let field = Field { project, program, folder, corpus };
    let rows = rows();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut wrong = Vec::new();
    for row in &rows {
        let begin = Instant::now();
        let outcome = field.outcome(row).unwrap_or_else(|error| Outcome::wrong(format!("{error:#}")));
        let (word, detail) = match &outcome.skipped {
            Some(reason) => ("skipped", format!("  {reason}")),
            None if outcome.faults.is_empty() => ("right", String::new()),
            None => ("WRONG", format!("  {}", outcome.faults.join("; "))),
        };
        let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        let (status, mib) =
            (number(outcome.status.map(|status| status.to_string())), number(outcome.mib.map(|mib| mib.to_string())));
        let seconds = begin.elapsed().as_secs_f64();
        say(format_args!("{:width$}  {word:7}  exit {status:>3}  {seconds:5.1} s  {mib:>4} MiB{detail}", row.name));
        if let Some(line) = &outcome.line {
            say(format_args!("    {}", shown(line)));
        }
        if !outcome.faults.is_empty() {
            wrong.push(row.name);
        }
    }
    let _ = fs::remove_dir_all(&field.folder);
    ensure!(wrong.is_empty(), "{} of {} rows came out wrong: {}", wrong.len(), rows.len(), wrong.join(", "));
    Ok(())
}

/// The beginning of a line, in which nothing but letters reaches the terminal.
fn shown(line: &str) -> String {
    line.chars().take(LINE_MAX).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn scratch_folder() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("bench-host-field-{}", std::process::id()));
    fs::create_dir_all(folder.join("tmp")).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

impl Outcome {
    fn wrong(fault: String) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }

    fn skipped(reason: String) -> Self {
        Self { skipped: Some(reason), ..Self::default() }
    }
}

impl Field<'_> {
    fn outcome(&self, row: &Row) -> Result<Outcome> {
        if let Some(reason) = self.corpus.missing(row) {
            return Ok(Outcome::skipped(reason));
        }
        if row.is_in_project() && !self.has_good_plugins() {
            return Ok(Outcome::skipped("no plug-ins are built: run `cargo xtask plugins`".to_owned()));
        }
        let before = left_behind();
        let ended = self.finish(row)?;
        let (document, mut faults) = match row.has_document().then(|| Document::parse(&ended.stdout)) {
            None => (None, Vec::new()),
            Some(Ok(document)) => (Some(document), Vec::new()),
            Some(Err(fault)) => (None, vec![fault]),
        };
        let mut lines = document.as_ref().map(Document::lines).unwrap_or_default();
        lines.extend(ended.stderr.lines().chain(ended.stdout.lines()).map(str::to_owned));
        faults.extend(row.faults(ended.status, &lines.join("\n"), document.as_ref()));
        if let Some(document) = document.as_ref().filter(|_| row.is_in_project()) {
            faults.extend(document.faults_beside(&self.corpus.plugins));
        }
        let processes = left_behind().difference(&before).count();
        if processes > 0 {
            faults.push(format!("{processes} processes are left"));
        }
        faults.extend(self.temporary()?.into_iter().map(|name| format!("{name} is left")));
        if let Some(mib) = ended.mib.filter(|mib| *mib > MEMORY_MIB_MAX) {
            faults.push(format!("a process used {mib} MiB, where {MEMORY_MIB_MAX} are the most"));
        }
        let line = lines.into_iter().find(|line| line.contains(row.named()));
        Ok(Outcome { skipped: None, faults, status: Some(ended.status), mib: ended.mib, line })
    }

    /// Whether there is a plug-in besides those that harm a careless host.
    fn has_good_plugins(&self) -> bool {
        let entries = fs::read_dir(self.project.root().join("plugins")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|extension| extension == "wasm"))
    }

    /// Runs the host to its end. An error if it had to be killed.
    fn finish(&self, row: &Row) -> Result<Ended> {
        let [stdout, stderr, size] = ["stdout", "stderr", "size"].map(|name| self.folder.join(name));
        let mut command = usage::measured(&row.command(&self.program, &self.folder.join("results")), &size)?;
        command
            .current_dir(if row.is_in_project() { self.project.root() } else { self.folder.as_path() })
            .env("TMPDIR", self.folder.join("tmp"))
            .env("BENCH_HOST_MODULES", self.folder.join("none"));
        // What was compiled of the project's own plug-ins is that of the other tests: compiling them takes minutes.
        if !row.is_in_project() {
            command.env("XDG_CACHE_HOME", self.folder.join("cache"));
        }
        let _ = fs::remove_file(&size);
        // Into files, because a process that is left behind may hold a pipe open.
        command.stdin(Stdio::null()).stdout(fs::File::create(&stdout)?).stderr(fs::File::create(&stderr)?);
        let mut child = command.spawn()?;
        let process = child.id().to_string();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait()));
        let Ok(status) = ended.recv_timeout(row.patience()) else {
            let host = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
            Command::new("kill").arg("-KILL").args(host.split_whitespace()).arg(&process).status()?;
            bail!("it had not ended after {} s", row.patience().as_secs());
        };
        let text = |file: &Path| fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Ended {
            status: status?.code().unwrap_or(1),
            stdout: text(&stdout)?,
            stderr: text(&stderr)?,
            mib: usage::largest_mib(&size),
        })
    }

    /// The folders that the host has made for the time of a run and not removed. They are removed now.
    fn temporary(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.folder.join("tmp"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(TEMPORARY) {
                let _ = fs::remove_dir_all(entry.path());
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// The processes that the corpus has started and that still run.
fn left_behind() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_left = |process: &String| {
        fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim_end() == LEFT)
            && fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    names.filter(is_left).collect()
}
