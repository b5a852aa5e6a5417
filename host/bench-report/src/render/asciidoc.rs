//! AsciiDoc, in which no text is taken for markup.

use super::{Layout, Renderer, paragraphs};
use crate::document::{Align, Body, Column, Datum, Document, Node, Section, Table, Tree};
use crate::escape;

/// Tables and lists for a book or a site made with Asciidoctor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asciidoc;

impl Renderer for Asciidoc {
    fn name(&self) -> &'static str {
        "asciidoc"
    }

    fn summary(&self) -> &'static str {
        "Tables for Asciidoctor"
    }

    fn shows_warnings(&self) -> bool {
        true
    }

    fn render(&self, document: &Document, _: &Layout) -> String {
        paragraphs(document.sections.iter().map(section))
    }
}

fn section(section: &Section) -> String {
    let title = if section.title.is_empty() { String::new() } else { format!(".{}", safe(&section.title)) };
    let body = match &section.body {
        Body::Table(table) => self::table(table),
        Body::Tree(tree) => self::tree(tree),
        Body::Notes(notes) => list(&notes.lines),
        Body::Figure(figure) => format!("image::{}.png[{}]", section.name, safe(&figure.title)),
    };
    let titled = if title.is_empty() || body.is_empty() { body } else { format!("{title}\n{body}") };
    let parts = [titled, list(&section.remarks), code(&section.commands)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Command lines as a block whose text is taken as it is.
fn code(lines: &[String]) -> String {
    let block = |line: &String| format!("----\n{}\n----", escape(line));
    lines.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("* {}", safe(line))).collect::<Vec<_>>().join("\n")
}

/// The group of a row is its first column.
fn table(table: &Table) -> String {
    let is_grouped = !table.grouped_by.is_empty();
    let group = is_grouped.then(|| Column::words(table.grouped_by.clone()));
    let columns: Vec<&Column> = group.iter().chain(&table.columns).collect();
    let aligned = columns.iter().map(|column| if column.align == Align::Right { ">1" } else { "<2" });
    let head: Vec<String> = columns.iter().map(|column| format!("|{}", safe(&column.title))).collect();
    let mut lines = vec![
        format!("[%header,cols=\"{}\"]", aligned.collect::<Vec<_>>().join(",")),
        "|===".to_owned(),
        head.join(" "),
        String::new(),
    ];
    for group in &table.groups {
        let name = format!("{} {}", group.name, group.remark);
        let name = is_grouped.then(|| safe(name.trim_end()));
        for row in &group.rows {
            let values = name.iter().cloned().chain(row.iter().map(|datum| safe(&datum.shown())));
            lines.push(values.map(|value| format!("|{value}")).collect::<Vec<_>>().join(" "));
        }
    }
    lines.push("|===".to_owned());
    lines.join("\n")
}

/// A table whose first column shows by spaces what is a part of what.
fn tree(tree: &Tree) -> String {
    let name = |(depth, node): &(usize, &Node)| format!("{}{}", "\u{2003}".repeat(*depth), node.name);
    let row =
        |node: &(usize, &Node)| std::iter::once(Datum::Text(name(node))).chain(node.1.values.iter().cloned()).collect();
    let columns = std::iter::once(Column::words("part")).chain(tree.columns.iter().cloned()).collect();
    table(&Table::plain(columns, tree.nodes().iter().map(row).collect()))
}

/// `text` with whatever AsciiDoc would take for markup as a character reference, which it leaves as it is.
fn safe(text: &str) -> String {
    let escaped = escape(text);
    let mut out = String::with_capacity(escaped.len());
    let mut before = None;
    for (at, character) in escaped.char_indices() {
        if is_markup(before, &escaped[at..]) {
            out.push_str(&format!("&#{};", u32::from(character)));
        } else {
            out.push(character);
        }
        before = Some(character);
    }
    out
}

/// Whether the first character of `rest` is one of those that mean something, the second of two that mean something together
/// (`--`, `...`, `((`), or the beginning of a sign such as `(C)`.
fn is_markup(before: Option<char>, rest: &str) -> bool {
    const ALONE: &str = "|*_`#+^~{}[]<>&'\":\\@";
    const SIGNS: [&str; 3] = ["(C)", "(R)", "(TM)"];
    let Some(first) = rest.chars().next() else { return false };
    let is_second = before == Some(first) && first.is_ascii_punctuation();
    ALONE.contains(first) || is_second || SIGNS.iter().any(|sign| rest.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_markup() {
        let check = |text: &str, expect: &str| assert_eq!(safe(text), expect);
        check("a|b *c* {d}", "a&#124;b &#42;c&#42; &#123;d&#125;");
        check("include::/etc/passwd[]", "include&#58;&#58;/etc/passwd&#91;&#93;");
        check("plain-1 µs (4 of 5).", "plain-1 µs (4 of 5).");
        check("a--b... ((x)) user@host.org", "a-&#45;b.&#46;&#46; (&#40;x)&#41; user&#64;host.org");
        check("(C) (R) (TM) (c)", "&#40;C) &#40;R) &#40;TM) (c)");
    }
}
