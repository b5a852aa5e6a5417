//! `generate`: the rows themselves. What the generator costs is part of `stream`, and of the time before other stages are measured.

use super::Entry;
use crate::input;
use bench_plugin::prelude::*;
use table_core::{Digest, Recipe, Table};

pub(super) const ENTRY: Entry = Entry { name: "generate", describe, open };

/// Rows of the pages that the result is compared with.
const PAGE_ROWS: usize = 1_000;

fn describe() -> Scenario {
    input::described(Scenario::new(ENTRY.name, "tabular", "Generates all genes into a table in memory."))
}

fn open(arguments: &Arguments, _host: Host) -> Result<Box<dyn Session>, ModuleError> {
    Ok(Box::new(Generator::new(input::recipe(arguments)?)))
}

struct Generator {
    recipe: Recipe,
    genes: Table,
    /// The digest of the rows as they are made page by page.
    expected: Digest,
}

impl Generator {
    fn new(recipe: Recipe) -> Self {
        let digests = recipe.gene_pages(PAGE_ROWS).map(|page| Digest::of(&page));
        let expected = digests.fold(Digest::default(), |sum, page| sum + page);
        Self { recipe, genes: recipe.genes(), expected }
    }
}

impl Session for Generator {
    fn iterate(&mut self, times: u64) -> Result<Outcome, ModuleError> {
        for _ in 0..times {
            self.genes = std::hint::black_box(self.recipe).genes();
        }
        Ok(Outcome { operations: times, bytes: 0, checksum: self.expected.checksum() })
    }

    fn verify(&mut self) -> Result<Vec<Check>, ModuleError> {
        Ok(vec![
            Check::equal("rows", &self.recipe.rows, &self.genes.rows()),
            Check::equal("same-rows-as-in-pages", &self.expected, &Digest::of(&self.genes)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_row_fails_both_checks() {
        let mut generator = Generator::new(Recipe { rows: 2_500, seed: 1 });
        generator.iterate(1).unwrap();
        assert!(generator.verify().unwrap().iter().all(|check| check.passed));
        generator.genes = generator.genes.selected(1..2_500);
        assert!(generator.verify().unwrap().iter().all(|check| !check.passed));
    }
}
