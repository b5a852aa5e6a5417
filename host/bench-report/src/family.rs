//! What a family adds to the report of a run.

use crate::plots::{Chart, Dimension, Row, Rows, Stacks};
use crate::{CellView, Figure, RunView, Section, SeriesView, notes, scale};
use bench_model::Unit;
use bench_sink::runfile::RunFile;

/// The part of a report that only a family knows how to make. Everything except its name and its sections is optional.
pub trait FamilyReport: Sync {
    /// The name of the family.
    fn family(&self) -> &'static str;

    /// The sections on the family's cells in `view`; none if it has none.
    fn sections(&self, view: &RunView) -> Vec<Section>;

    /// Whether these sections show the series of `cell` already.
    fn covers(&self, _cell: &CellView) -> bool {
        false
    }

    /// Whether `series`, which is not the timed one, has a row in the table of the run unless the user asks for all of them.
    fn shows_series(&self, _cell: &CellView, _series: &SeriesView) -> bool {
        false
    }

    /// Files with the raw samples of the run in `file`.
    fn sample_files(&self, _file: &RunFile) -> Vec<DerivedFile> {
        Vec::new()
    }

    /// Files with what the family makes of `view`, such as figures. A section that shows a figure refers to `NAME.png`.
    fn files(&self, _view: &RunView) -> Vec<DerivedFile> {
        Vec::new()
    }

    /// Charts of the page `report.html` that are not among the sections. The run in `file` has what `view` does not keep, such as
    /// samples in their order.
    fn charts(&self, _view: &RunView, _file: &RunFile) -> Vec<FamilyChart> {
        Vec::new()
    }

    /// Whether sections or charts show how the time of `cell` depends on its numeric arguments. The page has small multiples of all
    /// other cells.
    fn draws_axes(&self, cell: &CellView) -> bool {
        self.covers(cell)
    }

    /// What contradicts itself in the run as a whole, although each cell passed its own checks: a line for each, which names the cells. A run
    /// with one ends like a run with a failed check.
    fn findings(&self, _view: &RunView) -> Vec<String> {
        Vec::new()
    }

    /// Documents that the command `report` prints.
    fn exports(&self) -> &'static [Export] {
        &[]
    }
}

/// A chart in a family's part of a page.
#[derive(Clone, Debug)]
pub struct FamilyChart {
    /// The name of its files, without the extension.
    pub(crate) name: String,
    pub(crate) chart: Chart,
}

impl FamilyChart {
    /// Lines over pairs of axes.
    pub fn figure(name: impl Into<String>, figure: Figure) -> Self {
        Self { name: name.into(), chart: Chart::Figure(figure) }
    }

    /// Bars of parts.
    pub fn stacks(name: impl Into<String>, stacks: Stacks) -> Self {
        Self { name: name.into(), chart: Chart::Stacks(stacks) }
    }

    /// A row for each ratio over one axis, with a line at 1. `None` without a ratio.
    pub fn ratios(name: impl Into<String>, ratios: Ratios) -> Option<Self> {
        let row = |ratio: RatioRow| Row {
            name: ratio.name,
            value: format!("{}×  {}", scale::factor(ratio.ratio), ratio.words),
            interval: ratio.interval,
            at: Some(ratio.ratio),
            ..Row::default()
        };
        let Ratios { title, across, delta, rows, notes } = ratios;
        let rows: Vec<Row> = rows.into_iter().map(row).collect();
        let is_any = !rows.is_empty();
        let across = Dimension { title: across, unit: Unit::Count };
        let zone = delta.map(|delta| (1.0 / (1.0 + delta), 1.0 + delta));
        let chart = Rows { title, across, is_from_zero: false, zone, origin: Some(1.0), rows, notes };
        is_any.then(|| Self { name: name.into(), chart: Chart::Rows(chart) })
    }
}

/// Ratios over one axis. Texts are not escaped.
#[derive(Clone, Debug, Default)]
pub struct Ratios {
    /// The heading.
    pub title: String,
    /// What is divided by what.
    pub across: String,
    /// The largest difference that counts as none, if there is one.
    pub delta: Option<f64>,
    /// The ratios, from top to bottom.
    pub rows: Vec<RatioRow>,
    /// The notes below: what ratios and intervals are, of how many.
    pub notes: Vec<String>,
}

/// One ratio. Texts are not escaped.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioRow {
    /// What is compared.
    pub name: String,
    /// The ratio.
    pub ratio: f64,
    /// Its interval, where it is known.
    pub interval: Option<(f64, f64)>,
    /// What follows the ratio at the end of the row, such as a verdict or a number of samples.
    pub words: String,
}

impl Figure {
    /// The same with a note of the run, its machine, its effort and its seed, for a file of its own.
    #[must_use]
    pub fn with_source(mut self, view: &RunView) -> Self {
        self.notes.push(notes::source(view));
        self
    }
}

/// A file that is derived from a run file and written next to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedFile {
    /// Its path from the run directory, with `/` between folders.
    pub name: String,
    /// Its bytes; or the reason why it cannot be made and what to do about it.
    pub content: Result<Vec<u8>, String>,
}

impl DerivedFile {
    /// A file of text.
    pub fn text(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), content: Ok(text.into_bytes()) }
    }

    /// The file `NAME.png` with `figure`, or with the reason why there is none.
    pub fn figure(name: &str, figure: Result<Figure, String>) -> Self {
        let absent = if cfg!(feature = "png") {
            "the embedded font cannot be read; this build is broken, install another"
        } else {
            "this bench-host was built without the cargo feature `png`; build it with default features"
        };
        let png = figure.and_then(|figure| figure.png().ok_or_else(|| absent.to_owned()));
        Self { name: format!("{name}.png"), content: png.map_err(|why| format!("not drawn: {why}")) }
    }
}

/// A document that the command `report` prints, such as one in the shape of another suite.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What it is, for the help of `--format`.
    pub summary: &'static str,
    /// Its text; or the reason why the run has none and what to do about it.
    pub print: fn(&RunView) -> Result<String, String>,
}
