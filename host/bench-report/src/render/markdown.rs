//! GitHub-flavoured Markdown, in which no text is taken for markup.

use super::{Layout, Renderer, paragraphs};
use crate::document::{Align, Body, Column, Datum, Document, Node, Section, Table, Tree};
use crate::escape;

/// Tables and lists for a page.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn summary(&self) -> &'static str {
        "Tables for a page"
    }

    fn shows_warnings(&self) -> bool {
        true
    }

    fn render(&self, document: &Document, _: &Layout) -> String {
        paragraphs(document.sections.iter().map(section))
    }
}

fn section(section: &Section) -> String {
    let title = if section.title.is_empty() { String::new() } else { format!("### {}", safe(&section.title)) };
    let body = match &section.body {
        Body::Table(table) => self::table(table),
        Body::Tree(tree) => self::tree(tree),
        Body::Notes(notes) => list(&notes.lines),
        Body::Figure(figure) => format!("![{}]({}.png)", safe(&figure.title), section.name),
    };
    let parts = [title, body, list(&section.remarks)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {}", safe(line))).collect::<Vec<_>>().join("\n")
}

/// The group of a row is its first column.
fn table(table: &Table) -> String {
    let is_grouped = !table.grouped_by.is_empty();
    let group = is_grouped.then(|| Column::words(table.grouped_by.clone()));
    let columns: Vec<&Column> = group.iter().chain(&table.columns).collect();
    let head = columns.iter().map(|column| safe(&column.title)).collect();
    let rules = columns.iter().map(|column| if column.align == Align::Right { "--:" } else { "---" }.to_owned());
    let rows = table.groups.iter().flat_map(|group| {
        let name = format!("{} {}", group.name, group.remark);
        let name = is_grouped.then(|| safe(name.trim_end()));
        group.rows.iter().map(move |row| name.iter().cloned().chain(row.iter().map(value)).collect())
    });
    let lines: Vec<Vec<String>> = [head, rules.collect()].into_iter().chain(rows).collect();
    lines.iter().map(|cells| format!("| {} |", cells.join(" | "))).collect::<Vec<_>>().join("\n")
}

/// A table whose first column shows by spaces what is a part of what.
fn tree(tree: &Tree) -> String {
    let name = |(depth, node): &(usize, &Node)| format!("{}{}", "\u{2003}".repeat(*depth), node.name);
    let row =
        |node: &(usize, &Node)| std::iter::once(Datum::Text(name(node))).chain(node.1.values.iter().cloned()).collect();
    let columns = std::iter::once(Column::words("part")).chain(tree.columns.iter().cloned()).collect();
    table(&Table::plain(columns, tree.nodes().iter().map(row).collect()))
}

fn value(datum: &Datum) -> String {
    safe(&datum.shown())
}

/// `text` as Markdown in which nothing is markup.
pub(crate) fn safe(text: &str) -> String {
    plain(&escape(text))
}

/// `text` with whatever Markdown would take for markup made plain. An underscore within a word is none.
fn plain(text: &str) -> String {
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
