//! Captures the output of a worker up to a maximum size and counts the rest, so that a module can neither fill the disk nor block on
//! a full pipe.

use std::io::Read;
use std::thread::JoinHandle;

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

impl Captured {
    /// Reads `stream` to its end on a thread of its own.
    pub(super) fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<Self> {
        std::thread::spawn(move || {
            let mut captured = Self::default();
            let mut buffer = vec![0; 16 * 1024];
            // A read error counts as the end of the stream.
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                captured.push(&buffer[..read]);
            }
            captured
        })
    }

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
