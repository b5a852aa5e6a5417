//! A source: what it reads is in `read`.

mod read;

bench_plugin::export_source!(read::Rows);
