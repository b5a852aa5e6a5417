//! `--live`: a full screen that shows the cells of a run, their figures as they come, and the samples of the current one. It is drawn between
//! repetitions only, so that drawing is in no figure.

mod frame;
mod screen;

pub(crate) use screen::leave;

use crate::cost::duration;
use crate::progress::{Progress, cell_title, is_watched};
use anyhow::ensure;
use bench_engine::{Expected, Finished, Forecast, Journal, Observer, Plan, Repetition};
use bench_model::Unit;
use bench_sink::RecordedHistogram;
use bench_sink::runfile::{Record, SeriesRecord, Status, WriteError};
use bench_stats::{Distribution, Summary};
use frame::{CellState, Frame, Middle, State};
use screen::Screen;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Lines of the log that are kept.
const LOG_MAX: usize = 200;

/// Shows a run: a bar with a line per cell, or the full screen.
#[derive(Debug)]
pub(crate) enum Watcher {
    Bar(Box<Progress>),
    Live(Live),
}

/// The full screen. Copies share it.
#[derive(Clone, Debug)]
pub(crate) struct Live(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    screen: Screen,
    state: State,
    forecast: Forecast,
    begun: Instant,
    /// The samples of each cell so far, in its unit.
    samples: Vec<Vec<(f64, u64)>>,
    /// The numbers of cells in the plan that the rows show.
    numbers: Vec<u32>,
    left: Vec<u32>,
}

/// Refuses `--live` where there is no terminal to draw on.
pub(crate) fn ensure_terminal(shown: &crate::cli::Shown) -> anyhow::Result<()> {
    ensure!(
        !shown.live || is_watched(false),
        "--live needs a terminal on standard error; remove the option, or run in a terminal"
    );
    Ok(())
}

impl Watcher {
    /// Shows `repetitions`, each of which is one of the cells that `cells_of` returns.
    pub(crate) fn new(
        plan: &Plan,
        repetitions: &[Repetition],
        cells_of: impl Fn(Repetition) -> Vec<u32>,
        expected: Expected,
        shown: &crate::cli::Shown,
    ) -> anyhow::Result<Self> {
        if !shown.live {
            return Ok(Self::Bar(Box::new(Progress::new(repetitions, cells_of, expected, shown.quiet))));
        }
        let mut numbers: Vec<u32> = repetitions.iter().flat_map(|repetition| cells_of(*repetition)).collect();
        let each = numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let left: Vec<u32> =
            numbers.iter().map(|number| each.iter().filter(|cell| *cell == number).count() as u32).collect();
        let cells = numbers.iter().zip(&left).map(|(number, left)| CellState::new(cell_title(plan, *number), *left));
        let state = State {
            cells: cells.collect(),
            current: None,
            done: 0,
            all: repetitions.len(),
            left: String::new(),
            samples: Distribution::default(),
            log: VecDeque::new(),
        };
        let inner = Inner {
            screen: Screen::enter()?,
            state,
            forecast: Forecast::new(repetitions.iter().copied(), expected),
            begun: Instant::now(),
            samples: vec![Vec::new(); numbers.len()],
            numbers,
            left,
        };
        Ok(Self::Live(Live(Rc::new(RefCell::new(inner)))))
    }

    /// The full screen, if it is shown.
    pub(crate) fn live(&self) -> Option<Live> {
        match self {
            Self::Live(live) => Some(live.clone()),
            Self::Bar(_) => None,
        }
    }
}

impl Observer for Watcher {
    fn started(&mut self, plan: &Plan, repetition: Repetition, index: usize) {
        match self {
            Self::Bar(bar) => bar.started(plan, repetition, index),
            Self::Live(live) => live.0.borrow_mut().started(repetition),
        }
    }

    fn finished(&mut self, plan: &Plan, finished: &Finished) {
        match self {
            Self::Bar(bar) => bar.finished(plan, finished),
            Self::Live(live) => live.0.borrow_mut().finished(finished),
        }
    }
}

impl Live {
    /// Takes the samples of a block that was written. A repetition that is not ok has none that count, as in the table.
    pub(crate) fn take(&self, block: &[Record]) {
        let Some(Record::Cell(cell)) = block.first() else { return };
        if !block.iter().any(|record| matches!(record, Record::Outcome(outcome) if outcome.status == Status::Ok)) {
            return;
        }
        let name = cell.scenario.split_once('/').map_or(cell.scenario.as_str(), |(_, name)| name);
        let timed = block.iter().find_map(|record| match record {
            Record::Series(series) if series.metric == name && series.labels.is_empty() => Some(series),
            _ => None,
        });
        if let Some(series) = timed {
            self.0.borrow_mut().take(cell.cell, series);
        }
    }
}

/// A journal whose blocks are also shown.
#[derive(Debug)]
pub(crate) struct Shown<'a, J> {
    pub(crate) journal: &'a mut J,
    pub(crate) live: Option<Live>,
}

impl<J: Journal> Journal for Shown<'_, J> {
    fn append(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.journal.append(records)?;
        if let Some(live) = &self.live {
            live.take(records);
        }
        Ok(())
    }
}

impl Inner {
    fn row(&self, cell: u32) -> Option<usize> {
        self.numbers.iter().position(|number| *number == cell)
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn started(&mut self, repetition: Repetition) {
        let now_ns = self.now_ns();
        self.forecast.start(repetition, now_ns);
        self.state.current = self.row(repetition.cell);
        let own = self.state.current.into_iter().flat_map(|row| self.samples[row].iter().copied());
        self.state.samples = Distribution::new(own);
        self.draw();
    }

    fn finished(&mut self, finished: &Finished) {
        let now_ns = self.now_ns();
        self.forecast.finish(now_ns, finished.is_tried_again());
        let outcome = &finished.outcome;
        if let Some(row) = self.row(outcome.cell) {
            self.left[row] = if finished.is_tried_again() { self.left[row].saturating_sub(1) } else { 0 };
            let cell = &mut self.state.cells[row];
            cell.left = self.left[row];
            cell.status = Some(outcome.status);
            let reason = outcome.reason.as_deref().unwrap_or("ok");
            let word = match outcome.status {
                Status::Ok => format!("process {} done", outcome.process),
                Status::Failed => format!("FAILED: {reason}"),
                Status::Skipped => format!("skipped: {reason}"),
                Status::Void => format!("void: {reason}"),
            };
            let line = format!("{}  {word}", cell.title);
            self.state.log.push_back(line);
            if self.state.log.len() > LOG_MAX {
                self.state.log.pop_front();
            }
        }
        self.draw();
    }

    fn take(&mut self, cell: u32, series: &SeriesRecord) {
        let Some(row) = self.row(cell) else { return };
        let batch = series.batch.max(1) as f64;
        match (&series.raw, RecordedHistogram::decode(&series.histogram)) {
            (Some(raw), _) => self.samples[row].extend(raw.iter().map(|sample| (*sample as f64 / batch, 1))),
            (None, Ok(histogram)) => {
                self.samples[row].extend(histogram.points().map(|(value, count)| (value as f64 / batch, count)))
            }
            (None, Err(_)) => return,
        }
        let distribution = Distribution::new(self.samples[row].iter().copied());
        if let Some(Summary { count, p50, p99, mean, .. }) = Summary::of(&distribution) {
            let shown = &mut self.state.cells[row];
            let middle = p50.map_or(Middle::Mean(mean), Middle::Median);
            (shown.samples, shown.middle, shown.p99, shown.unit) = (count, Some(middle), p99, series.unit.clone());
        }
        self.state.samples = distribution;
        self.state.current = Some(row);
    }

    fn draw(&mut self) {
        let left = self.forecast.left_ns(self.now_ns());
        self.state.left = left.map_or_else(|| "–".to_owned(), |ns| duration(Duration::from_nanos(ns)));
        self.state.done = self.state.all.saturating_sub(self.forecast.repetitions_left());
        let (width, height) = Screen::size();
        self.screen.draw(&Frame { width, height }.lines(&self.state));
    }
}

impl CellState {
    fn new(title: String, left: u32) -> Self {
        Self { title, left, status: None, samples: 0, middle: None, p99: None, unit: Unit::Nanoseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_model::Direction;
    use bench_sink::Series;

    /// A run of two cells with two repetitions each, whose screen is not shown.
    fn inner() -> Inner {
        let repetitions = (0..2).flat_map(|process| (0..2).map(move |cell| Repetition { cell, process }));
        let expected = Expected { measured_ns: None, around_ns: 0, first_ns: 0, after_ns: 0 };
        let cells = ["m/first", "m/second"].map(|title| CellState::new(title.to_owned(), 2));
        Inner {
            screen: Screen,
            state: State { cells: cells.into(), all: 4, ..State::default() },
            forecast: Forecast::new(repetitions, expected),
            begun: Instant::now(),
            samples: vec![Vec::new(); 2],
            numbers: vec![0, 1],
            left: vec![2, 2],
        }
    }

    fn take(inner: &mut Inner, cell: u32, samples: &[u64]) {
        let mut series = Series::new("s", Unit::Nanoseconds, Direction::LowerIsBetter);
        samples.iter().for_each(|sample| series.record(*sample));
        inner.take(cell, &SeriesRecord::new(cell, 0, &series));
    }

    #[test]
    fn figure_of_too_few_samples_for_a_median_is_the_mean() {
        let mut inner = inner();
        take(&mut inner, 0, &[500; 19]);
        assert_eq!(inner.state.cells[0].middle, Some(Middle::Mean(500.0)));
        take(&mut inner, 0, &[500]);
        assert_eq!(inner.state.cells[0].middle, Some(Middle::Median(500.0)));
    }

    #[test]
    fn samples_of_a_void_repetition_are_not_shown() {
        let check = |status, expect: u64| {
            let live = Live(Rc::new(RefCell::new(inner())));
            let block = sample_run::Block::new(0, 0, "m/s", "wasm").timed(1, [500; 3]);
            let block = if status == Status::Ok { block } else { block.ended(status, "the machine stood still") };
            live.take(&block.records());
            assert_eq!(live.0.borrow().state.cells[0].samples, expect, "{status:?}");
        };
        check(Status::Ok, 3);
        check(Status::Void, 0);
        check(Status::Failed, 0);
    }

    /// The histogram with its title, as it is drawn.
    fn histogram(inner: &Inner) -> Vec<String> {
        let lines = Frame { width: 100, height: 30 }.lines(&inner.state);
        let begins = |line: &String| line.contains("samples, up to p99") || line == "no samples yet";
        let first = lines.iter().position(begins).expect("there is a histogram");
        lines[first..].iter().take_while(|line| !line.is_empty()).cloned().collect()
    }

    #[test]
    fn histogram_has_the_samples_of_the_cell_that_it_names() {
        let mut inner = inner();
        inner.started(Repetition { cell: 0, process: 0 });
        assert_eq!(histogram(&inner), ["no samples yet"]);
        take(&mut inner, 0, &[500; 3]);
        assert_eq!(histogram(&inner)[0], "m/first: 3 samples, up to p99");
        inner.started(Repetition { cell: 1, process: 0 });
        assert_eq!(histogram(&inner), ["no samples yet"], "those of the first cell are not shown as the second's");
        take(&mut inner, 1, &[70; 2]);
        inner.started(Repetition { cell: 0, process: 1 });
        let shown = histogram(&inner);
        assert_eq!(shown[0], "m/first: 3 samples, up to p99", "its own from the repetition before");
        assert!(shown.len() == 2 && shown[1].contains("500 ns") && shown[1].ends_with(" 3"), "{shown:?}");
        take(&mut inner, 0, &[500]);
        assert_eq!(histogram(&inner)[0], "m/first: 4 samples, up to p99");
    }
}
