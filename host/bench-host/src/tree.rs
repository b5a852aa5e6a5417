//! Checks out and builds two git revisions in the cache folder, without touching the user's files. The checkouts are removed on drop,
//! or at the next start after a crash; the compiled dependencies stay.

use crate::{output, paths};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_sink::digest;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A revision that is checked out and built.
#[derive(Debug)]
pub(crate) struct Built {
    /// The name that the user gave.
    pub(crate) revision: String,
    /// The checkout.
    pub(crate) tree: PathBuf,
    /// The built program.
    pub(crate) host: PathBuf,
}

/// Two revisions, each in a checkout of its own.
#[derive(Debug)]
pub(crate) struct Trees {
    repository: PathBuf,
    folder: PathBuf,
    /// The name of each revision, and its commit.
    revisions: [(String, String); 2],
    /// A lock on the folder, held while it is used.
    _lock: File,
}

/// The cargo commands that build a revision, executed in its checkout.
const BUILD: [&[&str]; 3] =
    [&["build", "--release", "--package", "bench-host"], &["xtask", "plugins"], &["xtask", "probes"]];

impl Trees {
    /// The revisions of `range` (`BASE..HEAD`) of the current repository. Nothing is checked out yet.
    pub(crate) fn open(range: &str) -> anyhow::Result<Self> {
        let (base, head) = range
            .split_once("..")
            .filter(|(base, head)| !base.is_empty() && !head.starts_with('.'))
            .with_context(|| format!("--git {range}: expected BASE..HEAD, as in main..HEAD"))?;
        let repository = git(Path::new("."), &["rev-parse", "--show-toplevel"]).context(
            "--git compares revisions of the current repository, but this folder is in none; change into a repository",
        )?;
        let repository = PathBuf::from(repository);
        let commit = |revision: &str| {
            let name = if revision.is_empty() { "HEAD" } else { revision };
            let commit = git(
                &repository,
                &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")],
            );
            let commit = commit.map_err(|_| {
                anyhow::anyhow!("--git {range}: unknown revision `{name}`; list the revisions with `git log --oneline`")
            })?;
            anyhow::Ok((name.to_owned(), commit))
        };
        let revisions = [commit(base)?, commit(head)?];
        let cache =
            paths::code_cache().context("no cache folder to check out revisions in; set HOME or XDG_CACHE_HOME")?;
        let name = digest::of_bytes(repository.as_os_str().as_encoded_bytes());
        let folder = cache.with_file_name("git").join(&name[..12]);
        // What is built there is executed.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.with_context(|| format!("cannot create {}", folder.display()))?;
        own_files::ensure_private(&folder).context("revisions are not built where others can change them")?;
        let lock = File::create(folder.join("lock")).with_context(|| format!("cannot lock {}", folder.display()))?;
        lock.try_lock().map_err(|_| {
            anyhow::anyhow!("another `compare --git` is using {}; wait until it has ended", folder.display())
        })?;
        let trees = Self { repository, folder, revisions, _lock: lock };
        // A crash may have left checkouts.
        trees.remove();
        Ok(trees)
    }

    /// Checks out and builds both.
    pub(crate) fn build(&self, interrupt: &Interrupt) -> anyhow::Result<[Built; 2]> {
        let [base, head] = &self.revisions;
        Ok([self.build_one("base", base, interrupt)?, self.build_one("head", head, interrupt)?])
    }

    fn build_one(
        &self,
        side: &str,
        (revision, commit): &(String, String),
        interrupt: &Interrupt,
    ) -> anyhow::Result<Built> {
        let tree = self.folder.join(side);
        let path = tree.to_str().with_context(|| format!("{} is not valid UTF-8", tree.display()))?;
        git(&self.repository, &["worktree", "add", "--detach", "--force", path, commit])
            .with_context(|| format!("cannot check out {revision}"))?;
        output::line(&format!("bench-host: building {side}, {revision} ({})", &commit[..commit.len().min(12)]));
        let target = self.folder.join("target");
        for arguments in BUILD {
            let mut command = Command::new("cargo");
            command.args(arguments).current_dir(&tree).env("CARGO_TARGET_DIR", &target);
            let ended = run_to_end(&mut command, interrupt)?;
            anyhow::ensure!(!interrupt.is_raised(), "interrupted while building {revision}");
            if !ended.status.success() {
                let line = ended.error_line.unwrap_or(ended.last_line);
                anyhow::bail!(
                    "{revision} does not build: `cargo {}`: {line}; fix it, or name another revision",
                    arguments.join(" ")
                );
            }
        }
        // The other revision is built in the same target folder, which overwrites the program.
        let host = self.folder.join(format!("{side}-bench-host"));
        let built = target.join("release/bench-host");
        fs::copy(&built, &host).with_context(|| format!("the build of {revision} made no {}", built.display()))?;
        Ok(Built { revision: revision.clone(), tree, host })
    }

    /// Removes both checkouts, and git's records of them. Other worktrees are not touched.
    fn remove(&self) {
        for side in ["base", "head"] {
            let tree = self.folder.join(side);
            if tree.exists() {
                let path = tree.display().to_string();
                if let Err(error) = git(&self.repository, &["worktree", "remove", "--force", "--force", &path]) {
                    tracing::warn!(%error, "git cannot remove the worktree");
                }
            }
            // After a crash, git may have no record of the folder.
            if tree.exists()
                && let Err(error) = fs::remove_dir_all(&tree)
            {
                output::line(&format!("bench-host: cannot remove {}: {error}", tree.display()));
            }
            let _ = fs::remove_file(self.folder.join(format!("{side}-bench-host")));
        }
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        self.remove();
    }
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct ProgramEnd {
    pub(crate) status: ExitStatus,
    /// The first line on standard error that begins with `error`.
    pub(crate) error_line: Option<String>,
    /// The last line on standard error that is not empty.
    pub(crate) last_line: String,
}

/// Runs `command` until it exits. On an interrupt, kills it and all processes that it started. Ignores its standard output, and
/// reads its standard error.
pub(crate) fn run_to_end(command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<ProgramEnd> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let program = command.get_program().display().to_string();
    let mut child: Child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let group = Pid::from_child(&child);
    let _subscription = interrupt.subscribe(move || {
        // It may have exited in the meantime.
        let _ = kill_process_group(group, Signal::KILL);
    });
    let mut error_line = None;
    let mut last_line = String::new();
    if let Some(stderr) = child.stderr.take() {
        let lines = BufReader::new(stderr.take(64 << 20)).lines();
        for line in lines.map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
            tracing::debug!(program, line);
            if error_line.is_none() && line.trim_start().starts_with("error") {
                error_line = Some(line.trim().to_owned());
            }
            last_line = line.trim().to_owned();
        }
    }
    let status = child.wait().with_context(|| format!("cannot wait for {program}"))?;
    Ok(ProgramEnd { status, error_line, last_line })
}

/// The output of git, without the line end.
fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output();
    let output = output.context("cannot start git; install git")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    anyhow::ensure!(output.status.success(), "git {}: {}", arguments.join(" "), text(&output.stderr));
    Ok(text(&output.stdout))
}
