//! What each scenario gives to a stage, and what the stage must give back.

use crate::stages::Input;
use crate::{arrow, spec};
use bench_model::{Arguments, Check, ModuleError, Scenario};
use table_core::csv::{self, Dialect};
use table_core::mine::{self, Format};
use table_core::relational::{self, Groups, Sum};
use table_core::{Cell, Digest, Field, Invariants, Kind, Recipe, Table, compare, fingerprint};

/// The result of a stage that is right.
#[derive(Debug)]
pub(super) enum Expected {
    /// These rows.
    Rows(Table),
    /// These groups, behind whose columns is one with sums of doubles.
    Groups(Groups),
}

/// The input of a scenario, and its result.
pub(super) fn prepare(scenario: &Scenario, arguments: &Arguments) -> Result<(Input, Expected), ModuleError> {
    let recipe = Recipe { rows: arguments.size("rows")?, seed: arguments.integer("seed")?.cast_unsigned() };
    let genes = recipe.genes();
    let columns = Table::new(genes.fields().to_vec());
    let (file, tables, expected) = match scenario.name.as_str() {
        spec::PASS => (None, vec![genes.clone()], Expected::Rows(genes)),
        spec::DECODE => {
            let format: Format = arguments.text(spec::FORMAT)?.parse().map_err(ModuleError::InvalidArgument)?;
            let answer = mine::answer(&genes, 0..genes.rows(), format);
            (Some(answer), vec![columns], Expected::Rows(format.carried(&genes)))
        }
        spec::SCAN => (Some(csv::write(&genes, Dialect::Exact)), vec![columns], Expected::Rows(genes)),
        spec::JOIN => {
            let publications = recipe.publications();
            let joined = relational::full_outer_join(&genes, &publications);
            (None, vec![genes, publications], Expected::Rows(joined))
        }
        spec::AGGREGATE => {
            let groups = relational::genes_by_organism(&genes);
            (None, vec![genes], Expected::Groups(groups))
        }
        other => return Err(ModuleError::UnknownScenario(other.to_owned())),
    };
    let tables = tables.iter().map(arrow::of_table).collect::<Result<Vec<_>, _>>();
    let tables = tables.map_err(|error| ModuleError::Other(format!("Arrow: {error}")))?;
    Ok((Input { files: file.into_iter().map(String::into_bytes).collect(), tables }, expected))
}

impl Expected {
    /// The digest of the cells of a result that must be the same in every arm. A sum of doubles may depend on the order of rows.
    pub(super) fn digest(&self, found: &Table) -> Digest {
        match self {
            Self::Rows(_) => Digest::of(found),
            Self::Groups(_) => Digest::of(&without_sums(found)),
        }
    }

    /// The checks of a result: its schema, the number of its rows, and all cells of all rows in any order.
    pub(super) fn checks(&self, found: &Table) -> Vec<Check> {
        match self {
            Self::Rows(expected) => parity(expected.fields(), expected, found, found),
            Self::Groups(groups) => {
                let mut fields = relational::grouped_fields();
                fields.push(Field::nullable("gcContent", Kind::Real));
                let mut checks = parity(&fields, &groups.exact, found, &without_sums(found));
                checks.push(sums(groups, found));
                checks
            }
        }
    }
}

/// Compares the schema of `whole`, and the cells of `found`, which is `whole` or the columns of it that are exact. The last check has what
/// others compare results by.
fn parity(fields: &[Field], expected: &Table, whole: &Table, found: &Table) -> Vec<Check> {
    let cells = compare(expected, found);
    let (agrees, invariants) = Invariants::compared(expected, found);
    vec![
        Check::equal("schema", &fingerprint(fields), &fingerprint(whole.fields())),
        Check::equal("rows", &expected.rows(), &found.rows()),
        Check::that("cells", cells.is_ok(), cells.err().unwrap_or_else(|| Digest::of(found).to_string())),
        Check::that("invariants", agrees, invariants),
    ]
}

/// The columns of groups but the sums of doubles.
fn without_sums(groups: &Table) -> Table {
    let columns = groups.fields().len().min(relational::grouped_fields().len());
    let mut exact = Table::new(groups.fields()[..columns].to_vec());
    (0..groups.rows()).for_each(|row| exact.push_row(groups.row(row).take(columns)));
    exact
}

/// Whether the sums of doubles are within the error bound of their summation.
fn sums(expected: &Groups, found: &Table) -> Check {
    let column = relational::grouped_fields().len();
    if found.fields().len() != column + 1 {
        return Check::that("sums-of-doubles", false, format!("there is no column {}", column + 1));
    }
    let is_near = |sum: &Sum, cell: Cell<'_>| match cell {
        Cell::Real(value) => sum.is_near(Some(value)),
        Cell::Null => sum.is_near(None),
        _ => false,
    };
    let is_right = |row: &usize| match found.cell(*row, 0) {
        Cell::Integer(taxon) => expected.sums.get(&taxon).is_some_and(|sum| is_near(sum, found.cell(*row, column))),
        _ => false,
    };
    let wrong = (0..found.rows()).find(|row| !is_right(row));
    let detail = wrong.map(|row| format!("row {}: found {:?}", row + 1, found.cell(row, column)));
    Check::that("sums-of-doubles", detail.is_none(), detail.unwrap_or_else(|| "within n·ε·Σ|x|".to_owned()))
}
