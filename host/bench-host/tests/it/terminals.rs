//! What people read fits the terminal they read it in: the program runs in terminals of 80, 100 and 200 columns.

use crate::history::with_step;
use crate::host::{Host, PROGRAM, Ran, command, skip};
use crate::modules::plugins;
use std::process::Command;

/// The widths of the terminals.
const WIDTHS: [usize; 3] = [80, 100, 200];

/// What the program prints in a terminal of so many columns, where it ends with one of these statuses; `None` where there is no `script`
/// to make one.
#[track_caller]
fn captured(host: &Host, width: usize, line: &str, statuses: &[i32]) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        skip("`script` of util-linux is absent, so there is no terminal to run in");
        return None;
    }
    let inside = format!("stty cols {width} rows 40 && exec {PROGRAM} {line}");
    let mut script = command("script");
    script.args(["--quiet", "--return", "--command", &inside, "/dev/null"]).current_dir(host.path(""));
    let ran = Ran::of(script.env("TERM", "xterm-256color").env_remove("COLUMNS"));
    let is_right = ran.status.is_some_and(|status| statuses.contains(&status));
    assert!(is_right, "`{line}` at {width} columns: {:?}\n{}{}", ran.status, ran.stdout, ran.stderr);
    Some(ran.stdout)
}

/// The text without the sequences that colour it and move the cursor.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        match char {
            '\u{1b}' => {
                let _sequence = rest.by_ref().skip_while(|char| *char == '[').find(|char| char.is_ascii_alphabetic());
            }
            '\r' => {}
            char => plain.push(char),
        }
    }
    plain
}

/// Checks that no line of what `line` prints is wider than its terminal, and returns the texts by width. A command that is to be copied is
/// one line of any width.
#[track_caller]
fn check(host: &Host, line: &str) -> Vec<String> {
    check_statuses(host, line, &[0])
}

#[track_caller]
fn check_statuses(host: &Host, line: &str, statuses: &[i32]) -> Vec<String> {
    let texts = WIDTHS.iter().filter_map(|width| Some((width, plain(&captured(host, *width, line, statuses)?))));
    texts
        .map(|(width, text)| {
            let is_command = |line: &str| line.trim_start().starts_with("git bisect start ");
            let too_wide = text.lines().find(|line| line.chars().count() > *width && !is_command(line));
            assert_eq!(too_wide, None, "`{line}` at {width} columns:\n{text}");
            text
        })
        .collect()
}

#[test]
fn tables_fit_every_terminal() {
    let Some(files) = plugins(&["kernels", "ring-client"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().expect("plug-ins are in a folder").display().to_string();
    let line = format!("run {{kernels/crc32c,ring-client/roundtrip}} --quick --time 20ms --quiet --modules {modules}");
    host.check(&line, 0);
    let texts = check(&host, &format!("list --run {}", host.run().display()));
    // A wider terminal shows all columns of a narrower one. How many fit depends on the figures.
    let heading = |text: &str| {
        let line = text.lines().find(|line| line.contains("payload_bytes") && line.contains("p50")).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    if let [narrow, .., wide] = &texts[..] {
        let (narrow, wide) = (heading(narrow), heading(wide));
        assert!(narrow.iter().any(|column| column == "check"), "{texts:?}");
        assert!(
            narrow.iter().all(|column| wide.contains(column)) && wide.iter().any(|column| column == "rate"),
            "{texts:?}"
        );
    }
    check(&host, &format!("list {modules}/kernels.wasm {modules}/ring-client.wasm"));
    check(&host, "doctor --quick");
    check(&host, "results");
    // Most of the targets are about other cells, and a build for tests may miss the others.
    let texts = check_statuses(&host, &format!("validate {} --targets self", host.run().display()), &[1, 2]);
    assert!(texts.iter().all(|text| text.contains("ring")), "{texts:?}");
}

#[test]
fn first_table_has_at_most_25_rows_of_100_columns() {
    let Some(files) = plugins(&["kernels", "ring-client"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().expect("plug-ins are in a folder").display().to_string();
    let text = host.check(&format!("run demo --quick --time 20ms --quiet --modules {modules}"), 0).stdout;
    let rows = text.lines().filter(|line| ["  wasm ", "  native "].iter().any(|arm| line.starts_with(arm))).count();
    assert!((2..=25).contains(&rows), "{rows} rows:\n{text}");
    // Without a terminal it is as wide as one of 100 columns. Rows and names of columns are indented, notes are not.
    let too_wide = text.lines().find(|line| line.starts_with("  ") && line.chars().count() > 100);
    assert_eq!(too_wide, None, "{text}");
}

#[test]
fn verdicts_fit_every_terminal() {
    let Some(files) = plugins(&["kernels"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().expect("plug-ins are in a folder").display().to_string();
    let line = format!("compare kernels/crc32c --quick --processes 2 --time 50ms --quiet --modules {modules}");
    host.check(&line, 0);
    let texts = check(&host, &format!("compare {}", host.run().display()));
    assert!(texts.iter().all(|text| text.contains("crc32c") && text.contains("wasm")), "{texts:?}");
}

#[test]
fn pipe_gets_the_cost_and_a_line_for_each_cell() {
    let host = Host::with_hostile();
    let ran = host.check("load hostile.wasm --filter hostile/{good,trap} --arm wasm --quick --time 20ms", 1);
    for begin in ["2 cells × 1 process × ", "hostile/good  wasm  n=1  ", "hostile/trap  wasm  FAILED: "] {
        let lines = ran.stderr.lines().filter(|line| line.starts_with(begin)).count();
        assert_eq!(lines, 1, "{begin:?} in:\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}'), "nothing is drawn: {:?}", ran.stderr);
}

#[test]
fn history_fits_every_terminal() {
    let host = with_step();
    let texts = check(&host, "results --trend hostile/good");
    let is_whole = |line: &str| line.contains("git bisect start ") && line.ends_with("; exit $status'");
    assert!(texts.iter().all(|text| text.contains("+18 %") && text.lines().any(is_whole)), "{texts:?}");
    // Whether the second revision is found to be slower depends on the noise of this machine.
    let texts = check_statuses(&host, "results --sha aaaa bbbb", &[0, 1]);
    assert!(texts.iter().all(|text| text.contains("n 10 runs")), "{texts:?}");
}

#[test]
fn progress_is_erased_from_the_terminal() {
    let Some(files) = plugins(&["kernels"]) else { return };
    let host = Host::new();
    let modules = files[0].parent().expect("plug-ins are in a folder").display().to_string();
    let line = format!("run kernels/crc32c --quick --time 20ms --modules {modules}");
    let Some(text) = captured(&host, 80, &line, &[0]) else { return };
    assert!(text.contains("\u{1b}["), "a bar moves the cursor: {text:?}");
    let lines = plain(&text);
    assert!(lines.contains(" left  "), "the bar says how much time is left: {lines}");
    assert!(lines.contains("kernels/crc32c"), "{lines}");
    // After the last erasure of the bar nothing of it is drawn again: the table is what stays.
    let table = lines.rfind("p50").expect("there is a table");
    assert!(!lines[table..].contains(" left  "), "{lines}");
}
