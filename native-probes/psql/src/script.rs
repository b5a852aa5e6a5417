//! The SQL statements: creating the table, and INSERTs that the server generates from the rows.

/// Rows of one INSERT.
pub(crate) const INSERT_ROWS: u32 = 256;

/// The name of the row's number, which no column of a user's table is likely to have.
const ROW: &str = "bench_host_row";

/// Creates the table `target` for the rows of `source`.
pub(crate) fn create(source: &str, target: &str, is_logged: bool) -> String {
    let unlogged = if is_logged { "" } else { "UNLOGGED " };
    format!("CREATE {unlogged}TABLE {target} (LIKE {source})")
}

/// A query whose result is one statement per line: INSERTs of all rows of `source` into `target`, with these columns.
pub(crate) fn inserts(source: &str, target: &str, columns: &[String]) -> String {
    let names = columns.join(", ");
    let values: Vec<_> = columns.iter().map(|column| format!("quote_nullable({column})")).collect();
    let values = values.join(" || ', ' || ");
    format!(
        "SELECT 'INSERT INTO {target} ({names}) VALUES ' || string_agg('(' || {values} || ')', ', ' ORDER BY {ROW}) || ';' FROM \
         (SELECT *, row_number() OVER () - 1 AS {ROW} FROM {source}) AS numbered GROUP BY {ROW} / {INSERT_ROWS} \
         ORDER BY {ROW} / {INSERT_ROWS}",
        target = target.replace('\'', "''"),
        names = names.replace('\'', "''"),
    )
}
