//! What is written into any control plane, before it is written: a spec, as text, and the names of an object. It must not know where
//! that is.

use crate::PlaneError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Display;

/// The largest spec, as etcd's largest request.
pub const SPEC_BYTES_MAX: usize = 3 << 19;

/// The fields of a spec, by name, so that the text they come to does not depend on who has sorted them before.
pub(crate) type Spec = BTreeMap<String, Value>;

/// The fields of `text`, which `manager` writes.
pub(crate) fn parse(text: &str, manager: &str) -> Result<Spec, PlaneError> {
    if manager.is_empty() {
        return Err(PlaneError::Invalid("whoever writes needs a name".to_owned()));
    }
    if text.len() > SPEC_BYTES_MAX {
        let reason = format!("a spec of {} bytes is too long, the most is {SPEC_BYTES_MAX}", text.len());
        return Err(PlaneError::Invalid(reason));
    }
    serde_json::from_str(text).map_err(|error| PlaneError::Invalid(format!("the spec is no JSON object: {error}")))
}

/// Refuses a part of `whole`, such as its name, that says nothing.
pub(crate) fn check_named(whole: &dyn Display, what: &str, text: &str) -> Result<(), PlaneError> {
    if text.is_empty() { Err(PlaneError::Invalid(format!("the {what} of `{whole}` is empty"))) } else { Ok(()) }
}
