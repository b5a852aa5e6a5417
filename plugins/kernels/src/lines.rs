//! Splits bytes into lines, without their line ends. The bytes need not be UTF-8.

/// All lines; a line end at the end of the input does not begin another line.
pub(crate) fn of(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    fn check(input: &str, expect: &[&str]) {
        let found: Vec<_> = super::of(input.as_bytes()).map(|line| str::from_utf8(line).unwrap()).collect();
        assert_eq!(found, expect, "{input:?}");
    }

    #[test]
    fn empty_lines_are_lines() {
        check("", &[]);
        check("\n", &[""]);
        check("a\n\nb", &["a", "", "b"]);
        check("a\nb\n", &["a", "b"]);
    }
}
