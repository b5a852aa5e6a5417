//! The conformance tests of the driver `workload`, which authors of plug-ins run. A rule that does not hold says what to do. Nothing
//! that only follows from a broken rule is reported.

use crate::cell_failure::bounded;
use crate::{Module, Recording};
use bench_engine::{MeasureError, MonotonicClock, Warm, grows, overhead};
use bench_model::{Arguments, Check, Checksum, ModuleError, Outcome, Scenario};
use bench_sink::Sink;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Tests one scenario with `arguments`. Each check names the rule. An error means that the environment cannot run the scenario.
pub fn conformance(
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
) -> Result<Vec<Check>, ModuleError> {
    let session = match module.open(scenario, arguments) {
        Ok(session) => session,
        Err(error) if error.is_environment() => return Err(error),
        Err(error) => return Ok(vec![rule("opens", false, error.to_string(), OPENS)]),
    };
    let mut trial =
        ConformanceRun { scenario, session, checks: Vec::new(), checksums: Vec::new(), one: Duration::ZERO };
    trial.pass("opens", arguments.to_string());
    // A session that has crashed fails every later call, which says nothing more.
    let _ = trial.run();
    let times = trial.times(3);
    let ConformanceRun { mut checks, mut checksums, session, .. } = trial;
    drop(session);
    if !checksums.is_empty() {
        checks.extend(second_session(module, scenario, arguments, times, &mut checksums));
    }
    checks.push(unknown_scenario(module, scenario, arguments));
    Ok(checks)
}

/// The rule that samples of every declared metric are recorded. With other arguments a scenario may record other metrics, so whoever tests
/// it with several decides by all of them.
pub const RECORDED: &str = "declared metrics are recorded";

/// What to do about a metric of which there are no samples.
pub const UNRECORDED: &str = "record them in `iterate`, or in `open` if there is one a session, or do not declare them";

const OPENS: &str = "prepare every combination of arguments in the domains, or narrow the domains";

/// A check; if it failed, with what to do about it.
fn rule(name: &str, passed: bool, detail: impl Into<String>, remedy: &str) -> Check {
    let detail = detail.into();
    Check::that(name, passed, if passed { detail } else { format!("{detail}; {remedy}") })
}

/// A session while it is tested.
struct ConformanceRun<'a> {
    scenario: &'a Scenario,
    session: Box<dyn Recording>,
    checks: Vec<Check>,
    checksums: Vec<u64>,
    /// What the first operation took.
    one: Duration,
}

/// The session has crashed.
struct Crashed;

/// Operations that take longer are not executed many times.
const SLOW: Duration = Duration::from_millis(20);

impl ConformanceRun<'_> {
    fn run(&mut self) -> Result<(), Crashed> {
        self.one = self.counts(1)?;
        self.counts(0)?;
        let many = self.times(7);
        let took = self.counts(many)?;
        self.verifies()?;
        self.records();
        if !self.scenario.has_own_clock() {
            self.grows(many, took)?;
        }
        self.keeps_memory()
    }

    /// So many operations, or two where they are slow.
    fn times(&self, times: u64) -> u64 {
        if self.one > SLOW { times.min(2) } else { times }
    }

    fn pass(&mut self, name: &str, detail: String) {
        self.checks.push(Check::that(name, true, detail));
    }

    /// Adds a failed check for an error; an error after a crash ends the trial.
    fn error(&mut self, name: &str, error: &ModuleError, remedy: &str) -> Result<(), Crashed> {
        self.checks.push(rule(name, false, error.to_string(), remedy));
        if matches!(error, ModuleError::Crashed(_)) { Err(Crashed) } else { Ok(()) }
    }

    /// Returns what the operations took.
    fn counts(&mut self, times: u64) -> Result<Duration, Crashed> {
        let name = format!("iterate({times}) executes {times} operations");
        let remedy = "execute `times` operations, also for 0, and report that number";
        let start = Instant::now();
        let outcome = self.session.iterate(times);
        let took = start.elapsed();
        match outcome {
            Ok(Outcome { operations, checksum, .. }) => {
                let detail = format!("{operations} reported");
                self.checks.push(rule(&name, operations == times, detail, remedy));
                self.checksums.extend((times > 0).then_some(checksum));
            }
            Err(error) => self.error(&name, &error, remedy)?,
        }
        Ok(took)
    }

    fn verifies(&mut self) -> Result<(), Crashed> {
        const NAME: &str = "verify returns at least one check";
        const REMEDY: &str = "compare the result with one that was found in another way";
        let found = match self.session.verify().and_then(|found| bounded(&found).map(|()| found)) {
            Ok(found) => found,
            Err(error) => return self.error(NAME, &error, REMEDY),
        };
        self.checks.push(rule(NAME, !found.is_empty(), format!("{} checks", found.len()), REMEDY));
        let mut names = BTreeSet::new();
        let twice: Vec<_> = found.iter().filter(|check| !names.insert(&check.name)).map(|check| &*check.name).collect();
        let detail = if twice.is_empty() { String::new() } else { format!("twice: {}", twice.join(", ")) };
        self.checks.push(rule("names of checks are unique", twice.is_empty(), detail, "give each check its own name"));
        // A missing feature of the machine is not the module's fault.
        let found = found.into_iter().filter(|check| check.passed || !check.is_of_machine());
        self.checks.extend(found.map(|check| Check { name: format!("verify: {}", check.name), ..check }));
        Ok(())
    }

    /// Whether every series was opened that the module wanted, and samples of every declared metric were recorded.
    fn records(&mut self) {
        if let Some(refused) = self.session.sink().refused().map(ToString::to_string) {
            let remedy = "declare each metric with its labels, and return the error of the host";
            self.checks.push(rule("every series is opened", false, refused, remedy));
        }
        if self.scenario.metrics.is_empty() {
            return;
        }
        let missing = |sink: &Sink| -> Vec<String> {
            let has = |name: &str| sink.series().iter().any(|series| series.metric == name && series.count() > 0);
            self.scenario.metrics.iter().filter(|metric| !has(&metric.name)).map(|metric| metric.name.clone()).collect()
        };
        let missing = missing(self.session.sink());
        let detail = if missing.is_empty() {
            format!("{} metrics", self.scenario.metrics.len())
        } else {
            format!("no samples of {}", missing.join(", "))
        };
        self.checks.push(rule(RECORDED, missing.is_empty(), detail, UNRECORDED));
    }

    /// Whether `many` operations, which took `took`, take longer than one. If that does not show it, more are timed.
    fn grows(&mut self, many: u64, took: Duration) -> Result<(), Crashed> {
        const NAME: &str = "time grows with the number of operations";
        /// An operation that takes longer than everything around it.
        const LONG: Duration = Duration::from_millis(5);
        /// Longer ones are not executed dozens of times.
        const TOO_LONG: Duration = Duration::from_millis(200);
        let Some(checksum) = self.checksums.first().copied() else { return Ok(()) };
        // A first operation is often slower than others, so this may be missed, but it is not seen where it is not.
        if self.one >= LONG && took.as_secs_f64() >= self.one.as_secs_f64() * many as f64 * 0.75 {
            let [one, all] = [self.one, took].map(|time| time.as_secs_f64() * 1e3);
            self.pass(NAME, format!("1 takes {one:.0} ms, {many} take {all:.0} ms"));
            return Ok(());
        }
        if self.one > TOO_LONG {
            self.pass(NAME, "not looked at: one operation takes more than 0.2 s".to_owned());
            return Ok(());
        }
        let (clock, started) = (MonotonicClock::new(), Instant::now());
        let found = overhead(self.session.as_mut(), &clock);
        match found.and_then(|overhead| grows(self.session.as_mut(), &clock, &overhead, Warm { batch: 1, checksum })) {
            Ok(_) => self.pass(NAME, format!("seen within {:.1} s", started.elapsed().as_secs_f64())),
            Err(MeasureError::Module(error)) => {
                return self.error(NAME, &error, "it must not fail when it is repeated");
            }
            Err(error) => self.checks.push(Check::that(NAME, false, error.to_string())),
        }
        Ok(())
    }

    /// Whether the memory stays as large in equal rounds of operations.
    fn keeps_memory(&mut self) -> Result<(), Crashed> {
        const NAME: &str = "memory does not grow with the operations";
        const REMEDY: &str = "free what an operation allocates, or allocate it in `open`";
        const ROUNDS: usize = 4;
        /// Growth of every round that is a leak: less is noise of the allocator.
        const ROUND_BYTES_MIN: u64 = 64 << 10;
        let times = match self.times_of_a_round() {
            Ok(times) => times,
            Err(error) => return self.error(NAME, &error, REMEDY),
        };
        let mut sizes = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            if let Err(error) = self.session.iterate(times) {
                return self.error(NAME, &error, REMEDY);
            }
            // Samples are the host's.
            self.session.sink().clear();
            sizes.extend(self.session.memory_bytes());
        }
        let growth: Vec<_> = sizes.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let leaks = !growth.is_empty() && growth.iter().all(|bytes| *bytes >= ROUND_BYTES_MIN);
        let kib: Vec<_> = sizes.iter().map(|bytes| format!("{}", bytes >> 10)).collect();
        let detail = format!("{} KiB after each {times} operations", kib.join(", "));
        self.checks.push(rule(NAME, !leaks, detail, REMEDY));
        Ok(())
    }

    /// As many operations as fit into a few milliseconds.
    fn times_of_a_round(&mut self) -> Result<u64, ModuleError> {
        const ROUND: Duration = Duration::from_millis(10);
        if self.one > SLOW {
            return Ok(1);
        }
        let mut times = 1;
        loop {
            let start = Instant::now();
            self.session.iterate(times)?;
            if start.elapsed() >= ROUND || times >= 1 << 16 {
                return Ok(times);
            }
            times *= 2;
        }
    }
}

/// Whether a second session, opened after the first one was used, has the same result.
fn second_session(
    module: &mut dyn Module,
    scenario: &Scenario,
    arguments: &Arguments,
    times: u64,
    checksums: &mut Vec<u64>,
) -> Option<Check> {
    let outcome = module.open(scenario, arguments).and_then(|mut again| again.iterate(times));
    match outcome {
        Ok(outcome) => checksums.push(outcome.checksum),
        // What the first session could, the environment may deny to a second one.
        Err(error) if error.is_environment() => {}
        Err(error) => {
            return Some(rule("a second session works", false, error.to_string(), "share no state between sessions"));
        }
    }
    let equal = checksums.iter().all(|checksum| *checksum == checksums[0]);
    let shown: Vec<_> = checksums.iter().map(|checksum| Checksum(*checksum).to_string()).collect();
    let remedy =
        "digest the result of one operation, from fixed seeds, without times, addresses or state of earlier batches";
    Some(rule("equal arguments have equal checksums", equal, shown.join(", "), remedy))
}

fn unknown_scenario(module: &mut dyn Module, scenario: &Scenario, arguments: &Arguments) -> Check {
    let unknown = Scenario { name: "no-such-scenario".to_owned(), ..scenario.clone() };
    let (passed, answer) = match module.open(&unknown, arguments) {
        Ok(_) => (false, "it was opened".to_owned()),
        Err(error @ ModuleError::UnknownScenario(_)) => (true, error.to_string()),
        Err(error) => (false, error.to_string()),
    };
    let remedy = "compare the name, and return the error `unknown-scenario`";
    rule("unknown scenario is refused with the right error", passed, answer, remedy)
}
