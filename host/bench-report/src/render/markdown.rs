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
    let parts = [title, body, list(&section.remarks), code(&section.commands)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {}", safe(line))).collect::<Vec<_>>().join("\n")
}

/// Command lines as blocks of code.
fn code(lines: &[String]) -> String {
    let block = |line: &String| {
        let line = escape(line);
        // Longer than any in the line, so that it ends the block and the line does not.
        let longest = line.split(|letter: char| letter != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat((longest + 1).max(3));
        format!("{fence}\n{line}\n{fence}")
    };
    lines.iter().map(block).collect::<Vec<_>>().join("\n\n")
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

/// Stands within what GitHub would make a link or a mention of. Readers do not see it, and a link does not reach across it.
const APART: &str = "<!-- -->";

/// `text` with whatever Markdown would take for markup made plain. An underscore within a word is none.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_word = false;
    for (at, character) in text.char_indices() {
        let after = &text[at + character.len_utf8()..];
        let within_word = is_word && after.starts_with(char::is_alphanumeric);
        match character {
            // A backslash alone does not keep GitHub from reading a formula; an element of its own does.
            '$' => out.push_str("<span>\\$</span>"),
            '\\' | '|' | '<' | '>' | '*' | '[' | ']' | '&' | '`' | '~' | '#' => out.extend(['\\', character]),
            '_' if !within_word => out.push_str("\\_"),
            other => out.push(other),
        }
        if is_linked(&text[..at], character, after) {
            out.push_str(APART);
        }
        is_word = character.is_alphanumeric();
    }
    out
}

/// Whether GitHub would make a link of `character` with what is around it: a mention or an address (`@name`), an issue (`#12`, `GH-12`), or
/// an address without markup (`https://`, `www.`).
fn is_linked(before: &str, character: char, after: &str) -> bool {
    let is_after = |word: &str| {
        let end = before.len().checked_sub(word.len()).and_then(|at| before.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    match character {
        '@' => after.starts_with(char::is_alphanumeric),
        '#' => after.starts_with(|next: char| next.is_ascii_digit()),
        '-' => is_after("gh") && after.starts_with(|next: char| next.is_ascii_digit()),
        ':' => after.starts_with("//"),
        '.' => is_after("www"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_markup() {
        let check = |text: &str, expect: &str| assert_eq!(safe(text), expect);
        check("a|b *c* [d](e) `f` <g> &h; ~i~ \\", "a\\|b \\*c\\* \\[d\\](e) \\`f\\` \\<g\\> \\&h; \\~i\\~ \\\\");
        check("_a_ payload_bytes", "\\_a\\_ payload_bytes");
        check("plain-1 µs (4 of 5), 10 %: ok.", "plain-1 µs (4 of 5), 10 %: ok.");
    }

    #[test]
    fn text_is_neither_a_link_nor_a_mention_nor_a_formula() {
        let check = |text: &str, expect: &str| assert_eq!(safe(text), expect);
        check("@name a@b.c @ @@x", "@<!-- -->name a@<!-- -->b.c @ @@<!-- -->x");
        check("#123 o/r#4 # GH-5 gh-x", "\\#<!-- -->123 o/r\\#<!-- -->4 \\# GH-<!-- -->5 gh-x");
        check("https://a.b ftp://c WWW.d.e", "https:<!-- -->//a.b ftp:<!-- -->//c WWW.<!-- -->d.e");
        check("$x$", "<span>\\$</span>x<span>\\$</span>");
    }

    #[test]
    fn command_lines_are_code_that_nothing_in_them_ends() {
        assert_eq!(code(&["a 'b'".to_owned()]), "```\na 'b'\n```");
        assert_eq!(code(&["```` x".to_owned()]), "`````\n```` x\n`````");
    }
}
