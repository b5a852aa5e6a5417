//! The stages as SQL. Names of columns are those of the generator.

use table_core::relational;
use table_core::{Field, Kind, gene_fields, publication_fields};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    ParquetScan,
    ParquetWrite,
    ParquetFooter,
    Join,
    Aggregate,
}

/// The tables in memory, and those over files.
pub(crate) const GENES: &str = "genes";
pub(crate) const PUBLICATIONS: &str = "publications";
pub(crate) const FILE: &str = "genes_file";

impl Stage {
    pub(crate) const ALL: [Self; 5] =
        [Self::ParquetScan, Self::ParquetWrite, Self::ParquetFooter, Self::Join, Self::Aggregate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ParquetScan => "parquet-scan",
            Self::ParquetWrite => "parquet-write",
            Self::ParquetFooter => "parquet-footer",
            Self::Join => "join",
            Self::Aggregate => "aggregate",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::ParquetScan => "Reads all rows of all columns of a Parquet file into Arrow batches.",
            Self::ParquetWrite => "Writes a table in memory as a Parquet file with Snappy.",
            Self::ParquetFooter => "Counts the rows of a Parquet file, for which DataFusion reads its footer alone.",
            Self::Join => "Joins genes and publications (FULL OUTER) from tables in memory into Arrow batches.",
            Self::Aggregate => {
                "Counts genes and sums their numbers by organism from a table in memory into Arrow batches."
            }
        }
    }

    /// The query of one operation. Planning it is part of the operation, as it is for DuckDB.
    pub(crate) fn query(self) -> &'static str {
        match self {
            Self::ParquetScan => "SELECT * FROM genes_file",
            Self::ParquetWrite => "SELECT * FROM genes",
            Self::ParquetFooter => "SELECT count(*) AS \"rows\" FROM genes_file",
            Self::Join => {
                r#"SELECT g.*, p.* FROM genes g FULL OUTER JOIN publications p
                ON g."Gene.primaryIdentifier" = p."Publication.gene""#
            }
            Self::Aggregate => {
                r#"SELECT "Gene.organism.taxonId" AS "taxonId", count(*) AS genes, count("Gene.symbol") AS symbols,
                sum("Gene.length") AS length, CAST(sum("Gene.score") AS DECIMAL(38, 2)) AS score,
                max("Gene.created") AS created, sum("Gene.gcContent") AS "gcContent" FROM genes GROUP BY "Gene.organism.taxonId""#
            }
        }
    }

    /// The columns of the result.
    pub(crate) fn fields(self) -> Vec<Field> {
        match self {
            Self::ParquetScan | Self::ParquetWrite => gene_fields(),
            Self::ParquetFooter => vec![Field::required("rows", Kind::Integer)],
            Self::Join => relational::joined_fields(&gene_fields(), &publication_fields()),
            Self::Aggregate => {
                let mut fields = relational::grouped_fields();
                fields.push(Field::nullable("gcContent", Kind::Real));
                fields
            }
        }
    }
}
