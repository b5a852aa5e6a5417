//! `results`, named baselines and `--fail-on`: what is listed of past runs, and what a build in continuous integration gets.

use crate::host::{Host, Ran};
use std::fs;
use std::path::{Path, PathBuf};

const LOAD: &str = "load hostile.wasm --filter hostile/good --quick --time 60ms --processes 3";

/// A host with so many runs of `hostile/good`.
fn with_runs(runs: usize) -> (Host, Vec<PathBuf>) {
    let host = Host::with_hostile();
    for _ in 0..runs {
        host.check(LOAD, 0);
    }
    let runs = host.runs();
    (host, runs)
}

/// Pretends that the run was made at `revision` on `branch`.
fn rewrite(run: &Path, revision: &str, branch: &str) {
    let path = run.join("run.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    let mut first: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    first["fingerprint"]["git_revision"] = revision.into();
    first["fingerprint"]["git_branch"] = branch.into();
    let rest: Vec<&str> = lines.collect();
    fs::write(&path, format!("{first}\n{}\n", rest.join("\n"))).unwrap();
}

#[test]
fn runs_of_all_families_are_listed_from_the_index() {
    let (host, runs) = with_runs(2);
    for round in ["read from the runs", "read from the index"] {
        let document = host.check("results --format json", 0).json();
        assert_eq!(document["runs"].as_array().unwrap().len(), 2, "{round}");
        let cells = document["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 2, "{round}: one an arm");
        assert!(cells.iter().all(|cell| cell["runs"].as_array().unwrap().len() == 2), "{cells:#?}");
        assert!(host.path("results/.index.jsonl").is_file());
    }
    let table = host.check("results --last 1", 0).stdout;
    let name = |run: &PathBuf| run.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(table.contains(&name(&runs[1])) && !table.contains(&name(&runs[0])), "{table}");
    assert!(table.contains("1 older runs are not shown"), "{table}");
    host.check("results --scenario 'nothing/*'", 2).one_line(&["0 of 2 runs", "name fewer conditions"]);
    host.check("results --out nowhere", 2).one_line(&["nowhere", "--out DIR"]);
}

#[test]
fn two_revisions_are_put_side_by_side_with_a_verdict() {
    let (host, runs) = with_runs(3);
    rewrite(&runs[0], "aaaa1111", "main");
    rewrite(&runs[1], "bbbb2222", "topic");
    rewrite(&runs[2], "bbbb2222", "topic");
    for line in ["results --sha aaaa bbbb", "results --branch main topic"] {
        let ran = Ran::of(&mut host.command(&format!("{line} --format json")));
        assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
        let document = ran.json();
        let comparisons = document["comparisons"].as_array().unwrap();
        assert_eq!(comparisons.len(), 2, "{document:#}");
        for comparison in comparisons {
            assert!(comparison["ratio_of_medians"]["ratio"].as_f64().unwrap() > 0.0);
            assert!(comparison["verdict"].is_string());
        }
        let table = Ran::of(&mut host.command(line)).stdout;
        assert!(table.contains("n 1 runs") && table.contains("n 2 runs"), "{table}");
    }
    host.check("results --sha aaaa cccc", 2).one_line(&["no run of revision `cccc`"]);
    let listed = host.check("results --sha aaaa --format json", 0).json();
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    let trend = host.check("results --trend hostile/good", 0).stdout;
    assert!(trend.contains("too few for steps"), "{trend}");
}

#[test]
fn run_is_compared_with_a_named_baseline() {
    let host = Host::with_hostile();
    let run = "run hostile/good --modules . --quick --time 60ms --processes 3";
    let ran = host.check(&format!("{run} --save-baseline main"), 0);
    assert!(ran.stderr.contains("is the baseline `main`"), "{}", ran.stderr);
    host.check("compare --baseline main", 2).one_line(&["is the baseline `main` itself"]);
    host.check("compare --baseline other", 2).one_line(&["no baseline `other`", "main"]);
    host.check(run, 0);
    let ran = Ran::of(&mut host.command("compare --baseline main --format json"));
    assert!(matches!(ran.status, Some(0 | 1)), "{}", ran.stderr);
    assert_eq!(ran.json()["comparisons"].as_array().unwrap().len(), 2);
    host.check(&format!("{run} --save-baseline ../main"), 2);
}

#[test]
fn only_a_change_beyond_the_threshold_fails_a_build() {
    let (host, runs) = with_runs(2);
    let line = format!("compare {} {} --fail-on", runs[0].display(), runs[1].display());
    let ran = host.check(&format!("{line} worse:900%"), 0);
    assert!(ran.stderr.contains("--fail-on worse:900%: 0 of 2 comparisons are beyond it"), "{}", ran.stderr);
    host.check(&format!("{line} slower"), 2);
    // Ten times as slow beyond doubt.
    let path = runs[1].join("run.jsonl");
    let text = fs::read_to_string(&path).unwrap().replace("\"batch\":", "\"batch_was\":");
    let text: Vec<String> =
        text.lines().map(|line| line.replacen("\"batch_was\":", "\"batch\":1,\"was\":", 1)).collect();
    fs::write(&path, text.join("\n") + "\n").unwrap();
    let ran = host.check(&format!("{line} worse:50%"), 1);
    assert!(ran.stderr.contains("worse:50%: hostile/good"), "{}", ran.stderr);
    host.check(&format!("{line} better:50%"), 0);
}

#[test]
fn equal_components_have_equal_instruction_counts() {
    let (host, runs) = with_runs(2);
    let line = format!("compare {} {} --metric instructions", runs[0].display(), runs[1].display());
    let ran = host.check(&format!("{line} --fail-on changed:0%"), 0);
    assert!(
        ran.stdout.contains("equal") && ran.stderr.contains("0 of 1 comparisons"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
    let path = runs[1].join("run.jsonl");
    let text = fs::read_to_string(&path).unwrap().replace("\"instructions\":", "\"instructions\":1");
    fs::write(&path, text).unwrap();
    host.check(&line, 1);
    let ran = host.check(&format!("{line} --fail-on worse:0%"), 1);
    assert!(ran.stderr.contains("instructions an operation in A"), "{}", ran.stderr);
}
