//! Names the compilers that made a library, from the section `.comment` that compilers write into ELF files.

/// The compilers, such as `rustc 1.95.0`, in the order of the file; `None` if it does not say, or is not a 64-bit little-endian ELF file.
pub fn compiler(bytes: &[u8]) -> Option<String> {
    let comment = section(bytes, b".comment")?;
    let mut found: Vec<String> = Vec::new();
    for text in comment.split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(text);
        let name = text.trim().split(" (").next().unwrap_or_default().replace(" version ", " ");
        // GCC writes the name of its distribution before the version: `GCC: (Debian 12.2.0-14) 12.2.0`.
        let name = match text.trim().strip_prefix("GCC: ") {
            Some(rest) => format!("GCC {}", rest.rsplit(' ').next().unwrap_or_default()),
            None => name,
        };
        if !name.is_empty() && !name.starts_with("Linker:") && !found.contains(&name) {
            found.push(name);
        }
    }
    // The C runtime that every library is linked with is of the system's compiler.
    let own: Vec<_> = found.iter().filter(|name| !name.starts_with("GCC ")).cloned().collect();
    let named = if own.is_empty() { found } else { own };
    (!named.is_empty()).then(|| named.join(", "))
}

/// The content of the section `name` (ELF-64 Object File Format, "Sections").
fn section<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    // Positions are numbers of the file.
    let part = |at: usize, length: usize| bytes.get(at..at.checked_add(length)?);
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(part(at, 2)?.try_into().ok()?)));
    let word = |at: usize| usize::try_from(u32::from_le_bytes(part(at, 4)?.try_into().ok()?)).ok();
    let long = |at: usize| usize::try_from(u64::from_le_bytes(part(at, 8)?.try_into().ok()?)).ok();
    let (table, size, count, names) = (long(40)?, half(58)?, half(60)?, half(62)?);
    let header = |index: usize| table.checked_add(index.checked_mul(size)?);
    let content = |index: usize| {
        let header = header(index)?;
        let (offset, length) = (long(header.checked_add(24)?)?, long(header.checked_add(32)?)?);
        part(offset, length)
    };
    let names = content(names)?;
    let is_named = |index: &usize| {
        let start = header(*index).and_then(word);
        start
            .and_then(|start| names.get(start..))
            .is_some_and(|rest| rest.split(|byte| *byte == 0).next() == Some(name))
    };
    content((0..count).find(is_named)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    #[test]
    fn this_program_was_made_by_rustc() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let expect = if cfg!(target_os = "linux") { Some("rustc ") } else { None };
        let found = compiler(&bytes);
        assert_eq!(found.as_deref().map(|name| &name[..6]), expect, "{found:?}");
        assert_eq!(compiler(b"no library"), None);
    }

    #[test]
    fn positions_at_the_end_of_the_numbers_are_not_a_panic() {
        for table in [u64::MAX, u64::MAX - 3, u64::MAX - 25, u64::MAX - 40] {
            let mut bytes = vec![0; 64];
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            bytes[40..48].copy_from_slice(&table.to_le_bytes());
            // The size of a header, how many there are, and which one has the names.
            bytes[58..64].copy_from_slice(&[0, 0, 1, 0, 0, 0]);
            assert_eq!(compiler(&bytes), None, "{table:#x}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn damaged_file_is_not_a_panic(at in 0usize..64, value: u8, cut in 0usize..4096) {
            static PROGRAM: LazyLock<Vec<u8>> = LazyLock::new(|| std::fs::read(std::env::current_exe().unwrap()).unwrap());
            let mut bytes = PROGRAM.clone();
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes[at] = value;
            let _ = compiler(&bytes);
        }
    }
}
