//! Comma-separated values in base units, nothing scaled. The records of the document come first; every further section is a table
//! of its own after an empty line, whose first column names the section.

use super::{Layout, Renderer, paragraphs};
use crate::document::{Body, Column, Datum, Document, Measure, Node, Section, Table, Tree};
use crate::{Figure, escape};

/// Values for a spreadsheet.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

impl Renderer for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn summary(&self) -> &'static str {
        "Comma-separated values in base units"
    }

    fn shows_warnings(&self) -> bool {
        false
    }

    fn render(&self, document: &Document, _: &Layout) -> String {
        let records = document.records.iter().map(|records| {
            let head: Vec<String> = records.columns.iter().map(|name| (*name).to_owned()).collect();
            print(&head, &records.rows)
        });
        let is_known = |section: &Section| section.is_in_data && document.records.is_some();
        let is_text = |section: &Section| section.is_in_data && matches!(section.body, Body::Notes(_));
        let others = document.sections.iter().filter(|section| !is_known(section) && !is_text(section)).map(section);
        paragraphs(records.chain(others))
    }
}

fn section(section: &Section) -> String {
    let (columns, rows) = match &section.body {
        Body::Table(table) => self::table(table),
        Body::Tree(tree) => self::tree(tree),
        Body::Figure(figure) => self::figure(figure),
        Body::Notes(notes) => (vec!["note".to_owned()], notes.lines.iter().map(|line| vec![line.clone()]).collect()),
    };
    let title = if section.title.is_empty() { &section.name } else { &section.title };
    let head: Vec<String> = std::iter::once("section".to_owned()).chain(columns).collect();
    let safe = |text: String| escape(&text).into_owned();
    let row = |row: Vec<String>| std::iter::once(title.clone()).chain(row).map(safe).collect();
    print(&head, &rows.into_iter().map(row).collect::<Vec<_>>())
}

type Rows = (Vec<String>, Vec<Vec<String>>);

fn table(table: &Table) -> Rows {
    let is_grouped = !table.grouped_by.is_empty();
    let fields = Fields::of(&table.columns, &table.rows().collect::<Vec<_>>());
    let group = is_grouped.then(|| [table.grouped_by.clone(), "remark".to_owned()]);
    let columns = group.into_iter().flatten().chain(fields.head()).collect();
    let rows = table.groups.iter().flat_map(|group| {
        let name = is_grouped.then(|| [group.name.clone(), group.remark.clone()]);
        let fields = &fields;
        group.rows.iter().map(move |row| name.iter().flatten().cloned().chain(fields.row(row)).collect())
    });
    (columns, rows.collect())
}

fn tree(tree: &Tree) -> Rows {
    let nodes = tree.nodes();
    let fields = Fields::of(&tree.columns, &nodes.iter().map(|(_, node)| &node.values).collect::<Vec<_>>());
    let row = |(depth, node): &(usize, &Node)| {
        [depth.to_string(), node.name.clone()].into_iter().chain(fields.row(&node.values)).collect()
    };
    (["depth", "part"].map(str::to_owned).into_iter().chain(fields.head()).collect(), nodes.iter().map(row).collect())
}

fn figure(figure: &Figure) -> Rows {
    let columns = ["panel", "line", "across", "up", "low", "high"].map(str::to_owned).to_vec();
    let rows = figure.points().map(|(panel, line, point)| {
        let [low, high] = point.between.map_or([const { String::new() }; 2], |(low, high)| [low, high].map(number));
        vec![panel.title.clone(), line.name.clone(), number(point.across), number(point.up), low, high]
    });
    (columns, rows.collect())
}

fn number(value: f64) -> String {
    Datum::number(value, Measure::Plain).raw()
}

/// Which fields the columns of a table become: a range is two, and a figure whose unit differs from row to row is followed by it.
struct Fields<'a>(Vec<Field<'a>>);

struct Field<'a> {
    key: &'a str,
    is_range: bool,
    /// Of all figures, where it is one.
    unit: Option<String>,
    has_units: bool,
}

impl<'a> Fields<'a> {
    fn of(columns: &'a [Column], rows: &[&Vec<Datum>]) -> Self {
        let field = |(index, column): (usize, &'a Column)| {
            let mut units: Vec<String> = rows.iter().filter_map(|row| row[index].unit()).collect();
            units.sort_unstable();
            units.dedup();
            Field {
                key: &column.key,
                is_range: rows.iter().any(|row| matches!(row[index], Datum::Range { .. })),
                has_units: units.len() > 1,
                unit: units.first().filter(|unit| units.len() == 1 && *unit != "1").cloned(),
            }
        };
        Self(columns.iter().enumerate().map(field).collect())
    }

    fn head(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|field| {
            let unit = field.unit.as_ref().map_or_else(String::new, |unit| format!(" [{unit}]"));
            let ends: &[&str] = if field.is_range { &["_low", "_high"] } else { &[""] };
            let names = ends.iter().map(move |end| format!("{}{end}{unit}", field.key));
            names.chain(field.has_units.then(|| format!("{}_unit", field.key)))
        })
    }

    fn row(&self, row: &[Datum]) -> impl Iterator<Item = String> {
        self.0.iter().zip(row).flat_map(|(field, datum)| {
            let values = match datum {
                Datum::Range { low, high, .. } => vec![number(*low), number(*high)],
                other if field.is_range => vec![other.raw(), String::new()],
                other => vec![other.raw()],
            };
            values.into_iter().chain(field.has_units.then(|| datum.unit().unwrap_or_default()))
        })
    }
}

/// Comma-separated values of a header and rows of the same length, without a line break at the end.
pub fn print(columns: &[String], rows: &[Vec<String>]) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    // Writing into a vector cannot fail, and every row has the same length.
    writer.write_record(columns).expect("a vector takes all rows");
    rows.iter().for_each(|row| writer.write_record(row).expect("a vector takes all rows"));
    let bytes = writer.into_inner().expect("a vector takes all rows");
    String::from_utf8(bytes).expect("every field is text").trim_end().to_owned()
}
