//! Tests of the family's report, and of stages that somebody else wrote.

mod report;
mod schema;
mod stages;
