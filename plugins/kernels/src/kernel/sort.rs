//! Sorting lines: branching comparisons and random memory reads. Lines are ranges of the input instead of slices, so
//! that both arms move the same 8 bytes per line.

use super::Kernel;
use crate::digest::Fnv;
use crate::lines;
use bench_plugin::prelude::*;

pub(crate) struct Sort {
    input: Vec<u8>,
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

impl Kernel for Sort {
    const NAME: &'static str = "sort";
    const SUMMARY: &'static str = "Sorts the lines of the input by bytes, starting from their order in the input.";

    fn prepare(input: Vec<u8>, _arguments: &Arguments) -> Result<Self, ModuleError> {
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
        Ok(Self { sorted: Vec::with_capacity(lines.len()), input, lines })
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.lines);
        let input = self.input.as_slice();
        self.sorted.sort_unstable_by(|left, right| left.of(input).cmp(right.of(input)));
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

    #[test]
    fn lines_are_sorted_as_bytes() {
        let kernel: Sort = passed(b"b\n\na\nB\nab\na", &Arguments::default());
        let sorted: Vec<_> = kernel.sorted.iter().map(|line| line.of(&kernel.input)).collect();
        assert_eq!(sorted, [b"".as_slice(), b"B", b"a", b"a", b"ab", b"b"]);
    }

    #[test]
    fn a_wrong_result_fails() {
        let kernel = || passed::<Sort>(&text(), &Arguments::default());
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
}
