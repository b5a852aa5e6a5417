//! The arm `process`: programs beside a component that do outside what it does inside. What each is told and asked is in its own
//! file; it must not know what a program does.

mod operators;
mod server;

pub(crate) use operators::OperatorProgram;
pub(crate) use server::ServerProgram;
