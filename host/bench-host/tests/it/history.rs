//! `results`, named baselines and `--fail-on`: what is listed of past runs, and what a build in continuous integration gets.

use crate::host::{Host, PROGRAM, Ran, command, skip};
use crate::modules::project;
use bench_model::{Direction, Unit};
use bench_sink::Series;
use bench_sink::runfile::SeriesRecord;
use serde_json::json;
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
pub(crate) fn rewrite(run: &Path, revision: &str, branch: &str) {
    set(run, &[("git_revision", revision), ("git_branch", branch)]);
}

/// Sets these fields of the run's fingerprint.
fn set(run: &Path, fields: &[(&str, &str)]) {
    let path = run.join("run.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    let mut first: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    fields.iter().for_each(|(name, value)| first["fingerprint"][*name] = (*value).into());
    first.as_object_mut().unwrap().remove("digest");
    let rest: Vec<&str> = lines.collect();
    fs::write(&path, format!("{first}\n{}\n", rest.join("\n"))).unwrap();
}

fn name(run: &Path) -> &str {
    run.file_name().unwrap().to_str().unwrap()
}

/// The revisions of [`with_step`].
const REVISIONS: [&str; 2] = ["aaaa1111", "bbbb2222"];

/// A host with twenty runs of `hostile/good` as a component, which are copies of one. The second half is of another revision, and its
/// operations take 18 per cent longer.
pub(crate) fn with_step() -> Host {
    let host = Host::with_hostile();
    host.check(&format!("{LOAD} --arm wasm"), 0);
    let measured = host.run();
    let text = fs::read_to_string(measured.join("run.jsonl")).unwrap();
    for day in 1..=20 {
        let (revision, permille) = if day > 10 { (REVISIONS[1], 1_180) } else { (REVISIONS[0], 1_000) };
        let run = host.path(format!("results/2026-01-{day:02}T00-00-00Z"));
        fs::create_dir(&run).unwrap();
        fs::write(run.join("run.jsonl"), stretched(&text, permille + day * 7 % 5)).unwrap();
        rewrite(&run, revision, "main");
    }
    fs::remove_dir_all(measured).unwrap();
    host
}

/// The run file with samples that are `permille` of what they were.
fn stretched(text: &str, permille: u64) -> String {
    let line = |line: &str| {
        if !line.contains("\"record\":\"series\"") {
            return format!("{line}\n");
        }
        let mut series: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut stretched = Series::new("good", Unit::Nanoseconds, Direction::LowerIsBetter);
        let samples = series["raw"].as_array().unwrap().iter().map(|sample| sample.as_u64().unwrap());
        samples.for_each(|sample| stretched.record(sample * permille / 1_000));
        let SeriesRecord { histogram, raw, .. } = SeriesRecord::new(0, 0, &stretched);
        (series["histogram"], series["raw"]) = (histogram.into(), raw.into());
        series.as_object_mut().unwrap().remove("digest");
        format!("{series}\n")
    };
    text.lines().map(line).collect()
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
    assert!(table.contains(name(&runs[1])) && !table.contains(name(&runs[0])), "{table}");
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
fn runs_are_chosen_by_branch_and_by_machine() {
    let (host, runs) = with_runs(3);
    rewrite(&runs[0], "aaaa1111", "main");
    rewrite(&runs[1], "bbbb2222", "topic");
    set(&runs[2], &[("cpu_model", "Elsewhere 9000"), ("git_branch", "main")]);
    let check = |options: &[&str], expect: &[usize]| {
        let ran = Ran::of(host.command("results --format json").args(options)).check(&options.join(" "), 0);
        let document = ran.json();
        let listed: Vec<_> =
            document["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
        assert_eq!(listed, expect.iter().map(|run| name(&runs[*run])).collect::<Vec<_>>(), "{options:?}");
        document["runs"][0]["machine"].as_str().unwrap().to_owned()
    };
    let here = check(&[], &[0, 1, 2]);
    assert_eq!(here.len(), 6, "{here}");
    check(&["--branch", "main"], &[0, 2]);
    check(&["--branch", "topic"], &[1]);
    check(&["--machine", &here], &[0, 1]);
    check(&["--machine", "this"], &[0, 1]);
    check(&["--machine", "this", "--branch", "main"], &[0]);
    let elsewhere = check(&["--machine", "elsewhere 9"], &[2]);
    check(&["--machine", &elsewhere], &[2]);
    for line in ["results --branch absent", "results --machine absent"] {
        host.check(line, 2).one_line(&["0 of 3 runs", "name fewer conditions"]);
    }
}

#[test]
fn step_between_two_revisions_is_printed_with_a_command_that_bisects() {
    let host = with_step();
    let text = host.check("results --trend hostile/good", 0).stdout;
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("git bisect")).unwrap_or_else(|| panic!("{text}"));
    let [good, bad] = REVISIONS;
    let compare = format!("bench-host compare --git {good}..HEAD hostile/good --arm wasm -p n=1 --fail-on worse:");
    let before = format!("git bisect start {bad} {good} && git bisect run sh -c '{compare}");
    let threshold = line.strip_prefix(&before).unwrap_or_else(|| panic!("{before}\n{line}"));
    let (percent, after) = threshold.split_once('%').unwrap();
    assert_eq!(after, "; status=$?; test $status -eq 2 && exit 125; exit $status'");
    assert!((8.0..9.0).contains(&percent.parse::<f64>().unwrap()), "half of 18 per cent: {line}");
    // The options are those of this program: it refuses only the last one.
    let words = compare.strip_prefix("bench-host ").unwrap();
    host.check(&format!("{words}{percent}% --dry-run"), 2).one_line(&["--git cannot show a plan"]);
    let document = host.check("results --trend hostile/good --format json", 0).json();
    assert_eq!(document["trends"][0]["steps"][0]["bisect"], line, "{document:#}");
}

#[test]
fn index_that_cannot_be_written_is_made_again_by_every_listing() {
    let (host, runs) = with_runs(1);
    // A folder where the index should be: it cannot be replaced, whoever the user is.
    fs::create_dir_all(host.path("results/.index.jsonl/folder")).unwrap();
    for _ in 0..2 {
        let ran = host.check("results", 0);
        assert!(ran.stdout.contains(name(&runs[0])), "{}", ran.stdout);
        ran.one_line(&["the index of runs cannot be written", ".index.jsonl"]);
    }
    let is_left = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".new");
    let entries = fs::read_dir(host.path("results")).unwrap().map(Result::unwrap);
    assert_eq!(entries.filter(is_left).count(), 0, "what was to replace the index is left");
}

/// Lists the runs of a folder that nobody can write to; the mount is gone when this ends.
const READ_ONLY: &str = r#"
mount --bind results results && mount -o remount,bind,ro results || exit 77
exec "$0" results
"#;

#[test]
fn runs_in_a_folder_that_is_read_only_are_listed() {
    let (host, runs) = with_runs(1);
    let mut unshare = command("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", READ_ONLY, PROGRAM]);
    let Ok(output) = unshare.current_dir(host.path("")).output() else { return skip("there is no `unshare`") };
    let ran = Ran::from(output);
    if ran.status != Some(0) && !ran.stderr.contains("bench-host") {
        return skip(&format!("a folder cannot be mounted read-only: {}", ran.stderr.trim()));
    }
    let ran = ran.check("results", 0);
    assert!(ran.stdout.contains(name(&runs[0])), "{}", ran.stdout);
    ran.one_line(&["the index of runs cannot be written", "Read-only file system"]);
    assert!(!host.path("results/.index.jsonl").exists());
}

#[test]
fn run_of_an_earlier_version_is_listed_and_has_a_page() {
    let host = Host::new();
    let run = host.path("results/2026-01-02T03-04-05Z-abc");
    fs::create_dir_all(&run).unwrap();
    fs::copy(project().join("host/bench-report/tests/golden/run.jsonl"), run.join("run.jsonl")).unwrap();
    for round in ["read from the run", "read from the index"] {
        let document = host.check("results --format json", 0).json();
        let listed = &document["runs"][0];
        assert_eq!((&listed["cells"], &listed["cells_ok"]), (&3.into(), &2.into()), "{round}: {document:#}");
        let cells = document["cells"].as_array().unwrap().iter();
        let medians: Vec<_> = cells.map(|cell| cell["runs"][0]["p50"].clone()).collect();
        assert_eq!(json!(medians), json!([93.6875, 109.0, null]), "{round}: {document:#}");
    }
    let table = host.check("results", 0).stdout;
    assert!(table.contains("2 of 3 ok, interrupted"), "{table}");
    let trend = host.check("results --trend ring/stream", 0).stdout;
    assert!(trend.contains("ring/stream wasm+fuel payload_bytes=64") && trend.contains("too few for steps"), "{trend}");
    host.check("report --to page", 0);
    let page = fs::read_to_string(host.path("page/report.html")).unwrap();
    assert!(["wasm+fuel", "native-cpu", "numa-hop"].iter().all(|part| page.contains(part)));
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
    let text = fs::read_to_string(&path).unwrap().replace("\"digest\"", "\"was\"");
    let text = text.replace("\"batch\":", "\"batch_was\":");
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
    let text = fs::read_to_string(&path).unwrap().replace("\"digest\"", "\"was\"");
    let text = text.replace("\"instructions\":", "\"instructions\":1");
    fs::write(&path, text).unwrap();
    host.check(&line, 1);
    let ran = host.check(&format!("{line} --fail-on worse:0%"), 1);
    assert!(ran.stderr.contains("instructions an operation in A"), "{}", ran.stderr);
}
