//! Checks a target against a run: finds the value of every cell that the target applies to, and takes the worst.

use super::compared_cells::{ComparedCells, Unmeasured, baseline_cell, subjects, varying};
use super::figure::{self, Reading, figure, operations, title};
use bench_model::{Arguments, Direction, MachineLimit, Unit};
use bench_registry::{Baseline, Bound, Figure, Target};
use bench_report::{MeasuredValue, Quantity, RunView, TargetResult};
use bench_stats::per_second;

/// Checks the run against `target` of `set`, which the suites `measured_by` measure.
pub(super) fn evaluate_target(view: &RunView, set: &str, target: &Target, measured_by: &[String]) -> TargetResult {
    let (direction, bound) = match target.bound {
        Bound::AtMost(bound) => (Direction::LowerIsBetter, bound),
        Bound::AtLeast(bound) => (Direction::HigherIsBetter, bound),
    };
    let mut judged = TargetResult {
        set: set.to_owned(),
        name: target.name.clone(),
        summary: target.summary.clone(),
        scenario: target.series.scenario.clone(),
        arm: target.series.arm.clone(),
        quantity: quantity(target, None),
        direction,
        bound,
        held: Err(String::new()),
    };
    if let Some(limit) = target.beyond {
        match view.first_limit(limit) {
            Some(value) => judged.bound += value,
            None => {
                judged.held = Err(not_measured(limit));
                return judged;
            }
        }
    }
    let subjects = subjects(view, target);
    let readings: Vec<_> = subjects.iter().map(|subject| bounded(view, target, bound, subject)).collect();
    let unit = readings.iter().find_map(|found| Some(found.as_ref().ok()?.reading.unit.clone()));
    // Samples that are too few have one, too.
    let of_few = || subjects.iter().flatten().flatten().find_map(|cell| figure::unit(cell, &target.series));
    judged.quantity = quantity(target, unit.or_else(of_few));
    match worst(target, &judged, &subjects, readings) {
        Ok((held, bound)) => {
            judged.held = Ok(held);
            judged.bound = bound;
        }
        Err(unmeasured) => judged.held = Err(explained(unmeasured, measured_by)),
    }
    judged
}

/// A reading, and the bound that it is held to: one beyond a roofline is beyond that of the machine that measured the cell.
struct Bounded {
    reading: Reading,
    bound: f64,
}

fn bounded(
    view: &RunView,
    target: &Target,
    bound: f64,
    subject: &Result<ComparedCells<'_>, Unmeasured>,
) -> Result<Bounded, Unmeasured> {
    let reading = reading(view, target, subject)?;
    let (Some(limit), Ok(cells)) = (target.beyond, subject) else { return Ok(Bounded { reading, bound }) };
    let roofline = view.limit_of(cells[0].cell, limit).ok_or_else(|| not_measured(limit))?;
    Ok(Bounded { reading, bound: bound + roofline })
}

fn not_measured(limit: MachineLimit) -> String {
    format!("the roofline `{limit}` was not measured")
}

/// The reason, with the suites that would measure it where the run did not.
fn explained(unmeasured: Unmeasured, measured_by: &[String]) -> String {
    if !unmeasured.lacks_cell || measured_by.is_empty() {
        return unmeasured.reason;
    }
    let suites: Vec<_> = measured_by.iter().map(|suite| format!("`{suite}`")).collect();
    format!("{}; the suite {} measures it", unmeasured.reason, suites.join(" or "))
}

fn quantity(target: &Target, unit: Option<Unit>) -> Quantity {
    // A bound relative to a roofline is a time, even if nothing was measured.
    let unknown = if target.beyond.is_some() { Unit::Nanoseconds } else { Unit::from("") };
    let unit = unit.unwrap_or(unknown);
    match (&target.baseline, target.figure, &target.slope_over) {
        (Some(_), ..) => Quantity::Ratio,
        (None, Figure::Rate, _) => Quantity::Rate,
        (None, _, Some(over)) => Quantity::Growth { unit, over: over.clone() },
        (None, _, None) => Quantity::Plain(unit),
    }
}

/// The worst of `readings` with its bound. One miss is enough for a miss; a pass needs a value for every reading.
fn worst(
    target: &Target,
    judged: &TargetResult,
    subjects: &[Result<ComparedCells<'_>, Unmeasured>],
    readings: Vec<Result<Bounded, Unmeasured>>,
) -> Result<(MeasuredValue, f64), Unmeasured> {
    let cells: Vec<_> = subjects.iter().flatten().flatten().copied().collect();
    let mut named = varying(&cells);
    let lists = target.series.arguments.iter().filter(|(_, values)| values.len() > 1);
    named.extend(lists.map(|(name, _)| name.as_str()).filter(|name| !varying(&cells).contains(name)));
    named.retain(|name| Some(*name) != target.slope_over.as_deref());
    let measured = subjects.iter().zip(&readings).filter_map(|(subject, reading)| {
        let found = reading.as_ref().ok()?;
        Some((judged.margin_to(found.bound, found.reading.value), subject.as_ref().ok()?, found))
    });
    let worst = measured.min_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let unknown: Vec<_> = readings.iter().filter_map(|reading| reading.as_ref().err()).collect();
    match (worst, &unknown[..]) {
        (Some((margin, subject, Bounded { reading, bound })), unknown) if unknown.is_empty() || margin < 0.0 => {
            let arguments = reading.shared_arguments(subject, target);
            let among = (subjects.len() > 1).then(|| place(subjects.len(), &arguments, &named));
            let at: Vec<_> = reading.spread.iter().cloned().chain(among).collect();
            let held = MeasuredValue {
                value: reading.value,
                samples: reading.samples,
                operations: reading.operations,
                batch: reading.batch,
                arguments,
                at: (!at.is_empty()).then(|| at.join(", ")),
            };
            Ok((held, *bound))
        }
        (_, [why]) => Err((*why).clone()),
        (_, [why, others @ ..]) => {
            Err(Unmeasured { reason: format!("{}; and {} more", why.reason, others.len()), ..(*why).clone() })
        }
        (_, []) => Err("the target applies to no cell".to_owned().into()),
    }
}

fn place(cells: usize, arguments: &Arguments, named: &[&str]) -> String {
    let named: Arguments = named.iter().filter_map(|name| Some((*name, arguments.get(name)?.clone()))).collect();
    format!("worst of {cells} at {named}")
}

/// The value of one subject, divided by that of the baseline if there is one.
fn reading(
    view: &RunView,
    target: &Target,
    subject: &Result<ComparedCells<'_>, Unmeasured>,
) -> Result<Reading, Unmeasured> {
    let cells = subject.as_ref().map_err(Clone::clone)?;
    // A slope over cells of several machines would be one of machines, too.
    view.same_host(cells.iter().map(|cell| cell.cell))?;
    let own = figure(cells, &target.series, target)?;
    let is_time = own.unit == Unit::Nanoseconds;
    if (target.beyond.is_some() || matches!(target.baseline, Some(Baseline::Limit { .. }))) && !is_time {
        return Err(format!("{} is in {}, but a roofline is a time", title(cells[0]), own.unit).into());
    }
    let by = match &target.baseline {
        None => return Ok(own),
        Some(Baseline::Limit { limit, per }) => {
            let time = view.limit_of(cells[0].cell, *limit).ok_or_else(|| not_measured(*limit))?;
            let operations = operations(per, cells[0])?;
            if target.figure == Figure::Rate { per_second(operations, time).unwrap_or(0.0) } else { time / operations }
        }
        Some(Baseline::Series(baseline)) => {
            let others = cells.iter().map(|cell| baseline_cell(view, cell, &target.series, baseline));
            let others = others.collect::<Result<Vec<_>, _>>()?;
            view.same_host(cells.iter().chain(&others).map(|cell| cell.cell))?;
            let other = figure(&others, baseline, target)?;
            if other.unit != own.unit {
                let units = format!("{} is in {}, but its baseline is in {}", title(cells[0]), own.unit, other.unit);
                return Err(units.into());
            }
            other.value
        }
    };
    if by == 0.0 {
        Err("the baseline is 0".to_owned().into())
    } else {
        Ok(Reading { value: own.value / by, spread: None, ..own })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, Run};
    use super::*;
    use bench_sink::runfile::Status;

    /// Checks the run against the target that `lines` describe: `pass 5.000`, `miss 5.000 at …`, or why it was not measured.
    #[track_caller]
    fn check(run: Run, lines: &str, expect: &str) {
        let judged = judged(run, lines);
        let found = match &judged.held {
            Err(why) => why.clone(),
            Ok(held) => {
                let at = held.at.as_ref().map(|at| format!(" {at}")).unwrap_or_default();
                format!("{} {:.3}{at}", judged.verdict().as_str(), held.value)
            }
        };
        assert_eq!(found, expect, "{lines}");
    }

    fn judged(run: Run, lines: &str) -> TargetResult {
        let needed = if lines.contains("samples_min") { "" } else { "samples_min = 20\n" };
        let scenario = if lines.starts_with("scenario") { "" } else { "scenario = \"m/s\"\n" };
        let text = format!("[[target]]\nname = \"t\"\nsummary = \"s\"\narm = \"native\"\n{scenario}{needed}{lines}");
        let targets = bench_registry::parse_targets("mine", &text).unwrap();
        evaluate_target(&run.view(), "mine", &targets.target[0], &[])
    }

    /// Samples whose quantile q is q × 100.
    fn percentiles() -> impl Iterator<Item = u64> {
        (1..=100).flat_map(|value| [value; 100])
    }

    fn ten(value: u64) -> impl Iterator<Item = u64> {
        std::iter::repeat_n(value, 20)
    }

    #[test]
    fn quantile_is_checked_against_upper_or_lower_bound() {
        let run = || Run::new([Cell::new().timed(percentiles())]);
        check(run(), "at_most = 50", "pass 50.000");
        check(run(), "at_most = 49", "miss 50.000");
        check(run(), "at_least = 50", "pass 50.000");
        check(run(), "at_least = 51", "miss 50.000");
        check(run(), "quantile = 0.99\nat_most = 99", "pass 99.000");
        check(run(), "quantile = 0.99\nper = 2\nat_most = 49", "miss 49.500");
        check(run(), "mean = true\nat_most = 50.5", "pass 50.500");
    }

    #[test]
    fn bound_has_the_unit_of_samples_that_are_too_few() {
        let few = judged(Run::new([Cell::new().timed(std::iter::repeat_n(7, 3))]), "at_most = 9");
        assert_eq!(few.quantity, Quantity::Plain(Unit::Nanoseconds));
        let none = judged(Run::new([Cell::new()]), "at_most = 9");
        assert_eq!(none.quantity, Quantity::Plain(Unit::from("")));
    }

    #[test]
    fn too_few_samples_are_not_measured() {
        let run = |samples| Run::new([Cell::new().timed(std::iter::repeat_n(7, samples))]);
        check(run(19), "at_most = 9", "m/s native s: 19 samples, at least 20 are needed");
        let p99 = "quantile = 0.99\nat_most = 9";
        check(run(999), p99, "m/s native s: 999 samples, the quantile 0.99 needs 1000");
        check(run(1000), p99, "pass 7.000");
        check(run(3), "samples_min = 3\nat_most = 9", "m/s native s: 3 samples, the quantile 0.5 needs 20");
        check(run(3), "samples_min = 3\nmean = true\nat_most = 9", "pass 7.000");
    }

    #[test]
    fn instructions_are_checked_without_tolerance() {
        let run = |count| Run::new([Cell::new().timed(ten(1)).instructions(count)]);
        let target = |bound: &str| format!("metric = \"instructions\"\nmean = true\nat_most = {bound}");
        check(run(8_000), &target("1000"), "pass 1000.000");
        check(run(8_001), &target("1000"), "miss 1000.125");
        let uncounted = "m/s native: its instructions were not counted; the engine counts those of the arm wasm";
        check(Run::new([Cell::new().timed(ten(1))]), &target("1000"), uncounted);
        let quantile = "metric = \"instructions\"\nat_most = 1000";
        check(run(8_000), quantile, "m/s native: instructions are counted, not sampled; use `mean = true`");
    }

    #[test]
    fn rate_is_all_operations_by_total_time() {
        // 20 samples of 50 operations in 1,000 ns each, and 20 that took ten times as long: 2,000 operations in 220,000 ns.
        let samples = || ten(1_000).chain(ten(10_000));
        let run = || Run::new([Cell::new().with("batch", 4i64).series("s", "ns", 50, samples())]);
        check(run(), "rate = true\nat_least = 9e6", "pass 9090909.091");
        check(run(), "rate = true\nper = 10\nat_least = 90e6", "pass 90909090.909");
        check(run(), "rate = true\nper = \"batch\"\nat_least = 40e6", "miss 36363636.364");
        check(run(), "rate = true\nper = \"size\"\nat_least = 1", "m/s native batch=4 has no numeric argument `size`");
        check(run(), "mean = true\nper = \"batch\"\nat_most = 28", "pass 27.500");
        let bytes = Run::new([Cell::new().series("s", "By", 1, ten(1))]);
        check(bytes, "rate = true\nat_least = 1", "m/s native s: a rate needs times, and these samples are By");
    }

    #[test]
    fn ratio_of_rates_is_below_one_if_the_baseline_is_faster() {
        let run = || Run::new([Cell::new().timed(ten(200)).series("raw", "ns", 1, ten(100))]);
        let raw = "relative_to = { metric = \"raw\" }";
        check(run(), &format!("rate = true\nat_least = 0.6\n{raw}"), "miss 0.500");
        check(run(), &format!("at_most = 1.5\n{raw}"), "miss 2.000");
        check(run(), "at_most = 1.5\nrelative_to = { metric = \"raw\", per = 0.5 }", "pass 1.000");
        let limited = run().limit("syscall", 50.0);
        check(limited, "rate = true\nat_least = 0.3\nrelative_to = { limit = \"syscall\" }", "miss 0.250");
        let limited = run().limit("syscall", 50.0);
        check(limited, "at_most = 9\nrelative_to = { limit = \"syscall\" }", "pass 4.000");
        check(run(), "at_most = 9\nrelative_to = { limit = \"clock\" }", "the roofline `clock` was not measured");
        let bytes = Run::new([Cell::new().series("s", "By", 1, ten(1)).series("raw", "ns", 1, ten(1))]);
        check(bytes, &format!("at_most = 1\n{raw}"), "m/s native is in By, but its baseline is in ns");
    }

    #[test]
    fn bound_beyond_a_roofline_is_added_to_it() {
        let run = || Run::new([Cell::new().timed(ten(180))]);
        let lines = "at_most = 150\nbeyond = \"clock\"";
        check(run().limit("clock", 30.0), lines, "pass 180.000");
        check(run().limit("clock", 29.0), lines, "miss 180.000");
        check(run(), lines, "the roofline `clock` was not measured");
        let bytes = Run::new([Cell::new().series("s", "By", 1, ten(1))]).limit("clock", 30.0);
        check(bytes, lines, "m/s native is in By, but a roofline is a time");
    }

    #[test]
    fn roofline_is_that_of_the_machine_that_measured_the_cell() {
        let run = |a: u64, b: u64, clock: Option<f64>| {
            Run::new([]).part("a", Some(10.0), [batched(1, a)]).part("b", clock, [batched(2, b)])
        };
        let beyond = "at_most = 100\nbeyond = \"clock\"";
        check(run(110, 140, Some(40.0)), beyond, "pass 110.000 worst of 2 at batch=1");
        check(run(105, 141, Some(40.0)), beyond, "miss 141.000 worst of 2 at batch=2");
        check(run(110, 140, None), beyond, "the roofline `clock` was not measured");
        let bound = |run: Run| judged(run, beyond).bound;
        assert_eq!((bound(run(111, 139, Some(40.0))), bound(run(105, 141, Some(40.0)))), (110.0, 140.0));
        let relative = "at_most = 12\nrelative_to = { limit = \"clock\" }";
        check(run(110, 440, Some(40.0)), relative, "pass 11.000 worst of 2 at batch=1");
        check(run(110, 440, None), relative, "the roofline `clock` was not measured");
    }

    #[test]
    fn cells_of_several_machines_have_no_ratio_and_no_slope() {
        let apart = "measured on different machines (a, b)";
        let mode = |mode: &str, time| batched(1, time).with("mode", mode);
        let lines = "arguments = { mode = \"b\" }\nat_most = 2\nrelative_to = { arguments = { mode = \"a\" } }";
        let run = Run::new([]).part("a", None, [mode("b", 15)]).part("b", None, [mode("a", 10)]);
        check(run, lines, apart);
        let run = Run::new([]).part("a", None, [mode("a", 10), mode("b", 15)]).part("b", None, [batched(2, 1)]);
        check(run, lines, "pass 1.500");
        let run = Run::new([]).part("a", None, [sized(100, 5_000)]).part("b", None, [sized(1_000, 95_000)]);
        check(run, "slope_over = \"size\"\nat_most = 128", apart);
        // Both parts of one machine.
        let run = Run::new([]).part("a", None, [sized(100, 5_000)]).part("a", None, [sized(1_000, 95_000)]);
        check(run, "slope_over = \"size\"\nat_most = 128", "pass 100.000 over 2 values of size");
    }

    fn sized(size: i64, bytes: u64) -> Cell {
        Cell::new().with("size", size).series("s", "By", 1, ten(bytes))
    }

    #[test]
    fn slope_is_taken_over_an_argument() {
        let run = || Run::new([sized(100, 5_000), sized(1_000, 95_000)]);
        check(run(), "slope_over = \"size\"\nat_most = 128", "pass 100.000 over 2 values of size");
        check(run(), "slope_over = \"size\"\nper = 2\nat_most = 49", "miss 50.000 over 2 values of size");
        let listed = "slope_over = \"size\"\narguments = { size = [100, \"10k\"] }\nat_most = 128";
        check(run(), listed, "the run has no cell m/s native size=10k");
        check(Run::new([]), listed, "the run has no cell m/s native size=100");
        let three = Run::new([sized(1, 10), sized(2, 20), sized(3, 31)]);
        let text = "miss 10.500 over 3 values of size (95 % interval 6.83 B to 14.2 B)";
        check(three, "slope_over = \"size\"\nat_most = 10", text);
        let one = Run::new([sized(100, 5_000)]);
        check(one, "slope_over = \"size\"\nat_most = 1", "m/s native has one value of `size`; a slope needs two");
    }

    #[test]
    fn each_value_of_other_arguments_has_its_own_slope() {
        let cell = |mode: &str, size, bytes| sized(size, bytes).with("mode", mode);
        let run = Run::new([cell("a", 0, 0), cell("a", 10, 100), cell("b", 0, 0), cell("b", 10, 300)]);
        let text = "miss 30.000 over 2 values of size, worst of 2 at mode=b";
        check(run, "slope_over = \"size\"\nat_most = 20", text);
    }

    fn batched(batch: i64, time: u64) -> Cell {
        Cell::new().with("batch", batch).timed(ten(time))
    }

    #[test]
    fn worst_of_several_cells_counts() {
        let run = || Run::new([batched(1, 5), batched(10, 9), batched(100, 7)]);
        check(run(), "at_most = 10", "pass 9.000 worst of 3 at batch=10");
        check(run(), "at_least = 6", "miss 5.000 worst of 3 at batch=1");
        check(run(), "arguments = { batch = [1, 100] }\nat_most = 10", "pass 7.000 worst of 2 at batch=100");
        check(run(), "arguments = { batch = 1 }\nat_most = 4", "miss 5.000");
    }

    #[test]
    fn missing_cell_is_not_measured_unless_another_cell_misses() {
        let run = || Run::new([batched(1, 5), batched(10, 9)]);
        let lines = |bound| format!("arguments = {{ batch = [1, \"1k\"] }}\nat_most = {bound}");
        check(run(), &lines(5), "the run has no cell m/s native batch=1k");
        check(run(), &lines(4), "miss 5.000 worst of 2 at batch=1");
        check(run(), "scenario = \"o/s\"\nat_most = 5", "the run has no cell o/s native");
        let early = "the run has no cell m/s native batch=1k; it ended early: interrupted";
        check(run().stopped("interrupted"), &lines(5), early);
    }

    #[test]
    fn cell_without_figures_gives_the_reason() {
        let run = |status| Run::new([batched(1, 5), batched(10, 9).ended(status, "no room")]);
        check(run(Status::Failed), "at_most = 9", "m/s native batch=10 failed: no room");
        check(run(Status::Skipped), "at_most = 9", "m/s native batch=10 was skipped: no room");
        check(run(Status::Failed), "arguments = { batch = 1 }\nat_most = 9", "pass 5.000");
        let both = Run::new([batched(1, 5).ended(Status::Failed, "why"), batched(10, 9).ended(Status::Failed, "why")]);
        check(both, "at_most = 9", "m/s native batch=1 failed: why; and 1 more");
    }

    #[test]
    fn figure_beyond_the_bound_is_no_miss_if_the_machine_stood_still() {
        let why =
            "check `standstill` failed: 2 % (meanwhile the hypervisor gave 3 % of the processors' time to others)";
        let void = Run::new([batched(1, 50).ended(Status::Void, why)]);
        check(void, "at_most = 9", &format!("m/s native batch=1 is void: {why}"));
        check(Run::new([batched(1, 50)]), "at_most = 9", "miss 50.000");
    }

    #[test]
    fn series_is_found_by_its_metric_and_all_labels() {
        let run = || Run::new([Cell::new().series("lag", "ns", 1, ten(5)).label("side", "left")]);
        check(run(), "metric = \"lag\"\nlabels = { side = \"left\" }\nat_most = 9", "pass 5.000");
        check(run(), "metric = \"lag\"\nat_most = 9", "m/s native has no samples of `lag`");
        check(
            run(),
            "metric = \"lag\"\nlabels = { side = \"right\" }\nat_most = 9",
            "m/s native has no samples of `lag` side=right",
        );
        check(run(), "at_most = 9", "m/s native has no samples of `s`");
    }

    #[test]
    fn variant_is_another_arm() {
        let run = Run::new([batched(1, 5), batched(1, 50).variant("fuel")]);
        check(run, "at_most = 9", "pass 5.000");
    }

    #[test]
    fn baseline_of_the_same_scenario_has_the_same_arguments() {
        let cell = |batch: i64, own, raw| batched(batch, own).series("raw", "ns", 1, ten(raw));
        let run = Run::new([cell(1, 10, 10), cell(10, 300, 200)]);
        check(run, "at_most = 2\nrelative_to = { metric = \"raw\" }", "pass 1.500 worst of 2 at batch=10");
        let mode = |mode: &str, batch, time| batched(batch, time).with("mode", mode);
        let run = || Run::new([mode("a", 1, 10), mode("a", 2, 20), mode("b", 1, 15), mode("b", 2, 50)]);
        let lines = "arguments = { mode = \"b\" }\nat_most = 2\nrelative_to = { arguments = { mode = \"a\" } }";
        check(run(), lines, "miss 2.500 worst of 2 at batch=2");
        let lines = "arguments = { mode = \"b\" }\nat_most = 2\nrelative_to = { arguments = { mode = \"c\" } }";
        check(run(), lines, "the run has no cell m/s native mode=c as baseline; and 1 more");
    }

    #[test]
    fn baseline_of_another_scenario_must_be_one_cell() {
        let other = |batch: i64, time| batched(batch, time).scenario("o/s");
        let run = || Run::new([batched(1, 10), batched(1, 5).scenario("o/s"), other(2, 20)]);
        let lines = "at_most = 1\nrelative_to = { scenario = \"o/s\" }";
        let refusal =
            "the run has 2 cells o/s native, but a baseline is one cell; name more of its arguments in the target";
        check(run(), lines, refusal);
        check(run(), "at_most = 1\nrelative_to = { scenario = \"o/s\", arguments = { batch = 2 } }", "pass 0.500");
    }
}
