//! `pipeline` and `replay`: all stages one after the other, from a mine's answers to a Parquet file with the groups, each with its own
//! clock. The answers are generated, or were kept by a fetch.

use super::staged::{Clock, StagedSession, Stages, described};
use super::{Entry, aggregate, csv, decode, failed, ipc, join, jsonl, parquet};
use crate::pass::parity;
use crate::replay::{self, Replayed};
use crate::{batches, input};
use arrow_array::RecordBatch;
use bench_plugin::prelude::*;
use bytes::Bytes;
use std::path::Path;
use table_core::kept::{self, Results};
use table_core::mine::{self, Format};
use table_core::relational::{self, Groups};
use table_core::{Digest, Field, Recipe, Table, gene_fields, publication_fields};

pub(super) const PIPELINE: Entry = Entry { name: "pipeline", describe: describe_pipeline, open: open_pipeline };
pub(super) const REPLAY: Entry = Entry { name: "replay", describe: describe_replay, open: open_replay };

/// The stages in their order.
#[cfg(test)]
const STAGES: [&str; 7] =
    ["decode", "csv-write", "parquet-write", "parquet-scan", "join", "aggregate", "parquet-output"];

fn describe_pipeline() -> Scenario {
    let summary =
        "Decodes answers, writes CSV and Parquet, scans, joins, groups, and writes the groups: all in memory.";
    let format = Parameter::new("format", "json", "format of the answers").choices(Format::ALL.map(Format::as_str));
    described(input::described(Scenario::new(PIPELINE.name, "tabular", summary)).parameter(format))
}

fn describe_replay() -> Scenario {
    let summary = "The stages of `pipeline` over pages that `mine/fetch` kept; those of a mine that is not the local one have nothing to join.";
    let folder = Parameter::new("replay", "fetched", "folder that `mine/fetch` kept pages in, with -p keep=FOLDER");
    let form = "what is read: the pages as they came, or their rows with types that `keep_typed` kept there";
    let form = Parameter::new("form", "pages", form).choices(["pages", "ipc", "jsonl"]);
    let typed = "folder in which the rows are kept with their types, as Arrow IPC and as JSON Lines, for pages that were kept without; empty for none; only native code can write there";
    let scenario = Scenario::new(REPLAY.name, "tabular", summary).parameter(folder).parameter(form);
    described(scenario.parameter(Parameter::new("keep_typed", "", typed)).requires("read:replay", "the pages"))
}

fn open_pipeline(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let format: Format = arguments.text("format")?.parse().map_err(ModuleError::InvalidArgument)?;
    StagedSession::open(PIPELINE.name, Pipeline::generated(input::recipe(arguments)?, format), host)
}

fn open_replay(arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError> {
    let folder = arguments.text("replay")?;
    let mut pipeline = Pipeline::replayed(Replayed::read(folder)?)?;
    let typed = arguments.text("keep_typed")?;
    if !typed.is_empty() {
        pipeline.keep_typed(Path::new(typed))?;
    }
    match arguments.text("form")? {
        "ipc" => pipeline.source = Source::Ipc(replay::typed(folder, kept::IPC)?),
        "jsonl" => pipeline.source = Source::Stream(replay::typed(folder, kept::STREAM)?),
        _ => {}
    }
    StagedSession::open(REPLAY.name, pipeline, host)
}

/// Where genes come from.
enum Source {
    /// Answers of a mine, one after the other.
    Pages(Vec<Vec<u8>>),
    /// A file of Arrow IPC.
    Ipc(Vec<u8>),
    /// JSON Lines with types.
    Stream(Vec<u8>),
}

impl Source {
    /// The genes, whose columns must be `fields`.
    fn decoded(&self, format: Format, fields: &[Field]) -> Result<Vec<RecordBatch>, ModuleError> {
        let genes = match self {
            Self::Pages(pages) => return decode::decode_all(pages, format, fields),
            Self::Ipc(file) => ipc::scan(file)?,
            Self::Stream(text) => jsonl::scan(text)?,
        };
        // What follows relies on the types.
        let expected = batches::schema(fields);
        match genes.iter().find(|batch| batch.schema().fields() != expected.fields()) {
            Some(other) => Err(failed("reading kept rows", format!("their columns are {}", other.schema()))),
            None => Ok(genes),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Pages(pages) => pages.iter().map(|page| page.len() as u64).sum(),
            Self::Ipc(bytes) | Self::Stream(bytes) => bytes.len() as u64,
        }
    }
}

/// The input of a pipeline, what it must give, and what it gave.
struct Pipeline {
    format: Format,
    source: Source,
    /// An answer with publications, if genes are joined with some.
    publications: Option<Vec<u8>>,
    /// The genes as the format carries them.
    genes: Table,
    groups: Groups,
    /// The digest of the genes joined with the publications; of no rows if there are none.
    joined: Digest,
    /// What a fetch said that these results are.
    fetched: Option<Results>,
    found: Found,
}

#[derive(Default)]
struct Found {
    csv: String,
    parquet: Vec<u8>,
    output: Vec<u8>,
    joined_rows: usize,
}

impl Pipeline {
    fn generated(recipe: Recipe, format: Format) -> Self {
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let answer = |table: &Table| mine::answer(table, 0..table.rows(), format).into_bytes();
        let (pages, answered) = (vec![answer(&genes)], answer(&publications));
        // What the format cannot carry is not expected behind it.
        let (genes, publications) = (format.carried(&genes), format.carried(&publications));
        let joined = Digest::of(&relational::full_outer_join(&genes, &publications));
        Self { joined, publications: Some(answered), ..Self::of(format, pages, genes) }
    }

    fn replayed(replayed: Replayed) -> Result<Self, ModuleError> {
        let Replayed { format, pages, genes, publications, results } = replayed;
        let genes = match genes {
            Some(genes) => format.carried(&genes),
            // Of a real mine there is no other truth than its answers.
            None => batches::to_table(&decode::decode_all(&pages, format, &gene_fields())?)?,
        };
        let joined = publications.as_deref().map(|answer| {
            let publications = batches::to_table(&decode::decode(answer, format, &publication_fields())?)?;
            Ok::<_, ModuleError>(Digest::of(&relational::full_outer_join(&genes, &publications)))
        });
        let joined = joined.transpose()?.unwrap_or_default();
        Ok(Self { joined, publications, fetched: results, ..Self::of(format, pages, genes) })
    }

    fn of(format: Format, pages: Vec<Vec<u8>>, genes: Table) -> Self {
        let groups = relational::genes_by_organism(&genes);
        Self {
            format,
            source: Source::Pages(pages),
            publications: None,
            genes,
            groups,
            joined: Digest::default(),
            fetched: None,
            found: Found::default(),
        }
    }

    /// Keeps the genes of the source with their types, if they are those that they must be.
    fn keep_typed(&self, folder: &Path) -> Result<(), ModuleError> {
        let fields = gene_fields();
        let genes = self.source.decoded(self.format, &fields)?;
        table_core::compare(&self.genes, &batches::to_table(&genes)?)
            .map_err(|reason| failed("keeping rows with their types", reason))?;
        let (mut file, mut text) = (Vec::new(), String::new());
        ipc::write(&genes, &mut file)?;
        jsonl::write(&genes, &fields, &mut text);
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| replay::write_whole(folder, kept::IPC, &file))
            .and_then(|()| replay::write_whole(folder, kept::STREAM, text.as_bytes()));
        written.map_err(|error| {
            let folder = folder.display();
            ModuleError::InvalidArgument(format!(
                "`keep_typed`: {folder} cannot be written: {error}; give a folder, with --arm native"
            ))
        })
    }

    /// The digest of the join of these genes, computed once more, because its rows are not kept.
    fn joined(&self, genes: &[RecordBatch]) -> Result<Digest, ModuleError> {
        let Some(answer) = &self.publications else { return Ok(Digest::default()) };
        let publications = decode::decode(answer, self.format, &publication_fields())?;
        let joined = join::full_outer_join(&join::concatenated(genes)?, &join::concatenated(&publications)?)?;
        Ok(Digest::of(&batches::to_table(&[joined])?))
    }

    /// Whether the results have the hashes that a fetch wrote down, if it did.
    fn as_fetched(&self, genes: &Table, joined: Digest) -> Result<Option<Check>, ModuleError> {
        let Some(expected) = self.fetched else { return Ok(None) };
        let joined = self.publications.as_ref().map(|_| joined.checksum());
        let found = Results { genes: Digest::of(genes).checksum(), groups: self.digest()?.checksum(), joined };
        Ok(Some(Check::equal("as-fetched", &expected, &found)))
    }

    /// The groups, read back from the output.
    fn output(&self) -> Result<Vec<RecordBatch>, ModuleError> {
        parquet::scan(Bytes::copy_from_slice(&self.found.output))
    }
}

impl Stages for Pipeline {
    fn run(&mut self, clock: &mut Clock) -> Result<(), ModuleError> {
        let fields = gene_fields();
        let genes = self.source.decoded(self.format, &fields)?;
        let publications = self.publications.as_ref();
        let publications =
            publications.map(|body| decode::decode(body, self.format, &publication_fields())).transpose()?;
        clock.lap("decode");
        let found = &mut self.found;
        found.csv.clear();
        csv::write(&genes, &fields, &mut found.csv);
        clock.lap("csv-write");
        found.parquet.clear();
        parquet::write(&genes, parquet::SNAPPY, &mut found.parquet)?;
        clock.lap("parquet-write");
        let scanned = parquet::scan(Bytes::copy_from_slice(&found.parquet))?;
        clock.lap("parquet-scan");
        if let Some(publications) = publications {
            let joined = join::full_outer_join(&join::concatenated(&scanned)?, &join::concatenated(&publications)?)?;
            found.joined_rows = joined.num_rows();
            // Freed in the stage that made it.
            drop((joined, publications));
            clock.lap("join");
        }
        let groups = aggregate::by_organism(&scanned)?;
        clock.lap("aggregate");
        found.output.clear();
        parquet::write(&groups, parquet::SNAPPY, &mut found.output)?;
        clock.lap("parquet-output");
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.source.bytes() + self.publications.as_ref().map_or(0, |body| body.len() as u64)
    }

    fn checks(&self) -> Result<Vec<Check>, ModuleError> {
        let output = self.output()?;
        let mut checks = parity(&self.groups.exact, &aggregate::exact(&output)?);
        checks.push(aggregate::sums_check(&self.groups, &output));
        // Both files hold the same rows, which are those of the mine.
        let csv = csv::scan(self.found.csv.as_bytes(), self.genes.fields())?;
        let parquet = parquet::scan(Bytes::copy_from_slice(&self.found.parquet))?;
        let joined = self.joined(&parquet)?;
        checks.push(Check::equal("joined-rows", &self.joined.rows, &(self.found.joined_rows as u64)));
        checks.push(Check::equal("joined-cells", &self.joined, &joined));
        checks.extend(self.as_fetched(&batches::to_table(&parquet)?, joined)?);
        for (name, rows) in [("csv-cells", csv), ("parquet-cells", parquet)] {
            let rows = batches::to_table(&rows).map_err(|error| failed(name, error))?;
            let differs = table_core::compare(&self.genes, &rows).err();
            let passed = differs.is_none();
            checks.push(Check::that(name, passed, differs.unwrap_or_else(|| Digest::of(&rows).to_string())));
        }
        Ok(checks)
    }

    fn digest(&self) -> Result<Digest, ModuleError> {
        Ok(Digest::of(&aggregate::exact(&self.output()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::staged;
    use super::*;

    #[test]
    fn stages_and_the_rest_add_up_to_the_whole() {
        let mut pipeline = Pipeline::generated(Recipe { rows: 300, seed: 1 }, Format::Json);
        let (whole, stages) = staged::stages_of(&mut pipeline);
        let names: Vec<_> = stages.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [&STAGES[..], &[staged::OTHER]].concat());
        assert_eq!(stages.iter().map(|(_, ns)| ns).sum::<u64>(), whole);
    }

    fn check(pipeline: &mut Pipeline) -> Digest {
        staged::stages_of(pipeline);
        for check in pipeline.checks().unwrap() {
            assert!(check.passed, "{:?}: {}: {}", pipeline.format, check.name, check.detail);
        }
        pipeline.digest().unwrap()
    }

    /// Pages of genes, and nothing else that a fetch keeps.
    fn alone(format: Format, pages: Vec<Vec<u8>>, genes: &Table) -> Replayed {
        Replayed { format, pages, genes: Some(genes.clone()), publications: None, results: None }
    }

    #[test]
    fn every_format_gives_the_groups_of_what_it_carries() {
        for format in Format::ALL {
            for rows in [0, 1, 900] {
                check(&mut Pipeline::generated(Recipe { rows, seed: 3 }, format));
            }
        }
    }

    #[test]
    fn replayed_pages_give_what_the_whole_answer_gives() {
        let recipe = Recipe { rows: 900, seed: 3 };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        for format in Format::ALL {
            let whole = check(&mut Pipeline::generated(recipe, format));
            let pages = [0..400, 400..800, 800..900].map(|rows| mine::answer(&genes, rows, format).into_bytes());
            let results = Results::of(&format.carried(&genes), Some(&format.carried(&publications)));
            let answer = mine::answer(&publications, 0..900, format).into_bytes();
            for genes in [Some(genes.clone()), None] {
                let (pages, publications, results) = (pages.to_vec(), Some(answer.clone()), Some(results));
                let replayed = Replayed { format, pages, genes, publications, results };
                let mut pipeline = Pipeline::replayed(replayed).unwrap();
                assert_eq!(check(&mut pipeline), whole, "{format:?}");
                assert!(pipeline.found.joined_rows > 900);
            }
        }
    }

    #[test]
    fn results_that_are_not_those_of_the_fetch_fail_a_check() {
        let recipe = Recipe { rows: 300, seed: 3 };
        let (genes, publications) = (recipe.genes(), recipe.publications());
        let right = Results::of(&genes, Some(&publications));
        let answer = |table: &Table| mine::answer(table, 0..300, Format::Json).into_bytes();
        let failed = |results| {
            let (pages, publications) = (vec![answer(&genes)], Some(answer(&publications)));
            let replayed = Replayed { format: Format::Json, pages, genes: None, publications, results: Some(results) };
            let mut pipeline = Pipeline::replayed(replayed).unwrap();
            staged::stages_of(&mut pipeline);
            let failed = pipeline.checks().unwrap().into_iter().filter(|check| !check.passed);
            failed.map(|check| check.name).collect::<Vec<_>>()
        };
        assert_eq!(failed(right), [""; 0]);
        for wrong in [
            Results { genes: 1, ..right },
            Results { groups: 1, ..right },
            Results { joined: Some(1), ..right },
            Results { joined: None, ..right },
        ] {
            assert_eq!(failed(wrong), ["as-fetched"]);
        }
    }

    #[cfg(not(target_family = "wasm"))]
    #[test]
    fn rows_that_were_kept_with_their_types_give_what_their_pages_give() {
        let genes = Recipe { rows: 900, seed: 3 }.genes();
        for format in Format::ALL {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().to_str().unwrap();
            let replayed = || {
                let pages = vec![mine::answer(&genes, 0..900, format).into_bytes()];
                Pipeline::replayed(alone(format, pages, &genes)).unwrap()
            };
            let whole = check(&mut replayed());
            replayed().keep_typed(folder.path()).unwrap();
            let typed = |name: &str| replay::typed(path, name).unwrap();
            for source in [Source::Ipc(typed(kept::IPC)), Source::Stream(typed(kept::STREAM))] {
                assert_eq!(check(&mut Pipeline { source, ..replayed() }), whole, "{format:?}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_leaves_no_rows() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join(format!("{}.part", kept::STREAM));
        std::os::unix::fs::symlink("/dev/full", &part).unwrap();
        let genes = Recipe { rows: 900, seed: 3 }.genes();
        let pages = vec![mine::answer(&genes, 0..900, Format::Json).into_bytes()];
        let pipeline = Pipeline::replayed(alone(Format::Json, pages, &genes)).unwrap();
        let error = pipeline.keep_typed(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`keep_typed`: ") && error.contains("No space left on device"), "{error}");
        // The file before it is whole, and of this one nothing is there.
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), [kept::IPC]);
    }

    #[test]
    fn kept_rows_with_other_columns_are_refused() {
        let mut file = Vec::new();
        let publications = Recipe { rows: 9, seed: 3 }.publications();
        ipc::write(&batches::of_table(&publications).unwrap(), &mut file).unwrap();
        let text = table_core::stream::write(&publications).into_bytes();
        for source in [Source::Ipc(file), Source::Stream(text)] {
            let error = source.decoded(Format::Json, &gene_fields()).unwrap_err().to_string();
            assert!(error.starts_with("reading kept rows: their columns are ") && error.contains("year"), "{error}");
        }
    }

    #[test]
    fn lost_row_of_a_file_fails_its_check() {
        let mut pipeline = Pipeline::generated(Recipe { rows: 300, seed: 1 }, Format::Json);
        staged::stages_of(&mut pipeline);
        pipeline.found.csv.truncate(pipeline.found.csv.len() - 1);
        let last = pipeline.found.csv.trim_end().rfind('\n').unwrap();
        pipeline.found.csv.truncate(last + 1);
        let failed = pipeline.checks().unwrap().into_iter().filter(|check| !check.passed);
        assert_eq!(failed.map(|check| check.name).collect::<Vec<_>>(), ["csv-cells"]);
    }
}
