//! How long the same command took before, which says more of the next time than any plan.

use crate::paths;
use bench_sink::runfile::{Planned, RunSummary};
use std::path::Path;
use std::time::Duration;

/// So many of the newest runs are looked at.
const RUNS_MAX: usize = 100;

/// How long the newest run in `folder` took that measured as much by the same command. Only of runs that were finished at once.
pub(crate) fn earlier(folder: &Path, command: &[String], planned: &Planned) -> Option<Duration> {
    paths::runs(folder).ok()?.iter().take(RUNS_MAX).find_map(|directory| {
        let summary = RunSummary::of(directory).ok()??;
        let is_alike =
            words(&summary.run.command).eq(words(command)) && amount(&summary.run.planned) == amount(planned);
        (is_alike && !was_resumed(directory)).then(|| took(&summary)).flatten()
    })
}

/// The words behind the name of the program.
fn words(command: &[String]) -> impl Iterator<Item = &String> {
    command.iter().skip(1).filter(|word| *word != "--dry-run")
}

/// What is planned, in any order.
fn amount(planned: &Planned) -> Planned {
    Planned { order_sha256: None, ..planned.clone() }
}

/// A run that was resumed stood still between its parts. One that cannot be read may have been.
fn was_resumed(directory: &Path) -> bool {
    RunSummary::was_resumed(directory).unwrap_or(true)
}

fn took(summary: &RunSummary) -> Option<Duration> {
    let end = summary.end.as_ref().filter(|_| summary.is_finished())?;
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    time(&end.finished)?.duration_since(time(&summary.run.started)?).try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::{EndRecord, Record, ResumedRecord, RunRecord, RunWriter};

    fn planned(cells: u32, order: &str) -> Planned {
        Planned {
            cells,
            processes: 2,
            time_ns: Some(5),
            iterations: None,
            within_ns: None,
            order_sha256: Some(order.to_owned()),
        }
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    /// A run that began at the full hour `hour` and has these records after its first.
    fn write(folder: &Path, hour: u32, (line, planned): (&str, Planned), further: &[Record]) {
        let id = format!("2026-01-01T{hour:02}-00-00Z-000000");
        let run = RunRecord {
            id: id.clone(),
            started: format!("2026-01-01T{hour:02}:00:00Z"),
            seed: 1,
            command: words(line),
            planned,
            fingerprint: Default::default(),
            program_sha256: None,
            warnings: Vec::new(),
            inputs: Vec::new(),
        };
        let mut writer = RunWriter::create(&folder.join(id)).unwrap();
        writer.append(&[Record::Run(run)]).unwrap();
        writer.append(further).unwrap();
    }

    fn end(time: &str, stopped: Option<&str>) -> Record {
        Record::End(EndRecord { finished: format!("2026-01-01T{time}Z"), stopped: stopped.map(str::to_owned) })
    }

    #[test]
    fn newest_finished_run_of_the_command_tells_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let check = |expect: Option<u64>| {
            let found = earlier(folder.path(), &words("here/bench-host run kernels --dry-run"), &planned(3, "b"));
            assert_eq!(found.map(|duration| duration.as_secs()), expect);
        };
        check(None);
        let same = || ("bench-host run kernels", planned(3, "a"));
        write(folder.path(), 1, same(), &[end("01:01:40", None)]);
        check(Some(100));
        // It is the newest that counts, but none that was stopped, resumed or is not finished, and none that measures something else.
        write(folder.path(), 2, same(), &[end("02:00:30", None)]);
        write(folder.path(), 3, same(), &[end("03:00:01", Some("interrupted"))]);
        let resumed = ResumedRecord {
            started: "2026-01-01T04:30:00Z".to_owned(),
            command: words("bench-host run --resume"),
            fingerprint: Default::default(),
        };
        let stopped = end("04:00:10", Some("interrupted"));
        write(folder.path(), 4, same(), &[stopped, Record::Resumed(resumed), end("04:40:00", None)]);
        write(folder.path(), 5, same(), &[]);
        write(folder.path(), 6, ("bench-host run kernels --quick", planned(3, "a")), &[end("06:00:07", None)]);
        write(folder.path(), 7, ("bench-host run kernels", planned(4, "a")), &[end("07:00:08", None)]);
        check(Some(30));
    }
}
