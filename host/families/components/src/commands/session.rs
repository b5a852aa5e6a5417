//! A session of the scenario `run`, the same for a component and for a program.

use super::options::Options;
use super::output::Digest;
use bench_drivers::{BatchNs, Recording};
use bench_model::{Check, ModuleError, Outcome, Scenario, Session};
use bench_sink::Sink;
use bench_wasm::wasmtime::Store;
use bench_wasm::{ComponentSession, State, StoreObserver};

/// What to do if the output differs from run to run.
const MAY_DIFFER: &str = "; give -p output=any if it prints times or random values";

/// A command that can be run many times.
pub(super) trait Command {
    /// Runs it from its start to its exit.
    fn run(&mut self) -> Result<Finished, ModuleError>;

    /// The fuel that all runs have consumed, if the engine counts it.
    fn fuel_consumed(&self) -> Option<u64> {
        None
    }

    /// What observes the stores of its runs, if it is a component.
    fn observer(&mut self) -> Option<&mut StoreObserver> {
        None
    }
}

/// A command that has exited.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) exit: i32,
    pub(super) stdout: Digest,
    /// The stages of the run in order: names, and nanoseconds.
    pub(super) stages: Vec<(&'static str, u64)>,
    /// The time that the command measured itself, in nanoseconds.
    pub(super) timed: Option<u64>,
}

/// Runs of one command.
pub(super) struct CommandSession<C> {
    command: C,
    options: Options,
    /// The first run, which all others must equal.
    first: Option<Finished>,
    runs: u64,
    /// The series of a scenario that times itself.
    timed: Option<String>,
    /// What the last batch took by its own clock.
    own_ns: BatchNs,
    sink: Sink,
}

impl<C: Command> CommandSession<C> {
    pub(super) fn new(command: C, options: Options, scenario: &Scenario) -> Self {
        let timed = scenario.has_own_clock().then(|| scenario.name.clone());
        let (own_ns, sink) = (BatchNs::default(), Sink::new(&scenario.metrics));
        Self { command, options, first: None, runs: 0, timed, own_ns, sink }
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        let finished = self.command.run()?;
        let first = self.first.get_or_insert_with(|| finished.clone());
        if finished.exit != first.exit || self.options.same_output && finished.stdout != first.stdout {
            return Err(ModuleError::Other(format!(
                "a run differs from the first: exit status {} and {}, at first {} and {}; a benchmark needs a command that always \
                 does the same{}",
                finished.exit,
                finished.stdout,
                first.exit,
                first.stdout,
                if finished.exit == first.exit { MAY_DIFFER } else { "" }
            )));
        }
        self.runs += 1;
        for (name, ns) in finished.stages {
            self.record("stage", &[("name".to_owned(), name.to_owned())], ns)?;
        }
        if let Some(series) = self.timed.clone() {
            let ns = finished.timed.ok_or_else(|| {
                ModuleError::Other(
                    "the run did not call `bench.start` and `bench.end`, so nothing was timed".to_owned(),
                )
            })?;
            self.own_ns.set(self.own_ns.get() + ns);
            self.record(&series, &[], ns)?;
        }
        Ok(())
    }

    fn record(&mut self, metric: &str, labels: &[(String, String)], ns: u64) -> Result<(), ModuleError> {
        let series = self.sink.open(metric, labels);
        let recorded = series.and_then(|series| self.sink.append(series, &[ns]));
        recorded.map_err(|error| ModuleError::Other(error.to_string()))
    }
}

impl<C: Command> Session for CommandSession<C> {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        self.own_ns.set(0);
        for _ in 0..times {
            self.run()?;
        }
        let checksum = self.first.as_ref().map_or(0, |first| match self.options.same_output {
            true => first.stdout.checksum(first.exit),
            false => Digest::default().checksum(first.exit),
        });
        Ok(Outcome { operations: times, bytes: 0, checksum })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        let Some(first) = &self.first else { return Ok(Vec::new()) };
        let found = i64::from(first.exit);
        let detail = format!(
            "expected {}, found {found} in {} runs{}",
            self.options.exit,
            self.runs,
            if found == self.options.exit { "" } else { "; give -p exit=STATUS if that is right" }
        );
        let mut checks = vec![Check::that("exit-status", found == self.options.exit, detail)];
        if !self.options.same_output {
            return Ok(checks);
        }
        let stdout = match &self.options.expect {
            Some(expected) => Check::that(
                "standard-output",
                *expected == first.stdout,
                format!("expected {expected}, found {}", first.stdout),
            ),
            None => {
                let again = self.command.run()?.stdout;
                let detail = match again == first.stdout {
                    true => format!("{again} in every run"),
                    false => format!("{again}, at first {}{MAY_DIFFER}", first.stdout),
                };
                Check::that("standard-output", again == first.stdout, detail)
            }
        };
        checks.push(stdout);
        Ok(checks)
    }
}

impl<C: Command> Recording for CommandSession<C> {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn own_ns(&self) -> Option<BatchNs> {
        self.timed.is_some().then(|| self.own_ns.clone())
    }
}

impl<C: Command> ComponentSession for CommandSession<C> {
    fn store(&mut self) -> Option<&mut Store<State>> {
        None
    }

    fn observer(&mut self) -> Option<&mut StoreObserver> {
        self.command.observer()
    }

    fn fuel_consumed(&mut self) -> Result<u64, ModuleError> {
        let fuel = self.command.fuel_consumed();
        fuel.ok_or_else(|| ModuleError::Other("instructions of a program are not counted".to_owned()))
    }
}
