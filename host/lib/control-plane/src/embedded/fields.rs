//! The fields of one object's spec and their owners, which server-side apply merges. A field is a key at the top level of the
//! spec.

use crate::{PlaneError, spec};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fields by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields(BTreeMap<String, Field>);

#[derive(Clone, Debug, PartialEq)]
struct Field {
    value: Value,
    manager: Arc<str>,
}

impl Fields {
    /// Parses the fields of `spec`, all owned by `manager`.
    pub(super) fn parse(spec: &str, manager: &str) -> Result<Self, PlaneError> {
        let values = spec::parse(spec, manager)?;
        let manager = Arc::from(manager);
        let owned = |(name, value)| (name, Field { value, manager: Arc::clone(&manager) });
        Ok(Self(values.into_iter().map(owned).collect()))
    }

    /// These fields after `manager` applies `wanted`: its fields are set, and those that it owned and no longer gives are
    /// removed. `None` where this would change a field of another manager.
    pub(super) fn applied(&self, wanted: Self, manager: &str) -> Option<Self> {
        let kept = self.0.iter().filter(|(_, field)| &*field.manager != manager);
        let mut merged: BTreeMap<_, _> = kept.map(|(name, field)| (name.clone(), field.clone())).collect();
        for (name, field) in wanted.0 {
            match merged.get(&name) {
                Some(other) if other.value != field.value => return None,
                // Both want the same value: the owner does not change.
                Some(_) => (),
                None => drop(merged.insert(name, field)),
            }
        }
        Some(Self(merged))
    }

    /// Replaces these by `wanted`; unchanged fields keep their owner.
    pub(super) fn replaced(&self, mut wanted: Self) -> Self {
        for (name, field) in &mut wanted.0 {
            if let Some(old) = self.0.get(name).filter(|old| old.value == field.value) {
                field.manager = Arc::clone(&old.manager);
            }
        }
        wanted
    }

    /// As JSON, fields by name.
    pub(super) fn to_json(&self) -> String {
        let mut text = String::from("{");
        for (index, (name, field)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.push_str(comma);
            text.push_str(&Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(&field.value.to_string());
        }
        text.push('}');
        text
    }
}
