//! Keeps what agents sent, with the digest of each block, and makes of it the shards that are merged: for each agent the blocks that
//! count, each line as the agent wrote it.

use crate::MergeError;
use crate::protocol::HostCard;
use crate::queue::{AgentId, Blocks};
use bench_model::Checksum;
use bench_sink::digest;
use bench_sink::runfile::{
    ClockRecord, EndRecord, FILE_NAME, PartRecord, RawLine, RawLines, Record, RunWriter, Status, encode,
};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The blocks of each agent, in a run file of its own. They are not synced, because the agent's own run file is the durable copy.
#[derive(Debug)]
pub struct Collector {
    /// The run file and the list of digests of each agent.
    files: Vec<(File, File)>,
}

/// The name of the list of digests: for each block a line with the number of its bytes and their SHA-256.
pub(crate) const DIGESTS: &str = "blocks.sha256";

impl Collector {
    /// Creates a folder with an empty run file for each of the agents `names`.
    pub fn create(folder: &Path, names: &[String]) -> io::Result<Self> {
        let create = |name: &String| {
            let directory = folder.join(name);
            fs::create_dir_all(&directory)?;
            io::Result::Ok((File::create_new(directory.join(FILE_NAME))?, File::create_new(directory.join(DIGESTS))?))
        };
        Ok(Self { files: names.iter().map(create).collect::<io::Result<_>>()? })
    }
}

impl Blocks for Collector {
    fn append(&mut self, agent: AgentId, block: &[u8]) -> io::Result<()> {
        match self.files.get_mut(agent.0 as usize) {
            Some((file, digests)) => {
                file.write_all(block)?;
                digests.write_all(format!("{} {}\n", block.len(), digest::of_bytes(block)).as_bytes())
            }
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// What an agent has measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The checksum of the results of each successful repetition, by the number of its cell; also of repetitions that do not count.
    pub checksums: Vec<(u32, Checksum)>,
    /// How many repetitions count.
    pub counted: usize,
    /// How many do not, because another agent measured their group.
    pub spare: usize,
}

/// One of the shards into which what the agents of a class measured is divided.
#[derive(Debug)]
pub struct ShardOf<'a> {
    /// The name of the agent.
    pub agent: &'a str,
    /// Its machine.
    pub card: &'a HostCard,
    /// How far the clock of that machine was ahead, when the agent joined and when it left.
    pub clock: &'a [ClockRecord],
    /// The number of the shard, from 1.
    pub number: u32,
    /// The number of shards.
    pub of: u32,
    /// The time at which the fleet ended, for an agent that did not end itself.
    pub finished: &'a str,
}

/// Whether an agent has sent the head of its run file. Without it, nothing of it can be merged.
pub fn has_head(collected: &Path) -> Result<bool, MergeError> {
    for line in RawLines::open(collected)? {
        if matches!(line?.record, Some(Record::Run(_))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How much of a shard is written at once. Each piece is synced.
const PIECE_BYTES: usize = 16 << 20;

/// Writes what counts of the run file in `collected` as a shard into the new run directory `out`. The blocks of cells for which
/// `is_official` is false are left out; all other lines are as the agent wrote them.
pub fn write_shard(
    collected: &Path,
    out: &Path,
    shard: &ShardOf<'_>,
    is_official: impl Fn(u32) -> bool,
) -> Result<Collected, MergeError> {
    let mut writer = RunWriter::create(out)?;
    let copied = copy_lines(collected, &mut writer, shard, &is_official);
    if copied.is_err() {
        // Half a shard would be in the way of the next attempt.
        let _ = fs::remove_dir_all(out);
    }
    copied
}

/// Copies the lines that count, and ends the run file.
fn copy_lines(
    collected: &Path,
    writer: &mut RunWriter,
    shard: &ShardOf<'_>,
    is_official: &dyn Fn(u32) -> bool,
) -> Result<Collected, MergeError> {
    let mut found = Collected::default();
    let mut bytes = Vec::new();
    let mut finished = None;
    for line in RawLines::open(collected)? {
        let RawLine { record, text } = line?;
        if bytes.len() >= PIECE_BYTES {
            writer.append_raw(&bytes)?;
            bytes.clear();
        }
        if let Some(Record::Outcome(outcome)) = &record {
            let counter = if is_official(outcome.cell) { &mut found.counted } else { &mut found.spare };
            *counter += 1;
            let checksum = outcome.checksum.filter(|_| outcome.status == Status::Ok);
            found.checksums.extend(checksum.map(|checksum| (outcome.cell, checksum)));
        }
        match record {
            Some(Record::Run(run)) => {
                bytes.extend(text);
                let part = PartRecord {
                    number: shard.number,
                    of: shard.of,
                    run: format!("{}@{}", run.id, shard.agent),
                    started: run.started,
                    fingerprint: shard.card.fingerprint.clone(),
                    boot_id: shard.card.boot_id.clone(),
                    clock: shard.clock.to_vec(),
                };
                bytes.extend(encode(&[Record::Part(part)]));
            }
            Some(Record::End(end)) => finished = Some(end.finished),
            record if record.as_ref().and_then(cell_of).is_none_or(is_official) => bytes.extend(text),
            _ => {}
        }
    }
    let finished = finished.unwrap_or_else(|| shard.finished.to_owned());
    bytes.extend(encode(&[Record::End(EndRecord { finished, stopped: None })]));
    writer.append_raw(&bytes)?;
    Ok(found)
}

/// The number of the cell that a record belongs to, if it belongs to one.
pub(crate) fn cell_of(record: &Record) -> Option<u32> {
    match record {
        Record::Cell(record) => Some(record.cell),
        Record::Series(record) => Some(record.cell),
        Record::Check(record) => Some(record.cell),
        Record::Outcome(record) => Some(record.cell),
        Record::Ledger(record) => Some(record.cell),
        Record::Account(record) => Some(record.cell),
        Record::Run(_)
        | Record::Module(_)
        | Record::Part(_)
        | Record::Resumed(_)
        | Record::Calibration(_)
        | Record::Ladder(_)
        | Record::Pairing(_)
        | Record::Look(_)
        | Record::End(_) => None,
    }
}

/// The first two agents that have different checksums for the same cell, and the number of the cell: equal arguments must yield equal
/// results on every machine.
pub fn contradiction<'a>(agents: &'a [(String, Collected)]) -> Option<(u32, &'a str, &'a str)> {
    let mut known: HashMap<u32, (Checksum, &'a str)> = HashMap::new();
    for (agent, collected) in agents {
        let agent = agent.as_str();
        for (cell, checksum) in &collected.checksums {
            let (first, by) = *known.entry(*cell).or_insert((*checksum, agent));
            if first != *checksum {
                return Some((*cell, by, agent));
            }
        }
    }
    None
}

/// The folders of a fleet run, in the folder of all run directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetFolder(PathBuf);

/// The name of the folder, next to the run directories, that holds one folder per fleet run.
const FLEETS: &str = ".fleet";

impl FleetFolder {
    /// The folder of the run `id` in `out`.
    pub fn new(out: &Path, id: &str) -> Self {
        Self(out.join(FLEETS).join(id))
    }

    /// The folders of all fleet runs in `out`, newest first: their names begin with the time.
    pub fn all(out: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(out.join(FLEETS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        folders.sort_by(|a, b| b.cmp(a));
        Ok(folders.into_iter().map(Self).collect())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of all run directories.
    pub fn out(&self) -> &Path {
        self.0.parent().and_then(Path::parent).unwrap_or(Path::new("."))
    }

    /// The name of the run.
    pub fn id(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where what the agents sent is kept.
    pub fn collected(&self) -> PathBuf {
        self.0.join("collected")
    }

    /// Where the agents of this machine have their own run files.
    pub fn agents(&self) -> PathBuf {
        self.0.join("agents")
    }

    /// Where shards are made.
    pub fn shards(&self) -> PathBuf {
        self.0.join("shards")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PROTOCOL;
    use bench_sink::fingerprint::Fingerprint;
    use bench_sink::runfile::OutcomeRecord;

    #[test]
    fn shard_has_the_lines_that_count_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut collector = Collector::create(folder.path(), &["a".to_owned()]).unwrap();
        // Lines that are not as this program would write them.
        let head = b"{ \"v\":1, \"record\":\"run\",\"id\":\"r\",\"started\":\"1\",\"seed\":1,\"command\":[],\"planned\":{\"cells\":2,\"processes\":1},\"fingerprint\":{\"host_version\":\"1\",\"os\":\"\",\"kernel\":\"\",\"architecture\":\"\",\"cpus\":1}}\n".to_vec();
        let outcome = |cell, checksum| {
            let outcome = OutcomeRecord { checksum: Some(Checksum(checksum)), ..OutcomeRecord::ok(cell, 0) };
            encode(&[Record::Outcome(outcome)])
        };
        let calibration = b"{\"v\":1,\"record\":\"calibration\",\"when\":\"before\",  \"limits\":[]}\n".to_vec();
        for block in [head.clone(), calibration.clone(), outcome(0, 5), outcome(1, 6)] {
            collector.append(AgentId(0), &block).unwrap();
        }
        let card = HostCard {
            protocol: PROTOCOL,
            host_version: "1".to_owned(),
            program_sha256: None,
            fingerprint: Fingerprint::default(),
            boot_id: Some("k".to_owned()),
        };
        let collected = folder.path().join("a");
        assert!(has_head(&collected).unwrap());
        let out = folder.path().join("shard");
        let shard = ShardOf { agent: "a", card: &card, clock: &[], number: 1, of: 2, finished: "9" };
        let found = write_shard(&collected, &out, &shard, |cell| cell == 1).unwrap();
        assert_eq!((found.counted, found.spare), (1, 1));
        assert_eq!(found.checksums, [(0, Checksum(5)), (1, Checksum(6))]);
        let lines: Vec<_> = RawLine::read_all(&out).unwrap().into_iter().map(|line| line.text).collect();
        assert_eq!((lines.len(), &lines[0], &lines[2], &lines[3]), (5, &head, &calibration, &outcome(1, 6)));
        let part = String::from_utf8(lines[1].clone()).unwrap();
        assert!(part.contains("\"number\":1,\"of\":2,\"run\":\"r@a\",\"started\":\"1\""), "{part}");
        assert_eq!(lines[4], encode(&[Record::End(EndRecord { finished: "9".to_owned(), stopped: None })]));
    }

    #[test]
    fn agents_with_different_results_are_named() {
        let of = |checksums: &[(u32, u64)]| Collected {
            checksums: checksums.iter().map(|(cell, checksum)| (*cell, Checksum(*checksum))).collect(),
            ..Collected::default()
        };
        let agents = [("a".to_owned(), of(&[(0, 5), (1, 6)])), ("b".to_owned(), of(&[(2, 5), (1, 6)]))];
        assert_eq!(contradiction(&agents), None);
        let agents = [agents[0].clone(), ("b".to_owned(), of(&[(2, 5), (1, 7)]))];
        assert_eq!(contradiction(&agents), Some((1, "a", "b")));
    }
}
