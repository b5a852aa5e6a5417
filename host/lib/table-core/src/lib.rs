//! Tables whose content is known: their generator, a digest over all cells, joins and groups computed in a plain way, and the formats
//! in which a mine answers. What is measured elsewhere is compared with what is computed here.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
pub mod allocator;
#[cfg(feature = "arrow")]
pub mod arrow;
pub mod clock;
pub mod csv;
mod digest;
mod fault;
mod generate;
pub mod infer;
mod invariants;
pub mod kept;
pub mod mine;
mod parity;
pub mod parquet;
pub mod relational;
pub mod stream;
mod table;
pub mod text;

pub use digest::{Digest, hash};
pub use fault::Fault;
pub use generate::{Recipe, gene_fields, organism_fields, publication_fields};
pub use invariants::Invariants;
pub use parity::{compare, fingerprint};
pub use table::{Cell, Field, Kind, Table};
