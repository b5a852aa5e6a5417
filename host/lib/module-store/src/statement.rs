//! The text that is signed: which files a version of a module is. It names files by their digests and no address, so it holds wherever
//! the files come from.

use crate::digest::Digest;
use crate::reference::ModuleName;
use std::fmt;
use std::str::FromStr;

/// What a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The module and its version.
    pub name: ModuleName,
    /// Its files.
    pub files: Vec<StatedFile>,
}

/// A file of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedFile {
    /// Its digest.
    pub digest: Digest,
    /// `wasip2/wasm` for a component, else the system and processor of a probe.
    pub platform: String,
    /// Whether it is native code.
    pub is_native: bool,
}

/// Why a text is not a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the statement: expected {expected}")]
pub struct StatementError {
    line: usize,
    expected: &'static str,
}

/// The first line, with the version of the format.
const HEAD: &str = "bench-host module 1";

/// The longest statement, in bytes.
const BYTES_MAX: usize = 64 << 10;

impl Statement {
    /// Whether it states the file with this digest.
    pub fn has(&self, digest: &Digest) -> bool {
        self.files.iter().any(|file| file.digest == *digest)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModuleName { namespace, name, version } = &self.name;
        write!(f, "{HEAD}\nname {namespace}:{name}\nversion {version}\n")?;
        for StatedFile { digest, platform, is_native } in &self.files {
            writeln!(f, "{digest} {platform}{}", if *is_native { " native" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Statement {
    type Err = StatementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = |line, expected| StatementError { line, expected };
        let mut lines = text.lines().zip(1..);
        let mut next = |begin: &str| lines.next().and_then(|(line, _)| line.strip_prefix(begin)).map(str::to_owned);
        if text.len() > BYTES_MAX || next(HEAD).is_none_or(|rest| !rest.is_empty()) {
            return Err(expected(1, "`bench-host module 1`, and at most 64 KiB"));
        }
        let path = next("name ").ok_or(expected(2, "`name NAMESPACE:NAME`"))?;
        let version = next("version ").ok_or(expected(3, "`version VERSION`"))?;
        let name =
            format!("{path}@{version}").parse().map_err(|_| expected(3, "a name and a version, such as 1.2.0"))?;
        let mut files = Vec::new();
        for (line, number) in lines {
            let file = stated_file(line).ok_or(expected(number, "`sha256:DIGEST PLATFORM`, or that and `native`"))?;
            files.push(file);
        }
        let statement = Self { name, files };
        // Only one text may say the same, so that nothing can be hidden in another.
        if statement.to_string() == text { Ok(statement) } else { Err(expected(1, "single spaces and line ends")) }
    }
}

fn stated_file(line: &str) -> Option<StatedFile> {
    let mut words = line.split(' ');
    let digest = words.next()?.parse().ok()?;
    let platform = words.next().filter(|platform| is_platform(platform))?.to_owned();
    let is_native = match words.next() {
        None => false,
        Some("native") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(StatedFile { digest, platform, is_native })
}

/// `SYSTEM/PROCESSOR[/VARIANT]`.
pub(crate) fn is_platform(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    text.len() <= 64 && (2..=3).contains(&text.split('/').count()) && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        let file = |bytes: &[u8], platform: &str, is_native| StatedFile {
            digest: Digest::of_bytes(bytes),
            platform: platform.to_owned(),
            is_native,
        };
        Statement {
            name: "acme:json@1.2.0".parse().unwrap(),
            files: vec![file(b"", "wasip2/wasm", false), file(b"a", "linux/amd64", true)],
        }
    }

    const TEXT: &str = "bench-host module 1\n\
                        name acme:json\n\
                        version 1.2.0\n\
                        sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 wasip2/wasm\n\
                        sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb linux/amd64 native\n";

    #[test]
    fn statement_has_one_text_form() {
        assert_eq!(statement().to_string(), TEXT);
        assert_eq!(TEXT.parse::<Statement>(), Ok(statement()));
    }

    #[test]
    fn any_other_text_is_refused_with_its_line() {
        let check = |text: String, line: usize| {
            let error = text.parse::<Statement>().expect_err(&text);
            assert_eq!(error.line, line, "{text:?}: {error}");
        };
        check(String::new(), 1);
        check(TEXT.replace("module 1", "module 2"), 1);
        check(TEXT.replace("module 1", "module 1 x"), 1);
        check(TEXT.replace('\n', "\r\n"), 1);
        check(TEXT.trim_end().to_owned(), 1);
        check(TEXT.replace("name ", "nom "), 2);
        check(TEXT.replace("1.2.0", "1.2"), 3);
        check(TEXT.replace("acme", "../acme"), 3);
        check(TEXT.replace("e3b0", "E3B0"), 4);
        check(TEXT.replace(" native", " natives"), 5);
        check(TEXT.replace(" native", " native x"), 5);
        check(TEXT.replace("linux/amd64", "linux"), 5);
        check(format!("{TEXT}\n"), 6);
    }
}
