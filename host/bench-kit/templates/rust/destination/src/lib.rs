//! A destination, and the source that it reads from unless `-p source=…` names another one.

mod read;
mod write;

bench_plugin::export_connectors!(read::Rows, write::Table);
