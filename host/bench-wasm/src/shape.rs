//! Refuses components that are nested out of all proportion before they are compiled: the engine keeps something for each level, and
//! needs gigabytes and minutes for a file of some hundred kilobytes.

use wasmparser::{Parser, Payload};

/// How deep components and modules may be nested in one another. Toolchains nest a few levels.
const DEPTH_MAX: usize = 100;

/// How many components and modules a file may hold. Composed applications hold some dozens.
const NESTED_MAX: usize = 10_000;

/// An error with what there is too much of. What is damaged is left to the engine.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let (mut depth, mut nested) = (0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                nested += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth > DEPTH_MAX {
            return Err(format!("its components are nested more than {DEPTH_MAX} deep; compose fewer"));
        }
        if nested > NESTED_MAX {
            return Err(format!("it holds more than {NESTED_MAX} components and modules; compose fewer"));
        }
    }
    Ok(())
}

/// How many core modules a component is made of, also in components that are nested in it.
pub(crate) fn core_modules(bytes: &[u8]) -> u32 {
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let count = payloads.filter(|payload| matches!(payload, Payload::ModuleSection { .. })).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_modules_are_counted_in_nested_components_too() {
        let component = wat::parse_str("(component (core module) (component (core module)) (core module))").unwrap();
        assert_eq!([core_modules(&component), core_modules(&nested(3, 2)), core_modules(b"")], [3, 0, 0]);
    }

    /// What each component begins with, and the section that holds another one.
    const HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    const COMPONENT_SECTION: u8 = 4;

    fn section(component: &[u8]) -> Vec<u8> {
        let mut bytes = vec![COMPONENT_SECTION];
        let mut length = component.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(component);
        bytes
    }

    /// A component in which so many components are nested, the innermost of which holds so many side by side. It is made of bytes,
    /// because the parser of text bounds the depth too.
    fn nested(depth: usize, beside: usize) -> Vec<u8> {
        let innermost = [&HEADER[..], &section(&HEADER).repeat(beside)].concat();
        (0..depth).fold(innermost, |inner, _| [&HEADER[..], &section(&inner)].concat())
    }

    #[test]
    fn nesting_is_bounded_in_depth_and_number() {
        assert_eq!(check(&nested(DEPTH_MAX, 0)), Ok(()));
        let deep = check(&nested(DEPTH_MAX + 1, 0)).unwrap_err();
        assert_eq!(deep, "its components are nested more than 100 deep; compose fewer");
        assert_eq!(check(&nested(0, NESTED_MAX)), Ok(()));
        let many = check(&nested(0, NESTED_MAX + 1)).unwrap_err();
        assert_eq!(many, "it holds more than 10000 components and modules; compose fewer");
    }

    #[test]
    fn damaged_file_is_left_to_the_engine() {
        let whole = nested(3, 0);
        assert_eq!([check(&whole[..whole.len() - 5]), check(b"no module"), check(b"")], [Ok(()), Ok(()), Ok(())]);
    }
}
