//! Tests of the family's report.

mod report;
mod schema;
