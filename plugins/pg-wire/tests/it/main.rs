//! Tests of the connectors' protocol against real servers of the installed PostgreSQL.

mod failures;
mod server;
mod transfers;
