//! Rows and columns, in groups where rows belong together.

use super::Datum;

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the groups are, such as `scenario`; empty where there is one group without a name.
    pub grouped_by: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, in groups.
    pub groups: Vec<Group>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in formats for programs.
    pub key: String,
    /// Its name for people.
    pub title: String,
    /// On which side its values stand below each other.
    pub align: Align,
    /// When it is left out.
    pub rank: Rank,
}

/// On which side the values of a column stand below each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// When text for people leaves a column out. Formats for programs have them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Never.
    Essential,
    /// Where it has no value in any row.
    Filled,
    /// Never; but where the table is too wide, all of these become one column.
    Argument,
    /// Where it has no value in any row, or the table is too wide; the highest number is left out first.
    Extra(u8),
    /// Where the table is too wide, by the same numbers as `Extra`; but never because it has no value.
    Secondary(u8),
}

/// Rows that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The heading; empty where the table has no groups. Not escaped.
    pub name: String,
    /// What holds for all of its rows, such as the arguments that they share. Not escaped.
    pub remark: String,
    /// As many values each as there are columns.
    pub rows: Vec<Vec<Datum>>,
}

impl Table {
    /// A table without groups.
    pub fn plain(columns: Vec<Column>, rows: Vec<Vec<Datum>>) -> Self {
        Self { grouped_by: String::new(), columns, groups: vec![Group { rows, ..Group::default() }] }
    }

    /// Every row, whatever its group.
    pub fn rows(&self) -> impl Iterator<Item = &Vec<Datum>> {
        self.groups.iter().flat_map(|group| &group.rows)
    }
}

impl Column {
    /// A column of words that is always shown.
    pub fn words(title: impl Into<String>) -> Self {
        Self::new(title.into(), Align::Left)
    }

    /// A column of figures that is always shown.
    pub fn figures(title: impl Into<String>) -> Self {
        Self::new(title.into(), Align::Right)
    }

    fn new(title: String, align: Align) -> Self {
        let key = title.chars().map(|letter| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
        Self { key: key.collect::<String>().trim_matches('_').to_owned(), title, align, rank: Rank::Essential }
    }

    /// The same under another name in formats for programs.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self }
    }

    /// The same, left out as `rank` says.
    #[must_use]
    pub fn rank(self, rank: Rank) -> Self {
        Self { rank, ..self }
    }
}
