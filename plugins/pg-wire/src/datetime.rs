//! Converts dates and times between the server (since 2000), Arrow (since 1970) and text. The infinities are the
//! smallest and the largest number in both.

use crate::digits::{eight_text, integer, two_text};

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;

const DAY_US: i64 = 86_400_000_000;
const SECOND_US: u64 = 1_000_000;

/// What follows a date before the year 1.
const BEFORE_CHRIST: &[u8; 3] = b" BC";

/// Days of 400 years.
const ERA_DAYS: u32 = 146_097;

const EPOCH_US: i64 = EPOCH_DAYS as i64 * DAY_US;

pub(crate) fn date_to_arrow(days: i32) -> Result<i32, &'static str> {
    match days {
        i32::MIN | i32::MAX => Ok(days),
        _ => days
            .checked_add(EPOCH_DAYS)
            .filter(|days| *days != i32::MAX)
            .ok_or("a date outside of the range of Arrow (32 bits of days)"),
    }
}

pub(crate) fn timestamp_to_arrow(us: i64) -> Result<i64, &'static str> {
    match us {
        i64::MIN | i64::MAX => Ok(us),
        _ => us
            .checked_add(EPOCH_US)
            .filter(|us| *us != i64::MAX)
            .ok_or("a timestamp after 294247-01-10, the last one in Arrow's microseconds since 1970"),
    }
}

pub(crate) fn date_from_arrow(days: i32) -> Result<i32, &'static str> {
    match days {
        i32::MIN | i32::MAX => Ok(days),
        _ => {
            days.checked_sub(EPOCH_DAYS).filter(|days| *days != i32::MIN).ok_or("a date before the range of PostgreSQL")
        }
    }
}

pub(crate) fn timestamp_from_arrow(us: i64) -> Result<i64, &'static str> {
    match us {
        i64::MIN | i64::MAX => Ok(us),
        _ => us.checked_sub(EPOCH_US).filter(|us| *us != i64::MIN).ok_or("a timestamp before the range of PostgreSQL"),
    }
}

/// Appends an Arrow date as text for the server.
pub(crate) fn date_text(days: i32, text: &mut Vec<u8>) {
    match days {
        i32::MIN => text.extend_from_slice(b"-infinity"),
        i32::MAX => text.extend_from_slice(b"infinity"),
        _ => {
            if day(i64::from(days), text) {
                text.extend_from_slice(BEFORE_CHRIST);
            }
        }
    }
}

/// Appends an Arrow timestamp as text for the server, with its zone if it has one.
pub(crate) fn timestamp_text(us: i64, zone: Option<&[u8; 3]>, text: &mut Vec<u8>) {
    match us {
        i64::MIN => text.extend_from_slice(b"-infinity"),
        i64::MAX => text.extend_from_slice(b"infinity"),
        _ => {
            let is_before_christ = day(us.div_euclid(DAY_US), text);
            text.push(b' ');
            let written = time_text(us.rem_euclid(DAY_US), text);
            debug_assert_eq!(written, Ok(()), "the remainder is less than a day");
            // Whatever is appended has a fixed length, so that it is no call.
            if let Some(zone) = zone {
                text.extend_from_slice(zone);
            }
            if is_before_christ {
                text.extend_from_slice(BEFORE_CHRIST);
            }
        }
    }
}

/// Appends a time of day, up to 24:00:00, from microseconds since midnight.
pub(crate) fn time_text(us: i64, text: &mut Vec<u8>) -> Result<(), &'static str> {
    if !(0..=DAY_US).contains(&us) {
        return Err("a time of day before 00:00 or after 24:00");
    }
    // From here on in 32 bits, whose division by a constant is a multiplication: a second is 64 times 15,625 microseconds.
    let us = us.unsigned_abs();
    let seconds = (us >> 6) as u32 / 15_625;
    let fraction = (us - u64::from(seconds) * SECOND_US) as u32;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let mut digits = *b"00:00:00.000000";
    digits[0..2].copy_from_slice(&two_text(hours));
    digits[3..5].copy_from_slice(&two_text(minutes - hours * 60));
    digits[6..8].copy_from_slice(&two_text(seconds - minutes * 60));
    digits[9..].copy_from_slice(&eight_text(fraction)[2..]);
    text.extend_from_slice(&digits);
    if fraction == 0 {
        text.truncate(text.len() - b".000000".len());
    }
    Ok(())
}

/// Appends the date of a day since 1970; returns whether it is BC, where years count backwards from 1. Follows Howard
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn day(days: i64, text: &mut Vec<u8>) -> bool {
    // Counts years from March, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, of_era) = match u32::try_from(shifted) {
        Ok(shifted) => (i64::from(shifted / ERA_DAYS), shifted % ERA_DAYS),
        Err(_) => (shifted.div_euclid(i64::from(ERA_DAYS)), shifted.rem_euclid(i64::from(ERA_DAYS)) as u32),
    };
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    let shown = if year > 0 { year } else { 1 - year };
    match u32::try_from(shown) {
        Ok(shown @ 0..10_000) => {
            let hundreds = shown / 100;
            text.extend_from_slice(&two_text(hundreds));
            text.extend_from_slice(&two_text(shown - hundreds * 100));
        }
        _ => integer(shown, text),
    }
    let mut digits = *b"-00-00";
    digits[1..3].copy_from_slice(&two_text(month));
    digits[4..].copy_from_slice(&two_text(day));
    text.extend_from_slice(&digits);
    year <= 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A moment by the rules of the calendar, one year and one month after the other; years from 1 to 9999.
    fn by_the_calendar(us: i64) -> String {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (mut day, of_day) = (us.div_euclid(DAY_US) + 719_162, us.rem_euclid(DAY_US));
        let mut year = 1;
        while day >= 365 + i64::from(is_leap(year)) {
            day -= 365 + i64::from(is_leap(year));
            year += 1;
        }
        let days_of = |month: i64| match month {
            2 => 28 + i64::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut month = 1;
        while day >= days_of(month) {
            day -= days_of(month);
            month += 1;
        }
        let (second, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
        format!("{year:04}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02}{fraction}", day + 1)
    }

    proptest! {
        #[test]
        fn timestamps_are_those_of_the_calendar(
            day in -719_162..=2_932_896_i64,
            second in 0..86_400_i64,
            fraction in prop_oneof![Just(0_i64), 0..1_000_000_i64],
        ) {
            let us = day * DAY_US + second * 1_000_000 + fraction;
            let mut text = Vec::new();
            timestamp_text(us, None, &mut text);
            prop_assert_eq!(String::from_utf8(text).expect("ASCII"), by_the_calendar(us));
        }
    }

    fn check(write: impl FnOnce(&mut Vec<u8>), expect: &str) {
        let mut text = Vec::new();
        write(&mut text);
        assert_eq!(String::from_utf8(text).expect("ASCII"), expect);
    }

    #[test]
    fn dates_are_written_as_text() {
        check(|text| date_text(0, text), "1970-01-01");
        check(|text| date_text(-1, text), "1969-12-31");
        check(|text| date_text(EPOCH_DAYS + 59, text), "2000-02-29");
        check(|text| date_text(-719_162, text), "0001-01-01");
        check(|text| date_text(-719_163, text), "0001-12-31 BC");
        check(|text| date_text(2_932_897, text), "10000-01-01");
        // The last and the first day of the server.
        check(|text| date_text(2_145_042_905, text), "5874897-12-31");
        check(|text| date_text(-2_440_588, text), "4714-11-24 BC");
        check(|text| date_text(i32::MAX, text), "infinity");
        check(|text| date_text(i32::MIN, text), "-infinity");
    }

    #[test]
    fn timestamps_are_written_as_text() {
        check(|text| timestamp_text(0, None, text), "1970-01-01 00:00:00");
        check(|text| timestamp_text(-1, Some(b"+00"), text), "1969-12-31 23:59:59.999999+00");
        check(|text| timestamp_text(1_500_000, None, text), "1970-01-01 00:00:01.500000");
        check(|text| timestamp_text(-719_163 * DAY_US, Some(b"+00"), text), "0001-12-31 00:00:00+00 BC");
        check(|text| timestamp_text(i64::MIN, Some(b"+00"), text), "-infinity");
        check(|text| time_text(DAY_US, text).expect("of a day"), "24:00:00");
    }

    #[test]
    fn dates_and_timestamps_convert_to_arrow_and_back() {
        for days in [i32::MIN, -2_451_545, -1, 0, 2_145_031_584, i32::MAX] {
            assert_eq!(date_to_arrow(days).and_then(date_from_arrow), Ok(days));
        }
        for us in [i64::MIN, -211_813_488_000_000_000, -1, 0, i64::MAX - EPOCH_US - 1, i64::MAX] {
            assert_eq!(timestamp_to_arrow(us).and_then(timestamp_from_arrow), Ok(us));
        }
        assert!(timestamp_to_arrow(i64::MAX - EPOCH_US).is_err(), "it would be infinity");
        assert!(timestamp_to_arrow(i64::MAX - 1).is_err());
        assert!(timestamp_from_arrow(i64::MIN + EPOCH_US).is_err(), "it would be minus infinity");
        assert!(timestamp_from_arrow(i64::MIN + 1).is_err());
        assert!(date_to_arrow(i32::MAX - 1).is_err());
        assert!(date_from_arrow(i32::MIN + 1).is_err());
    }
}
