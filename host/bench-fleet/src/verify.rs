//! Checks that what agents sent is unchanged, and that a merged run has each repetition once and each line as an agent wrote it.

use crate::MergeError;
use crate::collect::{DIGESTS, FleetFolder};
use crate::protocol::BLOCK_BYTES_MAX;
use bench_sink::runfile::{FILE_BYTES_MAX, FILE_NAME, RawLine, RawLines, Record};
use bench_sink::{digest, regular};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The digests of lines.
type Lines = HashSet<[u8; 32]>;

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The agents that sent anything.
    pub agents: Vec<String>,
    /// How many blocks they sent.
    pub blocks: usize,
    /// How many repetitions the merged runs have.
    pub repetitions: usize,
    /// What is wrong, one line each.
    pub findings: Vec<String>,
}

/// Why a run of a fleet cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A run file is malformed.
    #[error(transparent)]
    Run(#[from] MergeError),
    /// It was written by a version that did not note digests.
    #[error("{}: the run was collected without digests, by an earlier bench-host; only `fleet merge` of the agents' own folders can check it", .0.display())]
    WithoutDigests(PathBuf),
}

/// Checks what the agents of the run in `folder` sent, and the run directories `merged` that were made of it.
pub fn verify(folder: &FleetFolder, merged: &[PathBuf]) -> Result<Verified, VerifyError> {
    let mut verified = Verified::default();
    let mut sent: HashMap<String, Lines> = HashMap::new();
    let id = folder.id();
    for agent in agents(&folder.collected())? {
        let directory = folder.collected().join(&agent);
        verified.blocks += check_blocks(&directory, &mut verified.findings)?;
        sent.insert(format!("{id}@{agent}"), lines_of(&directory.join(FILE_NAME))?);
        verified.agents.push(agent);
    }
    for directory in merged {
        check_merged(directory, &sent, &mut verified)?;
    }
    Ok(verified)
}

/// The names of the agents of which there is a folder, in order.
fn agents(collected: &Path) -> Result<Vec<String>, VerifyError> {
    let fail = |source| VerifyError::Io { path: collected.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(collected).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The digests of the complete lines of a file.
fn lines_of(path: &Path) -> Result<Lines, VerifyError> {
    let fail = |source| VerifyError::Io { path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 20, regular::open_within(path, FILE_BYTES_MAX).map_err(fail)?);
    let (mut line, mut digests) = (Vec::new(), HashSet::new());
    loop {
        line.clear();
        file.read_until(b'\n', &mut line).map_err(fail)?;
        if line.last() != Some(&b'\n') {
            return Ok(digests);
        }
        digests.insert(digest::raw_of_bytes(&line));
    }
}

/// Checks the blocks of an agent against the digests that were noted when they arrived. Returns how many there are.
fn check_blocks(directory: &Path, findings: &mut Vec<String>) -> Result<usize, VerifyError> {
    let read = |name: &str| {
        let path = directory.join(name);
        regular::read(&path, FILE_BYTES_MAX).map_err(|source| VerifyError::Io { path, source })
    };
    let noted = match read(DIGESTS) {
        Err(VerifyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(VerifyError::WithoutDigests(directory.to_owned()));
        }
        noted => noted?,
    };
    let shown = directory.join(FILE_NAME);
    let fail = |source| VerifyError::Io { path: shown.clone(), source };
    let mut sent = regular::open(&shown, File::options().read(true)).map_err(fail)?;
    let mut blocks = 0;
    for (number, line) in String::from_utf8_lossy(&noted).lines().enumerate() {
        let noted = line.split_once(' ').and_then(|(bytes, sha256)| Some((bytes.parse::<u64>().ok()?, sha256)));
        let mut block = Vec::new();
        let (wanted_bytes, wanted) = noted.unwrap_or((u64::MAX, ""));
        // As much as there is, and no block is larger: the number may be wrong.
        sent.by_ref().take(wanted_bytes.min(BLOCK_BYTES_MAX)).read_to_end(&mut block).map_err(fail)?;
        if block.len() as u64 != wanted_bytes {
            findings.push(format!("{}: block {number} is not complete", shown.display()));
            return Ok(blocks);
        }
        let found = digest::of_bytes(&block);
        if found != wanted {
            findings
                .push(format!("{}: block {number} was changed: its digest is {found}, not {wanted}", shown.display()));
        }
        blocks += 1;
    }
    let rest = io::copy(&mut sent, &mut io::sink()).map_err(fail)?;
    if rest > 0 {
        findings.push(format!("{}: {rest} bytes at its end were sent by no agent", shown.display()));
    }
    Ok(blocks)
}

/// The repetitions of a run. One may be named again within the block of another, whose results contradict its own: that is no second one.
#[derive(Debug, Default)]
struct Repetitions {
    seen: HashSet<(u32, u32)>,
    /// The repetition whose block goes on.
    open: Option<(u32, u32)>,
}

impl Repetitions {
    /// Takes the next record. Returns the repetition that ends with it, and whether it was there before.
    fn end_with(&mut self, record: Option<&Record>) -> Option<((u32, u32), bool)> {
        match record {
            Some(Record::Cell(cell)) => self.open = Some((cell.cell, cell.process)),
            Some(Record::Outcome(outcome)) => {
                let repetition = (outcome.cell, outcome.process);
                if self.open.is_none_or(|open| open == repetition) {
                    self.open = None;
                    return Some((repetition, !self.seen.insert(repetition)));
                }
            }
            _ => {}
        }
        None
    }
}

/// Checks that each line of cells in a merged run is of the agent that the run names for it, and that no repetition is there twice.
fn check_merged(directory: &Path, sent: &HashMap<String, Lines>, verified: &mut Verified) -> Result<(), VerifyError> {
    let mut by: Option<&Lines> = None;
    let mut repetitions = Repetitions::default();
    for (number, line) in (1..).zip(RawLines::open(directory).map_err(MergeError::from)?) {
        let RawLine { record, text } = line.map_err(MergeError::from)?;
        let line: (&Path, u32) = (directory, number);
        if let Some(((cell, process), was_there)) = repetitions.end_with(record.as_ref()) {
            verified.repetitions += 1;
            if was_there {
                verified
                    .findings
                    .push(finding(line, &format!("cell {cell}, process {process} is there a second time")));
            }
        }
        match &record {
            // These lines are written by who merges.
            Some(Record::Run(_) | Record::End(_)) => continue,
            Some(Record::Part(part)) => {
                by = sent.get(&part.run);
                if by.is_none() {
                    verified.findings.push(finding(line, &format!("{} is not an agent of this run", part.run)));
                }
                continue;
            }
            _ => {}
        }
        let digest = digest::raw_of_bytes(&text);
        let is_sent = |lines: &Lines| lines.contains(&digest);
        // The modules are written before the first agent is named; every agent has sent the same.
        let is_known = match (&record, by) {
            (Some(Record::Module(_)), _) | (_, None) => sent.values().any(is_sent),
            (_, Some(lines)) => is_sent(lines),
        };
        if !is_known {
            verified.findings.push(finding(line, "the line is not as the agent wrote it"));
        }
    }
    Ok(())
}

fn finding((directory, number): (&Path, u32), what: &str) -> String {
    format!("{}, line {number}: {what}", directory.join(FILE_NAME).display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::{Collector, ShardOf, write_shard};
    use crate::made_up;
    use crate::merge::{Checks, merge};
    use crate::protocol::HostCard;
    use crate::queue::{AgentId, Blocks};
    use bench_sink::runfile::{OutcomeRecord, Status, encode};

    const HEAD: &[u8] = b"{\"v\":1,\"record\":\"run\",\"id\":\"r\",\"started\":\"1\",\"seed\":1,\"command\":[],\"planned\":{\"cells\":2,\"processes\":1},\"fingerprint\":{\"host_version\":\"1\",\"os\":\"\",\"kernel\":\"\",\"architecture\":\"\",\"cpus\":1}}\n";

    /// Changes the text of the file of `agent`, or of the merged run, and checks what is found.
    #[track_caller]
    fn check(agent: Option<&str>, change: impl Fn(String) -> String, expect: &[&str]) {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        let names = ["a".to_owned(), "b".to_owned()];
        let mut collector = Collector::create(&folder.collected(), &names).unwrap();
        for number in 0..2 {
            collector.append(AgentId(number), HEAD).unwrap();
            let outcome = encode(&[Record::Outcome(OutcomeRecord::ok(number, 0))]);
            collector.append(AgentId(number), &outcome).unwrap();
        }
        let card = HostCard::of_version("1");
        let shards: Vec<PathBuf> = (1..)
            .zip(&names)
            .map(|(number, name)| {
                let shard = ShardOf { agent: name, card: &card, clock: &[], number, of: 2, finished: "9" };
                let directory = folder.shards().join(name);
                write_shard(&folder.collected().join(name), &directory, &shard, |cell| cell + 1 == number).unwrap();
                directory
            })
            .collect();
        let merged = merge(&shards, out.path(), Checks::default()).unwrap().directory;
        let changed = agent.map_or_else(|| merged.clone(), |agent| folder.collected().join(agent)).join(FILE_NAME);
        let text = fs::read_to_string(&changed).unwrap();
        fs::write(&changed, change(text)).unwrap();
        let verified = verify(&folder, &[merged]).unwrap();
        assert_eq!((verified.agents.as_slice(), verified.blocks), (&names[..], 4));
        assert_eq!(verified.findings.len(), expect.len(), "{verified:?}");
        for (finding, part) in verified.findings.iter().zip(expect) {
            assert!(finding.contains(part), "{finding}");
        }
    }

    #[test]
    fn unchanged_run_has_no_findings() {
        check(None, |text| text, &[]);
    }

    #[test]
    fn changed_line_is_found_in_what_was_sent_and_in_the_merged_run() {
        let change = |text: String| text.replace("\"outcome\",\"cell\":0", "\"outcome\",\"cell\":7");
        check(None, change, &["line 3: the line is not as the agent wrote it"]);
        check(Some("a"), change, &["block 1 was changed: its digest is", "line 3: the line is not as the agent"]);
        let longer = |text: String| text + "{\"v\":1,\"record\":\"later\"}\n";
        check(Some("b"), longer, &["25 bytes at its end were sent by no agent"]);
    }

    #[test]
    fn part_of_another_run_is_found() {
        let foreign = |text: String| text.replace("\"run\":\"r@a\"", "\"run\":\"x@a\"");
        check(None, foreign, &["line 2: x@a is not an agent of this run"]);
    }

    #[test]
    fn outcome_of_a_repetition_that_a_later_one_contradicts_is_no_second_repetition() {
        let out = tempfile::tempdir().unwrap();
        let folder = FleetFolder::new(out.path(), "r");
        let names = ["a".to_owned(), "b".to_owned()];
        let mut collector = Collector::create(&folder.collected(), &names).unwrap();
        // Both agents have measured the first group, which counts from one of them; then the results of its two cells differ.
        let block = |cell: u32, contradicted: Option<u32>| {
            let mut records = vec![Record::Cell(made_up::cell(cell, 0, "m"))];
            records.extend(
                contradicted.map(|cell| Record::Outcome(OutcomeRecord::without_figures(cell, 0, Status::Failed))),
            );
            records.push(Record::Outcome(OutcomeRecord::without_figures(cell, 0, Status::Failed)));
            encode(&records)
        };
        let first = encode(&[Record::Cell(made_up::cell(0, 0, "m")), Record::Outcome(OutcomeRecord::ok(0, 0))]);
        let shards = (1..).zip(&names).map(|(number, agent)| {
            for block in [HEAD, &first, &block(1, Some(0))] {
                collector.append(AgentId(number - 1), block).unwrap();
            }
            let card = HostCard::of_version("1");
            let shard = ShardOf { agent, card: &card, clock: &[], number, of: 2, finished: "9" };
            let directory = folder.shards().join(agent);
            write_shard(&folder.collected().join(agent), &directory, &shard, |_| number == 1).unwrap();
            directory
        });
        let shards: Vec<PathBuf> = shards.collect();
        let merged = merge(&shards, out.path(), Checks::default()).unwrap().directory;
        let verified = verify(&folder, &[merged]).unwrap();
        assert_eq!((verified.repetitions, verified.findings.as_slice()), (2, &[] as &[String]));
    }

    #[test]
    fn repetition_that_is_there_twice_is_found() {
        let twice = |text: String| {
            let outcome = text.lines().find(|line| line.contains("outcome")).unwrap().to_owned();
            text.replacen(&format!("{outcome}\n"), &format!("{outcome}\n{outcome}\n"), 1)
        };
        check(None, twice, &["cell 0, process 0 is there a second time"]);
    }
}
