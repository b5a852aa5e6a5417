//! The stages as SQL. Names of columns are those of the generator; types are given, never inferred.

use table_core::relational;
use table_core::{Field, Kind, gene_fields, publication_fields};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    CsvScan,
    CsvWrite,
    ParquetScan,
    ParquetWrite,
    ParquetFooter,
    Join,
    Aggregate,
    PipelineElt,
}

/// The files of a session, in its folder.
pub(crate) const GENES: &str = "genes";
pub(crate) const PUBLICATIONS: &str = "publications";
const OUTPUT: &str = "output";

/// The table with the join within a pipeline.
pub(crate) const JOINED: &str = "joined";

/// The key of both sides.
const ON: &str = r#"g."Gene.primaryIdentifier" = p."Publication.gene""#;

const BY_ORGANISM: &str = r#"SELECT "Gene.organism.taxonId" AS "taxonId", count(*) AS genes, count("Gene.symbol") AS symbols,
    sum("Gene.length")::BIGINT AS length, sum("Gene.score")::DECIMAL(38,2) AS score, max("Gene.created") AS created,
    sum("Gene.gcContent") AS "gcContent" FROM genes GROUP BY 1"#;

impl Stage {
    pub(crate) const ALL: [Self; 8] = [
        Self::CsvScan,
        Self::CsvWrite,
        Self::ParquetScan,
        Self::ParquetWrite,
        Self::ParquetFooter,
        Self::Join,
        Self::Aggregate,
        Self::PipelineElt,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CsvScan => "csv-scan",
            Self::CsvWrite => "csv-write",
            Self::ParquetScan => "parquet-scan",
            Self::ParquetWrite => "parquet-write",
            Self::ParquetFooter => "parquet-footer",
            Self::Join => "join",
            Self::Aggregate => "aggregate",
            Self::PipelineElt => "pipeline-elt",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::CsvScan => "Reads all columns of a CSV file, with the types given, into a table in memory.",
            Self::CsvWrite => "Writes a table in memory as a CSV file.",
            Self::ParquetScan => "Reads all rows of all columns of a Parquet file into a table in memory.",
            Self::ParquetWrite => "Writes a table in memory as a Parquet file with Snappy.",
            Self::ParquetFooter => "Counts the rows of a Parquet file, for which DuckDB reads its footer alone.",
            Self::Join => "Joins genes and publications (FULL OUTER) from tables in memory into a table in memory.",
            Self::Aggregate => {
                "Counts genes and sums their numbers by organism from a table in memory into a table in memory."
            }
            Self::PipelineElt => {
                "From two Parquet files: scans, joins, groups, and writes the groups as a Parquet file."
            }
        }
    }

    /// The statements of one operation. `folder` has the files.
    pub(crate) fn statements(self, folder: &str) -> Vec<String> {
        let read_parquet = |name: &str| read_parquet(folder, name);
        let into_result = |query: &str| format!("CREATE OR REPLACE TABLE result AS {query}");
        let join = format!("SELECT g.*, p.* FROM genes g FULL OUTER JOIN publications p ON {ON}");
        match self {
            Self::CsvScan => vec![into_result(&read_csv(folder, GENES, &gene_fields()))],
            Self::CsvWrite => vec![format!("COPY genes TO '{folder}/{OUTPUT}.csv' ({CSV_OPTIONS})")],
            Self::ParquetScan => vec![into_result(&read_parquet(GENES))],
            Self::ParquetWrite => vec![to_parquet("genes", folder, OUTPUT)],
            Self::ParquetFooter => {
                vec![into_result(&format!("SELECT count(*) AS rows FROM read_parquet('{folder}/{GENES}.parquet')"))]
            }
            Self::Join => vec![into_result(&join)],
            Self::Aggregate => vec![into_result(BY_ORGANISM)],
            Self::PipelineElt => vec![
                format!("CREATE OR REPLACE TABLE genes AS {}", read_parquet(GENES)),
                format!("CREATE OR REPLACE TABLE publications AS {}", read_parquet(PUBLICATIONS)),
                format!("CREATE OR REPLACE TABLE {JOINED} AS {join}"),
                into_result(BY_ORGANISM),
                to_parquet("result", folder, OUTPUT),
            ],
        }
    }

    /// The stage that each of the statements belongs to, if an operation has several.
    pub(crate) fn parts(self) -> &'static [&'static str] {
        match self {
            Self::PipelineElt => &["scan", "scan", "join", "aggregate", "parquet-output"],
            _ => &[],
        }
    }

    /// The statements that put what the last operation wrote to a file into the table `result`, if it wrote one.
    pub(crate) fn read_back(self, folder: &str) -> Option<String> {
        let query = match self {
            Self::CsvWrite => read_csv(folder, OUTPUT, &gene_fields()),
            Self::ParquetWrite | Self::PipelineElt => read_parquet(folder, OUTPUT),
            _ => return None,
        };
        Some(format!("CREATE OR REPLACE TABLE result AS {query}"))
    }

    /// The columns of `result`.
    pub(crate) fn fields(self) -> Vec<Field> {
        match self {
            Self::CsvScan | Self::CsvWrite | Self::ParquetScan | Self::ParquetWrite => gene_fields(),
            Self::ParquetFooter => vec![Field::required("rows", Kind::Integer)],
            Self::Join => relational::joined_fields(&gene_fields(), &publication_fields()),
            Self::Aggregate | Self::PipelineElt => {
                let mut fields = relational::grouped_fields();
                fields.push(Field::nullable("gcContent", Kind::Real));
                fields
            }
        }
    }
}

/// NULL is an empty cell without quotes, an empty text is `""`: the dialect that loses nothing.
pub(crate) const CSV_OPTIONS: &str = "FORMAT csv, HEADER, NULLSTR ''";

/// Reads a CSV file with columns of these types.
fn read_csv(folder: &str, name: &str, fields: &[Field]) -> String {
    let columns: Vec<_> = fields.iter().map(|field| format!("'{}': '{}'", field.name, sql_type(field.kind))).collect();
    let columns = columns.join(", ");
    format!(
        "SELECT * FROM read_csv('{folder}/{name}.csv', header = true, auto_detect = false, delim = ',', quote = '\"', \
         escape = '\"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, columns = {{{columns}}})"
    )
}

/// Reads all of a Parquet file.
pub(crate) fn read_parquet(folder: &str, name: &str) -> String {
    format!("SELECT * FROM read_parquet('{folder}/{name}.parquet')")
}

/// Writes a table as a Parquet file.
fn to_parquet(table: &str, folder: &str, name: &str) -> String {
    format!("COPY {table} TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION snappy)")
}

pub(crate) fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "VARCHAR",
        Kind::Integer => "BIGINT",
        Kind::Decimal => "DECIMAL(38,2)",
        Kind::Real => "DOUBLE",
        Kind::Date => "DATE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_a_pipeline_belongs_to_a_stage() {
        for stage in Stage::ALL.into_iter().filter(|stage| !stage.parts().is_empty()) {
            assert_eq!(stage.parts().len(), stage.statements("folder").len(), "{}", stage.name());
        }
        assert_eq!(Stage::PipelineElt.parts().last(), Some(&"parquet-output"));
    }
}
