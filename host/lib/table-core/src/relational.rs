//! A join and groups, computed in a plain way by sorting: what faster implementations are compared with.

use crate::{Cell, Field, Kind, Table};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The columns of a full outer join: those of both sides, each of which may be NULL.
pub fn joined_fields(left: &[Field], right: &[Field]) -> Vec<Field> {
    left.iter().chain(right).map(|field| Field { nullable: true, ..field.clone() }).collect()
}

/// `left FULL OUTER JOIN right` on the first column of each, which is a text. As in SQL, NULL equals nothing, so its rows stay alone.
pub fn full_outer_join(left: &Table, right: &Table) -> Table {
    let mut joined = Table::new(joined_fields(left.fields(), right.fields()));
    let mut emit = |l: Option<usize>, r: Option<usize>| {
        let cells = |table, row: Option<usize>| -> Vec<Cell<'_>> {
            let table: &Table = table;
            row.map_or_else(|| vec![Cell::Null; table.fields().len()], |row| table.row(row).collect())
        };
        let row: Vec<_> = [cells(left, l), cells(right, r)].concat();
        joined.push_row(row);
    };
    let (lefts, rights) = (sorted(left), sorted(right));
    let (mut l, mut r) = (0, 0);
    while let (Some(a), Some(b)) = (lefts.get(l), rights.get(r)) {
        let (key, other) = (key(left, *a), key(right, *b));
        match key.cmp(&other) {
            // NULL comes first on both sides.
            Ordering::Less => {
                emit(Some(*a), None);
                l += 1;
            }
            Ordering::Greater => {
                emit(None, Some(*b));
                r += 1;
            }
            Ordering::Equal if key.is_none() => {
                emit(Some(*a), None);
                l += 1;
            }
            Ordering::Equal => {
                let run = |table, rows: &[usize]| rows.iter().take_while(|row| self::key(table, **row) == key).count();
                let (left_run, right_run) = (run(left, &lefts[l..]), run(right, &rights[r..]));
                for a in &lefts[l..l + left_run] {
                    rights[r..r + right_run].iter().for_each(|b| emit(Some(*a), Some(*b)));
                }
                (l, r) = (l + left_run, r + right_run);
            }
        }
    }
    lefts[l..].iter().for_each(|row| emit(Some(*row), None));
    rights[r..].iter().for_each(|row| emit(None, Some(*row)));
    joined
}

fn key(table: &Table, row: usize) -> Option<&str> {
    match table.cell(row, 0) {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

/// The rows in the order of their keys.
fn sorted(table: &Table) -> Vec<usize> {
    let mut rows: Vec<_> = (0..table.rows()).collect();
    rows.sort_by_key(|row| key(table, *row));
    rows
}

/// The columns of genes by organism that must be exact.
pub fn grouped_fields() -> Vec<Field> {
    vec![
        Field::required("taxonId", Kind::Integer),
        Field::required("genes", Kind::Integer),
        Field::required("symbols", Kind::Integer),
        Field::nullable("length", Kind::Integer),
        Field::nullable("score", Kind::Decimal),
        Field::nullable("created", Kind::Date),
    ]
}

/// Genes by organism.
#[derive(Debug)]
pub struct Groups {
    /// Number of genes, number of symbols, sum of lengths, sum of scores and last day, by organism.
    pub exact: Table,
    /// The sum of the GC contents by organism.
    pub sums: BTreeMap<i64, Sum>,
}

/// A sum of doubles, and how far another order of summation may be from it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    terms: u64,
    value: f64,
    /// What the value lacks (Neumaier, 1974).
    correction: f64,
    magnitude: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let sum = self.value + term;
        let lost = if self.value.abs() >= term.abs() { (self.value - sum) + term } else { (term - sum) + self.value };
        *self = Self {
            terms: self.terms + 1,
            value: sum,
            correction: self.correction + lost,
            magnitude: self.magnitude + term.abs(),
        };
    }

    /// Whether `found` is this sum, in any order of summation: its error is at most (n - 1)·ε·Σ|x| (Higham, *Accuracy and Stability of
    /// Numerical Algorithms*, 4.2), with ε = 2⁻⁵³, to which as much is added for this sum's own.
    pub fn is_near(self, found: Option<f64>) -> bool {
        let bound = self.terms as f64 * f64::EPSILON * self.magnitude;
        match found {
            None => self.terms == 0,
            Some(found) => self.terms > 0 && (found - (self.value + self.correction)).abs() <= bound,
        }
    }
}

#[derive(Default)]
struct Group {
    rows: i64,
    symbols: i64,
    length: Option<i64>,
    score: Option<i128>,
    created: Option<i32>,
    content: Sum,
}

/// Groups genes by organism.
pub fn genes_by_organism(genes: &Table) -> Groups {
    let mut groups: BTreeMap<i64, Group> = BTreeMap::new();
    for row in 0..genes.rows() {
        let Cell::Integer(taxon) = genes.cell(row, 6) else { continue };
        let group = groups.entry(taxon).or_default();
        group.rows += 1;
        group.symbols += i64::from(genes.cell(row, 1) != Cell::Null);
        if let Cell::Integer(length) = genes.cell(row, 2) {
            *group.length.get_or_insert_default() += length;
        }
        if let Cell::Decimal(score) = genes.cell(row, 3) {
            *group.score.get_or_insert_default() += score;
        }
        if let Cell::Real(content) = genes.cell(row, 4) {
            group.content.add(content);
        }
        if let Cell::Date(created) = genes.cell(row, 5) {
            group.created = group.created.max(Some(created));
        }
    }
    let mut exact = Table::new(grouped_fields());
    for (taxon, group) in &groups {
        exact.push_row([
            Cell::Integer(*taxon),
            Cell::Integer(group.rows),
            Cell::Integer(group.symbols),
            group.length.map_or(Cell::Null, Cell::Integer),
            group.score.map_or(Cell::Null, Cell::Decimal),
            group.created.map_or(Cell::Null, Cell::Date),
        ]);
    }
    Groups { exact, sums: groups.into_iter().map(|(taxon, group)| (taxon, group.content)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare;

    fn side(name: &str, keys: &[Option<&str>]) -> Table {
        let mut table =
            Table::new(vec![Field::nullable(format!("{name}.key"), Kind::Text), Field::required(name, Kind::Integer)]);
        for (row, key) in keys.iter().enumerate() {
            table.push_row([key.map_or(Cell::Null, Cell::Text), Cell::Integer(row as i64)]);
        }
        table
    }

    #[test]
    fn join_keeps_unmatched_repeated_and_null_keys() {
        let left = side("l", &[Some("b"), None, Some("a"), Some("b"), Some("")]);
        let right = side("r", &[None, Some("b"), Some("c"), Some("b"), Some("")]);
        let expect: [(Option<i64>, Option<i64>); 9] = [
            (Some(0), Some(1)),
            (Some(0), Some(3)),
            (Some(3), Some(1)),
            (Some(3), Some(3)),
            (Some(4), Some(4)),
            (Some(1), None),
            (Some(2), None),
            (None, Some(0)),
            (None, Some(2)),
        ];
        let mut expected = Table::new(joined_fields(left.fields(), right.fields()));
        for (l, r) in expect {
            let row = [
                l.map_or(Cell::Null, |row| left.cell(row as usize, 0)),
                l.map_or(Cell::Null, |row| left.cell(row as usize, 1)),
                r.map_or(Cell::Null, |row| right.cell(row as usize, 0)),
                r.map_or(Cell::Null, |row| right.cell(row as usize, 1)),
            ];
            expected.push_row(row);
        }
        assert_eq!(compare(&expected, &full_outer_join(&left, &right)), Ok(()));
    }

    #[test]
    fn sum_allows_for_order_but_not_for_another_value() {
        let terms = [1e16, 1.0, -1e16, 0.1, 3.5];
        let mut sum = Sum::default();
        terms.iter().for_each(|term| sum.add(*term));
        assert!(sum.is_near(Some(terms.iter().sum())) && sum.is_near(Some(terms.iter().rev().sum())));
        assert!(!sum.is_near(Some(100.0)) && !sum.is_near(None));
        assert!(Sum::default().is_near(None) && !Sum::default().is_near(Some(0.0)));
    }
}
