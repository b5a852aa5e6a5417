//! How results are shown: the format, the width, and how much of them.

use crate::output;
use bench_report::{Detail, Document, Layout, RENDERERS, Renderer};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::io::{self, IsTerminal};

/// How results are shown, which says nothing of what is measured.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ShowArgs {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = RENDERERS[0].name(), value_parser = formats())]
    pub(crate) format: Format,
    /// Show every column of tables, whatever the width of the terminal
    #[arg(long)]
    pub(crate) wide: bool,
    /// Show every series that was recorded, not only the time of an operation
    #[arg(long)]
    pub(crate) all_series: bool,
    #[arg(from_global)]
    verbose: u8,
}

/// One of the formats.
pub(crate) type Format = &'static dyn Renderer;

/// Every format that there is, by its name.
fn formats() -> impl TypedValueParser<Value = Format> {
    let values = RENDERERS.iter().map(|renderer| PossibleValue::new(renderer.name()).help(renderer.summary()));
    PossibleValuesParser::new(values).try_map(|name| {
        let found = RENDERERS.iter().find(|renderer| renderer.name() == name);
        found.copied().ok_or_else(|| format!("unknown format `{name}`"))
    })
}

impl ShowArgs {
    /// How much of a run is shown.
    pub(crate) fn detail(&self) -> Detail {
        Detail { all_series: self.all_series, all_cells: self.verbose > 0 }
    }

    /// Prints `document`; its warnings go to standard error where the format has no room for them.
    pub(crate) fn print(&self, document: &Document) -> anyhow::Result<()> {
        let width = width();
        let layout = Layout {
            width: width.unwrap_or(Layout::WIDTH),
            is_wide: self.wide,
            breaks_notes: width.is_some() && !self.wide,
        };
        output::print(&self.format.render(document, &layout))?;
        if !self.format.shows_warnings() {
            document.warnings().for_each(|warning| output::line(&format!("bench-host: {warning}")));
        }
        Ok(())
    }
}

/// What `COLUMNS` says, or else how wide the terminal is; `None` where there is none.
fn width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let terminal = || {
        let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
        size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
    };
    said.or_else(terminal)
}
