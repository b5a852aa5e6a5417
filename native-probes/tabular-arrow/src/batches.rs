//! Arrow batches of tables, and tables of batches, with the errors of a probe.

use arrow_array::RecordBatch;
use bench_model::ModuleError;
use table_core::arrow::{self, schema};
use table_core::{Field, Table};

/// The rows of a table. There is at least one batch.
pub(crate) fn of_table(table: &Table) -> Result<Vec<RecordBatch>, ModuleError> {
    arrow::of_table(table).map_err(|error| ModuleError::Other(format!("Arrow: {error}")))
}

/// The rows of batches, whose columns must be `fields`. There may be no batch.
pub(crate) fn to_table(batches: &[RecordBatch], fields: &[Field]) -> Result<Table, ModuleError> {
    let expected = schema(fields);
    if let Some(other) = batches.iter().find(|batch| batch.schema().fields() != expected.fields()) {
        return Err(ModuleError::Other(format!("the result has the columns {}, expected {expected}", other.schema())));
    }
    if batches.is_empty() {
        return Ok(Table::new(fields.to_vec()));
    }
    arrow::to_table(batches).map_err(ModuleError::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::{Recipe, compare};

    #[test]
    fn tables_survive_batches_and_none_is_no_rows() {
        let genes = Recipe { rows: 2, seed: 4 }.genes();
        let batches = of_table(&genes).unwrap();
        assert_eq!(compare(&genes, &to_table(&batches, genes.fields()).unwrap()), Ok(()));
        assert_eq!(to_table(&[], genes.fields()).unwrap().rows(), 0);
    }

    #[test]
    fn result_with_other_columns_is_refused() {
        let recipe = Recipe { rows: 3, seed: 4 };
        let batches = of_table(&recipe.publications()).unwrap();
        let error = to_table(&batches, recipe.genes().fields()).unwrap_err().to_string();
        assert!(error.contains("Publication.year"), "{error}");
    }
}
