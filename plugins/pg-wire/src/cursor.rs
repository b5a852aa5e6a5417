//! Reads the rows of a query through a cursor as Arrow batches.

use crate::column::Column;
use crate::session::{Session, parsed, refusal, unexpected};
use crate::socket::{Frame, frame_of};
use crate::{Error, PgType};
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend::{self, BindError};
use std::sync::Arc;

const QUERYING: &str = "opening the cursor";
const READING: &str = "reading rows";

/// The statement that is prepared for the query. It has a name, because asking for the types of columns ends the unnamed one.
const STATEMENT: &str = "rows";

/// The name of the portal, and the code of the binary format.
const PORTAL: &str = "rows";
const BINARY: i16 = 1;

/// Batches that are requested in advance, so that the server never waits for a request.
const AHEAD: usize = 2;

/// The phases of reading a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for rows and reading them from the socket.
    Fetch,
    /// Converting them to arrays.
    Encode,
}

/// The rows of a query in a snapshot of the table.
pub struct Cursor<'a> {
    session: &'a mut Session,
    schema: SchemaRef,
    columns: Vec<Column>,
    batch_rows: i32,
    /// Whether the last row has arrived.
    is_over: bool,
}

impl std::fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl<'a> Cursor<'a> {
    /// Opens a cursor for a query in a new read-only transaction. A batch has up to `batch_rows` rows.
    pub fn open(session: &'a mut Session, sql: &str, batch_rows: u16) -> Result<Self, Error> {
        session.execute(QUERYING, "begin isolation level repeatable read read only")?;
        session.put(QUERYING, |out| {
            frontend::close(b'S', STATEMENT, out)?;
            frontend::parse(STATEMENT, sql, [], out)?;
            frontend::describe(b'S', STATEMENT, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        session.send(QUERYING)?;
        let mut fields = Vec::new();
        loop {
            match session.message(QUERYING)? {
                Message::RowDescription(description) => {
                    let described = description
                        .fields()
                        .map(|field| Ok((field.name().to_owned(), field.type_oid(), field.type_modifier())));
                    fields = described.collect().map_err(|source| Error::Broken { doing: QUERYING, source })?;
                }
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        let types = types(session, &fields)?;
        let names = fields.iter().map(|(name, ..)| name.as_str());
        let schema =
            Schema::new(names.clone().zip(&types).map(|(name, pg_type)| pg_type.field(name)).collect::<Vec<_>>());
        let columns =
            names.zip(&types).map(|(name, pg_type)| Column::new(name, pg_type, usize::from(batch_rows))).collect();
        session.put(QUERYING, |out| {
            let bound = frontend::bind(PORTAL, STATEMENT, [], None::<()>, |(), _| Ok(IsNull::Yes), [BINARY], out);
            bound.map_err(|error| match error {
                BindError::Conversion(error) => std::io::Error::other(error),
                BindError::Serialization(error) => error,
            })
        })?;
        let batch_rows = i32::from(batch_rows);
        let mut cursor = Self { session, schema: Arc::new(schema), columns, batch_rows, is_over: false };
        cursor.ask(AHEAD)?;
        Ok(cursor)
    }

    /// Returns the next batch; `None` after the last. Calls `passed` at the end of each phase.
    pub fn next(&mut self, passed: &mut dyn FnMut(Phase)) -> Result<Option<RecordBatch>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let mut rows = 0;
        loop {
            let is_whole = self.take(&mut rows)?;
            if is_whole {
                break;
            }
            passed(Phase::Encode);
            self.session.socket.fill().map_err(|source| Error::Broken { doing: READING, source })?;
            passed(Phase::Fetch);
        }
        if !self.is_over {
            self.ask(1)?;
        }
        let arrays = self.columns.iter_mut().map(Column::finish).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options);
        let batch = batch.map_err(|error| unexpected(READING, &error.to_string()))?;
        passed(Phase::Encode);
        Ok(Some(batch))
    }

    /// Ends the transaction.
    pub fn close(self) -> Result<(), Error> {
        self.session.put(READING, |out| {
            frontend::sync(out);
            Ok(())
        })?;
        self.session.send(READING)?;
        self.session.until_ready(READING)?;
        self.session.execute(READING, "commit")
    }

    fn ask(&mut self, batches: usize) -> Result<(), Error> {
        let batch_rows = self.batch_rows;
        self.session.put(READING, |out| {
            for _ in 0..batches {
                frontend::execute(PORTAL, batch_rows, out)?;
            }
            frontend::flush(out);
            Ok(())
        })?;
        self.session.send(READING)
    }

    /// Handles received messages up to the end of the batch; returns whether that has arrived.
    fn take(&mut self, rows: &mut usize) -> Result<bool, Error> {
        let socket = &mut self.session.socket;
        let buffered = socket.buffered();
        let (mut used, mut is_whole) = (0, false);
        while let Some(frame) =
            frame_of(&buffered[used..]).map_err(|source| Error::Broken { doing: READING, source })?
        {
            used += frame.bytes();
            if frame.tag == DATA_ROW {
                push(&mut self.columns, frame.body)?;
                *rows += 1;
                continue;
            }
            if let Some(end) = end_of(frame)? {
                self.is_over = end == End::OfAll;
                is_whole = true;
                break;
            }
        }
        socket.consume(used);
        Ok(is_whole)
    }
}

const DATA_ROW: u8 = b'D';

#[derive(PartialEq, Eq)]
enum End {
    OfBatch,
    OfAll,
}

/// Handles one message; returns what it ends, if anything. An error from the server is an error.
fn end_of(frame: Frame<'_>) -> Result<Option<End>, Error> {
    let message = parsed(frame).map_err(|source| Error::Broken { doing: READING, source })?;
    match message {
        Message::PortalSuspended => Ok(Some(End::OfBatch)),
        Message::CommandComplete(_) | Message::EmptyQueryResponse => Ok(Some(End::OfAll)),
        Message::ErrorResponse(body) => Err(refusal(READING, &body)),
        _ => Ok(None),
    }
}

/// Adds a row.
#[inline]
pub(crate) fn push(columns: &mut [Column], row: &[u8]) -> Result<(), Error> {
    let cut_off = || unexpected(READING, "a truncated row");
    let (count, mut rest) = row.split_first_chunk::<2>().ok_or_else(cut_off)?;
    if usize::from(u16::from_be_bytes(*count)) != columns.len() {
        return Err(unexpected(READING, "a row with a wrong number of columns"));
    }
    for column in columns {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) => {
                let (value, after) = after.split_at_checked(length).ok_or_else(cut_off)?;
                column.push(value)?;
                rest = after;
            }
            Err(_) => {
                column.push_null();
                rest = after;
            }
        }
    }
    Ok(())
}

/// The types of the columns; an error for one that cannot be carried.
fn types(session: &mut Session, fields: &[(String, u32, i32)]) -> Result<Vec<PgType>, Error> {
    let mut types = Vec::with_capacity(fields.len());
    for (column, oid, modifier) in fields {
        types.push(match PgType::of_oid(*oid, *modifier) {
            Some(pg_type) => pg_type,
            None => other_type(session, column, *oid, *modifier)?,
        });
    }
    Ok(types)
}

/// A type that only the server knows. Its values are carried as the server sends them, which needs functions for both directions; an
/// array those of its elements too.
fn other_type(session: &mut Session, column: &str, oid: u32, modifier: i32) -> Result<PgType, Error> {
    let sql = format!(
        "select format_type({oid}, {modifier}), p.prosrc in ('enum_send', 'textsend'), \
         t.typtype <> 'p' and t.typsend::oid <> 0 and t.typreceive::oid <> 0 \
         and coalesce(e.typsend::oid <> 0 and e.typreceive::oid <> 0, true) \
         from pg_type t left join pg_proc p on p.oid = t.typsend left join pg_type e on e.oid = t.typelem where t.oid = {oid}"
    );
    let rows = session.rows(QUERYING, &sql)?;
    let is_true = |cell: &Option<String>| cell.as_deref() == Some("t");
    match rows.first().map(Vec::as_slice) {
        Some([Some(name), is_text, is_carried]) if is_true(is_carried) => Ok(PgType::other(name, is_true(is_text))),
        Some([Some(name), ..]) => Err(Error::UnknownType { column: column.to_owned(), type_name: name.clone() }),
        _ => Err(Error::UnknownType { column: column.to_owned(), type_name: format!("with object id {oid}") }),
    }
}
