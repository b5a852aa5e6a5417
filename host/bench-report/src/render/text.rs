//! Aligned text that keeps within the width of a terminal.

use super::{Layout, Renderer, paragraphs};
use crate::document::{Align, Body, Column, Datum, Document, Node, Rank, Section, Table, Tree};
use crate::escape;
use comfy_table::{CellAlignment, ColumnConstraint, Table as Grid, Width, presets};
use unicode_width::UnicodeWidthStr;

/// Aligned text for people.
#[derive(Clone, Copy, Debug)]
pub struct Text;

/// Between columns.
const GAP: usize = 2;

/// Before the rows of a group and the body of a section.
const INDENT: &str = "  ";

/// A column of words is not made narrower than this.
const WORDS_WIDTH_MIN: usize = 12;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "table"
    }

    fn summary(&self) -> &'static str {
        "Aligned text"
    }

    fn shows_warnings(&self) -> bool {
        true
    }

    fn render(&self, document: &Document, layout: &Layout) -> String {
        paragraphs(document.sections.iter().map(|section| self::section(section, layout)))
    }
}

fn section(section: &Section, layout: &Layout) -> String {
    let has_title = !section.title.is_empty();
    let indent = if has_title { INDENT } else { "" };
    let room = Layout { width: layout.width.saturating_sub(indent.len()), ..*layout };
    let body = match &section.body {
        Body::Table(table) => self::table(table, &room),
        Body::Tree(tree) => self::tree(tree, &room),
        Body::Notes(notes) => notes.lines.iter().flat_map(|line| note(line, &room)).collect(),
        Body::Figure(figure) => vec![format!("{}.png: {}", section.name, escape(&figure.title))],
    };
    let title = has_title.then(|| wrapped(&escape(&section.title), layout.width)).into_iter().flatten();
    let remarks = section.remarks.iter().flat_map(|remark| note(remark, &room));
    let commands = section.commands.iter().map(|command| escape(command).into_owned());
    let below = body.into_iter().chain(remarks).chain(commands).map(|line| format!("{indent}{line}"));
    title.chain(below).collect::<Vec<_>>().join("\n")
}

fn note(text: &str, layout: &Layout) -> Vec<String> {
    let text = escape(text);
    if layout.breaks_notes && text.width() > layout.width {
        wrapped(&text, layout.width)
    } else {
        vec![text.into_owned()]
    }
}

/// The whole, then its parts, each indented below what it is a part of.
fn tree(tree: &Tree, layout: &Layout) -> Vec<String> {
    let name = |(depth, node): &(usize, &Node)| Datum::Text(format!("{}{}", INDENT.repeat(*depth), node.name));
    let row = |node: &(usize, &Node)| std::iter::once(name(node)).chain(node.1.values.iter().cloned()).collect();
    let columns = std::iter::once(Column::words("")).chain(tree.columns.iter().cloned()).collect();
    let rows = tree.nodes().iter().map(row).collect();
    let mut lines = self::table(&Table::plain(columns, rows), layout);
    // Names of columns would say less than the figures under them.
    if tree.columns.iter().all(|column| column.title.is_empty()) {
        lines.remove(0);
    }
    lines
}

fn table(table: &Table, layout: &Layout) -> Vec<String> {
    let has_groups = table.groups.iter().any(|group| !group.name.is_empty());
    let indent = if has_groups { INDENT } else { "" };
    let shape = Shape::of(table, layout, indent.len());
    let indented = |line: String| if line.is_empty() { line } else { format!("{indent}{line}") };
    let mut lines: Vec<String> = shape.lines(vec![shape.head()]).into_iter().map(indented).collect();
    for group in &table.groups {
        if has_groups {
            let heading = format!("{}  {}", group.name, group.remark);
            lines.extend(wrapped(escape(heading.trim_end()).as_ref(), layout.width));
        }
        let rows = group.rows.iter().map(|row| shape.row(row)).collect();
        lines.extend(shape.lines(rows).into_iter().map(indented));
    }
    lines
}

/// Which columns of a table are shown, and how wide each is.
struct Shape<'a> {
    table: &'a Table,
    shown: Vec<Shown>,
    widths: Vec<usize>,
}

/// A column as it is shown: one of the table's, or all arguments together.
#[derive(Clone, PartialEq)]
enum Shown {
    One(usize),
    Arguments(Vec<usize>),
}

impl<'a> Shape<'a> {
    /// Leaves out what is empty; then, as far as the table is too wide, what is least important. Where that is not enough, the arguments
    /// are joined instead, as little is left out as then fits, and words go on in the next line.
    fn of(table: &'a Table, layout: &Layout, indent: usize) -> Self {
        let is_void = |index: usize| table.rows().all(|row| row[index].is_void());
        let is_shown = |(index, column): &(usize, &Column)| match column.rank {
            Rank::Essential | Rank::Argument | Rank::Secondary(_) => true,
            Rank::Filled | Rank::Extra(_) => !is_void(*index),
        };
        let shown = table.columns.iter().enumerate().filter(is_shown).map(|(index, _)| Shown::One(index)).collect();
        let mut shape = Self { table, shown, widths: Vec::new() };
        shape.measure();
        let room = layout.width.saturating_sub(indent);
        if layout.is_wide {
            return shape;
        }
        let all = shape.shown.clone();
        shape.drop_extras(room);
        if shape.width() > room {
            shape.shown = all;
            shape.join_arguments();
            shape.measure();
            shape.drop_extras(room);
        }
        shape.narrow(room);
        shape
    }

    fn measure(&mut self) {
        let head = self.head();
        let mut widths: Vec<usize> = head.iter().map(|text| text.width()).collect();
        for row in self.table.rows() {
            for (width, text) in widths.iter_mut().zip(self.row(row)) {
                *width = (*width).max(text.width());
            }
        }
        self.widths = widths;
    }

    fn width(&self) -> usize {
        self.widths.iter().sum::<usize>() + GAP * self.widths.len().saturating_sub(1)
    }

    /// The width where each of the joined arguments has a line of its own.
    fn narrowest(&self) -> usize {
        let joined = self.shown.iter().zip(&self.widths).find_map(|(shown, width)| match shown {
            Shown::Arguments(indices) => Some((indices, *width)),
            Shown::One(_) => None,
        });
        let Some((indices, width)) = joined else { return self.width() };
        let pairs = self.table.rows().flat_map(|row| indices.iter().map(move |index| self.pair(row, *index).width()));
        self.width() - width + pairs.max().unwrap_or_default().clamp(WORDS_WIDTH_MIN.min(width), width)
    }

    fn drop_extras(&mut self, room: usize) {
        while self.narrowest() > room && self.drop_extra() {}
    }

    fn drop_extra(&mut self) -> bool {
        let rank = |shown: &Shown| match shown {
            Shown::One(index) => match self.table.columns[*index].rank {
                Rank::Extra(rank) | Rank::Secondary(rank) => Some(rank),
                _ => None,
            },
            Shown::Arguments(_) => None,
        };
        let least = (0..self.shown.len()).filter_map(|place| Some((rank(&self.shown[place])?, place))).max();
        let Some((_, place)) = least else { return false };
        self.shown.remove(place);
        self.widths.remove(place);
        true
    }

    /// Makes one column of all arguments, which takes no room for their names.
    fn join_arguments(&mut self) {
        let arguments = self.shown.iter().filter_map(|shown| match shown {
            Shown::One(index) if self.table.columns[*index].rank == Rank::Argument => Some(*index),
            _ => None,
        });
        let arguments: Vec<usize> = arguments.collect();
        let [first, _, ..] = arguments[..] else { return };
        self.shown.retain(|shown| !matches!(shown, Shown::One(index) if arguments[1..].contains(index)));
        if let Some(place) = self.shown.iter().position(|shown| *shown == Shown::One(first)) {
            self.shown[place] = Shown::Arguments(arguments);
        }
    }

    /// Takes what is too much off the widest columns of words.
    fn narrow(&mut self, room: usize) {
        while self.width() > room {
            let excess = self.width() - room;
            let can_wrap = |place: &usize| self.align(*place) == Align::Left && self.widths[*place] > WORDS_WIDTH_MIN;
            let Some(widest) = (0..self.widths.len()).filter(can_wrap).max_by_key(|place| self.widths[*place]) else {
                return;
            };
            self.widths[widest] = self.widths[widest].saturating_sub(excess).max(WORDS_WIDTH_MIN);
        }
    }

    fn align(&self, place: usize) -> Align {
        match &self.shown[place] {
            Shown::One(index) => self.table.columns[*index].align,
            Shown::Arguments(_) => Align::Left,
        }
    }

    fn head(&self) -> Vec<String> {
        let title = |shown: &Shown| match shown {
            Shown::One(index) => escape(&self.table.columns[*index].title).into_owned(),
            Shown::Arguments(_) => "arguments".to_owned(),
        };
        self.shown.iter().map(title).collect()
    }

    fn row(&self, row: &[Datum]) -> Vec<String> {
        let text = |shown: &Shown| match shown {
            Shown::One(index) => row[*index].shown(),
            Shown::Arguments(indices) => {
                let shown = indices.iter().filter(|index| !row[**index].is_void());
                shown.map(|index| self.pair(row, *index)).collect::<Vec<_>>().join(" ")
            }
        };
        self.shown.iter().map(|shown| escape(&text(shown)).into_owned()).collect()
    }

    /// An argument with its name.
    fn pair(&self, row: &[Datum], index: usize) -> String {
        format!("{}={}", self.table.columns[index].title, row[index].shown())
    }

    /// `rows` with their columns aligned; no line ends with a space.
    fn lines(&self, rows: Vec<Vec<String>>) -> Vec<String> {
        if rows.is_empty() {
            return Vec::new();
        }
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).add_rows(rows);
        for (place, column) in grid.column_iter_mut().enumerate() {
            let gap = if place + 1 < self.widths.len() { GAP as u16 } else { 0 };
            column.set_padding((0, gap));
            let width = u16::try_from(self.widths[place].max(1)).unwrap_or(u16::MAX - gap);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width + gap)));
            if self.align(place) == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// `text` in lines of at most `width`, the further ones indented. A word that is longer has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() || line.width() + 1 + word.width() <= width {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("{INDENT}{INDENT}{word}"));
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}
