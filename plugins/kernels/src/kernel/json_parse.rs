//! Parsing JSON into a tree: branches and many small allocations. The document is the input if that is JSON, or else an
//! array with an object for each line.

use super::Kernel;
use crate::digest::Fnv;
use crate::lines;
use bench_plugin::prelude::*;
use serde_json::{Value as Json, json};
use std::fmt::Write;

pub(crate) struct JsonParse {
    document: String,
    /// The document as the crate formats it, and the number of elements of its outermost array or object.
    canonical: String,
    elements: usize,
    /// The result of the last pass; `None` if it failed.
    parsed: Option<Json>,
}

impl Kernel for JsonParse {
    const NAME: &'static str = "json-parse";
    const SUMMARY: &'static str =
        "Parses a JSON document into a tree: the input if it is JSON, or else an array of its lines.";

    fn prepare(input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
        let own = String::from_utf8(input).map_err(|error| error.into_bytes()).and_then(|text| {
            match serde_json::from_str::<Json>(&text) {
                Ok(value) => Ok((text, value)),
                Err(_) => Err(text.into_bytes()),
            }
        });
        Ok(match own {
            Ok((document, value)) => {
                Self { document, canonical: value.to_string(), elements: elements(&value), parsed: None }
            }
            Err(input) => {
                let document = document_of_lines(&input);
                Self { canonical: document.clone(), document, elements: lines::of(&input).count(), parsed: None }
            }
        })
    }

    fn bytes(&self) -> u64 {
        self.document.len() as u64
    }

    fn run(&mut self) {
        self.parsed = serde_json::from_str(&self.document).ok();
    }

    /// A digest of the tree's width and its first nodes: the whole tree would cost a tenth of a pass.
    fn digest(&self) -> u64 {
        let Some(parsed) = &self.parsed else { return 0 };
        let mut nodes_left = 1000;
        structure(parsed, Fnv::new().word(elements(parsed) as u64), &mut nodes_left).finish()
    }

    fn verify(&self) -> Vec<Check> {
        let known = serde_json::from_str(r#" {"b":null, "a":[1, -2.5, "\u00e9\n", true, {}]} "#).unwrap_or(Json::Null);
        let written = self.parsed.as_ref().map_or_else(String::new, Json::to_string);
        vec![
            Check::equal("known-document", &json!({ "a": [1, -2.5, "\u{e9}\n", true, {}], "b": null }), &known),
            Check::equal("element-count", &Some(self.elements), &self.parsed.as_ref().map(elements)),
            Check::that("written-back", written == self.canonical, difference(&self.canonical, &written)),
        ]
    }
}

/// Compact and with sorted keys, as the crate formats its trees.
fn document_of_lines(input: &[u8]) -> String {
    let mut document = "[".to_owned();
    for (index, line) in lines::of(input).enumerate() {
        let (comma, text) = (if index == 0 { "" } else { "," }, Json::from(String::from_utf8_lossy(line)));
        // Writing to a string cannot fail.
        let _ = write!(document, r#"{comma}{{"line":{},"text":{text}}}"#, index + 1);
    }
    document + "]"
}

fn elements(value: &Json) -> usize {
    match value {
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        _ => 1,
    }
}

/// Adds the kinds and text lengths of up to `nodes_left` nodes, parents first. Values of numbers are not included.
fn structure(value: &Json, hash: Fnv, nodes_left: &mut u32) -> Fnv {
    if *nodes_left == 0 {
        return hash;
    }
    *nodes_left -= 1;
    match value {
        Json::Null => hash.word(1),
        Json::Bool(value) => hash.word(2 + u64::from(*value)),
        Json::Number(_) => hash.word(4),
        Json::String(text) => hash.word(5).word(text.len() as u64),
        Json::Array(items) => {
            items.iter().take(*nodes_left as usize).fold(hash.word(6), |hash, item| structure(item, hash, nodes_left))
        }
        Json::Object(members) => members
            .iter()
            .take(*nodes_left as usize)
            .fold(hash.word(7), |hash, (name, member)| structure(member, hash.word(name.len() as u64), nodes_left)),
    }
}

/// The position of the first difference, without printing megabytes.
fn difference(expected: &str, found: &str) -> String {
    let at = expected.bytes().zip(found.bytes()).take_while(|(expected, found)| expected == found).count();
    format!("expected {} bytes, found {}, of which the first {at} are the same", expected.len(), found.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};

    fn kernel(input: &[u8]) -> JsonParse {
        passed(input, &Arguments::default())
    }

    #[test]
    fn lines_become_objects() {
        let kernel = kernel(b"say \"hi\"\n\n\xff\n");
        let expect =
            "[{\"line\":1,\"text\":\"say \\\"hi\\\"\"},{\"line\":2,\"text\":\"\"},{\"line\":3,\"text\":\"\u{fffd}\"}]";
        assert_eq!((kernel.document.as_str(), failed(&kernel)), (expect, vec![]));
    }

    #[test]
    fn a_json_document_is_parsed_unchanged() {
        let kernel = kernel(b"{\"b\": 1.50,\n \"a\": []}\n");
        assert_eq!((kernel.bytes(), kernel.elements, failed(&kernel)), (22, 2, vec![]));
        assert_eq!(kernel.canonical, r#"{"a":[],"b":1.5}"#);
    }

    #[test]
    fn the_digest_depends_on_the_structure() {
        let digest = |text: &str| kernel(text.as_bytes()).digest();
        let digests =
            ["[1]", "[1,1]", "[[1]]", "[\"a\"]", "[\"ab\"]", "{\"a\":1}", "{\"ab\":1}", "[true]", "[false]", "[null]"];
        let distinct: std::collections::BTreeSet<_> = digests.map(digest).into();
        assert_eq!(distinct.len(), digests.len());
        assert_eq!(digest("[1]"), digest(" [ 2 ]"));
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel = kernel(&text());
        assert!(failed(&kernel).is_empty());
        kernel.parsed.as_mut().unwrap()[499]["text"] = json!("another");
        assert_eq!(failed(&kernel), ["written-back"]);
        kernel.parsed = None;
        assert_eq!(failed(&kernel), ["element-count", "written-back"]);
        assert_eq!(kernel.digest(), 0);
    }
}
