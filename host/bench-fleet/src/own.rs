//! The run file of an agent as the blocks that it sent, so that an agent that was started again can send them once more.

use crate::queue::Part;
use bench_sink::runfile::{RawLine, ReadError, Record};
use std::path::Path;

/// The complete blocks of the run in `directory`, as an agent sends them: the head with its modules, each repetition, and each other
/// record. A block that was sent before has the same part and the same bytes.
pub fn own_blocks(directory: &Path) -> Result<Vec<(Part, Vec<u8>)>, ReadError> {
    let mut blocks: Vec<(Part, Vec<u8>)> = Vec::new();
    let mut notes = 0;
    let mut open: Option<(u32, u32)> = None;
    let mut is_head = false;
    for RawLine { record, text } in RawLine::read_all(directory)? {
        let was_head = std::mem::replace(&mut is_head, matches!(record, Some(Record::Run(_) | Record::Module(_))));
        let goes_on = open.is_some() || (was_head && matches!(record, Some(Record::Module(_))));
        let ends = match &record {
            Some(Record::Cell(cell)) => {
                open = Some((cell.cell, cell.process));
                false
            }
            // A repetition may also hold outcomes of earlier ones that it contradicts.
            Some(Record::Outcome(outcome)) => open == Some((outcome.cell, outcome.process)),
            _ => false,
        };
        match (blocks.last_mut(), open) {
            (Some((_, block)), _) if goes_on => block.extend(text),
            (_, Some((cell, process))) => blocks.push((Part::Repetition { cell, process }, text)),
            (_, None) => {
                blocks.push((Part::Note(notes), text));
                notes += 1;
            }
        }
        if ends {
            open = None;
        }
    }
    Ok(blocks)
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
            prop_assert_eq!(own_blocks(&directory).unwrap(), sent);
        }
    }
}
