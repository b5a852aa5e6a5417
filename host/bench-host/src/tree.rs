//! Two revisions of the repository, checked out and built in the cache folder, where no file of the user's is touched. The
//! trees are gone when this is dropped, or at the next start after a crash; what was compiled stays for the next time.

use crate::{output, paths};
use anyhow::Context;
use bench_engine::Interrupt;
use bench_sink::digest;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A revision that was checked out and built.
#[derive(Debug)]
pub(crate) struct Built {
    /// As the user named it.
    pub(crate) revision: String,
    /// Its folder.
    pub(crate) tree: PathBuf,
    /// Its program.
    pub(crate) host: PathBuf,
}

/// Two revisions, in folders of their own.
#[derive(Debug)]
pub(crate) struct Trees {
    repository: PathBuf,
    folder: PathBuf,
    /// Revision, commit.
    revisions: [(String, String); 2],
    /// Held as long as the folder is used.
    _lock: File,
}

/// What a revision is built with, in its folder.
const BUILD: [&[&str]; 3] =
    [&["build", "--release", "--package", "bench-host"], &["xtask", "plugins"], &["xtask", "probes"]];

impl Trees {
    /// The revisions of `range` (`BASE..HEAD`) of the repository that we are in. Nothing is checked out yet.
    pub(crate) fn open(range: &str) -> anyhow::Result<Self> {
        let (base, head) = range
            .split_once("..")
            .filter(|(base, head)| !base.is_empty() && !head.starts_with('.'))
            .with_context(|| format!("--git {range}: expected BASE..HEAD, as in main..HEAD"))?;
        let repository = git(Path::new("."), &["rev-parse", "--show-toplevel"])
            .context("--git compares revisions of the repository we are in, and this is none; change into it")?;
        let repository = PathBuf::from(repository);
        let commit = |revision: &str| {
            let name = if revision.is_empty() { "HEAD" } else { revision };
            let commit = git(
                &repository,
                &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")],
            );
            let commit = commit.map_err(|_| {
                anyhow::anyhow!(
                    "--git {range}: there is no revision `{name}` here; `git log --oneline` shows what there is"
                )
            })?;
            anyhow::Ok((name.to_owned(), commit))
        };
        let revisions = [commit(base)?, commit(head)?];
        let cache =
            paths::code_cache().context("no cache folder to check revisions out in; set HOME or XDG_CACHE_HOME")?;
        let name = digest::of_bytes(repository.as_os_str().as_encoded_bytes());
        let folder = cache.with_file_name("git").join(&name[..12]);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let lock = File::create(folder.join("lock")).with_context(|| format!("cannot lock {}", folder.display()))?;
        lock.try_lock()
            .map_err(|_| anyhow::anyhow!("another `compare --git` is using {}; wait for it", folder.display()))?;
        let trees = Self { repository, folder, revisions, _lock: lock };
        // What a crash has left.
        trees.remove();
        Ok(trees)
    }

    /// Checks both out and builds them.
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
        let path = tree.to_str().with_context(|| format!("{} is not text", tree.display()))?;
        git(&self.repository, &["worktree", "add", "--detach", "--force", path, commit])
            .with_context(|| format!("cannot check out {revision}"))?;
        output::line(&format!("bench-host: building {side}, {revision} ({})", &commit[..commit.len().min(12)]));
        let target = self.folder.join("target");
        for arguments in BUILD {
            let mut command = Command::new("cargo");
            command.args(arguments).current_dir(&tree).env("CARGO_TARGET_DIR", &target);
            let ended = run_to_end(&mut command, interrupt)?;
            anyhow::ensure!(!interrupt.is_raised(), "interrupted while {revision} was built");
            if !ended.status.success() {
                let line = ended.error_line.unwrap_or(ended.last_line);
                anyhow::bail!(
                    "{revision} does not build: `cargo {}`: {line}; mend it, or name another revision",
                    arguments.join(" ")
                );
            }
        }
        // The other side is built in the same place.
        let host = self.folder.join(format!("{side}-bench-host"));
        let built = target.join("release/bench-host");
        fs::copy(&built, &host).with_context(|| format!("{revision} builds no {}", built.display()))?;
        Ok(Built { revision: revision.clone(), tree, host })
    }

    /// Removes both trees, and what git knows of them. What is not there is not removed, and no other tree is touched.
    fn remove(&self) {
        for side in ["base", "head"] {
            let tree = self.folder.join(side);
            if tree.exists() {
                let path = tree.display().to_string();
                if let Err(error) = git(&self.repository, &["worktree", "remove", "--force", "--force", &path]) {
                    tracing::warn!(%error, "git does not remove the tree");
                }
            }
            // A crash may have come before git knew of it.
            if tree.exists()
                && let Err(error) = fs::remove_dir_all(&tree)
            {
                output::line(&format!("bench-host: {} cannot be removed: {error}", tree.display()));
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

/// What a program's end tells.
#[derive(Debug)]
pub(crate) struct ProgramEnd {
    pub(crate) status: ExitStatus,
    /// The first line on standard error that calls itself an error.
    pub(crate) error_line: Option<String>,
    /// The last line on standard error that is not empty.
    pub(crate) last_line: String,
}

/// Runs `command` to its end, or until somebody wants to stop: then it and whatever it started are killed. Its standard output
/// is dropped, its standard error listened to.
pub(crate) fn run_to_end(command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<ProgramEnd> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let program = command.get_program().display().to_string();
    let mut child: Child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let group = Pid::from_child(&child);
    let _subscription = interrupt.subscribe(move || {
        // It may have ended meanwhile.
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

/// What git answers, without the line end.
fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output();
    let output = output.context("cannot start git; install it")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    anyhow::ensure!(output.status.success(), "git {}: {}", arguments.join(" "), text(&output.stderr));
    Ok(text(&output.stdout))
}
