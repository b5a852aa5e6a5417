//! What the header says is so.

use bench_model::{Descriptor, Domain, Value};

const HEADER: &str = include_str!("../include/bench_probe.h");

#[test]
fn descriptor_in_the_header_is_valid() {
    let comment: Vec<_> = HEADER.lines().map(|line| line.trim_start_matches(" *")).collect();
    let text = comment.join("\n");
    let start = text.find("{\"name\": \"sum\"").expect("there is an example");
    let end = start + text[start..].find("\n\n").expect("it ends with an empty line");
    let descriptor: Descriptor = serde_json::from_str(&text[start..end]).expect("it is a descriptor");
    assert_eq!(descriptor.validate(), Ok(()));
    let parameter = &descriptor.scenarios[0].parameters[0];
    assert_eq!(parameter.domain, Domain::Between(Value::Integer(1), Value::Integer(4096)));
    assert_eq!(descriptor.scenarios[0].requirements.len(), 1);
}
