//! The commands, one file each.

#[cfg(feature = "fleet")]
pub(crate) mod agent;
pub(crate) mod check;
pub(crate) mod compare;
#[cfg(feature = "manual")]
pub(crate) mod completions;
pub(crate) mod doctor;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
mod former_names;
pub(crate) mod list;
pub(crate) mod load;
#[cfg(feature = "manual")]
pub(crate) mod man;
pub(crate) mod new;
#[cfg(feature = "price")]
pub(crate) mod price;
#[cfg(feature = "profile")]
pub(crate) mod profile;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod sdk;
pub(crate) mod validate;
#[cfg(feature = "wrap")]
pub(crate) mod wrap;
