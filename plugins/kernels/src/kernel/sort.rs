//! Sorting lines: branching comparisons and random memory reads. Lines are ranges of the input instead of slices, so
//! that both arms move the same 8 bytes per line.

use super::Kernel;
use crate::digest::Fnv;
use crate::lines;
use bench_plugin::prelude::*;
use std::cmp::Ordering;

pub(crate) struct Sort {
    input: Vec<u8>,
    order: Order,
    /// In the order of the input.
    lines: Vec<Line>,
    /// After the last pass.
    sorted: Vec<Line>,
}

/// The range of a line in the input, which is at most 1 GiB.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    start: u32,
    len: u32,
}

impl Line {
    #[inline]
    fn of(self, input: &[u8]) -> &[u8] {
        &input[self.start as usize..][..self.len as usize]
    }
}

/// How two lines are compared. The order is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    /// As Rust compares slices, with `memcmp`.
    Bytes,
    /// Eight bytes at a time.
    Words,
}

impl Order {
    const PARAMETER: &'static str = "compare";
    const ALL: [(&'static str, Self); 2] = [("bytes", Self::Bytes), ("words", Self::Words)];

    fn of(arguments: &Arguments) -> Result<Self, ModuleError> {
        let name = arguments.text(Self::PARAMETER)?;
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, order)| order).ok_or_else(|| {
            ModuleError::InvalidArgument(format!("`{}` is `{name}`; give bytes or words", Self::PARAMETER))
        })
    }
}

/// Compares eight bytes at a time, as big-endian numbers, and what is left byte by byte. The `memcmp` of WASI's C library compares every
/// byte on its own.
#[inline]
fn compare_words(left: &[u8], right: &[u8]) -> Ordering {
    let words = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    let mut equal_bytes = 0;
    for (left, right) in words {
        let order = u64::from_be_bytes(*left).cmp(&u64::from_be_bytes(*right));
        if order.is_ne() {
            return order;
        }
        equal_bytes += 8;
    }
    left[equal_bytes..].iter().cmp(&right[equal_bytes..])
}

impl Kernel for Sort {
    const NAME: &'static str = "sort";
    const SUMMARY: &'static str = "Sorts the lines of the input by bytes, starting from their order in the input.";

    fn parameters() -> Vec<Parameter> {
        let summary =
            "how two lines are compared: bytes, with memcmp, or words, eight bytes at a time; the order is the same";
        let [(default, _), _] = Order::ALL;
        vec![Parameter::new(Order::PARAMETER, default, summary).choices(Order::ALL.map(|(name, _)| name))]
    }

    fn prepare(input: Vec<u8>, arguments: &Arguments) -> Result<Self, ModuleError> {
        let order = Order::of(arguments)?;
        let too_long =
            |_| ModuleError::InvalidArgument(format!("`input` of {} bytes is too long to sort", input.len()));
        u32::try_from(input.len()).map_err(too_long)?;
        let mut start = 0;
        let place = |line: &[u8]| {
            let place = Line { start, len: line.len() as u32 };
            start += place.len + 1;
            place
        };
        let lines: Vec<_> = lines::of(&input).map(place).collect();
        Ok(Self { sorted: Vec::with_capacity(lines.len()), input, order, lines })
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.lines);
        let input = self.input.as_slice();
        match self.order {
            Order::Bytes => self.sorted.sort_unstable_by(|left, right| left.of(input).cmp(right.of(input))),
            Order::Words => self.sorted.sort_unstable_by(|left, right| compare_words(left.of(input), right.of(input))),
        }
    }

    /// A digest of the lengths in order. Equal lines may be swapped, but have the same length.
    fn digest(&self) -> u64 {
        self.sorted.iter().fold(Fnv::new(), |hash, line| hash.word(u64::from(line.len))).finish()
    }

    fn verify(&self) -> Vec<Check> {
        let sorted = || self.sorted.iter().map(|line| line.of(&self.input));
        let out_of_order = sorted().zip(sorted().skip(1)).filter(|(left, right)| left > right).count();
        vec![
            Check::equal("ordered", &0, &out_of_order),
            Check::equal("line-count", &lines::of(&self.input).count(), &self.sorted.len()),
            Check::equal("same-lines", &sum_of_hashes(lines::of(&self.input)), &sum_of_hashes(sorted())),
        ]
    }
}

/// A digest that does not depend on the order, and differs with very high probability if a line is missing or changed.
fn sum_of_hashes<'a>(lines: impl Iterator<Item = &'a [u8]>) -> u64 {
    lines.map(|line| Fnv::new().bytes(line).finish()).fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};
    use proptest::prelude::*;

    fn kernel(input: &[u8], compare: &str) -> Sort {
        passed(input, &[("compare", compare)].into_iter().collect())
    }

    #[test]
    fn lines_are_sorted_as_bytes() {
        for compare in ["bytes", "words"] {
            let kernel = kernel(b"b\n\na\nB\nab\na", compare);
            let sorted: Vec<_> = kernel.sorted.iter().map(|line| line.of(&kernel.input)).collect();
            assert_eq!(sorted, [b"".as_slice(), b"B", b"a", b"a", b"ab", b"b"], "{compare}");
        }
    }

    #[test]
    fn an_unknown_comparison_is_refused() {
        let arguments = [("compare", "vectors")].into_iter().collect();
        let Err(error) = Sort::prepare(b"a".to_vec(), &arguments) else { panic!("it is accepted") };
        assert!(error.to_string().contains("`compare` is `vectors`; give bytes or words"), "{error}");
    }

    #[test]
    fn a_wrong_result_fails() {
        let kernel = || kernel(&text(), "bytes");
        assert!(failed(&kernel()).is_empty());
        let mut unsorted = kernel();
        unsorted.sorted.reverse();
        assert_eq!(failed(&unsorted), ["ordered"]);
        let mut repeated = kernel();
        *repeated.sorted.last_mut().unwrap() = repeated.sorted[repeated.sorted.len() - 2];
        assert_eq!(failed(&repeated), ["same-lines"]);
        let mut shorter = kernel();
        shorter.sorted.pop();
        assert_eq!(failed(&shorter), ["line-count", "same-lines"]);
    }

    proptest! {
        #[test]
        fn comparing_words_is_comparing_bytes(
            begin in proptest::collection::vec(any::<u8>(), 0..20),
            left in proptest::collection::vec(any::<u8>(), 0..20),
            right in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            // Independent lines differ in their first byte, so both begin alike.
            let (left, right) = ([&begin[..], &left].concat(), [&begin[..], &right].concat());
            prop_assert_eq!(compare_words(&left, &right), left.cmp(&right));
            prop_assert_eq!(compare_words(&left, &left), Ordering::Equal);
        }

        #[test]
        fn both_comparisons_have_one_digest(input in "([ab]{0,18}\n){1,30}") {
            prop_assert_eq!(kernel(input.as_bytes(), "words").digest(), kernel(input.as_bytes(), "bytes").digest());
        }
    }
}
