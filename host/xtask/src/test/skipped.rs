//! The tests that were skipped. A test that cannot run on this machine prints why and passes, and of tests that pass the harness shows
//! nothing. Asked to show all (`--show-output`), it prints what each has printed after the last: from there the reasons are taken, and the
//! rest is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::project::Project;

/// The environment variable with the file to which skipped tests are added.
pub(super) const FILE: &str = "BENCH_HOST_SKIPPED_TESTS";

/// What the harness needs to be told.
pub(super) const SHOW_OUTPUT: &str = "--show-output";

/// The beginning of the line that a skipped test prints.
const SKIPPED: &str = "skipped: ";

/// A process that a test has left behind may hold the pipe open. What the executable itself has printed is read in this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many tests are named for a reason.
const NAMED_MAX: usize = 2;

/// A skipped test, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Skipped {
    test: String,
    reason: String,
}

/// The file to which skipped tests of the host are added.
pub(super) fn file(project: &Project) -> PathBuf {
    project.target().join("xtask/skipped-tests")
}

/// Runs a test executable to its end, prints what it prints, but for what passed tests have printed, and returns which were skipped.
pub(super) fn run(command: &mut Command) -> io::Result<(ExitStatus, Vec<Skipped>)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let (sender, found) = mpsc::channel();
    if let Some(printed) = child.stdout.take().map(BufReader::new) {
        thread::spawn(move || pass_on(printed, io::stdout(), |skipped| drop(sender.send(skipped))));
    }
    let (status, mut skipped) = (child.wait()?, Vec::new());
    while let Ok(one) = found.recv_timeout(PATIENCE) {
        skipped.push(one);
    }
    Ok((status, skipped))
}

/// Adds `skipped`, of the test executable `name`, to the `file`.
pub(super) fn add(skipped: &[Skipped], name: &str, file: &Path) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(file)?;
    for Skipped { test, reason } in skipped {
        writeln!(file, "{name} {test}\t{reason}")?;
    }
    Ok(())
}

/// The skipped tests in `file`, each reason once; `None` if no test was skipped.
pub(super) fn table(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    // A test that tries several things may skip some of them for one reason.
    let mut tests = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (test, reason) in text.lines().filter_map(|line| line.split_once('\t')) {
        tests.entry(reason).or_default().insert(test);
    }
    let mut table = "tests of the host that were skipped, as a whole or in part:".to_owned();
    for (reason, tests) in &tests {
        let named: Vec<&str> = tests.iter().copied().take(NAMED_MAX).collect();
        let more = match tests.len() - named.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        // Writing to a string cannot fail.
        let _ = write!(table, "\n  {reason}: {}{more}", named.join(", "));
    }
    (!tests.is_empty()).then_some(table)
}

/// Copies `printed` to `out`, line by line, without what passed tests have printed, and tells `found` which of them were skipped.
fn pass_on(mut printed: impl BufRead, mut out: impl Write, mut found: impl FnMut(Skipped)) -> io::Result<()> {
    let mut line = Vec::new();
    // The test whose text is read, while the texts of passed tests are.
    let mut passed: Option<String> = None;
    while printed.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text == "successes:" {
            passed = Some(String::new());
        } else if text == "failures:" || text.starts_with("test result: ") {
            passed = None;
        }
        match &mut passed {
            Some(test) => {
                if let Some(named) = text.strip_prefix("---- ").and_then(|text| text.strip_suffix(" stdout ----")) {
                    named.clone_into(test);
                } else if let Some(reason) = text.strip_prefix(SKIPPED) {
                    found(Skipped { test: test.clone(), reason: reason.to_owned() });
                }
            }
            None => {
                out.write_all(&line)?;
                out.flush()?;
            }
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\nrunning 3 tests\ntest a::one ... ok\ntest a::two ... ok\ntest bad ... FAILED\n\nsuccesses:\n\n\
                           ---- a::one stdout ----\nmuch text\n\n---- a::two stdout ----\nskipped: no `x`; install it\n\n\n\
                           successes:\n    a::one\n    a::two\n\nfailures:\n\n---- bad stdout ----\nskipped: is no reason here\n\n\n\
                           failures:\n    bad\n\ntest result: FAILED. 2 passed; 1 failed\n";

    fn skipped(test: &str, reason: &str) -> Skipped {
        Skipped { test: test.to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn reasons_are_collected_and_the_output_of_passed_tests_is_dropped() {
        let (mut out, mut found) = (Vec::new(), Vec::new());
        pass_on(PRINTED.as_bytes(), &mut out, |skipped| found.push(skipped)).unwrap();
        assert_eq!(found, [skipped("a::two", "no `x`; install it")]);
        let (begin, rest) = PRINTED.split_once("successes:").unwrap();
        let failures = rest.split_once("failures:").unwrap().1;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{begin}failures:{failures}"));
    }

    #[test]
    fn each_reason_is_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skipped");
        assert_eq!(table(&file), None, "there is no file");
        add(&[skipped("a", "no `x`"), skipped("b", "no `y`")], "one/it", &file).unwrap();
        add(&[skipped("c", "no `x`"), skipped("c", "no `x`"), skipped("d", "no `x`")], "two/it", &file).unwrap();
        let expect = "tests of the host that were skipped, as a whole or in part:\n  no `x`: one/it a, two/it c, and 1 more\n  \
                      no `y`: one/it b";
        assert_eq!(table(&file).as_deref(), Some(expect));
    }

    #[test]
    fn status_of_the_executable_is_kept() {
        let script = "echo successes:; echo '---- a stdout ----'; echo 'skipped: no `x`'; exit 3";
        let (status, found) = run(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!((status.code(), found), (Some(3), vec![skipped("a", "no `x`")]));
    }
}
