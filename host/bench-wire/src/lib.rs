//! The JSON forms of the nouns, as a probe's table carries them and a run file stores them. Shapes only: it opens no
//! file, and what a value means is the model's business.

mod descriptor;
mod value;

pub use descriptor::DescriptorJson;
pub use value::{ArgumentsJson, ValueJson};
