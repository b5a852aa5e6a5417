//! Loads batches into a table in one transaction.

use crate::binary::{self, Before, BinaryRows};
use crate::session::unexpected;
use crate::{Error, PgType, Session, cells, encode, text};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use bytes::BytesMut;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use std::ops::Range;

const CREATING: &str = "creating the table";
const WRITING: &str = "writing rows";
const COMMITTING: &str = "committing";

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// INSERT with many rows per statement, whose values are bound as parameters.
    Insert,
    /// COPY of text.
    Copy,
    /// COPY of binary values.
    CopyBinary,
}

/// The target table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name in SQL.
    pub name: String,
    /// Whether it is written to the server's write-ahead log.
    pub is_logged: bool,
}

/// Upper bound of the parameters of a statement.
const PARAMETERS_MAX: usize = 65_535;

/// Rows of one INSERT. With more rows, planning costs more than it saves.
const INSERT_ROWS_MAX: usize = 256;

/// The code of the binary format.
const BINARY: i16 = 1;

/// A load in progress.
#[derive(Debug)]
pub struct Loader<'a> {
    session: &'a mut Session,
    method: Method,
    schema: Schema,
    types: Vec<PgType>,
    /// The INSERT without its rows; empty for COPY.
    insert: String,
    /// The row counts for which an INSERT is prepared.
    prepared: Vec<usize>,
    /// INSERTs without an answer yet.
    asked: u64,
    /// Batches so far.
    batches: u64,
    /// Rows that the server has confirmed.
    written: u64,
    rows: BinaryRows,
    out: Vec<u8>,
}

impl<'a> Loader<'a> {
    /// Begins the transaction, and creates the table for rows of this schema unless it exists with the same columns.
    pub fn begin(session: &'a mut Session, method: Method, table: &Table, schema: &Schema) -> Result<Self, Error> {
        let types = encode::types(method, schema)?;
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        session.execute(CREATING, "begin")?;
        check_names(session, &names, &types)?;
        create(session, table, &names, &types)?;
        let columns = names.iter().map(|name| escape_identifier(name)).collect::<Vec<_>>().join(",");
        let name = &table.name;
        let (insert, out) = match method {
            Method::Insert => (format!("insert into {name} ({columns}) values "), Vec::new()),
            Method::Copy => {
                copy_in(session, &format!("copy {name} ({columns}) from stdin (format text)"))?;
                (String::new(), Vec::new())
            }
            Method::CopyBinary => {
                copy_in(session, &format!("copy {name} ({columns}) from stdin (format binary)"))?;
                (String::new(), copy_data(binary::HEADER))
            }
        };
        let (prepared, rows) = (Vec::new(), BinaryRows::default());
        let schema = schema.clone();
        Ok(Self { session, method, schema, types, insert, prepared, asked: 0, batches: 0, written: 0, rows, out })
    }

    /// Writes a batch of about `bytes` bytes.
    pub fn write(&mut self, batch: &RecordBatch, bytes: usize) -> Result<(), Error> {
        if batch.schema_ref().as_ref() != &self.schema {
            let reason = "its columns differ from those of the first batch".to_owned();
            return Err(Error::Batch { number: self.batches + 1, reason });
        }
        self.batches += 1;
        let columns = cells::of(batch, &self.types);
        let rows = batch.num_rows();
        if self.method == Method::Insert {
            let statement = (PARAMETERS_MAX / columns.len().max(1)).clamp(1, INSERT_ROWS_MAX);
            for start in (0..rows).step_by(statement) {
                self.insert(&columns, start..rows.min(start + statement))?;
            }
        } else {
            let is_text = self.method == Method::Copy;
            for range in encode::chunks(rows, bytes) {
                self.copied(|rows, out| match is_text {
                    true => text::append(&columns, range, out),
                    false => rows.append(&columns, range, Before::Count, out),
                })?;
            }
        }
        // Reads answers in between, so that they do not fill the socket, and stops early after an error.
        self.drain()
    }

    /// Ends the rows and returns how many the server has.
    pub fn finish(&mut self) -> Result<u64, Error> {
        if self.method == Method::CopyBinary {
            let mut trailer = copy_data(binary::TRAILER);
            // The header of an empty load was not sent yet.
            self.out.append(&mut trailer);
            self.session.send_raw(WRITING, &self.out)?;
            self.out.clear();
        }
        let is_copy = self.method != Method::Insert;
        self.session.put(WRITING, |out| {
            if is_copy {
                frontend::copy_done(out)
            } else {
                frontend::sync(out)
            }
            Ok(())
        })?;
        self.session.send(WRITING)?;
        loop {
            match self.session.message(WRITING)? {
                Message::CommandComplete(body) => {
                    let tag = body.tag().map_err(|source| Error::Broken { doing: WRITING, source })?;
                    self.complete(tag)?;
                }
                Message::ReadyForQuery(_) if self.asked == 0 => return Ok(self.written),
                Message::ReadyForQuery(_) => return Err(unexpected(WRITING, "fewer answers than statements")),
                _ => {}
            }
        }
    }

    /// Commits the rows.
    pub fn commit(self) -> Result<(), Error> {
        self.session.execute(COMMITTING, "commit")
    }

    /// Rolls the transaction back before it returns. If the connection is lost, the server does that.
    pub fn abort(self) {
        let is_copy = self.method != Method::Insert;
        let put = self.session.put(WRITING, |out| {
            if is_copy {
                frontend::copy_fail("the load ends early", out)?;
            } else {
                frontend::sync(out);
            }
            frontend::query("rollback", out)
        });
        if put.is_err() || self.session.send(WRITING).is_err() {
            return;
        }
        let mut is_over = false;
        loop {
            match self.session.message(WRITING) {
                Ok(Message::CommandComplete(body)) => is_over |= body.tag().is_ok_and(|tag| tag == "ROLLBACK"),
                Ok(Message::ReadyForQuery(_)) if is_over => return,
                // Answers to earlier messages, which are errors, come first.
                Ok(_) | Err(Error::Server { .. }) => {}
                Err(_) => return,
            }
        }
    }

    /// Sends rows of a COPY in one message.
    fn copied(&mut self, append: impl FnOnce(&mut BinaryRows, &mut Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
        let start = self.out.len();
        self.out.extend_from_slice(&COPY_DATA);
        append(&mut self.rows, &mut self.out)?;
        set_length(&mut self.out, start + 1);
        self.session.send_raw(WRITING, &self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Sends one INSERT.
    fn insert(&mut self, columns: &[cells::Cells<'_>], range: Range<usize>) -> Result<(), Error> {
        let rows = range.len();
        if !self.prepared.contains(&rows) {
            self.prepare(rows)?;
        }
        self.out.push(b'B');
        let start = self.out.len();
        // A placeholder for the length; the unnamed portal; the statement's name.
        self.out.extend_from_slice(&[0; 5]);
        self.out.extend_from_slice(statement(rows).as_bytes());
        self.out.push(0);
        let parameters = u16::try_from(rows * columns.len()).unwrap_or(u16::MAX);
        // One format for all parameters.
        for half in [1, BINARY as u16, parameters] {
            self.out.extend_from_slice(&half.to_be_bytes());
        }
        self.rows.append(columns, range, Before::Nothing, &mut self.out)?;
        // No formats of results, because there are none.
        self.out.extend_from_slice(&[0; 2]);
        set_length(&mut self.out, start);
        let mut execute = BytesMut::new();
        frontend::execute("", 0, &mut execute).map_err(|source| Error::Broken { doing: WRITING, source })?;
        self.out.extend_from_slice(&execute);
        self.session.send_raw(WRITING, &self.out)?;
        self.out.clear();
        self.asked += 1;
        Ok(())
    }

    /// Makes the server prepare an INSERT of `rows` rows.
    fn prepare(&mut self, rows: usize) -> Result<(), Error> {
        let columns = self.types.len();
        let mut sql = self.insert.clone();
        for row in 0..rows {
            let row: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
            sql.push_str(&format!("{}({})", if sql.ends_with(')') { "," } else { "" }, row.join(",")));
        }
        let oids = (0..rows).flat_map(|_| self.types.iter().map(PgType::oid)).collect::<Vec<_>>();
        self.session.put(WRITING, |out| frontend::parse(&statement(rows), &sql, oids, out))?;
        self.session.send(WRITING)?;
        self.prepared.push(rows);
        Ok(())
    }

    /// Handles received answers without waiting for more.
    fn drain(&mut self) -> Result<(), Error> {
        self.session.poll(WRITING)?;
        while let Some(message) = self.session.buffered_message(WRITING)? {
            if let Message::CommandComplete(body) = message {
                let tag = body.tag().map_err(|source| Error::Broken { doing: WRITING, source })?;
                self.complete(tag)?;
            }
        }
        Ok(())
    }

    /// Adds the rows of a command tag: `COPY 12`, `INSERT 0 12`.
    fn complete(&mut self, tag: &str) -> Result<(), Error> {
        let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse::<u64>().ok());
        self.written +=
            rows.ok_or_else(|| unexpected(WRITING, &format!("command tag `{tag}` without a number of rows")))?;
        self.asked = self.asked.saturating_sub(1);
        Ok(())
    }
}

/// Begins a message of rows: the tag, and a placeholder for the length.
const COPY_DATA: [u8; 5] = [b'd', 0, 0, 0, 0];

/// Completes a message of rows.
fn copy_data(rows: &[u8]) -> Vec<u8> {
    let mut message = COPY_DATA.to_vec();
    message.extend_from_slice(rows);
    set_length(&mut message, 1);
    message
}

/// Writes the length from `start` to the end at `start`.
fn set_length(message: &mut [u8], start: usize) {
    let length = (message.len() - start) as u32;
    message[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// The name of the prepared INSERT of `rows` rows.
fn statement(rows: usize) -> String {
    format!("insert-{rows}")
}

fn copy_in(session: &mut Session, sql: &str) -> Result<(), Error> {
    session.put(WRITING, |out| frontend::query(sql, out))?;
    session.send(WRITING)?;
    match session.message(WRITING)? {
        Message::CopyInResponse(_) => Ok(()),
        _ => Err(unexpected(WRITING, "an answer to COPY that does not start it")),
    }
}

/// An error if a name is not that of a type of the server. It comes with a batch, and becomes part of a statement.
fn check_names(session: &mut Session, columns: &[&str], types: &[PgType]) -> Result<(), Error> {
    for (column, pg_type) in columns.iter().zip(types).filter(|(_, pg_type)| pg_type.oid() == 0) {
        // The server parses it as the name of a type and nothing else.
        let sql = format!("select to_regtype({}) is not null", escape_literal(&pg_type.name));
        let is_type = match session.rows(CREATING, &sql) {
            Ok(rows) => rows.into_iter().flatten().flatten().any(|cell| cell == "t"),
            // Of its grammar.
            Err(Error::Server { .. }) => false,
            Err(error) => return Err(error),
        };
        if !is_type {
            return Err(Error::UnknownType { column: (*column).to_owned(), type_name: pg_type.name.clone() });
        }
    }
    Ok(())
}

/// Creates the table, unless it exists with the same columns.
fn create(session: &mut Session, table: &Table, names: &[&str], types: &[PgType]) -> Result<(), Error> {
    let name = &table.name;
    let there = session.rows(
        CREATING,
        &format!(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute \
             where attrelid = to_regclass({}) and attnum > 0 and not attisdropped order by attnum",
            escape_literal(name)
        ),
    )?;
    let wanted: Vec<_> = names.iter().zip(types).map(|(name, pg_type)| (*name, pg_type.name.as_str())).collect();
    if there.is_empty() {
        let columns = wanted.iter().map(|(name, pg_type)| format!("{} {pg_type}", escape_identifier(name)));
        let (columns, unlogged) =
            (columns.collect::<Vec<_>>().join(", "), if table.is_logged { "" } else { "unlogged " });
        return session.execute(CREATING, &format!("create {unlogged}table {name} ({columns})"));
    }
    let there: Vec<_> = there
        .iter()
        .map(|row| match row.as_slice() {
            [Some(name), Some(pg_type)] => (name.as_str(), pg_type.as_str()),
            _ => ("", ""),
        })
        .collect();
    match difference(&there, &wanted) {
        None => Ok(()),
        Some(difference) => Err(Error::Shape { table: name.clone(), difference }),
    }
}

/// The first difference between two lists of columns and their types.
fn difference(there: &[(&str, &str)], wanted: &[(&str, &str)]) -> Option<String> {
    for (at, (there, wanted)) in there.iter().zip(wanted).enumerate() {
        if there != wanted {
            let (at, shown) = (at + 1, |column: &(&str, &str)| format!("`{}` {}", column.0, column.1));
            return Some(format!("column {at} is {}, but the rows have {}", shown(there), shown(wanted)));
        }
    }
    let (has, want) = (there.len(), wanted.len());
    (has != want).then(|| format!("it has {has} columns, but the rows have {want}"))
}
