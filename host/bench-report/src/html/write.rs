//! Text as HTML. Whatever a module, a path or a machine says becomes text through [`safe`]; nothing here takes markup from outside.

use crate::document::Datum;
use crate::escape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateEncoder;
use std::io::Read;

/// `text` as text of a page or as the value of an attribute in double quotes.
pub(super) fn safe(text: &str) -> String {
    let escaped = escape(text);
    let mut out = String::with_capacity(escaped.len() + 8);
    for character in escaped.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// `markup` as the script of the page unpacks it: deflated (RFC 1951), in base64.
pub(super) fn packed(markup: &str) -> String {
    let mut bytes = Vec::new();
    let mut deflated = DeflateEncoder::new(markup.as_bytes(), Compression::default());
    deflated.read_to_end(&mut bytes).expect("reading from memory does not fail");
    STANDARD.encode(bytes)
}

/// A figure in a cell of a table. A range is sorted by its lower end, with which its value begins; words by themselves.
pub(super) fn figure(datum: &Datum) -> String {
    match datum {
        Datum::Text(_) | Datum::Blank => format!("<td class=\"n\">{}</td>", safe(&datum.shown())),
        _ => format!("<td class=\"n\" data-v=\"{}\">{}</td>", safe(&datum.raw()), safe(&datum.shown())),
    }
}

/// The head of a column by which a reader sorts the rows of a table.
pub(super) fn sorting_head(title: &str, class: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!(
        "<th scope=\"col\"{class} aria-sort=\"none\"><button type=\"button\" data-sort>{}</button></th>",
        safe(title)
    )
}

/// A list of texts.
pub(super) fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", safe(line))).collect();
    format!("<ul>{items}</ul>")
}

/// So many lines of a list are laid out at once, because browsers take long to lay out thousands; the others open from the last.
const LINES_SHOWN: usize = 30;

/// The same; lines that begin with spaces belong to the one before and open from it, as do lines beyond the first [`LINES_SHOWN`].
pub(super) fn nested_list(lines: &[String]) -> String {
    let mut items = Vec::new();
    let mut rest = lines;
    while let Some((line, below)) = rest.split_first() {
        let (parts, after) = below.split_at(below.iter().take_while(|line| line.starts_with(' ')).count());
        let parts_list = match parts {
            [] => String::new(),
            parts => {
                let parts: Vec<String> = parts.iter().map(|part| part.trim_start().to_owned()).collect();
                opening("which", &list(&parts))
            }
        };
        items.push(format!("<li>{}{parts_list}</li>", safe(line)));
        rest = after;
    }
    let (shown, others) = items.split_at(items.len().min(LINES_SHOWN));
    let others = match others {
        [] => String::new(),
        others => {
            format!("<li>{}</li>", opening(&format!("{} more", others.len()), &format!("<ul>{}</ul>", others.concat())))
        }
    };
    if shown.is_empty() { String::new() } else { format!("<ul>{}{others}</ul>", shown.concat()) }
}

/// What opens from `summary`.
fn opening(summary: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>{body}</details>", safe(summary))
}

/// Names and what they stand for; those without a value are left out.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Option<String>)>) -> String {
    let known = pairs.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    let rows: String =
        known.map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", safe(name), safe(&value))).collect();
    format!("<dl>{rows}</dl>")
}

/// A button that copies the table with this identifier as Markdown.
pub(super) fn copy_button(table: &str) -> String {
    format!("<button type=\"button\" class=\"copy\" data-copy=\"{}\">Copy as Markdown</button>", safe(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_module_is_not_markup() {
        let check = |text: &str, expect: &str| assert_eq!(safe(text), expect);
        check("</script><script>alert('x')", "&lt;/script&gt;&lt;script&gt;alert(&#39;x&#39;)");
        check("\" onclick=\"x & y", "&quot; onclick=&quot;x &amp; y");
        check("a\u{0}b\u{202e}c\n", "a\\u{0}b\\u{202e}c\\n");
    }

    #[test]
    fn packed_markup_is_small_and_whole() {
        let markup = "<p>1.38 µs</p>".repeat(100);
        let packed = packed(&markup);
        assert!(packed.len() < markup.len() / 5, "{packed}");
        let bytes = STANDARD.decode(packed).unwrap();
        let mut unpacked = String::new();
        flate2::read::DeflateDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, markup);
    }

    #[test]
    fn long_list_opens_from_its_last_line() {
        let lines = |count: usize| (0..count).map(|line| format!("line {line}")).collect::<Vec<_>>();
        assert_eq!(nested_list(&[]), "");
        assert!(!nested_list(&lines(LINES_SHOWN)).contains("<details>"));
        let long = nested_list(&lines(LINES_SHOWN + 2));
        assert!(long.ends_with(
            "<li>line 29</li><li><details><summary>2 more</summary><ul><li>line 30</li><li>line 31</li></ul></details></li></ul>"
        ));
        let nested = nested_list(&["2 cells".to_owned(), "  a".to_owned(), "  b".to_owned(), "c".to_owned()]);
        let which = "<details><summary>which</summary><ul><li>a</li><li>b</li></ul></details>";
        assert_eq!(nested, format!("<ul><li>2 cells{which}</li><li>c</li></ul>"));
    }
}
