//! Text of a module made harmless. A module may call itself anything, and a terminal or a reader's eye must not obey it.

use std::borrow::Cow;

/// `text` with every control character, line separator, direction mark and invisible character as a visible escape such
/// as `\n` or `\u{1b}`. What is one line stays one line.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_treacherous(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character does something else than to be seen: it moves the cursor, turns the direction of reading, ends a
/// line or hides.
pub(crate) fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(escape(text), expect);
    }

    #[test]
    fn control_characters_become_visible() {
        check("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m");
        check("two\r\nlines\tand a bell\u{7}", "two\\r\\nlines\\tand a bell\\u{7}");
        check("\u{9b}2J", "\\u{9b}2J");
        check("\u{7f}", "\\u{7f}");
        check("user\u{202e}txt.exe\u{2066}", "user\\u{202e}txt.exe\\u{2066}");
        check("a\u{2028}b\u{200b}c", "a\\u{2028}b\\u{200b}c");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        check("µs × ß 漢字 | \"quoted\" back\\slash", "µs × ß 漢字 | \"quoted\" back\\slash");
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
    }
}
