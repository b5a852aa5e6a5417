//! What comes of a module of which everything is known, on every setting of the engine. One binary, so that it links
//! once; no test looks at a time.

mod carriers;
mod counts;
mod fixture;
mod images;
mod ledgers;
mod settings;
