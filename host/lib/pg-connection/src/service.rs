//! Services: named groups of settings in a file (<https://www.postgresql.org/docs/current/libpq-pgservice.html>).

use std::path::Path;

/// Maximum size of the file.
const BYTES_MAX: u64 = 1 << 20;

/// The settings of the service `name` in the file at `path`: keywords and values. `None` if the file has no such service.
pub(crate) fn settings(path: &Path, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if std::fs::metadata(path).map_err(failed)?.len() > BYTES_MAX {
        return Err(format!("{} has more than {BYTES_MAX} bytes", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    parse(&text, name).map_err(|line| format!("{}:{line}: neither `[service]` nor `keyword=value`", path.display()))
}

/// An error is the number of a malformed line of the service.
fn parse(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, usize> {
    let mut found: Option<Vec<(String, String)>> = None;
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            // The first of two services of the same name counts.
            is_inside = section == name && found.is_none();
            found = found.or_else(|| is_inside.then(Vec::new));
        } else if is_inside {
            let (keyword, value) = line.split_once('=').ok_or(number + 1)?;
            found.get_or_insert_default().push((keyword.trim_end().to_owned(), value.trim_start().to_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_of_the_first_service_of_the_name() {
        let text = "# comment\n[a]\nhost=one\n\n[b]\nhost = two\nport=6000\n[a]\nhost=three\n[c]\nnonsense\n";
        let check = |name: &str, expect: Result<Option<&[(&str, &str)]>, usize>| {
            let own = |(keyword, value): &(&str, &str)| ((*keyword).to_owned(), (*value).to_owned());
            let expect = expect.map(|found| found.map(|found| found.iter().map(own).collect::<Vec<_>>()));
            assert_eq!(parse(text, name), expect, "{name}");
        };
        check("a", Ok(Some(&[("host", "one")])));
        check("b", Ok(Some(&[("host", "two"), ("port", "6000")])));
        check("d", Ok(None));
        check("c", Err(11));
    }
}
