//! The formats of a document. A format is a file here that implements [`Renderer`], and its row in [`RENDERERS`].

mod asciidoc;
mod csv;
mod json;
mod markdown;
mod text;

pub use self::csv::Csv;
pub use self::json::Json;
pub use self::markdown::Markdown;
pub use self::text::Text;

pub use self::csv::print as print_csv;
pub(crate) use self::json::print;
pub use self::json::print as print_json;
pub(crate) use self::markdown::safe as plain_markdown;

use crate::Document;
use std::fmt::Debug;

/// Every format, the default one first.
pub const RENDERERS: &[&dyn Renderer] = &[&Text, &Json, &Csv, &Markdown, &asciidoc::Asciidoc];

/// Writes documents in one format.
pub trait Renderer: Debug + Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;

    /// What it is, for the help of `--format`.
    fn summary(&self) -> &'static str;

    /// Whether its readers see the warnings of a document; where not, the caller prints them elsewhere.
    fn shows_warnings(&self) -> bool;

    /// `document` in this format, ending with a line break. Text of modules cannot reach a terminal as anything but text.
    fn render(&self, document: &Document, layout: &Layout) -> String;
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of characters that tables keep within.
    pub width: usize,
    /// Whether every column is shown, whatever the width.
    pub is_wide: bool,
    /// Whether notes are broken into lines of that width too. In a file or a pipe each is one line, which can be searched.
    pub breaks_notes: bool,
}

impl Layout {
    /// The width where the output is not a terminal.
    pub const WIDTH: usize = 100;
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: Self::WIDTH, is_wide: false, breaks_notes: false }
    }
}

/// Paragraphs with an empty line between them, each ending with a line break; those that are empty are left out.
fn paragraphs(texts: impl IntoIterator<Item = String>) -> String {
    let shown: Vec<String> =
        texts.into_iter().filter(|text| !text.is_empty()).map(|text| format!("{text}\n")).collect();
    shown.join("\n")
}
