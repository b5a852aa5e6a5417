//! The connectors' protocol against a real server, one for each test, made out of the machine's own PostgreSQL.

mod failures;
mod server;
mod transfers;
