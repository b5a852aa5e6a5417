//! The stages, and the statements of those that are queries. Names of columns are those of the generator.

use table_core::relational;
use table_core::{Field, Kind, gene_fields, publication_fields};

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    ParquetScan,
    ParquetWrite,
    Join,
    Aggregate,
    PipelineEtl,
}

pub(crate) const JOIN: &str = r#"SELECT * FROM genes FULL JOIN publications
    ON genes."Gene.primaryIdentifier" = publications."Publication.gene""#;

/// Polars' sum of nothing is 0, that of SQL is NULL.
pub(crate) const BY_ORGANISM: &str = r#"SELECT "Gene.organism.taxonId" AS "taxonId", CAST(COUNT(*) AS BIGINT) AS "genes",
    CAST(COUNT("Gene.symbol") AS BIGINT) AS "symbols",
    CASE WHEN COUNT("Gene.length") = 0 THEN NULL ELSE SUM("Gene.length") END AS "length",
    CASE WHEN COUNT("Gene.score") = 0 THEN NULL ELSE SUM("Gene.score") END AS "score",
    MAX("Gene.created") AS "created",
    CASE WHEN COUNT("Gene.gcContent") = 0 THEN NULL ELSE SUM("Gene.gcContent") END AS "gcContent"
    FROM genes GROUP BY "Gene.organism.taxonId""#;

impl Stage {
    pub(crate) const ALL: [Self; 5] =
        [Self::ParquetScan, Self::ParquetWrite, Self::Join, Self::Aggregate, Self::PipelineEtl];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ParquetScan => "parquet-scan",
            Self::ParquetWrite => "parquet-write",
            Self::Join => "join",
            Self::Aggregate => "aggregate",
            Self::PipelineEtl => "pipeline-etl",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::ParquetScan => "Reads all rows of all columns of a Parquet file into a data frame.",
            Self::ParquetWrite => "Writes a data frame as a Parquet file with Snappy.",
            Self::Join => "Joins genes and publications (FULL OUTER) from data frames into a data frame.",
            Self::Aggregate => "Counts genes and sums their numbers by organism from a data frame into a data frame.",
            Self::PipelineEtl => {
                "From two Parquet files: scans, joins, groups, and writes the groups as a Parquet file."
            }
        }
    }

    /// The stages of an operation, if it has several.
    pub(crate) fn parts(self) -> &'static [&'static str] {
        if self == Self::PipelineEtl { &["scan", "join", "aggregate", "parquet-output"] } else { &[] }
    }

    /// The columns of the result.
    pub(crate) fn fields(self) -> Vec<Field> {
        match self {
            Self::ParquetScan | Self::ParquetWrite => gene_fields(),
            Self::Join => relational::joined_fields(&gene_fields(), &publication_fields()),
            Self::Aggregate | Self::PipelineEtl => {
                let mut fields = relational::grouped_fields();
                fields.push(Field::nullable("gcContent", Kind::Real));
                fields
            }
        }
    }
}
