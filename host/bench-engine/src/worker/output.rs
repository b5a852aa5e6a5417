//! Captures the output of a worker up to a maximum size and counts the rest, so that a module can neither fill the disk nor block on
//! a full pipe.

use std::io::Read;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Maximum number of bytes of each stream that are kept.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// The captured output of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first [`OUTPUT_BYTES_MAX`] bytes.
    pub head: Vec<u8>,
    /// The last bytes, if there were more, because an error message comes last.
    pub tail: Vec<u8>,
    /// The number of all bytes.
    pub total: u64,
}

const TAIL_BYTES: usize = 4 * 1024;

/// A stream that is being captured.
#[derive(Debug)]
pub(super) struct Capture {
    captured: Arc<Mutex<Captured>>,
    /// Disconnected at the end of the stream.
    ended: Receiver<()>,
}

impl Capture {
    /// Reads `stream` to its end on a thread of its own.
    pub(super) fn start(mut stream: impl Read + Send + 'static) -> Self {
        let captured = Arc::<Mutex<Captured>>::default();
        let (is_going, ended) = mpsc::channel::<()>();
        let shared = Arc::clone(&captured);
        std::thread::spawn(move || {
            let _is_going = is_going;
            let mut buffer = vec![0; 16 * 1024];
            // A read error counts as the end of the stream.
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..read]);
            }
        });
        Self { captured, ended }
    }

    /// What was captured up to the end of the stream, or until `patience` has passed: a process that has escaped may hold the stream
    /// open for ever.
    pub(super) fn finish(self, patience: Duration) -> Captured {
        let _ = self.ended.recv_timeout(patience);
        std::mem::take(&mut self.captured.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Captured {
    fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = OUTPUT_BYTES_MAX - self.head.len();
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(rest);
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
    }

    /// The last line that is not empty and not part of a backtrace.
    pub fn telling_line(&self) -> Option<String> {
        let end = if self.tail.is_empty() { &self.head } else { &self.tail };
        let text = String::from_utf8_lossy(end);
        let is_frame = |line: &str| line.split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        let is_backtrace = |line: &str| line.starts_with("at ") || line == "stack backtrace:" || is_frame(line);
        let telling = |line: &&str| !line.is_empty() && !line.starts_with("note: ") && !is_backtrace(line);
        text.lines().map(str::trim).rfind(telling).map(str::to_owned)
    }

    /// The text of a log: the head, a line with the number of omitted bytes, the tail.
    pub fn to_log(&self) -> Vec<u8> {
        let mut log = self.head.clone();
        let omitted = self.total - (self.head.len() + self.tail.len()) as u64;
        if omitted > 0 {
            log.extend_from_slice(format!("\n[{omitted} bytes omitted]\n").as_bytes());
        }
        log.extend_from_slice(&self.tail);
        log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backtrace_is_not_the_telling_line() {
        let mut captured = Captured::default();
        captured.push(b"it broke\nstack backtrace:\n   0: main\n      at /src/main.rs:1:1\nnote: run with more\n");
        assert_eq!(captured.telling_line().as_deref(), Some("it broke"));
    }

    #[test]
    fn stream_that_is_held_open_is_not_waited_for() {
        let (mut writer, reader) = std::os::unix::net::UnixStream::pair().unwrap();
        std::io::Write::write_all(&mut writer, b"before it escaped\n").unwrap();
        let capture = Capture::start(reader);
        while capture.captured.lock().unwrap().total == 0 {
            std::thread::yield_now();
        }
        assert_eq!(capture.finish(Duration::ZERO).telling_line().as_deref(), Some("before it escaped"));
        drop(writer);
    }

    #[test]
    fn output_is_bounded_and_omitted_bytes_are_counted() {
        let mut captured = Captured::default();
        captured.push(&vec![b'a'; OUTPUT_BYTES_MAX - 1]);
        captured.push(b"bb");
        captured.push(&vec![b'c'; 10 * TAIL_BYTES]);
        captured.push(b"\nthe last\n\n");
        assert_eq!(captured.head.len(), OUTPUT_BYTES_MAX);
        assert_eq!(captured.telling_line().as_deref(), Some("the last"));
        let log = captured.to_log();
        assert!(log.len() < OUTPUT_BYTES_MAX + TAIL_BYTES + 64);
        assert!(String::from_utf8(log).unwrap().contains(&format!("[{} bytes omitted]", 9 * TAIL_BYTES + 12)));
    }
}
