//! Whether two tables are the same, and where they first differ. The order of rows does not matter.

use crate::digest::row_hash;
use crate::{Cell, Digest, Field, Table};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The schema as text: names, types, declared nullability, in order.
pub fn fingerprint(fields: &[Field]) -> String {
    let mut text = String::new();
    for field in fields {
        let null = if field.nullable { "" } else { " not null" };
        let _ = write!(text, "{} {}{null}; ", field.name, field.kind.as_str());
    }
    text.truncate(text.trim_end_matches("; ").len());
    text
}

/// Compares schema, number of rows and all cells. The error names the first row of `found` that `expected` does not have, and the
/// first column in which it differs from the row that is most like it.
pub fn compare(expected: &Table, found: &Table) -> Result<(), String> {
    let (wanted, schema) = (fingerprint(expected.fields()), fingerprint(found.fields()));
    if wanted != schema {
        return Err(format!("schema: expected `{wanted}`, found `{schema}`"));
    }
    if Digest::of(expected) == Digest::of(found) {
        return Ok(());
    }
    let mut left: HashMap<u128, usize> = HashMap::new();
    for row in 0..expected.rows() {
        *left.entry(row_hash(expected, row)).or_default() += 1;
    }
    let surplus = (0..found.rows()).find(|row| {
        let count = left.get_mut(&row_hash(found, *row)).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_none()
    });
    let rows = format!("expected {} rows, found {}", expected.rows(), found.rows());
    let Some(row) = surplus else {
        return Err(format!("{rows}: rows are missing{}", missing(expected, &left)));
    };
    Err(format!("{rows}: row {}{}", row + 1, difference(expected, found, row, &left)))
}

/// Names a row of `expected` that was not found.
fn missing(expected: &Table, left: &HashMap<u128, usize>) -> String {
    let row = (0..expected.rows()).find(|row| left.get(&row_hash(expected, *row)).is_some_and(|count| *count > 0));
    row.map(|row| format!(", among them row {}: {}", row + 1, shown(expected, row))).unwrap_or_default()
}

/// How row `row` of `found` differs from the most similar row that is left of `expected`.
fn difference(expected: &Table, found: &Table, row: usize, left: &HashMap<u128, usize>) -> String {
    let is_left = |row: &usize| left.get(&row_hash(expected, *row)).is_some_and(|count| *count > 0);
    let equal_cells = |other: &usize| expected.row(*other).zip(found.row(row)).filter(|(a, b)| same(*a, *b)).count();
    let Some(nearest) = (0..expected.rows()).filter(is_left).max_by_key(equal_cells) else {
        return format!(" is surplus: {}", shown(found, row));
    };
    let mut cells = expected.row(nearest).zip(found.row(row)).enumerate();
    let Some((column, (wanted, cell))) = cells.find(|(_, (a, b))| !same(*a, *b)) else {
        return " is there too often".to_owned();
    };
    format!(", column `{}`: expected {wanted:?}, found {cell:?}", expected.fields()[column].name)
}

/// As the digest compares cells.
fn same(a: Cell<'_>, b: Cell<'_>) -> bool {
    match (a, b) {
        (Cell::Real(a), Cell::Real(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (a, b) => a == b,
    }
}

fn shown(table: &Table, row: usize) -> String {
    let cells: Vec<_> = table.row(row).map(|cell| format!("{cell:?}")).collect();
    cells.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recipe, gene_fields};

    const ROWS: usize = 2_000;

    fn genes() -> Table {
        Recipe { rows: ROWS, seed: 1 }.genes()
    }

    /// The genes with `change` applied to the cell at `at`.
    fn changed(at: (usize, usize), change: Cell<'static>) -> Table {
        let genes = genes();
        let mut changed = Table::new(genes.fields().to_vec());
        for row in 0..genes.rows() {
            for (column, cell) in genes.row(row).enumerate() {
                changed.push(column, if (row, column) == at { change } else { cell });
            }
        }
        changed
    }

    /// The first row whose symbol is as `wanted`.
    fn row_with(wanted: Cell<'_>) -> usize {
        let genes = genes();
        (0..genes.rows()).find(|row| genes.cell(*row, 1) == wanted).unwrap()
    }

    fn check(found: &Table, expect: &str) {
        let difference = compare(&genes(), found).unwrap_err();
        assert!(difference.contains(expect), "{difference}");
    }

    #[test]
    fn reordered_rows_are_equal() {
        let reversed = genes().selected((0..ROWS).rev());
        assert_eq!(compare(&genes(), &reversed), Ok(()));
        let rotated = genes().selected((0..ROWS).map(|row| (row + 7) % ROWS));
        assert_eq!(compare(&genes(), &rotated), Ok(()));
    }

    #[test]
    fn every_single_mutation_is_found() {
        check(&changed((99, 6), Cell::Integer(1)), "row 100, column `Gene.organism.taxonId`: expected Integer(");
        let null = row_with(Cell::Null);
        let expect = format!("row {}, column `Gene.symbol`: expected Null, found Text(\"\")", null + 1);
        check(&changed((null, 1), Cell::Text("")), &expect);
        let empty = row_with(Cell::Text(""));
        let expect = format!("row {}, column `Gene.symbol`: expected Text(\"\"), found Null", empty + 1);
        check(&changed((empty, 1), Cell::Null), &expect);
        check(&changed((5, 4), Cell::Real(f64::MIN_POSITIVE)), "row 6, column `Gene.gcContent`");
    }

    #[test]
    fn lost_and_repeated_rows_are_found() {
        check(&genes().selected(1..ROWS), "expected 2000 rows, found 1999: rows are missing, among them row 1: ");
        check(&genes().selected((0..ROWS).chain([3])), "expected 2000 rows, found 2001: row 2001 is surplus: ");
        // As many rows, one of them in place of another.
        check(&genes().selected((1..ROWS).chain([1])), "expected 2000 rows, found 2000: row 2000, column");
    }

    #[test]
    fn values_shuffled_among_rows_are_found() {
        let genes = genes();
        let mut shuffled = Table::new(genes.fields().to_vec());
        for row in 0..ROWS {
            for column in 0..genes.fields().len() {
                let from = if column == 3 { (row + 1) % ROWS } else { row };
                shuffled.push(column, genes.cell(from, column));
            }
        }
        check(&shuffled, "column `Gene.score`");
    }

    #[test]
    fn swapped_columns_are_found() {
        let genes = genes();
        let swap = |column: usize| match column {
            0 => 1,
            1 => 0,
            other => other,
        };
        let fields = genes.fields();
        let mut named = Table::new((0..fields.len()).map(|column| fields[swap(column)].clone()).collect());
        let mut unnamed = Table::new(fields.to_vec());
        for row in 0..ROWS {
            for column in 0..fields.len() {
                named.push(column, genes.cell(row, swap(column)));
                unnamed.push(column, genes.cell(row, swap(column)));
            }
        }
        check(&named, "schema: expected `Gene.primaryIdentifier text; Gene.symbol text; ");
        check(&unnamed, "row 1, column `Gene.primaryIdentifier`");
    }

    /// A number below `bound` that the seed decides.
    fn drawn(seed: u64, what: u64, bound: usize) -> usize {
        (crate::hash(&[seed.to_le_bytes(), what.to_le_bytes()].concat()) % bound as u64) as usize
    }

    /// The rows with each cell taken from the row that `from` says for its row and column.
    fn taken(genes: &Table, from: impl Fn(usize, usize) -> usize) -> Table {
        let mut taken = Table::new(genes.fields().to_vec());
        for row in 0..genes.rows() {
            for column in 0..genes.fields().len() {
                taken.push(column, genes.cell(from(row, column), column));
            }
        }
        taken
    }

    #[test]
    fn mutations_at_random_places_are_found_and_orders_are_not() {
        let genes = Recipe { rows: 60, seed: 9 }.genes();
        let columns = genes.fields().len();
        let are_same = |a: usize, b: usize, column: usize| same(genes.cell(a, column), genes.cell(b, column));
        for seed in 0..300 {
            let (a, b, at) = (drawn(seed, 1, 60), drawn(seed, 2, 60), drawn(seed, 3, columns));
            let mut order: Vec<_> = (0..60).collect();
            order.swap(a, b);
            order.rotate_left(drawn(seed, 4, 60));
            assert_eq!(compare(&genes, &genes.selected(order)), Ok(()), "{seed}");

            // A cell of another row, which is no mutation if it is the same.
            let replaced = taken(&genes, |row, column| if (row, column) == (a, at) { b } else { row });
            assert_eq!(compare(&genes, &replaced).is_ok(), are_same(a, b, at), "{seed}");
            // Two cells exchanged: the same rows if the rows differ in nothing else.
            let exchanged = taken(&genes, |row, column| match row {
                _ if column != at => row,
                row if row == a => b,
                row if row == b => a,
                row => row,
            });
            let is_none = are_same(a, b, at) || (0..columns).all(|column| column == at || are_same(a, b, column));
            assert_eq!(compare(&genes, &exchanged).is_ok(), is_none, "{seed}");

            let dropped = genes.selected((0..60).filter(|row| *row != a));
            let repeated = genes.selected((0..60).chain([a]));
            assert!(compare(&genes, &dropped).is_err() && compare(&genes, &repeated).is_err(), "{seed}");
        }
    }

    #[test]
    fn declared_nullability_is_part_of_the_schema() {
        let mut fields = gene_fields();
        fields[6].nullable = true;
        let genes = genes();
        let mut nullable = Table::new(fields);
        (0..ROWS).for_each(|row| nullable.push_row(genes.row(row)));
        check(&nullable, "Gene.organism.taxonId integer not null`");
    }
}
