//! A figure over many runs in one line of text.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Stands for a run without the figure.
const GAP: char = '·';

/// If the largest value is less than this many times the smallest one, the line is flat: it would show noise as steps.
const FLAT_BELOW: f64 = 1.02;

/// One character per value, from the smallest to the largest value.
pub(super) fn sparkline(values: impl IntoIterator<Item = Option<f64>>) -> String {
    let values: Vec<Option<f64>> = values.into_iter().collect();
    let known = || values.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let is_flat = low <= 0.0 || high < low * FLAT_BELOW;
    let level = |value: f64| match is_flat {
        true => LEVELS[LEVELS.len() / 2 - 1],
        false => LEVELS[((value - low) / (high - low) * (LEVELS.len() - 1) as f64).round() as usize],
    };
    values.into_iter().map(|value| value.map_or(GAP, level)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[Option<f64>], expect: &str) {
        assert_eq!(sparkline(values.iter().copied()), expect);
    }

    #[test]
    fn values_are_drawn_from_smallest_to_largest() {
        check(&[Some(10.0), Some(15.0), Some(24.0), Some(10.0)], "▁▄█▁");
        check(&[Some(1.0), None, Some(2.0)], "▁·█");
        check(&[], "");
        check(&[None, None], "··");
    }

    #[test]
    fn noise_is_drawn_as_a_flat_line() {
        check(&[Some(100.0), Some(101.0), Some(100.5)], "▄▄▄");
        check(&[Some(0.0), Some(0.0)], "▄▄");
    }
}
