//! Rows of text laid out, aligned or as Markdown. Knows columns, not what is in them.

use comfy_table::{CellAlignment, Table, presets};
use std::ops::Range;

/// What stands where there is no figure.
pub(crate) const ABSENT: &str = "–";

/// A table that is still to be laid out. Its texts are escaped already.
pub(crate) struct Grid<'a> {
    /// The names of the columns.
    pub(crate) head: &'a [&'a str],
    /// Which of the columns hold figures, whose units stand below each other.
    pub(crate) figures: Range<usize>,
    /// As many texts each as there are columns.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Grid<'_> {
    /// Aligned columns below their names. Nothing is wrapped or cut; no line ends with a space.
    pub(crate) fn text(self) -> String {
        let mut table = Table::new();
        table.set_header(self.head);
        self.aligned(table)
    }

    /// Aligned columns without their names.
    pub(crate) fn text_without_head(self) -> String {
        self.aligned(Table::new())
    }

    /// A table of GitHub-flavoured Markdown, in which no text is taken for markup.
    pub(crate) fn markdown(self) -> String {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let names: Vec<String> = self.head.iter().map(|name| (*name).to_owned()).collect();
        let rule = |index| if self.figures.contains(&index) { "--:" } else { "---" }.to_owned();
        let rules: Vec<String> = (0..names.len()).map(rule).collect();
        let body = self.rows.iter().map(|row| row.iter().map(|text| plain(text.trim())).collect::<Vec<_>>());
        let lines = [line(&names), line(&rules)].into_iter().chain(body.map(|row| line(&row)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn aligned(self, mut table: Table) -> String {
        table.load_style(presets::NOTHING).add_rows(self.rows);
        for (index, column) in table.column_iter_mut().enumerate() {
            // Two spaces between columns, none before the first.
            column.set_padding((0, 2));
            if self.figures.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }
}

/// `text` with whatever Markdown would take for markup made plain. An underscore within a word is none.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_word = false;
    while let Some(character) = characters.next() {
        let within_word = is_word && characters.peek().is_some_and(|next| next.is_alphanumeric());
        let is_markup = matches!(character, '\\' | '|' | '<' | '>' | '*' | '[' | ']' | '&' | '`' | '~' | '#');
        if is_markup || (character == '_' && !within_word) {
            out.push('\\');
        }
        out.push(character);
        is_word = character.is_alphanumeric();
    }
    out
}

/// Paragraphs with an empty line between them, each ending with a line break; those that are empty are left out.
pub(crate) fn paragraphs(texts: impl IntoIterator<Item = String>) -> String {
    let shown: Vec<String> =
        texts.into_iter().filter(|text| !text.is_empty()).map(|text| format!("{text}\n")).collect();
    shown.join("\n")
}
