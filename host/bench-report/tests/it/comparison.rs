//! Which parts of a run count where its arms were interleaved: pairs, processes, reasons.

use crate::compared::{BATCH, OPTIONS, account, of_pairs, pairing, three_arms, turns, wobbling};
use crate::fixture::{Block, Run, compared, outcome};
use bench_model::Steadiness;
use bench_report::{Comparison, ComparisonReport, ReportError, Text};
use bench_sink::runfile::{Record, Status};
use bench_stats::Verdict;

fn block(cell: u32, process: u32, arm: &str) -> Block {
    Block::new(cell, process, "m/s", arm)
}

/// What one look at the first compared of a run with these blocks finds.
fn check<T: PartialEq + std::fmt::Debug>(records: &[Vec<Record>], look: impl Fn(&Comparison) -> T, expect: T) {
    let mut run = Run::begin(2, records.len() as u32);
    records.iter().for_each(|block| run.append(block));
    assert_eq!(look(&of_pairs(&run).comparisons[0]), expect);
}

#[test]
fn each_candidate_is_compared_with_the_baseline_of_its_block() {
    let comparison = of_pairs(&three_arms(5));
    let found: Vec<_> = comparison
        .comparisons
        .iter()
        .map(|compared| {
            let figures = compared.figures.as_ref().unwrap();
            (compared.title(), (figures.ratios.medians.ratio() * 100.0).round(), figures.verdict, figures.aa.len())
        })
        .collect();
    let expect = |title: &str| (title.to_owned(), 150.0, Verdict::Different, 2);
    assert_eq!(found, [expect("wasm / native"), expect("wasm+fuel / native")]);
    assert_eq!((comparison.findings(), comparison.regressions(), comparison.has_ratios()), (0, 0, true));
    assert_eq!(comparison.comparisons[0].pairs, Some(1_000));
    assert_eq!(comparison.comparisons[0].processes, Some(5));
}

#[test]
fn samples_are_paired_in_turn_and_an_arm_with_its_own_second_session() {
    // Two sessions a block: the second of the baseline takes twice as long as its first, that of the candidate thrice.
    let process = |process| {
        turns(vec![
            block(0, process, "native").timed(1, (0..40).map(|index| if index % 2 == 0 { 100 } else { 200 })),
            block(1, process, "wasm").timed(2, (0..40).map(|index| if index % 2 == 0 { 200 } else { 600 })),
        ])
    };
    let own = |compared: &Comparison| {
        let figures = compared.figures.as_ref().unwrap();
        let of = |(label, estimate): &(_, bench_stats::RatioEstimate)| (format!("{label}"), estimate.ratio().round());
        figures.aa.iter().map(of).collect::<Vec<_>>()
    };
    let records = [process(0), process(1), process(2)];
    check(&records, own, vec![("native".to_owned(), 2.0), ("wasm".to_owned(), 3.0)]);
    // The batch of the candidate is two operations: its mean is 200, that of the baseline 150.
    let means = |compared: &Comparison| (compared.figures.as_ref().unwrap().ratios.means.ratio() * 1e6).round() / 1e6;
    check(&records, means, 1.333333);
    let p50 =
        |compared: &Comparison| [&compared.baseline, &compared.candidate].map(|of| of.summary.as_ref().unwrap().p50);
    check(&records, p50, [Some(100.0), Some(100.0)]);
}

/// Processes on one level, each with the same samples in an order of its own: the ratio is that of the two medians in the report.
#[test]
fn ratio_is_that_of_the_reported_medians() {
    for (base_ns, times) in [(40, 1), (1_000, 3), (70_000, 2)] {
        let samples = |process: u32, scale: u64| {
            (0..101).map(move |index| scale * (base_ns + (index * 37 + u64::from(process) * 13) % 101))
        };
        let process = |process| {
            turns(vec![
                block(0, process, "native").timed(1, samples(process, 1)),
                block(1, process, "wasm").timed(1, samples(process + 5, times)),
            ])
        };
        let off = |compared: &Comparison| {
            let [base, other] =
                [&compared.baseline, &compared.candidate].map(|of| of.summary.as_ref().unwrap().p50.unwrap());
            let ratio = compared.figures.as_ref().unwrap().ratios.medians.ratio();
            ((ratio / (other / base) - 1.0).abs() * 1e9).round()
        };
        check(&[process(0), process(1), process(2)], off, 0.0);
    }
}

#[test]
fn samples_beyond_what_all_have_are_left_out() {
    let process = |process| {
        let longer = [vec![10; 30], vec![1_000_000; 10]].concat();
        turns(vec![block(0, process, "native").timed(1, longer), block(1, process, "wasm").timed(1, [20; 30])])
    };
    let look = |compared: &Comparison| (compared.pairs, compared.baseline.summary.as_ref().map(|summary| summary.max));
    check(&[process(0), process(1)], look, (Some(60), Some(10.0)));
    check(
        &[process(0), process(1)],
        |compared| (compared.baseline.batch, compared.candidate.batch),
        (Some(1), Some(1)),
    );
}

#[test]
fn a_process_counts_only_where_all_that_took_turns_ended_well() {
    let process = |process, third: fn(Block) -> Block| {
        turns(vec![
            block(0, process, "native").timed(BATCH, wobbling(100.0, process, 0)),
            block(1, process, "wasm").timed(BATCH, wobbling(110.0, process, 1)),
            third(block(2, process, "wasm").variant("fuel").timed(BATCH, wobbling(110.0, process, 2))),
        ])
    };
    let failed = |block: Block| block.ended(Status::Failed, "trapped");
    let records = [process(0, |it| it), process(1, |it| it), process(2, |it| it), process(3, failed)];
    check(&records, |compared| (compared.processes, compared.pairs), (Some(3), Some(600)));
    let mut run = Run::begin(3, 4);
    records.iter().for_each(|block| run.append(block));
    let comparison = of_pairs(&run);
    let reasons: Vec<_> = comparison.comparisons.iter().map(|it| (it.status, it.reason.clone().unwrap())).collect();
    let left_out =
        "3 of 4 processes count: in the others a candidate that was interleaved with them did not end well".to_owned();
    assert_eq!(reasons, [(Status::Ok, left_out), (Status::Failed, "wasm+fuel: trapped".to_owned())]);
    assert_eq!(comparison.findings(), 1);
}

#[test]
fn arms_that_disagree_have_no_ratio_and_both_are_named() {
    let reason = "checksum bb of arm wasm (process 0) differs from aa of arm native (process 0)";
    let mut records = turns(vec![
        block(0, 0, "native").timed(1, [10; 40]),
        block(1, 0, "wasm").timed(1, [20; 40]).ended(Status::Failed, reason),
    ]);
    records.push(Record::Outcome(outcome(0, 0, Status::Failed, Some(reason))));
    let look = |compared: &Comparison| (compared.status, compared.figures.is_some(), compared.reason.clone());
    check(&[records], look, (Status::Failed, false, Some(format!("native, wasm: {reason}"))));
}

#[test]
fn a_verdict_needs_three_processes_and_a_ratio_two() {
    let processes = |count| {
        (0..count).map(|process| {
            turns(vec![
                block(0, process, "native").timed(BATCH, wobbling(100.0, process, 0)),
                block(1, process, "wasm").timed(BATCH, wobbling(200.0, process, 1)),
            ])
        })
    };
    let look =
        |compared: &Comparison| (compared.status, compared.verdict(), compared.figures.is_some(), compared.processes);
    let check = |count, expect| check(&processes(count).collect::<Vec<_>>(), look, expect);
    check(3, (Status::Ok, Some(Verdict::Different), true, Some(3)));
    check(2, (Status::Ok, Some(Verdict::Withheld), true, Some(2)));
    check(1, (Status::Ok, Some(Verdict::Withheld), false, Some(1)));
}

#[test]
fn unpairable_cells_have_a_reason() {
    let both =
        |process| vec![block(0, process, "native").timed(1, [10; 40]), block(1, process, "wasm").timed(1, [20; 40])];
    let look = |compared: &Comparison| (compared.status, compared.reason.clone().unwrap_or_default());
    let mut without_raw = both(0);
    without_raw[1].series[0].raw = None;
    let reason = "there are too many samples for their order to be kept; measure for a shorter time (`--time`)";
    check(&[turns(without_raw)], look, (Status::Skipped, reason.to_owned()));
    let mut skipped = both(0);
    skipped[1] = block(1, 0, "wasm").ended(Status::Skipped, "needs 4 processors");
    check(&[turns(skipped)], look, (Status::Skipped, "wasm: needs 4 processors".to_owned()));
    // One that was interleaved with another cell, of which there is no record.
    let never = both(0).into_iter().flat_map(Block::records).chain([pairing(0, &[0, 7], 2)]).collect();
    check(&[never], look, (Status::Skipped, "it was not interleaved with native".to_owned()));
}

#[test]
fn cell_that_failed_alone_is_compared_with_the_first_one_written() {
    let baseline = block(7, 0, "native").timed(1, [10; 40]);
    let failed = block(2, 0, "wasm").ended(Status::Failed, "trapped");
    let look = |compared: &Comparison| (compared.title(), compared.reason.clone().unwrap());
    let records = [baseline, failed].into_iter().flat_map(Block::records).collect();
    check(&[records], look, ("wasm / native".to_owned(), "wasm: trapped".to_owned()));
}

#[test]
fn run_without_interleaved_cells_is_refused() {
    let mut run = Run::begin(1, 1);
    run.append(&block(0, 0, "wasm").timed(1, 1..=40).records());
    let error = ComparisonReport::of_pairs(run.file(), &OPTIONS).unwrap_err();
    assert!(matches!(error, ReportError::NotPaired { .. }), "{error}");
    assert!(error.to_string().contains("bench-host compare SCENARIO"), "{error}");
}

#[test]
fn an_arm_without_another_is_listed() {
    let mut run = Run::begin(2, 1);
    run.append(&[block(0, 0, "native").timed(1, [10; 40]).records(), vec![pairing(0, &[0], 2)]].concat());
    run.end(Some("interrupted"));
    let comparison = of_pairs(&run);
    assert!(comparison.comparisons.is_empty() && !comparison.has_ratios());
    assert_eq!(comparison.one_sided[0].reason, "no other arm of it was run: interrupted");
}

#[test]
fn the_parts_of_a_ledger_add_up_to_its_total() {
    let comparison = of_pairs(&three_arms(4));
    let [ledger] = comparison.ledgers.as_slice() else { panic!("{:?}", comparison.ledgers) };
    let sum: f64 = ledger.terms.iter().map(|term| term.ns.mean).sum();
    let shares: f64 = ledger.terms.iter().filter_map(|term| term.share).sum();
    assert!((sum - ledger.total.mean).abs() < 1e-9 && (shares - 1.0).abs() < 1e-9, "{ledger:?}");
    assert_eq!(ledger.total.mean, 151.5);
    assert!((ledger.stretch().unwrap() - 1.4).abs() < 1e-9);
    assert_eq!((ledger.processes, ledger.operations, ledger.batch), (4, 20_000, Some(BATCH)));
    assert_eq!(ledger.terms.last().unwrap().name, "residual");
    let single = of_pairs(&three_arms(1));
    assert_eq!(single.ledgers[0].total.bounds, None);
}

#[test]
fn parts_that_a_process_lacks_still_add_up() {
    let mut run = three_arms(2);
    let mut other = crate::compared::ledger(2, 0, 150.0);
    run.append(&[Record::Ledger(other.clone())]);
    other.process = 1;
    other.terms = crate::compared::terms(&[("residual", 100.0), ("log", 50.0)]);
    run.append(&[Record::Ledger(other)]);
    let comparison = of_pairs(&run);
    let names: Vec<_> = comparison.ledgers[1].terms.iter().map(|term| (term.name.as_str(), term.ns.mean)).collect();
    assert_eq!(names, [("lower arguments", 10.0), ("in the module", 20.0), ("log", 25.0), ("residual", 95.0)]);
}

#[test]
fn class_that_most_processes_of_a_cell_share_is_warned_of() {
    let warned = |processes: u32, of_class: u32| {
        let mut run = Run::begin(2, processes);
        for process in 0..processes {
            let timed = |cell: u32, arm: &str| {
                let mut timed = block(cell, process, arm).timed(BATCH, wobbling(100.0, process, u64::from(cell)));
                timed.outcome.steadiness = Some(Steadiness::Flat);
                timed
            };
            let mut slower = timed(1, "wasm");
            slower.outcome.steadiness = (process < of_class).then_some(Steadiness::NoSteadyState);
            run.append(&turns(vec![timed(0, "native"), slower]));
        }
        run.end(None);
        let text = compared(&Text, &of_pairs(&run));
        text.lines().find_map(|line| line.strip_prefix("m/s wasm: no steady state: ").map(str::to_owned))
    };
    let note = warned(10, 10).expect("it is warned of");
    assert!(note.contains("in 10 of 10 processes; measure longer"), "{note}");
    assert_eq!(warned(10, 1), None, "by chance");
    assert_eq!(warned(1, 1), None, "a single process says nothing");
}

#[test]
fn accounts_are_of_one_operation_over_all_processes() {
    let comparison = of_pairs(&three_arms(4));
    let [wasm, native] = [0, 1].map(|index| &comparison.accounts[index].account);
    assert_eq!((wasm.counted, wasm.watched, wasm.instructions), (40, 4_000, Some(1_204.0)));
    assert_eq!(wasm.host_calls.as_ref().unwrap()[0].1, 2.0);
    assert_eq!((wasm.lifted_bytes, wasm.lowered_bytes), (Some(64.0), Some(0.0)));
    assert_eq!((wasm.faults_minor, wasm.switches_voluntary), (Some(0.012), None));
    assert_eq!((native.instructions, native.host_calls.as_ref(), native.code_bytes), (None, None, None));
    // What one process could not count is in no row.
    let mut run = three_arms(2);
    run.append(&[Record::Account(account(1, 1, None))]);
    assert_eq!(of_pairs(&run).accounts[0].account.instructions, None);
    assert_eq!(of_pairs(&run).accounts[0].account.faults_minor, Some(0.012));
}
