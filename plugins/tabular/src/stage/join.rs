//! `join`: genes and publications, joined by hashing. Keys repeat, have no match, and are NULL on both sides.

use super::{Stage, failed};
use crate::batches;
use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use bench_plugin::prelude::*;
use hashbrown::HashMap;
use table_core::{Recipe, Table, relational};

pub(crate) struct Join {
    genes: RecordBatch,
    publications: RecordBatch,
    expected: Table,
    result: RecordBatch,
}

impl Stage for Join {
    const NAME: &'static str = "join";
    const SUMMARY: &'static str =
        "Joins genes and publications (FULL OUTER, by a hash table) from Arrow columns into Arrow columns.";

    fn prepare(recipe: Recipe, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let expected = relational::full_outer_join(&genes, &publications);
        let (genes, publications) = (one_batch(&genes)?, one_batch(&publications)?);
        let result = RecordBatch::new_empty(batches::schema(expected.fields()));
        Ok(Self { genes, publications, expected, result })
    }

    fn bytes(&self) -> u64 {
        batches::bytes(&[self.genes.clone(), self.publications.clone()])
    }

    fn run(&mut self) -> Result<(), ModuleError> {
        self.result = RecordBatch::new_empty(self.result.schema());
        self.result = full_outer_join(&self.genes, &self.publications)?;
        Ok(())
    }

    fn result(&self) -> Result<Table, ModuleError> {
        batches::to_table(std::slice::from_ref(&self.result))
    }

    fn expected(&self) -> &Table {
        &self.expected
    }
}

fn one_batch(table: &Table) -> Result<RecordBatch, ModuleError> {
    concatenated(&batches::of_table(table)?)
}

/// All batches as one, so that a row has one index.
pub(super) fn concatenated(batches: &[RecordBatch]) -> Result<RecordBatch, ModuleError> {
    let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| failed("joining", "a side has no batch"))?;
    concat_batches(&schema, batches).map_err(|error| failed("joining", error))
}

/// The end of a chain of rows with the same key.
const END: u32 = u32::MAX;

/// `left FULL OUTER JOIN right` on the first column of each, a text; NULL equals nothing. Both sides have less than 2³² rows.
pub(super) fn full_outer_join(left: &RecordBatch, right: &RecordBatch) -> Result<RecordBatch, ModuleError> {
    let (left_keys, right_keys) = (left.column(0).as_string::<i32>(), right.column(0).as_string::<i32>());
    // The first row of each key on the right, and behind each row the next one of its key.
    let mut first: HashMap<&str, u32> = HashMap::with_capacity(right.num_rows());
    let mut next = vec![END; right.num_rows()];
    for (row, key) in right_keys.iter().enumerate() {
        if let Some(key) = key
            && let Some(former) = first.insert(key, row as u32)
        {
            next[row] = former;
        }
    }
    let mut is_matched = vec![false; right.num_rows()];
    let (mut lefts, mut rights) = (Vec::with_capacity(left.num_rows()), Vec::with_capacity(left.num_rows()));
    for (row, key) in left_keys.iter().enumerate() {
        let mut other = key.and_then(|key| first.get(key)).copied().unwrap_or(END);
        if other == END {
            lefts.push(Some(row as u32));
            rights.push(None);
        }
        while other != END {
            lefts.push(Some(row as u32));
            rights.push(Some(other));
            is_matched[other as usize] = true;
            other = next[other as usize];
        }
    }
    for row in (0..right.num_rows()).filter(|row| !is_matched[*row]) {
        lefts.push(None);
        rights.push(Some(row as u32));
    }
    gather(left, &lefts.into(), right, &rights.into())
}

/// The columns of both sides at these rows; where there is none, NULL.
fn gather(
    left: &RecordBatch,
    left_rows: &UInt32Array,
    right: &RecordBatch,
    right_rows: &UInt32Array,
) -> Result<RecordBatch, ModuleError> {
    let side = |side: &RecordBatch, rows: &UInt32Array| {
        side.columns().iter().map(|column| take(column, rows, None)).collect::<Result<Vec<_>, _>>()
    };
    let fault = |error: arrow_schema::ArrowError| failed("joining", error);
    let columns = [side(left, left_rows).map_err(fault)?, side(right, right_rows).map_err(fault)?].concat();
    let schemas = [left.schema(), right.schema()];
    let fields = schemas.iter().flat_map(|schema| schema.fields());
    let fields = fields.map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>();
    RecordBatch::try_new(arrow_schema::Schema::new(fields).into(), columns).map_err(fault)
}
