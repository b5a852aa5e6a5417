//! Counting a short string: its speed depends on the vector instructions that an arm can use.

use super::Kernel;
use bench_plugin::prelude::*;
use memchr::memmem::Finder;

pub(crate) struct Substring {
    input: Vec<u8>,
    finder: Finder<'static>,
    found: u64,
}

impl Kernel for Substring {
    const NAME: &'static str = "substring";
    const SUMMARY: &'static str = "Counts the needle in the input, without overlaps.";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::new("needle", "fn ", "text to search for; not empty")]
    }

    fn prepare(input: Vec<u8>, arguments: &Arguments) -> Result<Self, ModuleError> {
        match arguments.text("needle")? {
            "" => Err(ModuleError::InvalidArgument("`needle` is empty; give at least one character".to_owned())),
            needle => Ok(Self { input, finder: Finder::new(needle).into_owned(), found: 0 }),
        }
    }

    fn bytes(&self) -> u64 {
        self.input.len() as u64
    }

    fn run(&mut self) {
        self.found = self.finder.find_iter(&self.input).count() as u64;
    }

    fn digest(&self) -> u64 {
        self.found
    }

    fn verify(&self) -> Vec<Check> {
        vec![Check::equal("reference", &place_by_place(&self.input, self.finder.needle()), &self.found)]
    }
}

/// The definition: tries every position, and continues after each match.
fn place_by_place(input: &[u8], needle: &[u8]) -> u64 {
    let (mut rest, mut found) = (input, 0);
    while !rest.is_empty() {
        let here = rest.starts_with(needle);
        found += u64::from(here);
        rest = &rest[if here { needle.len() } else { 1 }..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{failed, passed, text};

    fn kernel(input: &[u8], needle: &str) -> Substring {
        passed(input, &[("needle", needle)].into_iter().collect())
    }

    fn check(input: &str, needle: &str, expect: u64) {
        let kernel = kernel(input.as_bytes(), needle);
        assert_eq!((kernel.found, failed(&kernel)), (expect, vec![]), "{needle:?} in {input:?}");
    }

    #[test]
    fn needles_do_not_overlap() {
        check("aaaa", "aa", 2);
        check("aaaaa", "aa", 2);
        check("fn f() {} fn g() {}", "fn ", 2);
        check("short", "longer than that", 0);
    }

    #[test]
    fn an_empty_needle_is_refused() {
        let arguments = [("needle", "")].into_iter().collect();
        assert!(matches!(Substring::prepare(vec![0], &arguments), Err(ModuleError::InvalidArgument(_))));
    }

    #[test]
    fn a_wrong_result_fails() {
        let mut kernel = kernel(&text(), "fn ");
        assert_eq!((kernel.found, failed(&kernel)), (500, vec![]));
        kernel.found -= 1;
        assert_eq!(failed(&kernel), ["reference"]);
    }
}
