//! Numbers as decimal digits, eight at a time in one word: without a table, and without divisions of 64 bits, which cost tens of cycles
//! and which a component has no multiplication to replace by.

/// The number that has nine digits.
const EIGHT_DIGITS_END: u32 = 100_000_000;

/// Makes characters of digits in bytes.
const ASCII: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below [`EIGHT_DIGITS_END`] in a byte each, the first in the lowest. Follows Paul Khuong, "How to print
/// integers really fast" (2017): the number is split into halves, each half into pairs, and each pair into digits, all at once.
fn eight(number: u32) -> u64 {
    let halves = u64::from(number / 10_000) | (u64::from(number % 10_000) << 32);
    // A hundredth of a number below 10,000, and a tenth of one below 100, are exact in so many bits.
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = ((halves - 100 * hundreds) << 16) | hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    ((pairs - 10 * tens) << 8) | tens
}

/// The eight digits of a number below a hundred million, as text.
pub(crate) fn eight_text(number: u32) -> [u8; 8] {
    (eight(number) | ASCII).to_le_bytes()
}

/// The two digits of a number below a hundred, as text.
pub(crate) fn two_text(number: u32) -> [u8; 2] {
    let tens = (number * 103) >> 10;
    [b'0' + tens as u8, b'0' + (number - 10 * tens) as u8]
}

/// Appends a whole number.
#[inline]
pub(crate) fn integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    match u32::try_from(value.unsigned_abs()) {
        Ok(number) if number < EIGHT_DIGITS_END => short(number, out),
        _ => long(value.unsigned_abs(), out),
    }
}

/// Appends a number of up to eight digits: all of them are written, and what is behind them is cut off.
#[inline]
fn short(number: u32, out: &mut Vec<u8>) {
    let digits = eight(number);
    // The last digit is there even if it is zero.
    let zeros = (digits | (1 << 56)).trailing_zeros() / 8;
    out.extend_from_slice(&((digits | ASCII) >> (8 * zeros)).to_le_bytes());
    out.truncate(out.len() - zeros as usize);
}

fn long(number: u64, out: &mut Vec<u8>) {
    let end = u64::from(EIGHT_DIGITS_END);
    let (first, last) = (number / end, (number % end) as u32);
    if first < end {
        short(first as u32, out);
    } else {
        short((first / end) as u32, out);
        out.extend_from_slice(&eight_text((first % end) as u32));
    }
    out.extend_from_slice(&eight_text(last));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: i64) -> String {
        let mut out = Vec::new();
        integer(value, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn every_number_of_digits_is_written() {
        let mut value = 1_i64;
        for _ in 0..19 {
            for value in [value - 1, value, value + 1, -value, 1 - value] {
                assert_eq!(text(value), itoa::Buffer::new().format(value));
            }
            value = value.saturating_mul(10);
        }
        for value in [0, i64::MAX, i64::MIN, i64::from(u32::MAX), i64::from(i32::MIN)] {
            assert_eq!(text(value), itoa::Buffer::new().format(value));
        }
        for number in 0..100 {
            assert_eq!(two_text(number), format!("{number:02}").as_bytes());
        }
    }

    #[test]
    fn every_half_of_eight_digits_is_written() {
        for half in 0..10_000 {
            let number = half * 10_000 + (9_999 - half);
            assert_eq!(eight_text(number), format!("{number:08}").as_bytes());
        }
    }

    proptest! {
        #[test]
        fn integers_are_written_as_itoa_writes_them(value in any::<i64>(), bits in 0_u32..64) {
            let value = value >> bits;
            let mut buffer = itoa::Buffer::new();
            prop_assert_eq!(text(value), buffer.format(value));
        }
    }
}
