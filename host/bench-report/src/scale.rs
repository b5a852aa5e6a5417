//! Numbers for people: three or four digits and a unit that fits.

use bench_model::Unit;

const TIMES: [(&str, f64); 4] = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
const SIZES: [(&str, f64); 5] =
    [("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("TiB", 1_099_511_627_776.0)];
const COUNTS: [(&str, f64); 4] = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)];

/// `value` in `unit`; a unit that is none of the base units is not scaled, and is shown as it is.
pub fn figure(value: f64, unit: &Unit) -> String {
    match unit {
        Unit::Nanoseconds => nanoseconds(value),
        Unit::Bytes => bytes(value),
        Unit::Count => count(value),
        Unit::Other(name) if name.is_empty() => digits(value),
        Unit::Other(name) => format!("{} {name}", digits(value)),
    }
}

/// The largest step of `unit` in which `value` is at least 1: what it is called, and how many of the base unit it is.
pub(crate) fn step(value: f64, unit: &Unit) -> (&str, f64) {
    let steps: &[(&str, f64)] = match unit {
        Unit::Nanoseconds => &TIMES,
        Unit::Bytes => &SIZES,
        Unit::Count => &COUNTS[..1],
        Unit::Other(name) => return (name, 1.0),
    };
    *steps.iter().rev().find(|(_, factor)| value.abs() >= *factor).unwrap_or(&steps[0])
}

/// A time: `83.2 ns`, `1.24 µs`, `410 µs`, `2 ns`.
pub fn nanoseconds(value: f64) -> String {
    scaled(value, &TIMES, " ", 1000.0)
}

/// A size in powers of 1024: `64 B`, `1.50 KiB`, `12.0 MiB`.
pub fn bytes(value: f64) -> String {
    scaled(value, &SIZES, " ", 1024.0)
}

/// A number: `12`, `1234`, `12.3k`, `4.00M`. Whole numbers of four digits stay as they are.
pub fn count(value: f64) -> String {
    if value.abs() < 9999.5 { digits(value) } else { scaled(value, &COUNTS, "", 1000.0) }
}

/// How many a second: `812/s`, `12.3k/s`, `14.2M/s`.
pub fn per_second(value: f64) -> String {
    format!("{}/s", if value.abs() < 999.5 { digits(value) } else { scaled(value, &COUNTS, "", 1000.0) })
}

/// How many times something is something else: `0.42×`, `3.2×`, `12×`, `45.6k×`.
pub fn ratio(value: f64) -> String {
    let text = if value.abs() >= 99.5 { count(value.round()) } else { significant(value, 2) };
    format!("{text}×")
}

/// How many times something is something else, where a thousandth matters: `0.987`, `1.000`, `12.35`, `45.6k`.
pub fn factor(value: f64) -> String {
    match value.abs() {
        many if many >= 9999.5 => count(value),
        some if some >= 9.9995 => significant(value, 4),
        few if few >= 0.1 => format!("{value:.3}"),
        _ => significant(value, 3),
    }
}

/// How often something happens in an operation: `3`, `2.5`, `0.012`, `1204`.
pub fn rate(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 99.5 { count(value.round()) } else { significant(value, 2) }
}

/// A share with two digits: `29 %`, `1.3 %`, `0.45 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", significant(share * 100.0, 2))
}

/// A number that is a rough one: `8`, `850`, `12k`, `3.4M`.
pub fn about(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    let (unit, factor) = COUNTS.iter().rev().find(|(_, factor)| rounded.abs() >= *factor).unwrap_or(&COUNTS[0]);
    let digits = if rounded.abs() < 10.0 * factor && *factor > 1.0 { 2 } else { 1 };
    format!("{}{unit}", significant(rounded / factor, digits))
}

/// Brings `value` to the first of `units` in which it stays below `step` as it is printed, not as it is: 999.95 ns is
/// printed with three digits, so it is 1.00 µs.
fn scaled(value: f64, units: &[(&str, f64)], space: &str, step: f64) -> String {
    let texts = units.iter().enumerate().map(|(index, (unit, factor))| {
        // Only a value in the base unit can be a count.
        let text = if index == 0 { digits(value) } else { significant(value / factor, 3) };
        (text, unit)
    });
    let mut last = String::new();
    for (text, unit) in texts {
        let fits = text.parse::<f64>().is_ok_and(|shown| shown.abs() < step);
        last = format!("{text}{space}{unit}");
        if fits {
            break;
        }
    }
    last
}

/// Whole numbers as they are, others with three digits.
fn digits(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { significant(value, 3) }
}

/// At least `digits` significant digits; digits before the point are never left out.
fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    // The exponent of the number as it is rounded: 9.996 has two digits before the point.
    let rounded = format!("{value:.*e}", digits.max(1) as usize - 1);
    let exponent: i32 = rounded.rsplit_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    format!("{value:.*}", (digits - 1 - exponent).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: fn(f64) -> String, cases: &[(f64, &str)]) {
        for (value, expect) in cases {
            assert_eq!(shown(*value), *expect, "{value}");
        }
    }

    #[test]
    fn times_have_three_digits_and_never_a_thousand() {
        check(
            nanoseconds,
            &[
                (0.0, "0 ns"),
                (0.3125, "0.312 ns"),
                (2.0, "2 ns"),
                (83.0, "83 ns"),
                (83.24, "83.2 ns"),
                (9.996, "10.0 ns"),
                (99.96, "100 ns"),
                (999.0, "999 ns"),
                (999.4, "999 ns"),
                (999.95, "1.00 µs"),
                (1_000.0, "1.00 µs"),
                (1_240.0, "1.24 µs"),
                (410_000.0, "410 µs"),
                (999_499.0, "999 µs"),
                (999_500.1, "1.00 ms"),
                (12_345_678.0, "12.3 ms"),
                (1e9, "1.00 s"),
                (1.2345e12, "1234 s"),
            ],
        );
    }

    #[test]
    fn sizes_step_at_1024() {
        check(
            bytes,
            &[
                (0.0, "0 B"),
                (64.0, "64 B"),
                (1_023.0, "1023 B"),
                (1_024.0, "1.00 KiB"),
                (1_536.0, "1.50 KiB"),
                (1_047_552.0, "1023 KiB"),
                (1_048_500.0, "1.00 MiB"),
                (12_582_912.0, "12.0 MiB"),
            ],
        );
    }

    #[test]
    fn counts_stay_whole_up_to_four_digits() {
        check(
            count,
            &[
                (0.0, "0"),
                (7.0, "7"),
                (0.5, "0.500"),
                (1_234.0, "1234"),
                (1_234.4, "1234"),
                (9_999.0, "9999"),
                (9_999.6, "10.0k"),
                (12_345.0, "12.3k"),
                (999_950.0, "1.00M"),
                (4e6, "4.00M"),
                (-12_345.0, "-12.3k"),
            ],
        );
    }

    #[test]
    fn rates_have_three_digits_a_second() {
        check(
            per_second,
            &[(812.0, "812/s"), (0.5, "0.500/s"), (1_234.0, "1.23k/s"), (14_249_000.0, "14.2M/s"), (1e7, "10.0M/s")],
        );
    }

    #[test]
    fn ratios_have_two_digits() {
        check(
            ratio,
            &[
                (0.042, "0.042×"),
                (0.42, "0.42×"),
                (3.21, "3.2×"),
                (9.96, "10×"),
                (12.3, "12×"),
                (99.6, "100×"),
                (45_600.0, "45.6k×"),
            ],
        );
    }

    #[test]
    fn factors_show_a_thousandth_and_rough_numbers_two_digits() {
        check(
            factor,
            &[
                (0.98712, "0.987"),
                (1.0, "1.000"),
                (1.0234, "1.023"),
                (12.346, "12.35"),
                (0.04213, "0.0421"),
                (45_600.0, "45.6k"),
            ],
        );
        check(
            rate,
            &[(3.0, "3"), (2.5, "2.5"), (0.01234, "0.012"), (1_204.4, "1204"), (45_600.0, "45.6k"), (0.0, "0")],
        );
        check(percent, &[(0.294, "29 %"), (0.0131, "1.3 %"), (-0.0045, "-0.45 %"), (0.0, "0 %"), (1.0, "100 %")]);
        check(
            about,
            &[
                (1.0, "1"),
                (8.4, "8"),
                (42.0, "42"),
                (853.0, "850"),
                (999.0, "1.0k"),
                (12_345.0, "12k"),
                (3.44e6, "3.4M"),
            ],
        );
    }

    #[test]
    fn other_units_are_not_scaled() {
        assert_eq!(figure(12_345.0, &Unit::from("Cel")), "12345 Cel");
        assert_eq!(figure(0.0512, &Unit::from("ns/By")), "0.0512 ns/By");
        assert_eq!(figure(1.5, &Unit::from("")), "1.50");
        assert_eq!(figure(2048.0, &Unit::Bytes), "2.00 KiB");
        assert_eq!(figure(20_000.0, &Unit::Count), "20.0k");
    }
}
