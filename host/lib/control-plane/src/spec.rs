//! Checks that every control plane makes before a write: the spec's text, and the names of an object.

use crate::PlaneError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Display;

/// The largest spec in bytes: the largest request of etcd.
pub const SPEC_BYTES_MAX: usize = 3 << 19;

/// The fields of a spec, sorted by name, so that their text does not depend on their order in the input.
pub(crate) type Spec = BTreeMap<String, Value>;

/// Parses `text`, which `manager` writes.
pub(crate) fn parse(text: &str, manager: &str) -> Result<Spec, PlaneError> {
    if manager.is_empty() {
        return Err(PlaneError::Invalid("the manager of a write needs a name".to_owned()));
    }
    if text.len() > SPEC_BYTES_MAX {
        let reason = format!("a spec of {} bytes is too long, the most is {SPEC_BYTES_MAX}", text.len());
        return Err(PlaneError::Invalid(reason));
    }
    serde_json::from_str(text).map_err(|error| PlaneError::Invalid(format!("the spec is not a JSON object: {error}")))
}

/// Refuses an empty part of `whole`, such as its name.
pub(crate) fn check_named(whole: &dyn Display, what: &str, text: &str) -> Result<(), PlaneError> {
    if text.is_empty() { Err(PlaneError::Invalid(format!("the {what} of `{whole}` is empty"))) } else { Ok(()) }
}
