//! The generator on small packages, the files that are checked in, the layout that was published, and published WIT.

mod generated;
mod layout;
mod published;
mod rules;
