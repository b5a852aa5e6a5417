//! `compare --git`, on a small repository whose program calls the program under test. Its revisions build in a second.

use crate::host::{Host, PROGRAM, Ran, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of the repository, which calls the program under test with its arguments.
const HOST: &str = r#"
use std::os::unix::process::CommandExt;
fn main() {
    let real = std::env::var_os("REAL_BENCH_HOST").expect("the test names the program");
    let modules = std::env::var_os("REAL_MODULES").expect("the test names the modules");
    let error = std::process::Command::new(real).args(std::env::args_os().skip(1)).arg("--modules").arg(modules).exec();
    panic!("{error}");
}
"#;

struct Repository {
    host: Host,
}

impl Repository {
    /// A repository of two revisions, `base` and `head`, and a third that does not build, `broken`.
    fn new() -> Self {
        let host = Host::with_hostile();
        let repository = Self { host };
        repository
            .write("repository/Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"bench-host\", \"xtask\"]\n");
        repository.write("repository/.cargo/config.toml", "[alias]\nxtask = \"run --quiet --package xtask --\"\n");
        for (name, main) in [("bench-host", HOST), ("xtask", "fn main() {}\n")] {
            let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
            repository.write(&format!("repository/{name}/Cargo.toml"), &manifest);
            repository.write(&format!("repository/{name}/src/main.rs"), main);
        }
        repository.git("init --quiet --initial-branch=main");
        repository.commit("base");
        repository.write("repository/note", "another revision\n");
        repository.commit("head");
        repository.write("repository/bench-host/src/main.rs", "fn main() { 1 + }\n");
        repository.commit("broken");
        repository.git("checkout --quiet head");
        repository
    }

    fn path(&self) -> PathBuf {
        self.host.path("repository")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.host.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, line: &str) -> String {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        git.args(identity).args(line.split_whitespace()).current_dir(self.path());
        Ran::of(git.env("GIT_CONFIG_GLOBAL", "/dev/null")).check(line, 0).stdout
    }

    fn commit(&self, tag: &str) {
        self.git("add --all");
        self.git(&format!("commit --quiet --message {tag}"));
        self.git(&format!("tag {tag}"));
    }

    /// The program under test, in the repository, with a cache of its own, so that what it leaves there is seen.
    fn compare(&self, line: &str) -> Command {
        let mut compare = command(PROGRAM);
        compare.args(["compare", "--out", "../results"]).args(line.split_whitespace()).current_dir(self.path());
        compare.env("XDG_CACHE_HOME", self.host.path("cache"));
        compare.env("REAL_BENCH_HOST", PROGRAM).env("REAL_MODULES", self.host.path(""));
        compare
    }

    /// Checks that git has one worktree, that nothing in it has changed, and that no other is left.
    #[track_caller]
    fn check_untouched(&self) {
        assert_eq!(self.git("worktree list").lines().count(), 1);
        assert_eq!(self.git("status --porcelain"), "");
        let trees = self.host.path("cache/bench-host/git");
        let left = |folder: &Path| folder.join("base").exists() || folder.join("head").exists();
        let folders = fs::read_dir(&trees).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        assert_eq!(folders.filter(|folder| left(folder)).count(), 0, "a tree is left in {}", trees.display());
    }
}

#[test]
fn two_revisions_are_built_measured_interleaved_and_removed() {
    let repository = Repository::new();
    let line = "--git base..head hostile/good --arm native --processes 3 --time 180ms --format json";
    let ran = Ran::of(&mut repository.compare(line));
    assert!(matches!(ran.status, Some(0 | 1)), "{}\n{}", ran.stdout, ran.stderr);
    let document = ran.json();
    let comparisons = document["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 1, "{document:#}");
    assert_eq!((&comparisons[0]["scenario"], &comparisons[0]["processes"]), (&"hostile/good".into(), &3.into()));
    assert!(comparisons[0]["ratio_of_medians"]["ratio"].as_f64().unwrap() > 0.0, "{document:#}");
    repository.check_untouched();
    // Both have the same code, so neither gate finds anything: that of times with a threshold that noise does not reach, that of counts
    // with none.
    let gated = |line: &str| {
        let line = format!("--git base..head hostile/good --format json {line}");
        let ran = Ran::of(&mut repository.compare(&line)).check(&line, 0);
        assert!(ran.stderr.contains(": 0 of 1 comparisons are beyond it"), "{}", ran.stderr);
        ran.json()
    };
    gated("--arm native --processes 3 --time 180ms --fail-on worse:900%");
    let document = gated("--arm wasm --processes 2 --time 120ms --metric instructions --fail-on changed:0%");
    let counts = &document["sections"][0];
    let found = (&counts["name"], &counts["rows"][0]["counts"]);
    assert_eq!(found, (&"instructions".into(), &"equal".into()), "{counts:#}");
    repository.check_untouched();
}

#[test]
fn cell_that_cannot_be_measured_is_reported_and_the_others_are_measured() {
    let repository = Repository::new();
    let line = "--git base..head hostile/good hostile/asks --arm wasm --processes 2 --time 120ms --format json";
    let ran = Ran::of(&mut repository.compare(line)).check(line, 2);
    for side in ["base (base)", "head (head)"] {
        let told = ran.stderr.matches(&format!("{side} measured nothing")).count();
        assert!(ran.stderr.contains("bench-host: hostile/asks wasm") && told == 1, "{side}: {}", ran.stderr);
    }
    let document = ran.json();
    let comparisons = document["comparisons"].as_array().unwrap();
    let good = comparisons.iter().find(|one| one["scenario"] == "hostile/good").unwrap();
    assert_eq!(good["processes"], 2, "{document:#}");
}

#[test]
fn missing_or_broken_revision_is_reported() {
    let repository = Repository::new();
    let check = |range: &str, parts: &[&str]| {
        let ran = Ran::of(&mut repository.compare(&format!("--git {range} hostile/good"))).check(range, 2);
        let last = ran.stderr.lines().last().unwrap_or_default();
        parts.iter().for_each(|part| assert!(last.contains(part), "{part:?} is not in: {}", ran.stderr));
        repository.check_untouched();
    };
    check("nowhere..head", &["unknown revision `nowhere`"]);
    check("base", &["BASE..HEAD"]);
    check("base..broken", &["broken does not build", "error"]);
}
