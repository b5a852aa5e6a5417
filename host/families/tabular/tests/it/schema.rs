//! The parts of JSON Schema that `stage-model.schema.json` uses: `$ref`, `const`, `type`, `required`, `properties`,
//! `additionalProperties: false` and `items`.

use serde_json::Value;

/// The first place in which `value` is not as `schema` says. `root` has the definitions.
pub(crate) fn violation(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').expect("a reference within the schema");
        return violation(root, root.pointer(pointer).expect("a definition"), value, at);
    }
    if let Some(constant) = schema.get("const").filter(|constant| *constant != value) {
        return Some(format!("{at} is {value}, not {constant}"));
    }
    if !schema["type"].is_null() && !is_of_type(&schema["type"], value) {
        return Some(format!("{at} is {value}, not of the type {}", schema["type"]));
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        return values.iter().enumerate().find_map(|(i, value)| violation(root, items, value, &format!("{at}/{i}")));
    }
    let members = value.as_object()?;
    let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| !members.contains_key(*name)) {
        return Some(format!("{at} has no `{missing}`"));
    }
    members.iter().find_map(|(name, value)| match schema["properties"].get(name) {
        Some(schema) => violation(root, schema, value, &format!("{at}/{name}")),
        None if schema["additionalProperties"] == false => Some(format!("{at} has `{name}`")),
        None => None,
    })
}

/// `types` is a name or an array of names.
fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        _ => panic!("the type {name} is not known here"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}
