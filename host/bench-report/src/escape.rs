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

/// `text` as text of XML, or as the value of an attribute in double quotes. What XML 1.0 has no form for is a visible escape before.
pub fn xml(text: &str) -> String {
    escape(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Whether a character does something else than to be seen: it moves the cursor, turns the direction of reading, ends a
/// line or hides. Also what Unicode says is no character, some of which XML forbids.
pub(crate) fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(character) & 0xfffe == 0xfffe
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
    fn text_of_xml_has_no_markup_and_only_characters_of_xml() {
        let all: String = ('\0'..=char::MAX).collect();
        let is_of_xml = |character: char| {
            matches!(character,
                '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        };
        assert_eq!(xml(&all).chars().find(|character| !is_of_xml(*character)), None);
        assert_eq!(xml("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
        assert_eq!(xml("\u{fffe}\u{ffff}\u{fdd0}\u{1b}"), "\\u{fffe}\\u{ffff}\\u{fdd0}\\u{1b}");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        check("µs × ß 漢字 | \"quoted\" back\\slash", "µs × ß 漢字 | \"quoted\" back\\slash");
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
    }
}
