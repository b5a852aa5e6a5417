//! Components and core modules that were not written for bench-host, made from their text at run time. No test asserts a time, but
//! for an ignored one.

mod calls;
mod commands;
mod fixture;
mod libraries;
mod overhead;
