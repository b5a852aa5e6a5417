//! One JSON document: the fields that programs rely on, and every further section under `sections`, with figures in base units.

use super::{Layout, Renderer};
use crate::document::{Body, Column, Datum, Document, Node, Section, Table, Tree};
use crate::escape::is_treacherous;
use crate::{Figure, Panel};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One document for programs.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "One JSON document"
    }

    fn shows_warnings(&self) -> bool {
        false
    }

    fn render(&self, document: &Document, _: &Layout) -> String {
        let sections: Vec<Value> =
            document.sections.iter().filter(|section| !section.is_in_data).map(section).collect();
        match sections.is_empty() {
            true => print(&document.data),
            false => print(&document.data.clone().with("sections", &sections)),
        }
    }
}

/// `document`, which is plain data with text keys, indented, ending with a line break. What a terminal would obey is written as
/// `\u` escapes, which changes no value.
pub fn print(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("plain data with text keys is JSON");
    harmless(&text) + "\n"
}

fn section(section: &Section) -> Value {
    let (kind, body) = match &section.body {
        Body::Table(table) => ("table", self::table(table)),
        Body::Tree(tree) => ("tree", json!({"columns": columns(&tree.columns), "parts": nodes(tree, &tree.roots)})),
        Body::Figure(figure) => ("figure", self::figure(figure)),
        Body::Notes(notes) => ("notes", json!({"lines": notes.lines})),
    };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(section.name));
    fields.insert("title".to_owned(), json!(section.title));
    fields.insert("kind".to_owned(), json!(kind));
    if let Value::Object(body) = body {
        fields.extend(body);
    }
    fields.insert("remarks".to_owned(), json!(section.remarks));
    if !section.commands.is_empty() {
        fields.insert("commands".to_owned(), json!(section.commands));
    }
    Value::Object(fields)
}

fn table(table: &Table) -> Value {
    let rows = table.groups.iter().flat_map(|group| {
        group.rows.iter().map(|row| {
            let mut fields = Map::new();
            if !table.grouped_by.is_empty() {
                fields.insert(table.grouped_by.clone(), json!(group.name));
                fields.insert("remark".to_owned(), json!(group.remark));
            }
            fields.extend(values(&table.columns, row));
            Value::Object(fields)
        })
    });
    json!({"columns": columns(&table.columns), "rows": rows.collect::<Vec<_>>()})
}

fn columns(columns: &[Column]) -> Vec<Value> {
    columns.iter().map(|column| json!({"key": column.key, "title": column.title})).collect()
}

/// The values of a row. Columns with the same key are parts of one figure, such as an estimate and its interval.
fn values(columns: &[Column], row: &[Datum]) -> Map<String, Value> {
    let mut values = Map::new();
    for (column, datum) in columns.iter().zip(row) {
        match (values.get_mut(&column.key), datum.json()) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(known), value) if known.is_null() => *known = value,
            (Some(_), _) => (),
            (None, value) => {
                values.insert(column.key.clone(), value);
            }
        }
    }
    values
}

fn nodes(tree: &Tree, nodes: &[Node]) -> Vec<Value> {
    let node = |node: &Node| json!({"name": node.name, "values": values(&tree.columns, &node.values), "parts": self::nodes(tree, &node.parts)});
    nodes.iter().map(node).collect()
}

fn figure(figure: &Figure) -> Value {
    let panel = |panel: &Panel| {
        let lines = panel.lines.iter().map(|line| {
            let point = |point: &crate::Point| {
                let [low, high] = point.between.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
                json!({"across": point.across, "up": point.up, "low": low, "high": high})
            };
            json!({"name": line.name, "points": line.points.iter().map(point).collect::<Vec<_>>()})
        });
        json!({
            "title": panel.title,
            "across": {"title": panel.across.title, "unit": panel.across.unit.as_str()},
            "up": {"title": panel.up.title, "unit": panel.up.unit.as_str()},
            "lines": lines.collect::<Vec<_>>(),
        })
    };
    json!({"panels": figure.panels.iter().map(panel).collect::<Vec<_>>(), "notes": figure.notes})
}

/// Such characters are only ever inside of JSON strings, where an escape stands for the same character.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // The line breaks are those of the document; within strings they are escaped already.
        if character == '\n' || !is_treacherous(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("a string takes all text");
        }
    }
    out
}
