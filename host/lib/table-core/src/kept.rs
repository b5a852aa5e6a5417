//! What is kept of a fetch: its pages as they came, a file each, and a file that says what they are.

use crate::mine::Format;
use std::fmt;
use std::str::FromStr;

/// The file that describes the pages. It is written last, so that where it is, all pages are.
pub const MANIFEST: &str = "fetched.txt";

/// The folder with the pages in the directory of a run that kept them with `keep=@run/fetched`.
pub const FOLDER: &str = "fetched";

/// The file with the rows of all pages as Arrow IPC, if they were kept with their types.
pub const IPC: &str = "rows.arrow";

/// The file with the rows of all pages as a stream of rows, if they were kept with their types.
pub const STREAM: &str = "rows.jsonl";

/// The file of a page.
pub fn page_name(page: usize) -> String {
    format!("page-{page:06}")
}

/// What is known of kept pages. Its text form is a line per member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The format of the pages.
    pub format: Format,
    /// The rows of all pages.
    pub rows: usize,
    /// The number of pages.
    pub pages: usize,
    /// The seed of the genes, if they are generated.
    pub seed: Option<u64>,
    /// [`crate::mine::rows_hash`] of the pages.
    pub hash: u64,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, rows, pages, seed, hash } = self;
        writeln!(f, "format {}\nrows {rows}\npages {pages}\nhash {hash:016x}", format.as_str())?;
        seed.map_or(Ok(()), |seed| writeln!(f, "seed {seed}"))
    }
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let needed = |name: &str| value(name).ok_or_else(|| format!("it has no line `{name}`"));
        let number = |name: &str, text: &str| text.parse().map_err(|_| format!("`{name} {text}` is not a number"));
        let hash = needed("hash")?;
        Ok(Self {
            format: needed("format")?.parse()?,
            rows: number("rows", needed("rows")?)?,
            pages: number("pages", needed("pages")?)?,
            seed: value("seed")
                .map(|seed| seed.parse().map_err(|_| format!("`seed {seed}` is not a number")))
                .transpose()?,
            hash: u64::from_str_radix(hash, 16).map_err(|_| format!("`hash {hash}` is not a hash"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_survives_its_text() {
        for seed in [None, Some(7)] {
            let kept = Kept { format: Format::Csv, rows: 20, pages: 3, seed, hash: 0xab };
            assert_eq!(kept.to_string().parse(), Ok(kept));
        }
        let broken = |text: &str| text.parse::<Kept>().unwrap_err();
        assert_eq!(broken("rows 3\n"), "it has no line `hash`");
        assert_eq!(broken("hash 0\nformat json\nrows many\n"), "`rows many` is not a number");
    }
}
