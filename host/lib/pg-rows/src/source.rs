//! Where the rows come from: they are made from a seed, or they are those of a table or a query of the user.

use crate::{Dataset, SCHEMA, quoted};
use bench_model::{Arguments, ModuleError, Parameter, Value};

/// The parameter with a table or query of the user.
pub const SOURCE_TABLE: &str = "source_table";

/// The rows that are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Made from a seed.
    Generated(Dataset),
    /// Those of a table, as SQL writes its name.
    Table {
        /// The schema of the run.
        schema: String,
        /// The name, with a schema unless it is in the search path.
        name: String,
    },
    /// Those of a query, which a view in the schema of the run has.
    Query {
        /// The schema of the run.
        schema: String,
        /// The query.
        sql: String,
    },
}

/// The words that a query begins with.
const QUERIES: [&str; 4] = ["select", "with", "values", "table"];

/// The parameter that [`Source::of`] reads besides those of [`Dataset::of`].
pub(crate) fn parameter() -> Parameter {
    let summary = "table of the server whose rows are moved, as SQL writes it (schema.table), or a query (SELECT …); empty for \
                   generated rows, which `rows`, `payload`, `columns` and `seed` describe";
    Parameter::new(SOURCE_TABLE, "", summary)
}

impl Source {
    /// Reads a scenario's argument `source_table`; where it is empty or absent, those of generated rows.
    pub fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let text = match arguments.get(SOURCE_TABLE) {
            Some(Value::Text(text)) => text.trim().trim_end_matches(';').trim_end(),
            _ => "",
        };
        if text.is_empty() {
            return Dataset::of(arguments).map(Self::Generated);
        }
        let schema = arguments.text(SCHEMA)?.to_owned();
        Ok(match is_query(text) {
            true => Self::Query { schema, sql: text.to_owned() },
            false => Self::Table { schema, name: text.to_owned() },
        })
    }

    /// Whether the rows are the user's, who may change them at any time.
    pub fn is_own(&self) -> bool {
        !matches!(self, Self::Generated(_))
    }

    /// The table or view to read, as SQL writes it.
    pub fn table(&self) -> String {
        match self {
            Self::Generated(dataset) => dataset.table(),
            Self::Table { name, .. } => name.clone(),
            Self::Query { schema, sql } => {
                // Equal queries share a view.
                format!("{}.{}", quoted(schema), quoted(&format!("bench_source_{:016x}", fnv(sql.as_bytes()))))
            }
        }
    }

    /// Statements after which the table or view can be read, and tables be created in the schema of the run. They fail where there
    /// is no such table.
    pub fn create(&self) -> String {
        let schema = |schema: &str| format!("CREATE SCHEMA IF NOT EXISTS {};\n", quoted(schema));
        match self {
            Self::Generated(dataset) => dataset.create(),
            Self::Table { schema: run, name } => {
                // Parses it as a name and nothing else.
                format!("{}SELECT '{}'::regclass;\n", schema(run), name.replace('\'', "''"))
            }
            Self::Query { schema: run, sql } => {
                // The query may end with a comment.
                format!("{}CREATE OR REPLACE VIEW {} AS {sql}\n;\n", schema(run), self.table())
            }
        }
    }
}

/// Whether `text` begins as a query does; the name of a table has no second word.
fn is_query(text: &str) -> bool {
    let word = text.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    let rest = &text[word.len()..];
    let is_end = rest.starts_with('(') || rest.starts_with(char::is_whitespace);
    is_end && QUERIES.iter().any(|query| word.eq_ignore_ascii_case(query))
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn of(text: &str) -> Source {
        let mut arguments = Arguments::default();
        arguments.set(SOURCE_TABLE, text);
        arguments.set(SCHEMA, "s");
        Source::of(&arguments).unwrap()
    }

    #[test]
    fn table_and_query_are_told_apart_by_their_first_word() {
        let table = |text: &str| assert_eq!(of(text), Source::Table { schema: "s".into(), name: text.into() });
        ["orders", "app.orders", "\"select x\"", "values", "selections", "with.care"].into_iter().for_each(table);
        let query = |text: &str| assert!(matches!(of(text), Source::Query { .. }), "{text}");
        ["SELECT 1", "select(1)", "with a as (select 1) table a", "values (1)", "Table\tx"].into_iter().for_each(query);
        assert_eq!(of(" select 1 ;\n"), of("select 1"));
    }

    #[test]
    fn query_is_a_view_of_the_run() {
        let source = of("select 1 -- one");
        assert_eq!(source.table(), of("select 1 -- one").table());
        assert_ne!(source.table(), of("select 2").table());
        let view = format!("CREATE OR REPLACE VIEW {} AS select 1 -- one\n;\n", source.table());
        assert_eq!(source.create(), format!("CREATE SCHEMA IF NOT EXISTS \"s\";\n{view}"));
    }

    #[test]
    fn name_of_a_table_is_not_a_statement() {
        assert!(of("a'; DROP TABLE b; --").create().ends_with("SELECT 'a''; DROP TABLE b; --'::regclass;\n"));
    }
}
