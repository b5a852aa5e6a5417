//! A report as plain data: sections in order, and what programs read of the same. Renderers turn it into text, Markdown, CSV and
//! JSON; nothing here knows a format.

mod data;
mod datum;
mod table;
mod tree;

pub use self::data::Data;
pub use self::datum::{Datum, Measure};
pub use self::table::{Align, Column, Group, Rank, Table};
pub use self::tree::{Node, Tree};

use crate::Figure;

/// What a command prints.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The fields of the JSON document, which programs rely on. Sections that are not part of it are added as `sections`.
    pub data: Data,
    /// The rows of the CSV document, whose columns programs rely on.
    pub records: Option<Records>,
    /// What is shown, in this order.
    pub sections: Vec<Section>,
}

/// A flat table of values in base units, as spreadsheets read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// As many values each as there are columns, escaped; a value that is absent is empty.
    pub rows: Vec<Vec<String>>,
}

/// A part of a document.
#[derive(Clone, Debug)]
pub struct Section {
    /// Names the section for programs, such as `cells`.
    pub name: String,
    /// The heading; may be empty. Not escaped.
    pub title: String,
    /// What is in it.
    pub body: Body,
    /// Lines below the body. Not escaped.
    pub remarks: Vec<String>,
    /// Command lines below those, to be copied: none is ever broken. Not escaped.
    pub commands: Vec<String>,
    /// Whether [`Document::data`] and [`Document::records`] hold the same already, so that formats for programs leave it out.
    pub is_in_data: bool,
}

/// What a section shows.
#[derive(Clone, Debug)]
pub enum Body {
    /// Rows and columns.
    Table(Table),
    /// Parts of a whole.
    Tree(Tree),
    /// A chart.
    Figure(Figure),
    /// Lines of text.
    Notes(Notes),
}

/// Lines of text. Not escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// A line each.
    pub lines: Vec<String>,
    /// Whether they say what is wrong; a caller prints them elsewhere where the format has no room for them.
    pub are_warnings: bool,
}

impl Document {
    /// Every warning of the document, a line each. Not escaped.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let notes = self.sections.iter().filter_map(|section| match &section.body {
            Body::Notes(notes) if notes.are_warnings => Some(notes),
            _ => None,
        });
        notes.flat_map(|notes| notes.lines.iter().map(String::as_str))
    }
}

impl Section {
    /// A section without remarks, which programs find in this form alone.
    pub fn new(name: impl Into<String>, title: impl Into<String>, body: Body) -> Self {
        let (remarks, commands) = (Vec::new(), Vec::new());
        Self { name: name.into(), title: title.into(), body, remarks, commands, is_in_data: false }
    }

    /// Lines that say what is wrong.
    pub fn warnings(lines: Vec<String>) -> Self {
        let notes = Notes { lines, are_warnings: true };
        Self { is_in_data: true, ..Self::new("warnings", "", Body::Notes(notes)) }
    }

    /// Lines that explain the sections before.
    pub fn footer(lines: Vec<String>) -> Self {
        let notes = Notes { lines, are_warnings: false };
        Self { is_in_data: true, ..Self::new("footer", "", Body::Notes(notes)) }
    }

    /// The same, which programs find in [`Document::data`] and [`Document::records`].
    #[must_use]
    pub fn in_data(self) -> Self {
        Self { is_in_data: true, ..self }
    }

    /// The same with lines below the body.
    #[must_use]
    pub fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }

    /// The same with command lines below the body and its remarks.
    #[must_use]
    pub fn with_commands(self, commands: Vec<String>) -> Self {
        Self { commands, ..self }
    }
}
