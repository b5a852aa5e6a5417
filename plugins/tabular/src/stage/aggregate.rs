//! `aggregate`: genes by organism. Whole numbers and decimals are summed exactly; the sum of doubles may differ from that of another
//! order by no more than its error bound.

use super::{Stage, failed};
use crate::batches::{self, Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use bench_plugin::prelude::*;
use hashbrown::HashMap;
use table_core::relational::{self, Groups};
use table_core::{Cell, Field, Kind, Recipe, Table};

pub(crate) struct Aggregate {
    genes: Vec<RecordBatch>,
    expected: Groups,
    result: Vec<RecordBatch>,
}

impl Stage for Aggregate {
    const NAME: &'static str = "aggregate";
    const SUMMARY: &'static str =
        "Counts genes and sums their numbers by organism from Arrow columns into Arrow columns.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let genes = recipe.genes();
        let expected = relational::genes_by_organism(&genes);
        Ok(Self { genes: batches::of_table(&genes)?, expected, result: Vec::new() })
    }

    fn bytes(&self) -> u64 {
        batches::bytes(&self.genes)
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result = by_organism(&self.genes)?;
        Ok(())
    }

    /// All columns but the last, which is not exact.
    fn result(&self) -> Result<Table, ModuleError> {
        exact(&self.result)
    }

    fn expected(&self) -> &Table {
        &self.expected.exact
    }

    fn further_checks(&self) -> Vec<Check> {
        vec![sums_check(&self.expected, &self.result)]
    }
}

#[derive(Default)]
struct Group {
    genes: i64,
    symbols: i64,
    length: Option<i64>,
    score: Option<i128>,
    created: Option<i32>,
    content: Option<f64>,
}

/// Groups genes, whose columns are those of `gene_fields`.
pub(super) fn by_organism(genes: &[RecordBatch]) -> Result<Vec<RecordBatch>, ModuleError> {
    let mut index: HashMap<i64, usize> = HashMap::new();
    let mut groups: Vec<(i64, Group)> = Vec::new();
    for batch in genes {
        let symbols = batch.column(1);
        let lengths = batch.column(2).as_primitive::<Int64Type>();
        let scores = batch.column(3).as_primitive::<Decimal128Type>();
        let contents = batch.column(4).as_primitive::<Float64Type>();
        let days = batch.column(5).as_primitive::<Date32Type>();
        let taxa = batch.column(6).as_primitive::<Int64Type>();
        for (row, taxon) in taxa.values().iter().enumerate() {
            let at = *index.entry(*taxon).or_insert_with(|| {
                groups.push((*taxon, Group::default()));
                groups.len() - 1
            });
            let group = &mut groups[at].1;
            group.genes += 1;
            group.symbols += i64::from(symbols.is_valid(row));
            if lengths.is_valid(row) {
                *group.length.get_or_insert_default() += lengths.value(row);
            }
            if scores.is_valid(row) {
                *group.score.get_or_insert_default() += scores.value(row);
            }
            if contents.is_valid(row) {
                *group.content.get_or_insert_default() += contents.value(row);
            }
            if days.is_valid(row) {
                group.created = group.created.max(Some(days.value(row)));
            }
        }
    }
    let fault = |reason: String| failed("grouping", reason);
    let mut builder = Builder::new(&fields());
    for (taxon, group) in groups {
        let cells = [
            Cell::Integer(taxon),
            Cell::Integer(group.genes),
            Cell::Integer(group.symbols),
            group.length.map_or(Cell::Null, Cell::Integer),
            group.score.map_or(Cell::Null, Cell::Decimal),
            group.created.map_or(Cell::Null, Cell::Date),
            group.content.map_or(Cell::Null, Cell::Real),
        ];
        cells.iter().enumerate().try_for_each(|(column, cell)| builder.push(column, *cell)).map_err(fault)?;
    }
    builder.finish().map_err(fault)
}

fn fields() -> Vec<Field> {
    let mut fields = relational::grouped_fields();
    fields.push(Field::nullable("gcContent", Kind::Real));
    fields
}

/// The columns of groups that must be exact.
pub(super) fn exact(groups: &[RecordBatch]) -> Result<Table, ModuleError> {
    let exact = |batch: &RecordBatch| batch.project(&[0, 1, 2, 3, 4, 5]).map_err(|error| failed("grouping", error));
    batches::to_table(&groups.iter().map(exact).collect::<Result<Vec<_>, _>>()?)
}

/// Whether the sums of doubles are within the error bound of their summation.
pub(super) fn sums_check(expected: &Groups, groups: &[RecordBatch]) -> Check {
    let rows = groups.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let wrong = rows.into_iter().find_map(|(batch, row)| {
        let taxon = batch.column(0).as_primitive::<Int64Type>().value(row);
        let sums = batch.column(6).as_primitive::<Float64Type>();
        let found = sums.is_valid(row).then(|| sums.value(row));
        let is_near = expected.sums.get(&taxon).is_some_and(|sum| sum.is_near(found));
        (!is_near).then(|| format!("organism {taxon}: expected {:?}, found {found:?}", expected.sums.get(&taxon)))
    });
    Check::that("sums-of-doubles", wrong.is_none(), wrong.unwrap_or_else(|| "within n·ε·Σ|x|".to_owned()))
}
