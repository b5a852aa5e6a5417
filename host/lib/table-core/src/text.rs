//! Cells as text, and back: what CSV, tab-separated text and JSON have in common.

use crate::{Cell, Kind};
use std::fmt::Write as _;

/// Appends a cell that is not NULL, without quotes or escapes. A double gets the fewest digits that read back to it.
pub fn write(cell: Cell<'_>, into: &mut String) {
    // Writing to a text cannot fail.
    match cell {
        Cell::Null => {}
        Cell::Text(text) => into.push_str(text),
        Cell::Integer(value) => whole(value, into),
        Cell::Decimal(value) => {
            if value < 0 {
                into.push('-');
            }
            // Dividing 64 or 128 bits is a function of its own in a component, which takes several times as long.
            match u32::try_from(value.unsigned_abs()) {
                Ok(hundredths) => {
                    whole(hundredths / 100, into);
                    into.push('.');
                    digits(hundredths % 100, 2, into);
                }
                Err(_) => drop(write!(into, "{}.{:02}", value.unsigned_abs() / 100, value.unsigned_abs() % 100)),
            }
        }
        Cell::Real(value) => drop(write!(into, "{value}")),
        Cell::Date(days) => {
            let (year, month, day) = civil(days);
            match u32::try_from(year) {
                Ok(year @ ..=9_999) => digits(year, 4, into),
                _ => drop(write!(into, "{year:04}")),
            }
            into.push('-');
            digits(month.unsigned_abs(), 2, into);
            into.push('-');
            digits(day.unsigned_abs(), 2, into);
        }
    }
}

/// Appends a whole number.
fn whole(number: impl itoa::Integer, into: &mut String) {
    into.push_str(itoa::Buffer::new().format(number));
}

/// Appends the last `count` digits of `number`, with zeros in front, in a fraction of the time of `{number:02}`.
fn digits(number: u32, count: u32, into: &mut String) {
    for place in (0..count).rev() {
        into.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
    }
}

/// The cell of this type that `text` stands for. Nothing is rounded, trimmed or guessed.
pub fn parse(kind: Kind, text: &str) -> Result<Cell<'_>, String> {
    let fault = |what: &str| format!("{text:?} is not {what}");
    match kind {
        Kind::Text => Ok(Cell::Text(text)),
        Kind::Integer => text.parse().map(Cell::Integer).map_err(|_| fault("a whole number of 64 bits")),
        Kind::Decimal => {
            decimal(text).map(Cell::Decimal).ok_or_else(|| fault("a number with at most two digits behind the point"))
        }
        Kind::Real => text.parse().map(Cell::Real).map_err(|_| fault("a number")),
        Kind::Date => date(text).map(Cell::Date).ok_or_else(|| fault("a date such as 2026-01-31")),
    }
}

fn decimal(text: &str) -> Option<i128> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 16 || behind.len() > 2 || !all_digits(whole) || !all_digits(behind) {
        return None;
    }
    // A point needs a digit behind it.
    if behind.is_empty() && digits.len() > whole.len() {
        return None;
    }
    let number = |text: &str| text.bytes().fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    let hundredths = number(whole) * 100 + number(behind) * if behind.len() == 1 { 10 } else { 1 };
    Some(if is_negative { -hundredths } else { hundredths })
}

fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .try_fold(0_i32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let days = days(year, month, day);
    // A day that does not exist is another one after a round trip.
    (civil(days) == (year, month, day)).then_some(days)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, after Howard Hinnant's `days_from_civil`.
fn days(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day, after Howard Hinnant's `civil_from_days`.
fn civil(days: i32) -> (i32, i32, i32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, expect: Option<Cell<'_>>) {
        let found = parse(kind, text);
        assert_eq!(found.clone().ok(), expect, "{text:?}");
        match found {
            Ok(cell) => {
                let mut written = String::new();
                write(cell, &mut written);
                assert_eq!(parse(kind, &written), Ok(cell), "{text:?} as {written:?}");
            }
            Err(reason) => assert!(reason.contains(&format!("{text:?}")), "{reason}"),
        }
    }

    #[test]
    fn numbers_are_not_rounded() {
        check(Kind::Integer, "-7", Some(Cell::Integer(-7)));
        for text in ["0.5", "", " 1", "1e3", "9223372036854775808"] {
            check(Kind::Integer, text, None);
        }
        check(Kind::Decimal, "-0.07", Some(Cell::Decimal(-7)));
        check(Kind::Decimal, "12.5", Some(Cell::Decimal(1250)));
        check(Kind::Decimal, "12", Some(Cell::Decimal(1200)));
        for text in ["12.345", "12.", ".5", "1e2", "--1", ""] {
            check(Kind::Decimal, text, None);
        }
        check(Kind::Real, "0.1", Some(Cell::Real(0.1)));
        check(Kind::Real, "x", None);
    }

    #[test]
    fn digits_are_those_of_the_value_whatever_its_size() {
        let check = |cell: Cell<'_>, expect: &str| {
            let mut text = String::new();
            write(cell, &mut text);
            assert_eq!(text, expect);
        };
        check(Cell::Decimal(0), "0.00");
        check(Cell::Decimal(-5), "-0.05");
        check(Cell::Decimal(1_230), "12.30");
        check(Cell::Decimal(-i128::from(u32::MAX)), "-42949672.95");
        check(Cell::Decimal(i128::from(u32::MAX) + 1), "42949672.96");
        check(Cell::Decimal(i128::from(u64::MAX) + 1), "184467440737095516.16");
        check(Cell::Date(-719_162), "0001-01-01");
        check(Cell::Date(days(9_999, 12, 31)), "9999-12-31");
        check(Cell::Date(days(10_000, 1, 1)), "10000-01-01");
        check(Cell::Date(days(-1, 2, 3)), "-001-02-03");
    }

    #[test]
    fn dates_exist() {
        check(Kind::Date, "1970-01-01", Some(Cell::Date(0)));
        check(Kind::Date, "2000-02-29", Some(Cell::Date(11_016)));
        for text in ["2001-02-29", "2001-13-01", "2001-1-01", "0x01-01-01"] {
            check(Kind::Date, text, None);
        }
    }
}
