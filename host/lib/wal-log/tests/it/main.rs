//! Tests of a log through its public interface and through the bytes of its files.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a test mounts a small disk of its own")]

mod bad_input;
mod batches;
mod concurrency;
mod crash;
mod durability;
mod full_disk;
mod model;
mod reading;
mod recycling;
mod streams;
mod subscriptions;
mod support;
mod torn;
mod transactions;
