//! The digest of a line of a run file, which is its last field: a line that is no longer the one that was written is noticed when a report
//! is made of it. Earlier versions wrote none.

use crate::digest;
use bench_model::Checksum;

/// What is between the rest of a line and the digits of its digest, and behind them.
const FIELD: &[u8] = b",\"digest\":\"";
const END: &[u8] = b"\"}";

/// Adds its digest to the record that begins at `begin` and ends with the last byte.
pub(super) fn seal(lines: &mut Vec<u8>, begin: usize) {
    // The brace that ends it; a record has fields.
    lines.pop();
    let digest = digest::checksum(&lines[begin..]);
    lines.extend_from_slice(FIELD);
    lines.extend_from_slice(digest.to_string().as_bytes());
    lines.extend_from_slice(END);
}

/// The digest that a line has, and the one that it should have, if they differ.
pub(super) fn broken(line: &[u8]) -> Option<(Checksum, Checksum)> {
    let line = line.trim_ascii_end().strip_suffix(END)?;
    let begin = line.iter().rposition(|byte| *byte == b'"')?;
    let (rest, digits) = line.split_at(begin + 1);
    let found = digest::checksum(rest.strip_suffix(FIELD)?);
    let written: Checksum = str::from_utf8(digits).ok()?.parse().ok()?;
    (found != written).then_some((written, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_line_does_not_fit_its_digest() {
        let mut lines = b"before\n{\"v\":1,\"count\":12}".to_vec();
        seal(&mut lines, 7);
        lines.push(b'\n');
        let line = String::from_utf8(lines.split_off(7)).unwrap();
        assert!(line.starts_with("{\"v\":1,\"count\":12,\"digest\":\"") && line.ends_with("\"}\n"), "{line}");
        assert_eq!(broken(line.as_bytes()), None);
        let changed = line.replace("\"count\":12", "\"count\":13");
        let (written, found) = broken(changed.as_bytes()).unwrap();
        assert!(line.contains(&written.to_string()) && found == digest::checksum(b"{\"v\":1,\"count\":13"));
        for without in ["{\"v\":1}\n", "{\"v\":1,\"digest\":\"of something else\"}\n", "{}\n", "\n", ""] {
            assert_eq!(broken(without.as_bytes()), None, "{without:?}");
        }
    }
}
