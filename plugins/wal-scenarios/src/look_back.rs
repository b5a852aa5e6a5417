//! Reading back what was appended, and saying what is wrong with it. It must not know by which scenario it was appended.

use crate::{Journal, payload};
use bench_plugin::prelude::*;

/// Payloads that are read back.
const LOOKED_AT_MAX: u64 = 1_000;

/// The checks of a log that `appended` payloads like `expected` were appended to, `misplaced` of them under a sequence that
/// was not the next one: that the last of them are there, whole and in order.
pub(crate) fn checks(
    journal: &mut impl Journal,
    mut expected: Vec<u8>,
    appended: u64,
    misplaced: u64,
) -> Result<Vec<Check>, ModuleError> {
    let readable = journal.readable()?;
    let looked_at = appended.min(LOOKED_AT_MAX).min(readable.end.saturating_sub(readable.start));
    let (mut altered, mut out_of_order) = (0_u64, 0_u64);
    for sequence in readable.end - looked_at..readable.end {
        payload::number(&mut expected, sequence);
        journal.read(sequence, |found| {
            if found != expected {
                let is_another = payload::sequence(found) != Some(sequence) && found.get(8..) == expected.get(8..);
                *(if is_another { &mut out_of_order } else { &mut altered }) += 1;
            }
        })?;
    }
    Ok(vec![
        Check::equal("sequences", &0, &misplaced),
        Check::equal("nothing-lost", &appended, &readable.end),
        Check::that("read-back", appended == 0 || looked_at > 0, format!("{looked_at} payloads of {appended}")),
        Check::equal("content", &0, &altered),
        Check::equal("order", &0, &out_of_order),
    ])
}
