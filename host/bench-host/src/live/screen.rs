//! The alternate screen of the terminal on standard error. Whatever happens, the terminal is left as it was: at the end, after a panic, and
//! when the program exits at once.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the alternate screen is shown.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Saves what is on the screen, and hides the cursor (ECMA-48; xterm's control sequences).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";

/// Shows the cursor, and brings back what was on the screen.
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// The size where the terminal tells none.
const SIZE: (usize, usize) = (100, 30);

/// The screen while it is shown. The terminal's input is left alone, so that Ctrl-C works as always.
#[derive(Debug)]
pub(super) struct Screen;

impl Screen {
    /// Shows the alternate screen until this is dropped.
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            // A message on the alternate screen would vanish with it.
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                previous(panic);
            }));
        });
        IS_SHOWN.store(true, Ordering::SeqCst);
        write(ENTER)?;
        Ok(Self)
    }

    /// Columns and lines that can be drawn. The last column of the terminal is left free: after a line that fills it, the cursor still stands
    /// on its last character, which is cleared with the rest of the line.
    pub(super) fn size() -> (usize, usize) {
        let size = terminal_size::terminal_size_of(io::stderr());
        let (width, height) = size.map_or(SIZE, |(width, height)| (width.0.into(), height.0.into()));
        (width.saturating_sub(1), height)
    }

    /// Draws `lines` from the top, and clears the rest. Measuring goes on without a terminal.
    pub(super) fn draw(&mut self, lines: &[String]) {
        if IS_SHOWN.load(Ordering::SeqCst) {
            let _ = write(&picture(lines));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Leaves the alternate screen, if it is shown.
pub(crate) fn leave() {
    if IS_SHOWN.swap(false, Ordering::SeqCst) {
        let _ = write(LEAVE);
    }
}

/// The control sequences that draw `lines` without flicker: each line is written over the old one, and its rest is cleared.
fn picture(lines: &[String]) -> String {
    let mut picture = String::from("\x1b[H");
    for (index, line) in lines.iter().enumerate() {
        let end = if index + 1 < lines.len() { "\r\n" } else { "" };
        picture.push_str(&format!("{line}\x1b[K{end}"));
    }
    picture.push_str("\x1b[J");
    picture
}

fn write(text: &str) -> io::Result<()> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(text.as_bytes())?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn picture_overwrites_lines_and_clears_the_rest() {
        assert_eq!(picture(&["a".to_owned(), "b".to_owned()]), "\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J");
        assert_eq!(picture(&[]), "\x1b[H\x1b[J");
    }

    /// The path of the next function, by which a process of these tests runs it alone.
    const PANICS: &str = "live::screen::tests::panic_while_the_screen_is_shown";

    #[test]
    #[ignore = "the test below runs it in a process of its own, whose terminal and panic hook are its own"]
    #[should_panic(expected = "what went wrong")]
    fn panic_while_the_screen_is_shown() {
        let _screen = Screen::enter().unwrap();
        panic!("what went wrong");
    }

    /// Checks that the screen was entered and left once, and that the message of the panic came after that.
    #[track_caller]
    fn check_left(written: &[u8]) {
        let written = String::from_utf8_lossy(written);
        assert_eq!((written.matches(ENTER).count(), written.matches(LEAVE).count()), (1, 1), "{written:?}");
        let (shown, after) = written.split_once(LEAVE).expect("it was left");
        assert!(shown.contains(ENTER) && !shown.contains("what went wrong"), "{written:?}");
        assert!(after.contains("what went wrong"), "{written:?}");
    }

    #[test]
    fn screen_is_left_once_after_a_panic_and_before_its_message() {
        let program = std::env::current_exe().unwrap();
        let words = [PANICS, "--exact", "--ignored", "--nocapture"];
        let output = Command::new(&program).args(words).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        check_left(&output.stderr);
        // The same on a terminal, which is both standard output and standard error.
        let on_terminal =
            |line: &str| Command::new("script").args(["-qefc", line, "/dev/null"]).stdin(Stdio::null()).output();
        if !on_terminal("true").is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: `script` of util-linux is absent, so there is no terminal to panic on");
            return;
        }
        let output = on_terminal(&format!("'{}' {}", program.display(), words.join(" "))).unwrap();
        assert!(output.status.success(), "{output:?}");
        check_left(&output.stdout);
    }
}
