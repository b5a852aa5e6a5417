//! Sections of a document as HTML: tables, trees, figures and notes, those of families included.

use super::cell::chart;
use super::write::{copy_button, figure, list, nested_list, safe, sorting_head};
use crate::document::{Align, Body, Column, Datum, Document, Group, Rank, Section, Table, Tree};
use crate::environment;
use crate::plots::Chart;

/// A table of so many rows or more can be filtered.
const FILTERED_FROM: usize = 12;

/// Every section of `document`; `prefix` begins the identifiers of its tables, and `source` says what its figures are of.
pub(super) fn all(document: &Document, prefix: &str, source: &str) -> String {
    let numbered = document.sections.iter().enumerate();
    numbered.map(|(index, section)| one(section, &format!("{prefix}-{index}"), source)).collect()
}

/// One section, whose table has the identifier `id`, and whose figure is noted to be of `source`.
pub(super) fn one(section: &Section, id: &str, source: &str) -> String {
    let title = if section.title.is_empty() { String::new() } else { format!("<h3>{}</h3>", safe(&section.title)) };
    let body = match &section.body {
        Body::Table(table) => self::table(table, id, &section.title),
        Body::Tree(tree) => self::tree(tree, id, &section.title),
        Body::Figure(figure) => chart(Chart::Figure(figure.clone()).with_note(source), "wide"),
        Body::Notes(notes) if notes.lines.is_empty() => return String::new(),
        Body::Notes(notes) => nested_list(&notes.lines),
    };
    let commands = section.commands.iter().map(|command| format!("<pre><code>{}</code></pre>", safe(command)));
    format!("<div class=\"part\">{title}{body}{}{}</div>", list(&section.remarks), commands.collect::<String>())
}

fn table(table: &Table, id: &str, title: &str) -> String {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|index| is_shown(table, *index)).collect();
    let columns: Vec<&Column> = shown.iter().map(|index| &table.columns[*index]).collect();
    let has_groups = !table.grouped_by.is_empty();
    let groups: String = table.groups.iter().map(|group| self::group(group, &shown, &columns, has_groups)).collect();
    let label = if title.is_empty() { "Table" } else { title };
    let heads = columns.iter().map(|column| sorting_head(&column.title, class_of(column.align)));
    format!(
        "<div class=\"tools\">{}{}</div><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table id=\"{id}\">\
         <thead><tr>{}</tr></thead>{groups}</table></div>",
        filter(table, id),
        copy_button(id),
        safe(label),
        heads.collect::<String>()
    )
}

/// What shows some rows of a long table, and how many those are.
fn filter(table: &Table, id: &str) -> String {
    if table.rows().count() < FILTERED_FROM {
        return String::new();
    }
    format!(
        "<label>Filter <input type=\"search\" placeholder=\"words of a row…\" data-rows=\"{id}\"></label>\
         <span class=\"found\" role=\"status\" aria-live=\"polite\"></span>"
    )
}

/// The class of what stands in a column.
fn class_of(align: Align) -> &'static str {
    if align == Align::Right { "n" } else { "" }
}

/// A column without a value in any row is left out where its rank permits.
fn is_shown(table: &Table, index: usize) -> bool {
    let may_be_left_out = matches!(table.columns[index].rank, Rank::Filled | Rank::Extra(_));
    !may_be_left_out || table.rows().any(|row| !row[index].is_void())
}

fn group(group: &Group, shown: &[usize], columns: &[&Column], has_groups: bool) -> String {
    let heading = match has_groups {
        true => format!(
            "<tr><th scope=\"rowgroup\" class=\"group\" colspan=\"{}\">{} <span class=\"args\">{}</span></th></tr>",
            columns.len(),
            safe(&group.name),
            safe(&group.remark)
        ),
        false => String::new(),
    };
    let row = |row: &Vec<Datum>| {
        let cells: String = shown.iter().zip(columns).map(|(index, column)| cell(&row[*index], column.align)).collect();
        format!("<tr>{cells}</tr>")
    };
    format!("<tbody>{heading}{}</tbody>", group.rows.iter().map(row).collect::<String>())
}

fn cell(datum: &Datum, align: Align) -> String {
    if align == Align::Right {
        return figure(datum);
    }
    let text = datum.shown();
    // A verdict may be followed by what makes it doubtful.
    let class = match text.split(", ").next().unwrap_or_default() {
        "pass" | "ok" => "good",
        "different" => "info",
        "MISS" | "FAILED" => "bad",
        "void" | "withheld" | environment::MARK => "doubt",
        _ => "",
    };
    if class.is_empty() {
        format!("<td>{}</td>", safe(&text))
    } else {
        format!("<td><span class=\"{class}\">{}</span></td>", safe(&text))
    }
}

/// A table whose first column is indented by what is a part of what. It has one order, so it is not sorted.
fn tree(tree: &Tree, id: &str, title: &str) -> String {
    let head = |column: &Column| {
        let class = if column.align == Align::Right { " class=\"n\"" } else { "" };
        format!("<th scope=\"col\"{class}>{}</th>", safe(&column.title))
    };
    let heads: String = tree.columns.iter().map(head).collect();
    let row = |(depth, node): (usize, &crate::Node)| {
        let cells: String = node.values.iter().map(figure).collect();
        format!("<tr><th scope=\"row\" class=\"d{}\">{}</th>{cells}</tr>", depth.min(5), safe(&node.name))
    };
    let rows: String = tree.nodes().into_iter().map(row).collect();
    let label = if title.is_empty() { "Parts" } else { title };
    format!(
        "<div class=\"tools\">{}</div><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table id=\"{id}\">\
         <thead><tr><th scope=\"col\">part</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        copy_button(id),
        safe(label)
    )
}
