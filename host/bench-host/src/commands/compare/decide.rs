//! `--decide`: measures comparisons in rounds until each is decided or the time is spent. The time goes to those that are not.

use crate::output;
use bench_engine::{ComparisonGroup, Plan, Schedule};
use bench_model::Arguments;
use bench_report::{ComparisonReport, Options};
use bench_sink::runfile::{LookRecord, Record, RunFile, Status};
use bench_stats::{PROCESSES_MIN, Verdict};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The rounds before the first look: few processes have a wide interval, whatever the difference.
const FIRST_LOOK: u32 = 5;

/// Looks get rarer, because each one costs a little of the error rate.
fn next_look(process: u32) -> u32 {
    process + process.div_ceil(2)
}

/// Schedules the groups that are not decided yet.
pub(super) struct UntilDecided {
    directory: PathBuf,
    options: Options,
    begun: Instant,
    within: Duration,
    /// The scenario and the arguments of each group.
    groups: Vec<(String, Arguments)>,
    undecided: Vec<usize>,
    next_look: u32,
    /// Whether no line is printed for a look.
    is_quiet: bool,
}

impl UntilDecided {
    pub(super) fn new(
        plan: &Plan,
        groups: &[ComparisonGroup],
        within_ns: u64,
        directory: &Path,
        options: Options,
        is_quiet: bool,
    ) -> Self {
        let name = |group: &ComparisonGroup| {
            let cell = plan.cell(group.cells[0]);
            (plan.full_name(cell), cell.arguments.clone())
        };
        Self {
            directory: directory.to_owned(),
            options,
            begun: Instant::now(),
            within: Duration::from_nanos(within_ns),
            groups: groups.iter().map(name).collect(),
            undecided: (0..groups.len()).collect(),
            next_look: FIRST_LOOK,
            is_quiet,
        }
    }

    /// Leaves out the groups that are decided by the run file and `look`.
    fn look(&mut self, look: LookRecord) -> anyhow::Result<()> {
        let mut file = RunFile::read(&self.directory)?;
        file.records.push(Record::Look(look));
        let comparison = ComparisonReport::of_pairs(file, &self.options)?;
        let is_open = |group: &usize| {
            let (scenario, arguments) = &self.groups[*group];
            let of_group = |one: &&bench_report::Comparison| one.scenario == *scenario && one.arguments == *arguments;
            let mut of_group = comparison.comparisons.iter().filter(of_group);
            of_group.any(|one| match one.verdict() {
                Some(verdict) => matches!(verdict, Verdict::Undecided { .. } | Verdict::Withheld),
                // The machine stood still, which says nothing about later processes.
                None => one.status == Status::Void,
            })
        };
        let undecided: Vec<usize> = self.undecided.iter().copied().filter(is_open).collect();
        self.undecided = undecided;
        Ok(())
    }
}

impl Schedule for UntilDecided {
    fn round(&mut self, process: u32) -> (Vec<usize>, Vec<Record>) {
        let spent = (self.begun.elapsed().as_secs_f64() / self.within.as_secs_f64()).min(1.0);
        self.round_after(process, spent)
    }
}

impl UntilDecided {
    /// The round when this share of the time is spent.
    fn round_after(&mut self, process: u32, spent: f64) -> (Vec<usize>, Vec<Record>) {
        // Even if the time is spent: fewer processes have no verdict.
        if process < self.next_look && (spent < 1.0 || process < PROCESSES_MIN) {
            return (self.undecided.clone(), Vec::new());
        }
        self.next_look = next_look(process);
        let look = LookRecord { processes: process, spent };
        if let Err(error) = self.look(look) {
            tracing::warn!(%error, "the comparisons cannot be looked at; they are measured further");
        }
        if !self.is_quiet {
            output::line(&format!(
                "bench-host: {} of {} comparisons are not decided after {process} processes and {:.0} % of the time",
                self.undecided.len(),
                self.groups.len(),
                spent * 100.0
            ));
        }
        let groups = if spent < 1.0 { self.undecided.clone() } else { Vec::new() };
        (groups, vec![Record::Look(look)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_sink::runfile::PairingRecord;
    use bench_stats::DELTA;
    use rand::rngs::ChaCha8Rng;
    use rand::{Rng, SeedableRng};
    use sample_run::{Block, Run};

    const OPTIONS: Options = Options { delta: DELTA, seed: 7 };

    /// The standard deviations of the log ratio of a process, and of the log of a sample.
    const SPREAD: [f64; 2] = [0.02, 0.005];

    /// Samples of a process and an arm, half of them of each of its two sessions.
    const SAMPLES: usize = 8;

    /// One in so many processes has no figure, because the machine stood still.
    const VOID: u32 = 10;

    /// Processes for which there is time, for each row of a table.
    const PROCESSES: u32 = 24;

    fn uniform(random: &mut ChaCha8Rng) -> f64 {
        (f64::from(random.next_u32()) + 0.5) / 2f64.powi(32)
    }

    /// Box and Muller 1958.
    fn normal(random: &mut ChaCha8Rng) -> f64 {
        (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
    }

    /// What a process writes of a row, whose candidate takes e to the power of `effect` times as long as its baseline.
    fn process(row: usize, process: u32, effect: f64, random: &mut ChaCha8Rng) -> Vec<Record> {
        let effect = effect + SPREAD[0] * normal(random);
        let cells = [2 * row as u32, 2 * row as u32 + 1];
        let is_void = random.next_u32().is_multiple_of(VOID);
        let mut records = Vec::new();
        for (cell, arm, log) in [(cells[0], "native", 0.0), (cells[1], "wasm", effect)] {
            let samples = (0..SAMPLES).map(|_| (1e6 * (log + SPREAD[1] * normal(random)).exp()) as u64);
            let block = Block::new(cell, process, &format!("m/row{row}"), arm).timed(1_000, samples);
            let block = if is_void { block.ended(Status::Void, "the machine stood still") } else { block };
            records.extend(block.records());
        }
        if !is_void {
            records.push(Record::Pairing(PairingRecord { process, cells: cells.to_vec(), sessions: 2 }));
        }
        records
    }

    /// Measures a table of these rows until it is decided or the time is spent; for each row the verdict, and the processes that count.
    fn decide(effects: &[f64], random: &mut ChaCha8Rng) -> Vec<(Option<Verdict>, u32)> {
        let mut run = Run::begin(2 * effects.len() as u32, 100);
        let name = |row| (format!("m/row{row}"), Arguments::default());
        let mut schedule = UntilDecided {
            directory: run.directory(),
            options: OPTIONS,
            begun: Instant::now(),
            within: Duration::from_secs(1),
            groups: (0..effects.len()).map(name).collect(),
            undecided: (0..effects.len()).collect(),
            next_look: FIRST_LOOK,
            is_quiet: true,
        };
        let mut measured = 0_u32;
        let all = PROCESSES * effects.len() as u32;
        for number in 0.. {
            let (rows, noted) = schedule.round_after(number, (f64::from(measured) / f64::from(all)).min(1.0));
            if !noted.is_empty() {
                run.append(&noted);
            }
            if rows.is_empty() {
                break;
            }
            measured += rows.len() as u32;
            // Written at once: each time, the file is synced.
            let records: Vec<_> = rows.into_iter().flat_map(|row| process(row, number, effects[row], random)).collect();
            run.append(&records);
        }
        let report = ComparisonReport::of_pairs(run.file(), &OPTIONS).unwrap();
        let of_row = |row: usize| {
            let compared = report.comparisons.iter().find(|compared| compared.scenario == format!("m/row{row}"));
            let compared = compared.expect("every row is compared");
            (compared.verdict(), compared.processes.unwrap_or_default())
        };
        (0..effects.len()).map(of_row).collect()
    }

    /// Two rows that are equal and one at the margin: they may not be called different, and it may not be called equivalent. Of a fourth
    /// one, half-way to the margin, neither is false, and either needs many processes.
    fn check_tables(tables: u32) {
        let effects = [0.0, 0.0, DELTA.ln_1p(), DELTA.ln_1p() / 2.0];
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut wrong, mut equivalent, mut longer) = (0, 0, 0);
        for _ in 0..tables {
            let [one, two, margin, between] = decide(&effects, &mut random)[..] else { panic!("four rows") };
            let is_wrong =
                [one, two].iter().any(|row| row.0 == Some(Verdict::Different)) || margin.0 == Some(Verdict::Equivalent);
            wrong += u32::from(is_wrong);
            equivalent += [one, two].iter().filter(|row| row.0 == Some(Verdict::Equivalent)).count() as u32;
            longer += u32::from(between.1 > one.1.min(two.1));
        }
        let count = f64::from(tables);
        let bound = 0.05 + 2.0 * (0.05 * 0.95 / count).sqrt();
        eprintln!(
            "{wrong} of {tables} tables are wrong, {equivalent} equal rows equivalent, {longer} left time to others"
        );
        assert!(f64::from(wrong) / count <= bound, "{wrong} of {tables}");
        assert!(equivalent > tables, "more than half of the equal rows are found to be: {equivalent}");
        assert!(longer > tables / 2, "what is decided leaves its time to the others: {longer}");
    }

    #[test]
    fn tables_are_wrong_in_at_most_five_per_cent_and_decided_rows_leave() {
        check_tables(40);
    }

    #[test]
    #[ignore = "a minute"]
    fn many_tables_are_wrong_in_at_most_five_per_cent() {
        check_tables(1_000);
    }

    #[test]
    fn looks_get_rarer() {
        let mut looks = vec![FIRST_LOOK];
        (0..6).for_each(|_| looks.push(next_look(looks[looks.len() - 1])));
        assert_eq!(looks, [5, 8, 12, 18, 27, 41, 62]);
    }
}
