//! Parsing JSON into a tree: branches and many small allocations. The document is the input if that is JSON, or else an
//! array with an object for each line.

use super::Kernel;
use crate::digest::Fnv;
use crate::lines;
use bench_plugin::prelude::*;
use serde_json::{Value as Json, json};
use std::fmt::{Display, Write};

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
    const SUMMARY: &'static str = "Parses a JSON document into a tree: the input if it is JSON, or an array of its lines if it does not begin as JSON.";

    fn prepare(mut input: Vec<u8>, arguments: &Arguments) -> Result<Self, ModuleError> {
        let is_cut = arguments.size("input_bytes_max").is_ok_and(|bytes_max| input.len() >= bytes_max);
        if input.starts_with(BYTE_ORDER_MARK) {
            input.drain(..BYTE_ORDER_MARK.len());
        }
        // It may have been cut within a character.
        if let Err(error) = std::str::from_utf8(&input) {
            let begin = String::from_utf8_lossy(&input[..error.valid_up_to()]);
            if looks_like_json(&begin) {
                return Err(refused(&error, is_cut));
            }
        }
        let own = String::from_utf8(input).map_err(|error| error.into_bytes()).and_then(|text| {
            match serde_json::from_str::<Json>(&text) {
                Ok(value) => Ok((text, Ok(value))),
                Err(error) if looks_like_json(&text) => Ok((text, Err(error))),
                Err(_) => Err(text.into_bytes()),
            }
        });
        // Measured as lines it would be another, much faster task under the same name.
        let own = match own {
            Ok((_, Err(error))) => return Err(refused(&error, is_cut)),
            Ok((text, Ok(value))) => Ok((text, value)),
            Err(input) => Err(input),
        };
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

/// What some editors put before UTF-8, and what no parser of JSON takes.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether `text` begins as an object or array of JSON does, and not as other text with a brace or bracket, such as TOML.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('{') {
        return rest.trim_start().starts_with(['"', '}']);
    }
    text.strip_prefix('[').map(str::trim_start).is_some_and(|rest| {
        let is_value = |c: char| c.is_ascii_digit() || matches!(c, '"' | '{' | '[' | ']' | '-');
        rest.starts_with(is_value) || ["true", "false", "null"].iter().any(|word| rest.starts_with(word))
    })
}

fn refused(error: &dyn Display, is_cut: bool) -> ModuleError {
    let next = if is_cut {
        "it was cut at `input_bytes_max`; give -p input_bytes_max=BYTES for the whole document"
    } else {
        "give one document of JSON, or other text"
    };
    ModuleError::InvalidArgument(format!("`input` begins as JSON and is none: {error}; {next}"))
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
    fn a_byte_order_mark_is_not_part_of_the_document() {
        assert_eq!(kernel(b"\xef\xbb\xbf{\"a\": 1}").document, "{\"a\": 1}");
    }

    #[test]
    fn broken_json_is_not_measured_as_lines() {
        let check_bytes = |text: &[u8], bytes_max: i64, part: &str| {
            let mut arguments = Arguments::default();
            arguments.set("input_bytes_max", bytes_max);
            let Err(error) = JsonParse::prepare(text.to_vec(), &arguments) else { panic!("{}", text.escape_ascii()) };
            assert!(error.to_string().contains(part), "{error}");
        };
        let check = |text: &str, bytes_max: i64, part: &str| check_bytes(text.as_bytes(), bytes_max, part);
        // Cut within a character, behind a mark that is not part of the document, and in another encoding.
        check_bytes(&"[\"ä".as_bytes()[..3], 3, "it was cut at `input_bytes_max`");
        check_bytes(b"\xef\xbb\xbf[1, 2", 8, "it was cut at `input_bytes_max`");
        check_bytes(b"[\"\xe4\"]", 1_000, "give one document of JSON");
        check(r#"{"a": [1, 2"#, 11, "it was cut at `input_bytes_max`");
        check(r#"{"a": [1, 2"#, 1_000, "give one document of JSON");
        check("{\"a\":1}\n{\"a\":2}\n", 1_000, "trailing characters");
        check(r#"["\ud800"]"#, 1_000, "hex escape");
        check(&"[".repeat(300), 1_000, "recursion limit");
        for text in ["[package]\nname = 1", "{ x }", "[a](b)", "{%"] {
            assert!(kernel(text.as_bytes()).document.starts_with("[{\"line\":1,"), "{text}");
        }
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
