//! Reads CRIU's statistics of a restore, the file `stats-restore` in the folder of images: two magic numbers and a
//! length of 32 bits each, then a message of CRIU's `images/stats.proto`.

/// The magic numbers of a service file and of statistics.
const MAGIC: [u32; 2] = [0x5510_5940, 0x5709_3306];

/// Times of one restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statistics {
    /// Forking the processes.
    pub(crate) forking_ns: u64,
    /// From the first fork until the processes resume; includes forking.
    pub(crate) restore_ns: u64,
}

/// Parses the content of the file; `None` if it is not a statistics file.
pub(crate) fn statistics(file: &[u8]) -> Option<Statistics> {
    let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    if [word(0)?, word(4)?] != MAGIC {
        return None;
    }
    let message = file.get(12..12 + word(8)? as usize)?;
    let entry = fields(message)?.into_iter().find_map(|field| match field {
        (2, Field::Bytes(entry)) => Some(entry),
        _ => None,
    })?;
    let entry = fields(entry)?;
    let micros = |tag| {
        entry.iter().find_map(|field| match *field {
            (found, Field::Number(micros)) if found == tag => Some(micros),
            _ => None,
        })
    };
    Some(Statistics { forking_ns: micros(3)? * 1_000, restore_ns: micros(4)? * 1_000 })
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message by tag; `None` if it is malformed or has fields that are not varints or messages.
pub(super) fn fields(mut message: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let value = varint(&mut message)?;
        let field = match key & 7 {
            0 => Field::Number(value),
            2 => {
                let (bytes, rest) = message.split_at_checked(usize::try_from(value).ok()?)?;
                message = rest;
                Field::Bytes(bytes)
            }
            _ => return None,
        };
        fields.push((key >> 3, field));
    }
    Some(fields)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(message: &[u8]) -> Vec<u8> {
        let head = [MAGIC[0], MAGIC[1], message.len() as u32].map(u32::to_le_bytes);
        [head.concat(), message.to_vec()].concat()
    }

    #[test]
    fn times_are_read_in_nanoseconds() {
        // restore { pages_compared 0, pages_skipped_cow 0, forking_time 300, restore_time 5000, pages_restored 1 }
        let message = [0x12, 12, 0x08, 0, 0x10, 0, 0x18, 0xac, 0x02, 0x20, 0x88, 0x27, 0x28, 1];
        let expect = Statistics { forking_ns: 300_000, restore_ns: 5_000_000 };
        assert_eq!(statistics(&file(&message)), Some(expect));
    }

    #[test]
    fn a_file_of_another_kind_has_no_times() {
        assert_eq!(statistics(b""), None);
        assert_eq!(statistics(&file(&[])), None);
        assert_eq!(statistics(&file(&[0x12, 40, 0x08])), None);
        assert_eq!(statistics(&file(&[0x12, 2, 0x18, 1])), None);
        assert_eq!(statistics(&[0; 40]), None);
    }
}
