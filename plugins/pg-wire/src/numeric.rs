//! Converts `numeric` between its wire format, digits to the base 10,000, and decimal text, without rounding. It must
//! not round: every digit arrives as it left.

/// Decimal digits per digit.
const DIGITS: usize = 4;
const BASE: u16 = 10_000;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const POSITIVE_INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// Bytes before the first digit: the number of digits, the weight of the first, the sign, and the number of decimals.
const HEADER_BYTES: usize = 8;

/// Upper bound of the decimals on the server.
const SCALE_MAX: usize = 0x3fff;

/// The four decimal digits of each value of a digit.
static FOUR: [[u8; DIGITS]; BASE as usize] = four();

const fn four() -> [[u8; DIGITS]; BASE as usize] {
    let mut table = [[b'0'; DIGITS]; BASE as usize];
    let mut value = 0;
    while value < table.len() {
        table[value] = [
            b'0' + (value / 1000 % 10) as u8,
            b'0' + (value / 100 % 10) as u8,
            b'0' + (value / 10 % 10) as u8,
            b'0' + (value % 10) as u8,
        ];
        value += 1;
    }
    table
}

/// Appends a value in wire format as text; `None` if it is malformed.
pub(crate) fn to_text(wire: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let (header, digits) = wire.split_first_chunk::<HEADER_BYTES>()?;
    let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (count, weight, sign, scale) = (half(0), half(2) as i16, half(4), usize::from(half(6)));
    if digits.len() != usize::from(count) * 2 || scale > SCALE_MAX {
        return None;
    }
    match sign {
        POSITIVE => {}
        NEGATIVE => text.push(b'-'),
        NAN => text.extend_from_slice(b"NaN"),
        POSITIVE_INFINITY => text.extend_from_slice(b"Infinity"),
        NEGATIVE_INFINITY => text.extend_from_slice(b"-Infinity"),
        _ => return None,
    }
    if !matches!(sign, POSITIVE | NEGATIVE) {
        return Some(());
    }
    // The digit of a weight; missing ones are zero.
    let digit = |of: i32| -> Option<&[u8; DIGITS]> {
        let at = usize::try_from(i32::from(weight) - of).unwrap_or(usize::MAX);
        match digits.get(at.saturating_mul(2)..at.saturating_mul(2).saturating_add(2)) {
            Some(pair) => FOUR.get(usize::from(u16::from_be_bytes([pair[0], pair[1]]))),
            None => Some(&FOUR[0]),
        }
    };
    let weight = i32::from(weight);
    if weight < 0 {
        text.push(b'0');
    } else {
        let first = digit(weight)?;
        let zeros = first.iter().take(DIGITS - 1).take_while(|digit| **digit == b'0').count();
        text.extend_from_slice(&first[zeros..]);
        for of in (0..weight).rev() {
            text.extend_from_slice(digit(of)?);
        }
    }
    if scale > 0 {
        text.push(b'.');
        let end = text.len() + scale;
        let mut of = -1;
        while text.len() < end {
            text.extend_from_slice(digit(of)?);
            of -= 1;
        }
        text.truncate(end);
    }
    Some(())
}

/// Appends a decimal text in wire format; `None` if it is malformed. Exponents are not supported, because the server
/// writes none.
pub(crate) fn to_wire(text: &[u8], wire: &mut Vec<u8>) -> Option<()> {
    let special = |sign: u16, wire: &mut Vec<u8>| {
        wire.extend_from_slice(&[0; 4]);
        wire.extend_from_slice(&sign.to_be_bytes());
        wire.extend_from_slice(&[0; 2]);
        Some(())
    };
    let (sign, unsigned) = match text {
        b"NaN" => return special(NAN, wire),
        b"Infinity" => return special(POSITIVE_INFINITY, wire),
        b"-Infinity" => return special(NEGATIVE_INFINITY, wire),
        [b'-', unsigned @ ..] => (NEGATIVE, unsigned),
        unsigned => (POSITIVE, unsigned),
    };
    let point = unsigned.iter().position(|byte| *byte == b'.').unwrap_or(unsigned.len());
    let (whole, decimals) = (&unsigned[..point], unsigned.get(point + 1..).unwrap_or_default());
    if (whole.is_empty() && decimals.is_empty()) || decimals.len() > SCALE_MAX {
        return None;
    }
    let start = wire.len();
    wire.extend_from_slice(&[0; HEADER_BYTES]);
    // Groups integer digits from the point to the left, and decimals to the right.
    let (head, groups) = whole.split_at(whole.len() % DIGITS);
    let mut weight = i32::try_from(whole.len().div_ceil(DIGITS)).ok()? - 1;
    if !head.is_empty() {
        wire.extend_from_slice(&group(head, 0)?.to_be_bytes());
    }
    for four in groups.chunks_exact(DIGITS) {
        wire.extend_from_slice(&group(four, 0)?.to_be_bytes());
    }
    for four in decimals.chunks(DIGITS) {
        wire.extend_from_slice(&group(four, DIGITS - four.len())?.to_be_bytes());
    }
    weight -= trim(wire, start + HEADER_BYTES);
    let digits = &wire[start + HEADER_BYTES..];
    let (count, is_zero) = (u16::try_from(digits.len() / 2).ok()?, digits.is_empty());
    let (sign, weight) = if is_zero { (POSITIVE, 0) } else { (sign, i16::try_from(weight).ok()?) };
    let scale = u16::try_from(decimals.len()).ok()?;
    for (at, half) in [count, weight as u16, sign, scale].into_iter().enumerate() {
        wire[start + at * 2..start + at * 2 + 2].copy_from_slice(&half.to_be_bytes());
    }
    Some(())
}

/// Removes zero digits at both ends; returns how many at the front, each of which lowers the weight of the first.
fn trim(wire: &mut Vec<u8>, start: usize) -> i32 {
    while wire.len() > start && wire.ends_with(&[0, 0]) {
        wire.truncate(wire.len() - 2);
    }
    let zeros = wire[start..].chunks_exact(2).take_while(|pair| **pair == [0, 0]).count();
    wire.drain(start..start + zeros * 2);
    i32::try_from(zeros).unwrap_or(i32::MAX)
}

/// One digit from up to four decimal digits, padded with zeros at the end.
fn group(digits: &[u8], zeros: usize) -> Option<u16> {
    let mut value = 0;
    for byte in digits {
        value = value * 10 + u16::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    Some(value * [1, 10, 100, 1000][zeros])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts the text to these 16-bit numbers and back.
    fn check(text: &str, expect: &[i32]) {
        let mut wire = Vec::new();
        to_wire(text.as_bytes(), &mut wire).expect("a numeric");
        let halves: Vec<_> = wire.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let expect: Vec<_> = expect.iter().map(|half| *half as u16).collect();
        assert_eq!(halves, expect, "{text}");
        let mut back = Vec::new();
        to_text(&wire, &mut back).expect("a numeric");
        assert_eq!(String::from_utf8(back).expect("digits"), text);
    }

    #[test]
    fn digits_are_grouped_by_four_from_the_point() {
        check("0", &[0, 0, 0, 0]);
        check("0.00", &[0, 0, 0, 2]);
        check("1", &[1, 0, 0, 0, 1]);
        check("-1.50", &[2, 0, 0x4000, 2, 1, 5000]);
        check("10000", &[1, 1, 0, 0, 1]);
        check("12345678.9", &[3, 1, 0, 1, 1234, 5678, 9000]);
        check("0.0001", &[1, -1, 0, 4, 1]);
        check("0.00001", &[1, -2, 0, 5, 1000]);
        check(
            "123456789012345678901234567890.0000000000",
            &[8, 7, 0, 10, 12, 3456, 7890, 1234, 5678, 9012, 3456, 7890],
        );
        check("NaN", &[0, 0, 0xc000, 0]);
        check("Infinity", &[0, 0, 0xd000, 0]);
        check("-Infinity", &[0, 0, 0xf000, 0]);
    }

    #[test]
    fn a_malformed_numeric_is_refused() {
        for text in ["", "-", ".", "1e5", "1.2.3", "+1", "nan", "1 "] {
            assert_eq!(to_wire(text.as_bytes(), &mut Vec::new()), None, "{text}");
        }
        for wire in [
            &[][..],
            &[0; 7],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0x12, 0, 0, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10],
        ] {
            assert_eq!(to_text(wire, &mut Vec::new()), None, "{wire:?}");
        }
    }
}
