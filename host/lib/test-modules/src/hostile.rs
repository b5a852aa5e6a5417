//! The components of `plugins/hostile` that are not in Rust: those that are written there as text, and those that are made of bytes, because
//! they are larger or deeper than texts are read.

use crate::{component, project};
use std::fs;
use std::io;
use std::path::Path;

/// The folder of the texts, from the project's.
const FOLDER: &str = "plugins/hostile";

/// What a text exports that is a core module.
const PLUGIN: &str = "
    package bench-host:hostile;
    world fixture {
        export bench-host:workload/plugin@0.1.0;
    }
";

/// How deep components are nested in one another, deeper than any toolchain makes them.
const DEPTH: usize = 20_000;

/// How often a component makes an instance of the same module.
const INSTANCES: usize = 100_000;

/// The variables of the slow function, and its operations.
const VARIABLES: u32 = 500;
const OPERATIONS: u32 = 60_000;

/// Writes all of them into `folder` as `NAME.wasm`, and returns their names, sorted.
pub fn write_hostile(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut write = |name: &str, bytes: &[u8]| {
        names.push(name.to_owned());
        fs::write(folder.join(name).with_extension("wasm"), bytes)
    };
    for entry in fs::read_dir(project().join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wat") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            write(&name, &of_text(&name, &fs::read_to_string(&path)?)?)?;
        }
    }
    write("nested", &nested(DEPTH))?;
    write("doubling", &doubling())?;
    write("instances", &instances(INSTANCES))?;
    write("slow-function", &slow_function(VARIABLES, OPERATIONS))?;
    names.sort();
    Ok(names)
}

/// The component of a text, which is one, or is the core module of a plug-in.
fn of_text(name: &str, text: &str) -> io::Result<Vec<u8>> {
    let first = text.lines().find(|line| !line.starts_with(";;")).unwrap_or_default();
    if first.starts_with("(module") {
        return Ok(component(text, PLUGIN, &["workload"]));
    }
    wat::parse_str(text).map_err(|error| io::Error::other(format!("{name}.wat: {error}")))
}

/// The beginning of a component, and that of a core module.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The numbers of the sections of a component that hold a core module, core instances, a nested component, and types.
const MODULE_SECTION: u8 = 1;
const INSTANCE_SECTION: u8 = 2;
const NESTED: u8 = 4;
const TYPE_SECTION: u8 = 7;

/// Instructions of a core function, and what stands for types in it.
mod instruction {
    pub(super) const LOOP: u8 = 0x03;
    pub(super) const IF: u8 = 0x04;
    pub(super) const END: u8 = 0x0b;
    pub(super) const BRANCH_IF: u8 = 0x0d;
    pub(super) const GET: u8 = 0x20;
    pub(super) const SET: u8 = 0x21;
    pub(super) const MULTIPLY: u8 = 0x7e;
    pub(super) const WRAP: u8 = 0xa7;
    pub(super) const I64: u8 = 0x7e;
    pub(super) const NO_RESULT: u8 = 0x40;
}

/// Components nested in one another.
fn nested(depth: usize) -> Vec<u8> {
    // The sizes from the innermost to the outermost, then the bytes from the outermost to the innermost.
    let mut sizes = vec![COMPONENT.len()];
    for level in 1..depth {
        let inner = sizes[level - 1];
        sizes.push(COMPONENT.len() + 1 + leb(inner).len() + inner);
    }
    let mut bytes = Vec::with_capacity(sizes[depth - 1]);
    for inner in sizes.iter().rev().skip(1) {
        bytes.extend_from_slice(COMPONENT);
        bytes.push(NESTED);
        bytes.extend(leb(*inner));
    }
    bytes.extend_from_slice(COMPONENT);
    bytes
}

/// Thirty types, each a pair of the one before.
fn doubling() -> Vec<u8> {
    const TYPES: u8 = 30;
    const TUPLE: u8 = 0x6f;
    const BYTE: u8 = 0x7d;
    let pair = |of: u8| [TUPLE, 2, of, of];
    let types = std::iter::once(BYTE).chain(0..TYPES - 1).flat_map(pair);
    let body: Vec<u8> = std::iter::once(TYPES).chain(types).collect();
    [COMPONENT, &section(TYPE_SECTION, &body)].concat()
}

/// A component that makes so many instances of one core module, which is empty.
fn instances(count: usize) -> Vec<u8> {
    // Each is made of the module of index 0, without arguments.
    let body = [leb(count), [0, 0, 0].repeat(count)].concat();
    [COMPONENT, &section(MODULE_SECTION, MODULE), &section(INSTANCE_SECTION, &body)].concat()
}

/// A component with one core function, in which all of so many variables are in use all the time: each of the operations, eight of which
/// are behind a condition, makes one of two others, and after the last the function begins anew. It is never called.
fn slow_function(variables: u32, operations: u32) -> Vec<u8> {
    const BEHIND_A_CONDITION: u32 = 8;
    let mut random = 1_u32;
    let mut variable = |instruction: u8| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let index = (random >> 8) % variables;
        [vec![instruction], leb(index as usize)].concat()
    };
    let mut code =
        [vec![1], leb(variables as usize), vec![instruction::I64, instruction::LOOP, instruction::NO_RESULT]].concat();
    for operation in 0..operations {
        if operation.is_multiple_of(BEHIND_A_CONDITION) {
            code.extend(variable(instruction::GET));
            code.extend([instruction::WRAP, instruction::IF, instruction::NO_RESULT]);
        }
        code.extend(variable(instruction::GET));
        code.extend(variable(instruction::GET));
        code.push(instruction::MULTIPLY);
        code.extend(variable(instruction::SET));
        if (operation + 1).is_multiple_of(BEHIND_A_CONDITION) {
            code.push(instruction::END);
        }
    }
    code.extend(variable(instruction::GET));
    code.extend([instruction::WRAP, instruction::BRANCH_IF, 0, instruction::END, instruction::END]);
    let body = [vec![1], leb(code.len()), code].concat();
    // One type without parameters and results, and one function of it.
    let module = [MODULE, &section(1, &[1, 0x60, 0, 0]), &section(3, &[1, 0]), &section(10, &body)].concat();
    [COMPONENT, &section(MODULE_SECTION, &module)].concat()
}

fn section(number: u8, body: &[u8]) -> Vec<u8> {
    [&[number][..], &leb(body.len()), body].concat()
}

/// A number in LEB128, as WebAssembly writes sizes.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_a_pair_of_the_one_before() {
        let bytes = doubling();
        assert_eq!(bytes[8..19], [7, 121, 30, 0x6f, 2, 0x7d, 0x7d, 0x6f, 2, 0, 0]);
        assert_eq!(bytes[bytes.len() - 4..], [0x6f, 2, 28, 28]);
    }

    #[test]
    fn instances_follow_their_module() {
        assert_eq!(instances(2)[8..], [1, 8, 0, b'a', b's', b'm', 1, 0, 0, 0, 2, 7, 2, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn nested_components_have_the_sizes_of_what_they_hold() {
        assert_eq!(nested(1), COMPONENT);
        assert_eq!(nested(2), [COMPONENT, &[NESTED, 8], COMPONENT].concat());
        let deep = nested(30);
        assert_eq!(deep[9..11], [0xb0, 0x02], "304 bytes follow");
        assert_eq!(deep.len(), 8 + 1 + 2 + 304);
    }

    #[test]
    fn slow_function_ends_each_condition() {
        let operations = |count: u32| slow_function(2, count).iter().filter(|byte| **byte == instruction::END).count();
        // One for each eight, one for the loop, and one for the function; the variables are 0 and 1.
        assert_eq!([operations(0), operations(8), operations(80)], [2, 3, 12]);
    }
}
