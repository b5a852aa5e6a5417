//! A session with a server: startup, authentication, and messages of `postgres-protocol`.

use crate::socket::{Frame, Socket};
use crate::{DatabaseUrl, Error};
use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{self, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use std::io;

/// Settings that make text formats independent of the server's configuration. Poolers take these at the start of a connection, and
/// refuse others, such as `extra_float_digits`, which servers since version 12 do not need.
const SETTINGS: [(&str, &str); 4] =
    [("client_encoding", "UTF8"), ("DateStyle", "ISO, YMD"), ("TimeZone", "UTC"), ("application_name", "bench-host")];

/// A session with a server.
pub struct Session {
    pub(crate) socket: Socket,
    /// Messages that are sent together.
    pub(crate) outgoing: BytesMut,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Connects to the server and authenticates.
    pub fn connect(url: &DatabaseUrl) -> Result<Self, Error> {
        const DOING: &str = "connecting";
        let mut session = Self { socket: Socket::connect(url)?, outgoing: BytesMut::new() };
        let who = [("user", url.user.as_str()), ("database", url.database.as_str())];
        session.put(DOING, |out| frontend::startup_message(who.into_iter().chain(SETTINGS), out))?;
        session.send(DOING)?;
        let mut scram = None;
        loop {
            match session.message(DOING)? {
                Message::AuthenticationOk | Message::ParameterStatus(_) | Message::BackendKeyData(_) => {}
                Message::ReadyForQuery(_) => return Ok(session),
                request => session.authenticate(url, request, &mut scram)?,
            }
        }
    }

    /// Answers one authentication request.
    fn authenticate(
        &mut self,
        url: &DatabaseUrl,
        request: Message,
        scram: &mut Option<ScramSha256>,
    ) -> Result<(), Error> {
        const DOING: &str = "authenticating";
        let password = || {
            let who = format!("the server requires a password for user `{}`, and the URL has none", url.user);
            url.password.as_deref().ok_or(Error::Url(format!("{who}; add it to the URL")))
        };
        let broken = |source| Error::Broken { doing: DOING, source };
        match request {
            Message::AuthenticationCleartextPassword => {
                let password = password()?;
                self.put(DOING, |out| frontend::password_message(password.as_bytes(), out))?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(url.user.as_bytes(), password()?.as_bytes(), body.salt());
                self.put(DOING, |out| frontend::password_message(hash.as_bytes(), out))?;
            }
            Message::AuthenticationSasl(body) => {
                let offered = body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256)).map_err(broken)?;
                if !offered {
                    let what = format!("the server does not offer {SCRAM_SHA_256}");
                    return Err(Error::Protocol { doing: DOING, what });
                }
                let state = ScramSha256::new(password()?.as_bytes(), ChannelBinding::unsupported());
                self.put(DOING, |out| frontend::sasl_initial_response(SCRAM_SHA_256, state.message(), out))?;
                *scram = Some(state);
            }
            Message::AuthenticationSaslContinue(body) => {
                let state = scram.as_mut().ok_or_else(|| unexpected(DOING, "a challenge"))?;
                state.update(body.data()).map_err(broken)?;
                let message = state.message().to_vec();
                self.put(DOING, |out| frontend::sasl_response(&message, out))?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let state = scram.as_mut().ok_or_else(|| unexpected(DOING, "a verdict"))?;
                return state.finish(body.data()).map_err(broken);
            }
            _ => return Err(unexpected(DOING, "an authentication method other than password, MD5 or SCRAM-SHA-256")),
        }
        self.send(DOING)
    }

    /// Runs statements and ignores their rows. After an error of the server, the session can still be used.
    pub fn execute(&mut self, doing: &'static str, sql: &str) -> Result<(), Error> {
        self.rows(doing, sql).map(drop)
    }

    /// Returns the rows of a statement as text. After an error of the server, the session can still be used.
    pub fn rows(&mut self, doing: &'static str, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.put(doing, |out| frontend::query(sql, out))?;
        self.send(doing)?;
        let rows = self.rows_until_ready(doing);
        if let Err(Error::Server { .. }) = &rows {
            // If the connection was lost meanwhile, the next call reports that; this call reports the error of the
            // server.
            let _ = self.until_ready(doing);
        }
        rows
    }

    fn rows_until_ready(&mut self, doing: &'static str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let mut rows = Vec::new();
        loop {
            match self.message(doing)? {
                Message::DataRow(row) => {
                    let cell = |range: Option<std::ops::Range<usize>>| {
                        Ok(range.map(|range| String::from_utf8_lossy(&row.buffer()[range]).into_owned()))
                    };
                    rows.push(row.ranges().map(cell).collect().map_err(|source| Error::Broken { doing, source })?);
                }
                Message::ReadyForQuery(_) => return Ok(rows),
                _ => {}
            }
        }
    }

    /// Reads messages until the server waits for the next request.
    pub(crate) fn until_ready(&mut self, doing: &'static str) -> Result<(), Error> {
        while !matches!(self.message(doing)?, Message::ReadyForQuery(_)) {}
        Ok(())
    }

    /// Adds a message to the buffer.
    pub(crate) fn put(
        &mut self,
        doing: &'static str,
        message: impl FnOnce(&mut BytesMut) -> io::Result<()>,
    ) -> Result<(), Error> {
        message(&mut self.outgoing).map_err(|source| Error::Broken { doing, source })
    }

    /// Sends the buffer.
    pub(crate) fn send(&mut self, doing: &'static str) -> Result<(), Error> {
        let sent = self.socket.write(&self.outgoing);
        self.outgoing.clear();
        sent.map_err(|source| self.broken(doing, source))
    }

    /// Sends encoded messages.
    pub(crate) fn send_raw(&mut self, doing: &'static str, bytes: &[u8]) -> Result<(), Error> {
        self.socket.write(bytes).map_err(|source| self.broken(doing, source))
    }

    /// Waits for the next message that is not a notice. An error from the server is an error.
    pub(crate) fn message(&mut self, doing: &'static str) -> Result<Message, Error> {
        loop {
            if let Some(message) = self.buffered_message(doing)? {
                return Ok(message);
            }
            self.socket.fill().map_err(|source| Error::Broken { doing, source })?;
        }
    }

    /// Returns the next message that is not a notice, if it has arrived.
    pub(crate) fn buffered_message(&mut self, doing: &'static str) -> Result<Option<Message>, Error> {
        let broken = |source| Error::Broken { doing, source };
        while let Some(frame) = self.socket.frame().map_err(broken)? {
            let message = parsed(frame).map_err(broken)?;
            let bytes = frame.bytes();
            self.socket.consume(bytes);
            match message {
                Message::NoticeResponse(_) | Message::NotificationResponse(_) => {}
                Message::ErrorResponse(body) => return Err(refusal(doing, &body)),
                message => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    /// Reads available bytes without waiting.
    pub(crate) fn poll(&mut self, doing: &'static str) -> Result<(), Error> {
        self.socket.poll().map_err(|source| self.broken(doing, source))
    }

    /// After a failed write, prefers an error that the server has sent before.
    fn broken(&mut self, doing: &'static str, source: io::Error) -> Error {
        loop {
            match self.buffered_message(doing) {
                Err(refusal @ Error::Server { .. }) => return refusal,
                Err(_) => return Error::Broken { doing, source },
                Ok(Some(_)) => {}
                Ok(None) => {
                    if self.socket.fill().is_err() {
                        return Error::Broken { doing, source };
                    }
                }
            }
        }
    }
}

impl Drop for Session {
    /// Sends Terminate, so that the server does not log a lost connection. Uncommitted changes are rolled back.
    fn drop(&mut self) {
        let mut goodbye = BytesMut::new();
        frontend::terminate(&mut goodbye);
        let _ = self.socket.write(&goodbye);
    }
}

/// Parses a message.
pub(crate) fn parsed(frame: Frame<'_>) -> io::Result<Message> {
    let mut bytes = BytesMut::with_capacity(frame.bytes());
    let length = u32::try_from(frame.body.len() + 4).map_err(io::Error::other)?;
    bytes.extend_from_slice(&[frame.tag]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(frame.body);
    let message = backend::Message::parse(&mut bytes)?;
    message.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "truncated message"))
}

pub(crate) fn unexpected(doing: &'static str, what: &str) -> Error {
    Error::Protocol { doing, what: what.to_owned() }
}

/// The error of the server in one line.
pub(crate) fn refusal(doing: &'static str, body: &ErrorResponseBody) -> Error {
    let (mut code, mut message, mut more) = (String::new(), String::new(), String::new());
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let text = String::from_utf8_lossy(field.value_bytes()).split_whitespace().collect::<Vec<_>>().join(" ");
        match field.type_() {
            b'C' => code = text,
            b'M' => message = text,
            b'D' | b'H' | b'W' => {
                more.push_str("; ");
                more.push_str(&text);
            }
            _ => {}
        }
    }
    Error::Server { doing, code, message, more }
}
