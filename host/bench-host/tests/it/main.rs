//! bench-host as its users meet it: the built program, run on good modules, on hostile ones and on files that are none. No
//! test looks at how long anything took.

mod cache;
mod comparing;
mod derived;
mod figures;
mod full_disk;
mod functions;
mod host;
mod listing;
mod log_arms;
mod logs;
mod misdeeds;
mod mistakes;
mod modules;
mod operators;
mod planning;
mod readme;
mod refusals;
mod resumed;
mod revisions;
mod rings;
mod scratch;
mod stopped;
mod transfers;
mod validation;
