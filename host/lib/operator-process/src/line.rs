//! The lines, as types that both ends share: whoever writes one, the other reads with the same type. They must not know who
//! sends them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What the host has the program do.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call<'a> {
    /// `start`, `reconcile`, `suspend`, `resume`.
    #[serde(borrow)]
    pub call: Cow<'a, str>,
    /// Of `start`: names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<(String, String)>,
    /// Of `reconcile`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventLine<'a>>,
    /// Of `resume`, in Base64.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
}

/// What became of an object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Which object, and how it is now.
    #[serde(borrow)]
    pub object: ObjectLine<'a>,
}

/// An object, or as much of it as is said.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectLine<'a> {
    /// Its type.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Where it lies.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// Its name there.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The version that it has, or that is to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<u64>,
    /// What is wanted of it: a JSON object.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<&'a RawValue>,
}

/// What the program says: a question to the control plane, or the end of a call.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply<'a> {
    /// `get`, `apply`, `create`, `update`, `delete`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<Cow<'a, str>>,
    /// What the question is about.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectLine<'a>>,
    /// The call has ended well.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done<'a>>,
    /// The call has failed; says why.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
}

/// What a call that has ended well leaves.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done<'a> {
    /// Of `start`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<WatchLine>,
    /// Of `suspend`, in Base64.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
}

/// Events that are wanted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchLine {
    /// The objects' type.
    pub kind: String,
    /// The namespace they lie in.
    pub namespace: String,
}

/// What the control plane says to a question.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer<'a> {
    /// The object as it is now.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectLine<'a>>,
    /// It is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// `notFound`, `conflict`, `invalid`, `unavailable`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Cow<'a, str>>,
    /// Of a conflict: the version that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Why it was refused.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// A line that says nothing known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// A state as a line carries it.
pub fn encode_state(state: &[u8]) -> String {
    BASE64_STANDARD.encode(state)
}

/// What [`encode_state`] was given.
pub fn decode_state(text: &str) -> Result<Vec<u8>, Unreadable> {
    BASE64_STANDARD.decode(text).map_err(|error| Unreadable(format!("the state is not Base64: {error}")))
}
