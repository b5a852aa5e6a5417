//! What an agent keeps: its run file, as the blocks that it sent, so that an agent that was started again can send them once more; and next to it
//! its card, so that what several agents kept can be merged without a coordinator.

use crate::protocol::HostCard;
use crate::queue::Part;
use bench_sink::regular;
use bench_sink::runfile::{RawLine, RawLines, ReadError, Record};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::{fs, io};

/// Which agent wrote a run file, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentCard {
    /// The name of the agent.
    pub agent: String,
    /// Its machine and program.
    pub card: HostCard,
}

/// The name of the file that holds the card, and its maximum size.
pub(crate) const CARD: &str = "agent.json";
const CARD_BYTES_MAX: u64 = 1 << 20;

impl AgentCard {
    /// Keeps it next to the run file in `directory`.
    pub fn keep(&self, directory: &Path) -> io::Result<()> {
        let new = directory.join("agent.new");
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, directory.join(CARD))
    }

    /// The card next to the run file in `directory`, if there is one.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        match regular::read(&directory.join(CARD), CARD_BYTES_MAX) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The complete blocks of a run file, as an agent sends them: the head with its modules, each repetition, and each other record. A block that was
/// sent before has the same part and the same bytes. It holds one block at a time.
#[derive(Debug)]
pub struct OwnBlocks {
    lines: RawLines,
    /// The block that may go on.
    block: Option<(Part, Vec<u8>)>,
    /// The number of the next block that belongs to no cell.
    notes: u32,
    /// The repetition of which the outcome is to come.
    open: Option<(u32, u32)>,
    /// Whether the line before is of the head.
    is_head: bool,
}

/// The blocks of the run in `directory`.
pub fn own_blocks(directory: &Path) -> Result<OwnBlocks, ReadError> {
    Ok(OwnBlocks { lines: RawLines::open(directory)?, block: None, notes: 0, open: None, is_head: false })
}

impl OwnBlocks {
    /// Adds a line. Returns the block before, if the line begins another one.
    fn add(&mut self, RawLine { record, text }: RawLine) -> Option<(Part, Vec<u8>)> {
        let is_of_head = matches!(record, Some(Record::Run(_) | Record::Module(_)));
        let was_head = std::mem::replace(&mut self.is_head, is_of_head);
        let goes_on = self.open.is_some() || (was_head && matches!(record, Some(Record::Module(_))));
        let ends = match &record {
            Some(Record::Cell(cell)) => {
                self.open = Some((cell.cell, cell.process));
                false
            }
            // A repetition may also hold outcomes of earlier ones that it contradicts.
            Some(Record::Outcome(outcome)) => self.open == Some((outcome.cell, outcome.process)),
            _ => false,
        };
        let before = if goes_on && let Some((_, block)) = &mut self.block {
            block.extend(text);
            None
        } else {
            let part = self.next_part();
            self.block.replace((part, text))
        };
        if ends {
            self.open = None;
        }
        before
    }

    /// What the next block holds.
    fn next_part(&mut self) -> Part {
        match self.open {
            Some((cell, process)) => Part::Repetition { cell, process },
            None => {
                self.notes += 1;
                Part::Note(self.notes - 1)
            }
        }
    }
}

impl Iterator for OwnBlocks {
    type Item = Result<(Part, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(line) = self.lines.next() {
            match line {
                Ok(line) => {
                    if let Some(block) = self.add(line) {
                        return Some(Ok(block));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.block.take().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;
    use bench_sink::runfile::{CalibrationRecord, EndRecord, OutcomeRecord, RunWriter, When, encode};
    use proptest::prelude::*;

    const HEAD: &str = "{\"v\":1,\"record\":\"run\",\"id\":\"r\",\"started\":\"1\",\"seed\":1,\"command\":[],\"planned\":{\"cells\":2,\"processes\":1},\"fingerprint\":{\"host_version\":\"1\",\"os\":\"\",\"kernel\":\"\",\"architecture\":\"\",\"cpus\":1}}\n";
    const MODULE: &str = "{\"v\":1,\"record\":\"module\",\"file\":\"m\"}\n";

    /// The block of a repetition, with an outcome of each of the repetitions that it contradicts.
    fn repetition(cell: u32, process: u32, contradicted: u32) -> Vec<u8> {
        let mut records = vec![Record::Cell(made_up::cell(cell, process, "m.wasm"))];
        records.extend((0..contradicted).map(|other| Record::Outcome(OutcomeRecord::ok(100 + other, 0))));
        records.push(Record::Outcome(OutcomeRecord::ok(cell, process)));
        encode(&records)
    }

    fn calibration(when: When) -> Vec<u8> {
        encode(&[Record::Calibration(CalibrationRecord { when, limits: Vec::new() })])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn blocks_are_read_as_they_were_sent(modules in 0usize..3, repetitions in prop::collection::vec(0u32..3, 0..6)) {
            let mut sent = vec![(Part::Note(0), [HEAD, &MODULE.repeat(modules)].concat().into_bytes())];
            sent.push((Part::Note(1), calibration(When::Before)));
            for (cell, contradicted) in (0..).zip(repetitions) {
                sent.push((Part::Repetition { cell, process: 1 }, repetition(cell, 1, contradicted)));
            }
            sent.push((Part::Note(2), calibration(When::After)));
            let end = EndRecord { finished: "2".to_owned(), stopped: None };
            sent.push((Part::Note(3), encode(&[Record::End(end)])));
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path().join("run");
            let mut writer = RunWriter::create(&directory).unwrap();
            sent.iter().for_each(|(_, block)| writer.append_raw(block).unwrap());
            let found = own_blocks(&directory).unwrap().collect::<Result<Vec<_>, _>>();
            prop_assert_eq!(found.unwrap(), sent);
        }
    }
}
