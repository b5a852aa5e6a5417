//! The stages `stage-*`: decode, scan, join and aggregate behind the boundary that stages of others have, where the host gives the input and
//! compares the result. What the boundary costs is in them, and alone in `stage-pass`.

use super::{aggregate, csv, decode, join};
use crate::batches;
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use table_core::{Field, mine::Format};

/// The driver that calls them.
const DRIVER: &str = "stage";

const NAMES: [&str; 5] = ["stage-pass", "stage-decode", "stage-scan", "stage-join", "stage-aggregate"];

/// The scenarios, which the driver specifies.
pub(crate) fn scenarios() -> impl Iterator<Item = Scenario> {
    NAMES.into_iter().map(|name| Scenario::uses(DRIVER, name))
}

/// Executes one operation.
pub(crate) fn run(
    scenario: &str,
    arguments: &Arguments,
    files: &[&[u8]],
    tables: Vec<Vec<RecordBatch>>,
) -> Result<Vec<RecordBatch>, ModuleError> {
    if !NAMES.contains(&scenario) {
        return Err(ModuleError::UnknownScenario(scenario.to_owned()));
    }
    match (scenario, files, tables.as_slice()) {
        ("stage-pass", [], [_]) => Ok(tables.into_iter().flatten().collect()),
        ("stage-decode", [answer], [columns]) => {
            let format: Format = arguments.text("format")?.parse().map_err(ModuleError::InvalidArgument)?;
            decode::decode(answer, format, &fields(columns)?)
        }
        ("stage-scan", [text], [columns]) => csv::scan(text, &fields(columns)?),
        ("stage-join", [], [left, right]) => {
            let (left, right) = (join::concatenated(left)?, join::concatenated(right)?);
            Ok(vec![join::full_outer_join(&left, &right)?])
        }
        ("stage-aggregate", [], [genes]) => aggregate::by_organism(genes),
        (_, files, tables) => {
            let (files, tables) = (files.len(), tables.len());
            Err(ModuleError::InvalidArgument(format!("`{scenario}` does not take {files} files and {tables} tables")))
        }
    }
}

/// The columns of a table, which has at least one batch.
fn fields(table: &[RecordBatch]) -> Result<Vec<Field>, ModuleError> {
    let first = table.first().ok_or_else(|| ModuleError::Other("a table has no batch, and so no schema".to_owned()))?;
    batches::fields(&first.schema())
}

#[cfg(test)]
mod tests {
    use super::*;
    use table_core::csv::{self, Dialect};
    use table_core::{Recipe, Table, compare, mine, relational};

    const RECIPE: Recipe = Recipe { rows: 300, seed: 2 };

    /// Runs a stage over these, and compares its result.
    #[track_caller]
    fn check(scenario: &str, file: Option<String>, tables: &[&Table], expect: &Table) {
        let mut arguments = Arguments::default();
        arguments.set("format", "json");
        let files: Vec<_> = file.iter().map(String::as_bytes).collect();
        let tables = tables.iter().map(|table| batches::of_table(table).unwrap()).collect();
        let result = run(scenario, &arguments, &files, tables).unwrap();
        assert_eq!(compare(expect, &batches::to_table(&result).unwrap()), Ok(()), "{scenario}");
    }

    #[test]
    fn stages_behind_the_boundary_give_the_rows_of_the_generator() {
        let (genes, publications) = (RECIPE.genes(), RECIPE.publications());
        let columns = Table::new(genes.fields().to_vec());
        let answer = mine::answer(&genes, 0..genes.rows(), Format::Json);
        check("stage-pass", None, &[&genes], &genes);
        check("stage-decode", Some(answer), &[&columns], &genes);
        check("stage-scan", Some(csv::write(&genes, Dialect::Exact)), &[&columns], &genes);
        let joined = relational::full_outer_join(&genes, &publications);
        check("stage-join", None, &[&genes, &publications], &joined);
        let result = run("stage-aggregate", &Arguments::default(), &[], vec![batches::of_table(&genes).unwrap()]);
        let groups = relational::genes_by_organism(&genes);
        assert_eq!(compare(&groups.exact, &aggregate::exact(&result.unwrap()).unwrap()), Ok(()));
    }

    #[test]
    fn wrong_input_is_refused_by_name() {
        let error = run("stage-join", &Arguments::default(), &[], Vec::new()).unwrap_err();
        let expect = "`stage-join` does not take 0 files and 0 tables";
        assert!(error.to_string().contains(expect), "{error}");
        let error = run("stage-sort", &Arguments::default(), &[], Vec::new()).unwrap_err();
        assert_eq!(error, ModuleError::UnknownScenario("stage-sort".to_owned()));
    }
}
