//! Words of command lines that are shown, as a POSIX shell takes them.

use bench_model::Value;

/// `word` as one word of a shell.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@+%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What follows `-p` for this value of the parameter `name`: a comma in a text would separate values.
pub(crate) fn parameter(name: &str, value: &Value) -> String {
    let value = match value {
        Value::Text(text) => text.replace(',', r"\,"),
        other => other.to_string(),
    };
    quoted(&format!("{name}={value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        let check = |word: &str, expect: &str| assert_eq!(quoted(word), expect);
        check("kernels/json-parse", "kernels/json-parse");
        check("a=1,b:2@c+d%", "a=1,b:2@c+d%");
        check("text=a b", "'text=a b'");
        check("kernels/*", "'kernels/*'");
        check("it's; rm -rf", r"'it'\''s; rm -rf'");
        check("", "''");
    }

    #[test]
    fn comma_of_a_text_separates_no_values() {
        assert_eq!(parameter("call", &Value::from("add(1, 2)")), r"'call=add(1\, 2)'");
        assert_eq!(parameter("n", &Value::from(4096_i64)), "n=4096");
    }
}
