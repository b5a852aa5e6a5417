//! The invariants that the schema `benchmark_stage_model_v1` has of a result. They are written for those who compare with it; whether a result
//! is right is decided over all of its cells, by [`crate::compare`].

use crate::digest::{cell_hash, row_hash};
use crate::{Table, fingerprint, hash};
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

/// The most rows of a sample.
const SAMPLE_ROWS: usize = 128;

/// What decides, with a row's own hash, whether it is in the sample: 128 bits without pattern, from the fractional digits of e.
const SAMPLE_SEED: u128 = 0xb7e1_5162_8aed_2a6a_bf71_5880_9cf4_f3c7;

/// What two results that are the same table agree in, whatever the order of their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invariants {
    /// A hash of the columns' names, types, declared nullability and order.
    pub schema_fingerprint: u64,
    /// The number of rows.
    pub row_count: u64,
    /// The number of groups by the first column, in which NULL is a value.
    pub groupby_count: u64,
    /// A hash of at most 128 rows, which are the same ones for equal tables.
    pub sample_hash: u64,
}

impl Invariants {
    /// Those of all rows of `table`.
    pub fn of(table: &Table) -> Self {
        let has_columns = !table.fields().is_empty();
        let keys = (0..table.rows()).filter(|_| has_columns).map(|row| cell_hash(table.cell(row, 0)));
        Self {
            schema_fingerprint: hash(fingerprint(table.fields()).as_bytes()),
            row_count: table.rows() as u64,
            groupby_count: keys.collect::<HashSet<_>>().len() as u64,
            sample_hash: sample_hash(table),
        }
    }

    /// Whether `found` agrees with `expected`, and what a check says of it.
    pub fn compared(expected: &Table, found: &Table) -> (bool, String) {
        let (expected, found) = (Self::of(expected), Self::of(found));
        let agrees = expected == found;
        (agrees, if agrees { found.to_string() } else { format!("expected {expected}, found {found}") })
    }
}

fn sample_hash(table: &Table) -> u64 {
    let mut rows: Vec<_> = (0..table.rows()).map(|row| row_hash(table, row)).collect();
    rows.sort_unstable_by_key(|row| row ^ SAMPLE_SEED);
    rows.truncate(SAMPLE_ROWS);
    hash(&rows.into_iter().flat_map(u128::to_le_bytes).collect::<Vec<_>>())
}

impl fmt::Display for Invariants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema_fingerprint, row_count, groupby_count, sample_hash } = self;
        write!(
            f,
            "schema_fingerprint={schema_fingerprint:016x} row_count={row_count} groupby_count={groupby_count} sample_hash={sample_hash:016x}"
        )
    }
}

impl FromStr for Invariants {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |name: &str, radix: u32| {
            let value = text.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            let value = value.ok_or_else(|| format!("`{text}` has no `{name}`"))?;
            u64::from_str_radix(value, radix).map_err(|error| format!("`{name}={value}`: {error}"))
        };
        Ok(Self {
            schema_fingerprint: number("schema_fingerprint", 16)?,
            row_count: number("row_count", 10)?,
            groupby_count: number("groupby_count", 10)?,
            sample_hash: number("sample_hash", 16)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, Field, Kind, Recipe};

    const ROWS: usize = 2_000;

    fn genes() -> Table {
        Recipe { rows: ROWS, seed: 1 }.genes()
    }

    #[test]
    fn invariants_do_not_depend_on_the_order_of_rows() {
        let reversed = genes().selected((0..ROWS).rev());
        let (agrees, detail) = Invariants::compared(&genes(), &reversed);
        assert!(agrees, "{detail}");
        assert_eq!(detail.parse(), Ok(Invariants::of(&genes())));
    }

    #[test]
    fn each_invariant_finds_what_it_is_about() {
        let genes = genes();
        let expected = Invariants::of(&genes);
        let mut fields = genes.fields().to_vec();
        fields[6].nullable = true;
        let mut nullable = Table::new(fields);
        (0..ROWS).for_each(|row| nullable.push_row(genes.row(row)));
        let found = Invariants::of(&nullable);
        assert_ne!(found.schema_fingerprint, expected.schema_fingerprint);
        assert_eq!(Invariants { schema_fingerprint: expected.schema_fingerprint, ..found }, expected);

        let fewer = Invariants::of(&genes.selected(1..ROWS));
        assert_eq!(fewer.row_count, expected.row_count - 1);
        // One value in every row is in the sample, too.
        let changed = genes.mapped(|column, cell| if column == 6 { Cell::Integer(1) } else { cell });
        assert_ne!(Invariants::of(&changed).sample_hash, expected.sample_hash);
    }

    #[test]
    fn null_is_a_group() {
        let mut table = Table::new(vec![Field::nullable("key", Kind::Text)]);
        for key in [Cell::Text("a"), Cell::Null, Cell::Text(""), Cell::Text("a"), Cell::Null] {
            table.push_row([key]);
        }
        let found = Invariants::of(&table);
        assert_eq!((found.row_count, found.groupby_count), (5, 3));
        let none = Invariants::of(&Table::new(Vec::new()));
        assert_eq!((none.row_count, none.groupby_count), (0, 0));
    }

    #[test]
    fn text_without_a_member_is_refused() {
        let refused = |text: &str| text.parse::<Invariants>().unwrap_err();
        assert_eq!(refused("row_count=3"), "`row_count=3` has no `schema_fingerprint`");
        let text = "schema_fingerprint=0 row_count=many groupby_count=0 sample_hash=0";
        assert!(refused(text).starts_with("`row_count=many`: "), "{}", refused(text));
    }
}
