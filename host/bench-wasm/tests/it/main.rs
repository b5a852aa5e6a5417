//! Tests a module with known results, with every setting of the engine. One binary, so that it links once; no test asserts a
//! time.

mod corruption;
mod counts;
mod fixture;
mod ledgers;
mod mutated;
mod settings;
mod versions;
