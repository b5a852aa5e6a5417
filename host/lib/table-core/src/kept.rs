//! What is kept of a fetch: its pages as they came, a file each, and a file that says what they are.

use crate::mine::Format;
use crate::{Digest, Table, relational};
use std::fmt;
use std::str::FromStr;

/// The file that describes the pages. It is written last, so that where it is, all pages are.
pub const MANIFEST: &str = "fetched.txt";

/// The folder with the pages in the directory of a run that kept them with `keep=@run/fetched`.
pub const FOLDER: &str = "fetched";

/// The file with an answer that has all publications, if the mine has those of the generator.
pub const PUBLICATIONS: &str = "publications";

/// The file with the mine's model, in XML.
pub const MODEL: &str = "model.xml";

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
    /// What later stages must make of the pages, if the fetch knew the types of their columns.
    pub results: Option<Results>,
}

/// Checksums of the digests of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Results {
    /// Of all rows.
    pub genes: u64,
    /// Of what is exact in their groups by organism.
    pub groups: u64,
    /// Of their join with the publications, if there are some.
    pub joined: Option<u64>,
}

impl Results {
    /// What these genes and publications must give.
    pub fn of(genes: &Table, publications: Option<&Table>) -> Self {
        let joined = publications.map(|publications| relational::full_outer_join(genes, publications));
        Self {
            genes: Digest::of(genes).checksum(),
            groups: Digest::of(&relational::genes_by_organism(genes).exact).checksum(),
            joined: joined.map(|joined| Digest::of(&joined).checksum()),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, rows, pages, seed, hash, results } = self;
        writeln!(f, "format {}\nrows {rows}\npages {pages}\nhash {hash:016x}", format.as_str())?;
        seed.map_or(Ok(()), |seed| writeln!(f, "seed {seed}"))?;
        let Some(Results { genes, groups, joined }) = results else { return Ok(()) };
        writeln!(f, "genes {genes:016x}\ngroups {groups:016x}")?;
        joined.map_or(Ok(()), |joined| writeln!(f, "joined {joined:016x}"))
    }
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let needed = |name: &str| value(name).ok_or_else(|| format!("it has no line `{name}`"));
        let number = |name: &str, text: &str| text.parse().map_err(|_| format!("`{name} {text}` is not a number"));
        let checksum = |name: &str, text: &str| {
            u64::from_str_radix(text, 16).map_err(|_| format!("`{name} {text}` is not a hash"))
        };
        let hash = checksum("hash", needed("hash")?)?;
        let results = match (value("genes"), value("groups")) {
            (Some(genes), Some(groups)) => Some(Results {
                genes: checksum("genes", genes)?,
                groups: checksum("groups", groups)?,
                joined: value("joined").map(|joined| checksum("joined", joined)).transpose()?,
            }),
            _ => None,
        };
        Ok(Self {
            format: needed("format")?.parse()?,
            rows: number("rows", needed("rows")?)?,
            pages: number("pages", needed("pages")?)?,
            seed: value("seed")
                .map(|seed| seed.parse().map_err(|_| format!("`seed {seed}` is not a number")))
                .transpose()?,
            hash,
            results,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_survives_its_text() {
        let results = |joined| Some(Results { genes: 1, groups: 0xfe, joined });
        for (seed, results) in [(None, None), (Some(7), None), (None, results(None)), (Some(7), results(Some(3)))] {
            let kept = Kept { format: Format::Csv, rows: 20, pages: 3, seed, hash: 0xab, results };
            assert_eq!(kept.to_string().parse(), Ok(kept));
        }
        let broken = |text: &str| text.parse::<Kept>().unwrap_err();
        assert_eq!(broken("rows 3\n"), "it has no line `hash`");
        assert_eq!(broken("hash 0\nformat json\nrows many\n"), "`rows many` is not a number");
        assert_eq!(broken("hash 0\ngenes x\ngroups 0\n"), "`genes x` is not a hash");
    }
}
