//! Tables of a page that no other document has, as one table for a spreadsheet each.

use crate::document::{Body, Column, Datum, Document, Group, Measure, Section, Table};

/// The tables and trees of `sections` below each other, named `name`; those with other columns than the one before begin a table of
/// their own. The title of a section is a column, and so is how deep a part of a tree is.
pub(super) fn joined<'a>(name: &str, sections: impl Iterator<Item = &'a Section>) -> Document {
    let mut tables: Vec<Table> = Vec::new();
    for section in sections {
        let Some((columns, rows)) = flat(&section.body) else { continue };
        let group = Group { name: section.title.clone(), remark: String::new(), rows };
        match tables.last_mut() {
            Some(table) if table.columns == columns => table.groups.push(group),
            _ => tables.push(Table { grouped_by: "title".to_owned(), columns, groups: vec![group] }),
        }
    }
    let sections = tables.into_iter().map(|table| Section::new(name, "", Body::Table(table)));
    Document { sections: sections.collect(), ..Document::default() }
}

/// The columns and rows of a table or tree; none of anything else.
fn flat(body: &Body) -> Option<(Vec<Column>, Vec<Vec<Datum>>)> {
    match body {
        Body::Table(table) => Some((table.columns.clone(), table.rows().cloned().collect())),
        Body::Tree(tree) => {
            let own = [Column::figures("depth"), Column::words("part")];
            let rows = tree.nodes().into_iter().map(|(depth, node)| {
                let own = [Datum::number(depth as f64, Measure::Plain), Datum::text(&node.name)];
                own.into_iter().chain(node.values.iter().cloned()).collect()
            });
            Some((own.into_iter().chain(tree.columns.iter().cloned()).collect(), rows.collect()))
        }
        Body::Figure(_) | Body::Notes(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Node, Notes, Tree};
    use crate::render::{Csv, Layout, Renderer};

    #[test]
    fn tables_with_the_same_columns_are_one() {
        let part = |name: &str, ns: f64| Node::new(name, vec![Datum::nanoseconds(ns)]);
        let tree = |title: &str, whole: f64| {
            let root = Node { parts: vec![part("lower", 20.0)], ..part("an operation", whole) };
            let tree = Tree { columns: vec![Column::figures("mean")], roots: vec![root] };
            Section::new("ledger", title, Body::Tree(tree))
        };
        let notes = Section::new("accounts", "a", Body::Notes(Notes::default()));
        let sections = [tree("a", 150.0), notes, tree("b", 90.5)];
        let text = Csv.render(&joined("breakdowns", sections.iter()), &Layout::default());
        let expect = "section,title,remark,depth,part,mean [ns]\n\
                      breakdowns,a,,0,an operation,150\n\
                      breakdowns,a,,1,lower,20\n\
                      breakdowns,b,,0,an operation,90.5\n\
                      breakdowns,b,,1,lower,20\n";
        assert_eq!(text, expect);
        assert_eq!(Csv.render(&joined("ladders", [].iter()), &Layout::default()), "");
    }
}
