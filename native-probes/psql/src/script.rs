//! The statements: what makes the table, what copies, and the INSERTs that the server itself writes out of the rows. It must not
//! know who runs them.

/// Rows of one INSERT.
pub(crate) const INSERT_ROWS: u32 = 256;

/// Makes the table `target` for the rows of `source`.
pub(crate) fn create(source: &str, target: &str, is_logged: bool) -> String {
    let unlogged = if is_logged { "" } else { "UNLOGGED " };
    format!("CREATE {unlogged}TABLE {target} (LIKE {source})")
}

/// A query of one statement a line: INSERTs of all rows of `source` into `target`, with the columns `columns`.
pub(crate) fn inserts(source: &str, target: &str, columns: &[String]) -> String {
    let names = columns.join(", ");
    let values: Vec<_> = columns.iter().map(|column| format!("quote_nullable({column})")).collect();
    let values = values.join(" || ', ' || ");
    format!(
        "SELECT 'INSERT INTO {target} ({names}) VALUES ' || string_agg('(' || {values} || ')', ', ' ORDER BY row) || ';' FROM \
         (SELECT *, row_number() OVER (ORDER BY id) - 1 AS row FROM {source}) AS numbered GROUP BY row / {INSERT_ROWS} \
         ORDER BY row / {INSERT_ROWS}",
        target = target.replace('\'', "''"),
    )
}
