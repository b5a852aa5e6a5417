//! `stream`: answers become Parquet page by page, so that memory does not depend on the number of rows. Each page is made when it is asked for,
//! in place of a network.

use super::staged::{Clock, StagedSession, Stages, described};
use super::{Entry, decode, parquet};
use crate::{batches, input};
use bench_plugin::prelude::*;
use table_core::mine::{self, Format};
use table_core::{Digest, Recipe, compare, gene_fields};

pub(super) const ENTRY: Entry = Entry { name: "stream", describe, open };

/// Pages of a file. It is handed on when it has as many.
const FILE_PAGES: usize = 8;

fn describe() -> Scenario {
    let summary = "Answers become Parquet files page by page, of which one page and one file are in memory; a page is made when it is asked for.";
    let format = Parameter::new("format", "json", "format of the answers").choices(Format::ALL.map(Format::as_str));
    let page_rows = Parameter::new("page_rows", 5_000, "rows of a page; a file has 8 pages").between(1, 1_000_000);
    let held = "the most bytes of a page, its columns and the file that is not finished at a time, once per process";
    let held = Metric::new("held", Unit::Bytes, held);
    let scenario = input::described(Scenario::new(ENTRY.name, "tabular", summary));
    described(scenario.parameter(format).parameter(page_rows).metric(held))
}

fn open(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let format: Format = arguments.text("format")?.parse().map_err(ModuleError::InvalidArgument)?;
    StagedSession::open(ENTRY.name, Export::new(input::recipe(arguments)?, format, arguments.size("page_rows")?), host)
}

struct Export {
    recipe: Recipe,
    format: Format,
    page_rows: usize,
    last: Totals,
}

/// The result of an operation.
#[derive(Clone, Copy, Default)]
struct Totals {
    /// The bytes of all pages.
    bytes: u64,
    /// The most bytes at a time.
    held: u64,
}

impl Export {
    fn new(recipe: Recipe, format: Format, page_rows: usize) -> Self {
        Self { recipe, format, page_rows, last: Totals::default() }
    }

    /// Makes all files, and hands each on when it is whole.
    fn export(
        &self,
        clock: &mut Clock,
        mut hand_on: impl FnMut(Vec<u8>) -> Result<(), ModuleError>,
    ) -> Result<Totals, ModuleError> {
        let fields = gene_fields();
        let mut totals = Totals::default();
        let mut pages = self.recipe.gene_pages(self.page_rows).peekable();
        while pages.peek().is_some() {
            let mut file = parquet::Growing::new(&fields)?;
            for genes in pages.by_ref().take(FILE_PAGES) {
                let page = mine::answer(&genes, 0..genes.rows(), self.format).into_bytes();
                drop(genes);
                clock.lap("page");
                let columns = decode::decode(&page, self.format, &fields)?;
                clock.lap("decode");
                file.write(&columns)?;
                clock.lap("parquet-write");
                totals.bytes += page.len() as u64;
                totals.held = totals.held.max(page.len() as u64 + batches::bytes(&columns) + file.held());
            }
            let file = file.finish()?;
            clock.lap("parquet-write");
            hand_on(file)?;
        }
        Ok(totals)
    }
}

impl Stages for Export {
    const REUSES_BUFFERS: bool = false;

    fn run(&mut self, clock: &mut Clock) -> Result<(), ModuleError> {
        self.last = self.export(clock, |file| {
            drop(std::hint::black_box(file));
            Ok(())
        })?;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.last.bytes
    }

    /// Exports once more, and compares each file with the rows that it must have.
    fn checks(&self) -> Result<Vec<Check>, ModuleError> {
        let mut expected = self.recipe.gene_pages(self.page_rows * FILE_PAGES);
        let (mut rows, mut files, mut differs) = (0, 0, None);
        self.export(&mut Clock::start(), |file| {
            let found = batches::to_table(&parquet::scan(file.into())?)?;
            (rows, files) = (rows + found.rows(), files + 1);
            let difference = match expected.next() {
                Some(genes) => compare(&self.format.carried(&genes), &found).err(),
                None => Some("there are no more rows".to_owned()),
            };
            if differs.is_none() {
                differs = difference.map(|difference| format!("file {files}: {difference}"));
            }
            Ok(())
        })?;
        let passed = differs.is_none();
        Ok(vec![
            Check::equal("rows", &self.recipe.rows, &rows),
            Check::that("cells", passed, differs.unwrap_or_else(|| format!("equal in {files} files"))),
        ])
    }

    fn digest(&self) -> Result<Digest, ModuleError> {
        let mut digest = Digest::default();
        self.export(&mut Clock::start(), |file| {
            digest = digest + Digest::of(&batches::to_table(&parquet::scan(file.into())?)?);
            Ok(())
        })?;
        Ok(digest)
    }

    fn record(&self, host: Host) -> Result<(), ModuleError> {
        host.series("held", &[])?.record(self.last.held);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::staged::{self, OTHER};
    use super::*;

    fn run(rows: usize, format: Format) -> Export {
        let mut export = Export::new(Recipe { rows, seed: 3 }, format, 250);
        let (whole, stages) = staged::stages_of(&mut export);
        let names: Vec<_> = stages.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["page", "decode", "parquet-write", OTHER]);
        assert_eq!(stages.iter().map(|(_, ns)| ns).sum::<u64>(), whole);
        export
    }

    #[test]
    fn files_have_the_rows_of_the_generator() {
        for format in Format::ALL {
            for rows in [0, 1, 5_001] {
                let export = run(rows, format);
                for check in export.checks().unwrap() {
                    assert!(check.passed, "{format:?}, {rows} rows: {}: {}", check.name, check.detail);
                }
                let genes = format.carried(&Recipe { rows, seed: 3 }.genes());
                assert_eq!(export.digest().unwrap(), Digest::of(&genes));
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_rows() {
        let held = |rows| run(rows, Format::Json).last.held;
        let (few, many) = (held(4_000), held(40_000));
        assert!(many < few + few / 10, "{few} bytes of 4000 rows, {many} of 40000");
    }
}
