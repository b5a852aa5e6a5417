//! Lines of generated files.

/// The longest line.
const WIDTH: usize = 120;

/// Breaks `text` at spaces into lines that fit behind `indent` and a prefix: the first one and that of all others.
pub(crate) fn wrap(text: &str, indent: usize, first: &str, rest: &str, last: &str) -> String {
    let pad = " ".repeat(indent);
    let mut lines = vec![format!("{pad}{first}")];
    let mut is_empty = true;
    let words: Vec<&str> = text.split_whitespace().collect();
    for (index, word) in words.iter().enumerate() {
        let end = if index + 1 == words.len() { last.len() } else { 0 };
        let line = lines.last_mut().expect("there is a first line");
        let space = usize::from(!is_empty);
        if !is_empty && line.chars().count() + space + word.chars().count() + end > WIDTH {
            lines.push(format!("{pad}{rest}{word}"));
        } else {
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
        }
        is_empty = false;
    }
    lines.join("\n") + last + "\n"
}

/// A comment in Rust.
pub(crate) fn rust_doc(text: &str, indent: usize) -> String {
    if text.is_empty() { String::new() } else { wrap(text, indent, "/// ", "/// ", "") }
}

/// A comment in C.
pub(crate) fn c_doc(text: &str, indent: usize) -> String {
    if text.is_empty() { String::new() } else { wrap(text, indent, "/* ", " * ", " */") }
}

/// `before`, the parts separated by commas, and `after`, in one line if it fits, else broken between parts and aligned
/// by `hang` spaces.
pub(crate) fn list(before: &str, parts: &[String], after: &str, hang: usize) -> String {
    let one = format!("{before}{}{after}", parts.join(", "));
    if one.chars().count() <= WIDTH {
        return one;
    }
    let mut lines = vec![before.to_owned()];
    let mut is_first = true;
    for (index, part) in parts.iter().enumerate() {
        let end = if index + 1 == parts.len() { after.chars().count() } else { 1 };
        let line = lines.last_mut().expect("there is a first line");
        let space = usize::from(!is_first);
        if !is_first && line.chars().count() + space + part.chars().count() + end > WIDTH {
            lines.push(format!("{}{part}", " ".repeat(hang)));
        } else {
            if !is_first {
                line.push(' ');
            }
            line.push_str(part);
        }
        if index + 1 < parts.len() {
            lines.last_mut().expect("there is a line").push(',');
        }
        is_first = false;
    }
    lines.join("\n") + after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, indent: usize, expect: &str) {
        assert_eq!(c_doc(text, indent), expect);
    }

    #[test]
    fn comments_are_broken_at_spaces() {
        check("", 4, "");
        check("Short.", 4, "    /* Short. */\n");
        let word = "a".repeat(70);
        check(&format!("{word} {word}"), 0, &format!("/* {word}\n * {word} */\n"));
        check(&word.repeat(2), 0, &format!("/* {} */\n", word.repeat(2)));
    }

    #[test]
    fn lists_are_broken_between_parts() {
        let parts: Vec<_> = ["a", "b"].map(|letter| letter.repeat(60)).into();
        assert_eq!(list("f(", &["x".to_owned(), "y".to_owned()], ");", 2), "f(x, y);");
        assert_eq!(list("f(", &parts, ");", 2), format!("f({},\n  {});", parts[0], parts[1]));
    }
}
