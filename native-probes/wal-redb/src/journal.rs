//! redb as a log: a table of payloads whose keys are ascending numbers.

use bench_model::ModuleError;
use redb::{Database, Durability, ReadableDatabase, TableDefinition, TableError, WriteTransaction};
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use wal_load::Journal;

const TABLE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");

/// Upper bound of the payloads in the table before it is emptied, and the approximate overhead of each. The file grows
/// to about twice as much, because redb stores large values in pages of up to twice their length.
const TABLE_BYTES: u64 = 256 << 20;
const RECORD_BYTES: u64 = 16;

/// A log in a database of its own.
#[derive(Debug)]
pub struct RedbJournal {
    database: Database,
    durability: Durability,
    /// Bytes that may be appended before the table is emptied.
    room: u64,
    /// The numbers of the next payload, and of the first one in the table.
    next: u64,
    kept_from: u64,
}

impl RedbJournal {
    /// Bytes of the key of each payload.
    pub const KEY_BYTES: usize = size_of::<u64>();

    /// Creates or opens the log in `folder` with redb's defaults: a cache of up to 1 GiB, and one-phase commits.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self, ModuleError> {
        let path = folder.join("log.redb");
        let database = Database::create(&path).map_err(failed("open", path.display()))?;
        let mut journal = Self { database, durability, room: TABLE_BYTES, next: 0, kept_from: 0 };
        let mut numbers = None;
        journal.read(0, &mut |number, _| numbers = Some((numbers.map_or(number, |(first, _)| first), number)))?;
        if let Some((first, last)) = numbers {
            (journal.kept_from, journal.next) = (first, last + 1);
        }
        Ok(journal)
    }

    /// Runs `change` in a transaction and commits it.
    fn commit(&self, change: impl FnOnce(&WriteTransaction) -> Result<(), ModuleError>) -> Result<(), ModuleError> {
        let mut transaction = self.database.begin_write().map_err(failed("begin", "a transaction"))?;
        transaction.set_durability(self.durability).map_err(failed("choose", "the durability"))?;
        change(&transaction)?;
        transaction.commit().map_err(failed("commit", "a transaction"))
    }

    fn insert(&mut self, payloads: &[&[u8]]) -> Result<Range<u64>, ModuleError> {
        let first = self.next;
        self.commit(|transaction| {
            let mut table = transaction.open_table(TABLE).map_err(failed("open", TABLE))?;
            for (number, payload) in (first..).zip(payloads) {
                table.insert(number, payload).map_err(failed("insert", number))?;
            }
            Ok(())
        })?;
        self.next += payloads.len() as u64;
        Ok(first..self.next)
    }

    /// Passes the payloads from number `from` on to `read`.
    fn read(&self, from: u64, read: &mut dyn FnMut(u64, &[u8])) -> Result<(), ModuleError> {
        let transaction = self.database.begin_read().map_err(failed("begin", "a transaction"))?;
        let table = match transaction.open_table(TABLE) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            found => found.map_err(failed("open", TABLE))?,
        };
        for found in table.range(from..).map_err(failed("read from", from))? {
            let (number, payload) = found.map_err(failed("read from", from))?;
            read(number.value(), payload.value());
        }
        Ok(())
    }
}

impl Journal for RedbJournal {
    type Batch<'a> = Vec<&'a [u8]>;

    fn append(&mut self, payload: &[u8]) -> Result<u64, ModuleError> {
        Ok(self.insert(&[payload])?.start)
    }

    fn prepare(payloads: &[Vec<u8>]) -> Vec<&[u8]> {
        payloads.iter().map(Vec::as_slice).collect()
    }

    fn append_batch(&mut self, batch: &Vec<&[u8]>) -> Result<Range<u64>, ModuleError> {
        self.insert(batch)
    }

    /// Empties a table that would become too large. redb reuses its pages.
    fn make_way(&mut self, payloads: u64, payload_bytes: usize) -> Result<(), ModuleError> {
        let bytes = payloads * (RECORD_BYTES + payload_bytes as u64);
        if bytes > self.room && self.kept_from < self.next {
            let delete = |transaction: &WriteTransaction| {
                transaction.delete_table(TABLE).map(drop).map_err(failed("delete", TABLE))
            };
            self.commit(delete)?;
            (self.room, self.kept_from) = (TABLE_BYTES, self.next);
        }
        self.room = self.room.saturating_sub(bytes);
        Ok(())
    }

    fn readable(&mut self) -> Result<Range<u64>, ModuleError> {
        Ok(self.kept_from..self.next)
    }

    fn read_last(&mut self, count: u64, read: &mut dyn FnMut(&[u8])) -> Result<(), ModuleError> {
        self.read(self.next.saturating_sub(count), &mut |_, payload| read(payload))
    }
}

/// Adds the failed operation to an error of redb.
fn failed<E: Display>(what: &str, subject: impl Display) -> impl FnOnce(E) -> ModuleError {
    move |error| ModuleError::Other(format!("redb cannot {what} {subject}: {error}"))
}
