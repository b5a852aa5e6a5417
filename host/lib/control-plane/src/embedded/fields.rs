//! The fields of one object's spec and their owners, which server-side apply merges. A field is a key at the top level of the
//! spec.

use crate::{PlaneError, spec};
use serde_json::Value;
use std::sync::Arc;

/// Fields sorted by name, without room for more: a spec has few, and there are as many specs as objects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields(Box<[(Box<str>, Field)]>);

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
        let owned =
            |(name, value): (String, Value)| (name.into_boxed_str(), Field { value, manager: Arc::clone(&manager) });
        Ok(Self(values.into_iter().map(owned).collect()))
    }

    fn get(&self, name: &str) -> Option<&Field> {
        let found = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&self.0[found].1)
    }

    /// These fields after `manager` applies `wanted`: its fields are set, and those that it owned and no longer gives are
    /// removed. `None` where this would change a field of another manager.
    pub(super) fn applied(&self, wanted: Self, manager: &str) -> Option<Self> {
        let mut kept = self.0.iter().filter(|(_, field)| &*field.manager != manager).peekable();
        let mut merged = Vec::with_capacity(wanted.0.len());
        for (name, field) in wanted.0 {
            while let Some(before) = kept.next_if(|(known, _)| *known < name) {
                merged.push(before.clone());
            }
            match kept.next_if(|(known, _)| *known == name) {
                Some((_, other)) if other.value != field.value => return None,
                // Both want the same value: the owner does not change.
                Some(same) => merged.push(same.clone()),
                None => merged.push((name, field)),
            }
        }
        merged.extend(kept.cloned());
        Some(Self(merged.into()))
    }

    /// Replaces these by `wanted`; unchanged fields keep their owner.
    pub(super) fn replaced(&self, mut wanted: Self) -> Self {
        for (name, field) in wanted.0.iter_mut() {
            if let Some(old) = self.get(name).filter(|old| old.value == field.value) {
                field.manager = Arc::clone(&old.manager);
            }
        }
        wanted
    }

    /// As JSON, fields by name.
    pub(super) fn to_json(&self) -> String {
        let mut text = b"{".to_vec();
        for (index, (name, field)) in self.0.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            // Straight into the text: every write of an operator comes here, and a formatter would make a text of each part first.
            let written = serde_json::to_writer(&mut text, &**name).and_then(|()| {
                text.push(b':');
                serde_json::to_writer(&mut text, &field.value)
            });
            written.expect("JSON can be written into memory");
        }
        text.push(b'}');
        String::from_utf8(text).expect("JSON is text")
    }
}
