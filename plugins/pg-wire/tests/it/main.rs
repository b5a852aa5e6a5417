//! Tests of the connectors' protocol against real servers of the installed PostgreSQL, one per test.

mod failures;
mod server;
mod transfers;
