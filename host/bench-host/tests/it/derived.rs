//! The derived files of a run, and that they can be made again from the run file.

use crate::host::Host;
use crate::modules;
use std::fs;

#[test]
fn tables_and_figures_of_operators_can_be_made_again() {
    let Some(plugins) = modules::plugins(&["operator-rust"]) else { return };
    let host = Host::new();
    let file = plugins[0].display();
    let ran = host.check(&format!("load {file} -p count=1,2 -p idle_ms=1 --iterations 2 --processes 1 --quick"), 0);
    let why = "memory_rust_vs_go.png: not drawn: the run has no chain of Go operators alone";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert!(ran.stdout.contains("rust-only  native"), "{}", ran.stdout);
    let run = host.run();
    let names = ["rust-only/latency.csv", "rust-only-native/memory.csv", "memory_scalability_all.png"];
    let before = names.map(|name| fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    for name in names {
        fs::remove_file(run.join(name)).unwrap();
    }
    let ran = host.check("report", 0);
    let after = names.map(|name| fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    assert!(before == after, "files differ when they are made again");
    assert!(ran.stdout.contains(why) && names.iter().all(|name| ran.stdout.contains(name)), "{}", ran.stdout);
}

#[test]
fn other_runs_have_a_page_with_its_tables_and_no_derived_files() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --arm native --quick --processes 1", 0);
    let ran = host.check("report", 0);
    let run = host.run();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(matches!(lines[..], [page, _] if page.ends_with("report.html")), "{}", ran.stdout);
    let mut names: Vec<_> = fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["report", "report.html", "run.jsonl"]);
    let cells = fs::read_to_string(run.join("report/cells.csv")).unwrap();
    assert!(cells.starts_with("scenario,") && cells.contains("hostile/good"), "{cells}");
}

#[test]
fn several_runs_have_one_page_and_are_compared_with_the_first_on_the_same_machine() {
    let host = Host::with_hostile();
    for _ in 0..2 {
        host.check("load hostile.wasm --filter hostile/good --arm native --quick --time 60ms --processes 3", 0);
    }
    let runs = host.runs();
    let [first, second] = &runs[..] else { panic!("{runs:?}") };
    let [a, b] = [first, second].map(|run| run.file_name().unwrap().to_str().unwrap());
    let line = format!("report {} {}", first.display(), second.display());
    let page = |line: &str| {
        let ran = host.check(line, 0);
        assert!(ran.stdout.starts_with("results/report.html\n"), "{}", ran.stdout);
        fs::read_to_string(host.path("results/report.html")).unwrap()
    };
    let html = page(&line);
    let compared = format!("<h2>{b} (B) compared with {a} (A)</h2>");
    for expect in [compared.clone(), format!("<h2>Run {a}: cells</h2>"), format!("<h2>Run {b}: cells</h2>")] {
        assert!(html.contains(&expect), "{expect}");
    }
    for name in ["comparisons.csv", "ratios.svg", "cells-1.csv", "cells-2.csv", "rooflines-1.csv", "rooflines-2.csv"] {
        assert!(host.path("results/report").join(name).is_file(), "{name}");
    }

    let file = second.join("run.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    // Whoever changes a line on purpose removes its digest.
    fs::write(&file, text.replace("\"cpus\":", "\"cpus\":1").replace("\"digest\":", "\"was\":")).unwrap();
    let html = page(&line);
    assert!(html.contains(&format!("{b} was not compared: {a} and {b} were made on different machines: processors ")));
    assert!(html.contains("--across-machines") && !html.contains(&compared), "it says what to do");
    let html = page(&format!("{line} --across-machines"));
    assert!(html.contains(&compared) && html.contains("A and B were measured on different machines (processors "));
}

#[test]
fn report_that_cannot_be_written_names_the_option_for_another_folder() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --arm native --quick --processes 1", 0);
    // A folder where the page should be: it cannot be written, whoever the user is.
    fs::create_dir(host.run().join("report.html")).unwrap();
    host.check("report", 2).one_line(&["cannot write", "report.html", "--to DIR"]);
    let ran = host.check("report --to elsewhere", 0);
    assert!(ran.stdout.starts_with("elsewhere/report.html"), "{}", ran.stdout);
    assert!(fs::read_to_string(host.path("elsewhere/report.html")).unwrap().ends_with("</html>\n"));
}

#[test]
fn summary_is_appended_to_the_file_of_the_job() {
    let host = Host::with_hostile();
    host.check("load hostile.wasm --filter hostile/good --arm native --quick --processes 1", 0);
    let file = host.path("summary.md");
    fs::write(&file, "before\n").unwrap();
    let line = "report --format github-summary";
    let ran = crate::host::Ran::of(host.command(line).env("GITHUB_STEP_SUMMARY", &file)).check(line, 0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(ran.stdout.is_empty() && text.starts_with("before\n## bench-host: "), "{text}");
    let ran = crate::host::Ran::of(host.command(line).env_remove("GITHUB_STEP_SUMMARY")).check(line, 0);
    assert!(ran.stdout.starts_with("## bench-host: "), "{}", ran.stdout);
}
