//! Makes genes and publications that have what real tables have: NULL and empty texts, quotes, line breaks, any script, decimals, keys
//! that repeat, that have no match, and that are NULL.

use crate::{Cell, Field, Kind, Table};
use std::fmt::Write as _;

/// What to make. The same recipe makes the same tables everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The number of rows of a table.
    pub rows: usize,
    /// Which rows.
    pub seed: u64,
}

/// The columns of genes.
pub fn gene_fields() -> Vec<Field> {
    vec![
        Field::nullable("Gene.primaryIdentifier", Kind::Text),
        Field::nullable("Gene.symbol", Kind::Text),
        Field::nullable("Gene.length", Kind::Integer),
        Field::nullable("Gene.score", Kind::Decimal),
        Field::nullable("Gene.gcContent", Kind::Real),
        Field::nullable("Gene.created", Kind::Date),
        Field::required("Gene.organism.taxonId", Kind::Integer),
    ]
}

/// The columns of publications.
pub fn publication_fields() -> Vec<Field> {
    vec![
        Field::nullable("Publication.gene", Kind::Text),
        Field::nullable("Publication.title", Kind::Text),
        Field::required("Publication.year", Kind::Integer),
    ]
}

/// The columns of organisms.
pub fn organism_fields() -> Vec<Field> {
    vec![
        Field::required("Organism.taxonId", Kind::Integer),
        Field::required("Organism.name", Kind::Text),
        Field::nullable("Organism.commonName", Kind::Text),
    ]
}

/// Organisms that genes belong to, by their numbers at NCBI; the first ones have most of them.
const TAXA: [(i64, &str, Option<&str>); 12] = [
    (7227, "Drosophila melanogaster", Some("fruit fly")),
    (9606, "Homo sapiens", Some("human")),
    (10090, "Mus musculus", Some("house mouse")),
    (6239, "Caenorhabditis elegans", None),
    (4932, "Saccharomyces cerevisiae", Some("baker's yeast")),
    (7955, "Danio rerio", Some("zebrafish")),
    (10116, "Rattus norvegicus", Some("Norway rat")),
    (3702, "Arabidopsis thaliana", Some("thale cress")),
    (9031, "Gallus gallus", Some("chicken")),
    (9913, "Bos taurus", Some("cattle")),
    (8364, "Xenopus tropicalis", Some("tropical clawed frog")),
    (44689, "Dictyostelium discoideum", None),
];

/// What makes texts hard to carry.
const HARD: [&str; 8] = ["", "\"quoted\"", "two\nlines", "naïve β-Gal", "遺伝子", "a,b\tc", "ends\r\n", "🧬"];

const TITLES: [&str; 6] = ["The role of", "A map of", "Evidence for", "Loss of", "Regulation by", "Evolution of"];

impl Recipe {
    /// The genes. A quarter of all keys occurs only here, half of them also in publications; a key has two rows on average, and one
    /// row in a hundred has no key.
    pub fn genes(self) -> Table {
        let mut random = self.gene_random();
        let mut genes = Table::new(gene_fields());
        let mut text = String::new();
        (0..self.rows).for_each(|_| self.push_gene(&mut random, &mut text, &mut genes));
        genes
    }

    /// The same rows in the same order, as tables of `page_rows` at most, of which one is in memory at a time. There is at least one,
    /// which has no rows if the recipe has none.
    pub fn gene_pages(self, page_rows: usize) -> impl Iterator<Item = Table> {
        let mut random = self.gene_random();
        let mut text = String::new();
        let page_rows = page_rows.max(1);
        let starts = (0..self.rows.max(1)).step_by(page_rows);
        starts.map(move |start| {
            let mut page = Table::new(gene_fields());
            (start..self.rows.min(start + page_rows)).for_each(|_| self.push_gene(&mut random, &mut text, &mut page));
            page
        })
    }

    fn gene_random(self) -> Random {
        Random(self.seed ^ 0x67_656e_6573)
    }

    fn push_gene(self, random: &mut Random, text: &mut String, genes: &mut Table) {
        genes.push(0, self.key(random, 0, text));
        genes.push(1, symbol(random, text));
        genes.push(2, random.or_null(5, |random| Cell::Integer(random.below(90_000).cast_signed() + 60)));
        genes.push(3, random.or_null(8, |random| Cell::Decimal(i128::from(random.below(2_000_000)) - 500_000)));
        genes.push(4, random.or_null(8, |random| Cell::Real(random.fraction())));
        genes.push(5, random.or_null(3, |random| Cell::Date(random.below(20_000) as i32)));
        let taxon = random.below(TAXA.len() as u64).min(random.below(TAXA.len() as u64));
        genes.push(6, Cell::Integer(TAXA[taxon as usize].0));
    }

    /// As many publications. A quarter of all keys occurs only here.
    pub fn publications(self) -> Table {
        let mut random = Random(self.seed ^ 0x7075_626c_6973);
        let mut publications = Table::new(publication_fields());
        let mut text = String::new();
        for _ in 0..self.rows {
            publications.push(0, self.key(&mut random, self.keys() / 4, &mut text));
            publications.push(1, title(&mut random, &mut text));
            publications.push(2, Cell::Integer(1950 + random.below(77).cast_signed()));
        }
        publications
    }

    /// All organisms, whatever the recipe.
    pub fn organisms() -> Table {
        let mut organisms = Table::new(organism_fields());
        for (taxon, name, common) in TAXA {
            organisms.push_row([Cell::Integer(taxon), Cell::Text(name), common.map_or(Cell::Null, Cell::Text)]);
        }
        organisms
    }

    /// The number of keys of both tables together.
    fn keys(self) -> u64 {
        (self.rows as u64 * 2 / 3).max(4)
    }

    /// A key of the three quarters that begin with `from`.
    fn key<'a>(self, random: &mut Random, from: u64, text: &'a mut String) -> Cell<'a> {
        let number = from + random.below(self.keys() * 3 / 4);
        if random.below(100) == 0 {
            return Cell::Null;
        }
        text.clear();
        // Writing to a text cannot fail.
        let _ = write!(text, "FBgn{number:07}");
        Cell::Text(text)
    }
}

fn symbol<'a>(random: &mut Random, text: &'a mut String) -> Cell<'a> {
    text.clear();
    match random.below(100) {
        0..5 => return Cell::Null,
        // Empty in half of these.
        5..10 => {}
        10..20 => text.push_str(HARD[random.below(HARD.len() as u64) as usize]),
        _ => {
            for _ in 0..3 {
                text.push(char::from(b'a' + random.below(26) as u8));
            }
            let _ = write!(text, "-{}", random.below(1000));
        }
    }
    Cell::Text(text)
}

fn title<'a>(random: &mut Random, text: &'a mut String) -> Cell<'a> {
    text.clear();
    match random.below(50) {
        0 => return Cell::Null,
        1 => text.push_str(HARD[random.below(HARD.len() as u64) as usize]),
        _ => {
            text.push_str(TITLES[random.below(TITLES.len() as u64) as usize]);
            let _ = write!(text, " gene {} in sample {}", random.below(9000), random.below(100_000));
        }
    }
    Cell::Text(text)
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`. Its bias is below `bound` in 2⁶⁴.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 to 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn or_null(&mut self, percent: u64, cell: impl FnOnce(&mut Self) -> Cell<'static>) -> Cell<'static> {
        if self.below(100) < percent { Cell::Null } else { cell(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;
    use std::collections::BTreeSet;

    const RECIPE: Recipe = Recipe { rows: 2_000, seed: 7 };

    #[test]
    fn same_recipe_makes_the_same_rows() {
        assert_eq!(Digest::of(&RECIPE.genes()), Digest::of(&RECIPE.genes()));
        let other = Recipe { seed: 8, ..RECIPE };
        assert_ne!(Digest::of(&RECIPE.genes()), Digest::of(&other.genes()));
    }

    #[test]
    fn pages_are_the_rows_of_the_whole() {
        for (rows, page_rows, pages) in [(2_000, 300, 7), (2_000, 2_000, 1), (0, 300, 1)] {
            let recipe = Recipe { rows, ..RECIPE };
            let made: Vec<_> = recipe.gene_pages(page_rows).collect();
            assert_eq!(made.len(), pages);
            let digest = made.iter().map(Digest::of).fold(Digest::default(), |sum, page| sum + page);
            assert_eq!(digest, Digest::of(&recipe.genes()), "{rows} rows in pages of {page_rows}");
        }
    }

    #[test]
    fn genes_have_every_hard_case() {
        let genes = RECIPE.genes();
        let symbols: Vec<_> = (0..genes.rows()).map(|row| genes.cell(row, 1)).collect();
        for hard in HARD {
            assert!(symbols.contains(&Cell::Text(hard)), "{hard:?}");
        }
        for column in 0..6 {
            let nulls = (0..genes.rows()).filter(|row| genes.cell(*row, column) == Cell::Null).count();
            assert!(nulls > 0, "{}", genes.fields()[column].name);
        }
    }

    #[test]
    fn every_gene_has_an_organism() {
        let (genes, organisms) = (RECIPE.genes(), Recipe::organisms());
        let taxa: Vec<_> = (0..organisms.rows()).map(|row| organisms.cell(row, 0)).collect();
        let known = (0..genes.rows()).filter(|row| taxa.contains(&genes.cell(*row, 6)));
        assert_eq!((known.count(), taxa.len()), (genes.rows(), TAXA.len()));
    }

    #[test]
    fn keys_match_repeat_and_stay_alone() {
        let keys = |table: &Table| -> Vec<String> {
            let cells = (0..table.rows()).filter_map(|row| match table.cell(row, 0) {
                Cell::Text(text) => Some(text.to_owned()),
                _ => None,
            });
            cells.collect()
        };
        let (left, right) = (keys(&RECIPE.genes()), keys(&RECIPE.publications()));
        let (unique_left, unique_right) = (left.iter().collect::<BTreeSet<_>>(), right.iter().collect::<BTreeSet<_>>());
        assert!(unique_left.len() < left.len() && unique_right.len() < right.len(), "keys repeat");
        for only in [unique_left.difference(&unique_right), unique_right.difference(&unique_left)] {
            assert!(only.count() > 100);
        }
        assert!(unique_left.intersection(&unique_right).count() > 200);
    }
}
