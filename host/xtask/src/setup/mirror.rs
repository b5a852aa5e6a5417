//! Finds the package mirror of this system, from which packages of another release are downloaded too.

use std::fs;
use std::path::Path;

/// A package mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// Its URL.
    pub(super) uri: String,
    /// The file with its signing keys, if the system names one.
    pub(super) signed_by: Option<String>,
}

impl Mirror {
    /// A line of a `sources.list` for the packages of `release`.
    pub(super) fn line(&self, release: &str) -> String {
        let options = self.signed_by.as_ref().map(|keys| format!("[signed-by={keys}] ")).unwrap_or_default();
        format!("deb {options}{} {release} main\n", self.uri)
    }
}

/// The mirror with the packages of this Debian release, from the files in `etc`; the error is the reason why there is none.
pub(super) fn of_this_system(etc: &Path) -> Result<Mirror, String> {
    let system = fs::read_to_string(etc.join("os-release")).unwrap_or_default();
    let field = |name: &str| {
        let value = system.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.trim_matches('"').to_owned())
    };
    if field("ID").as_deref() != Some("debian") {
        return Err("this is not Debian".to_owned());
    }
    let release = field("VERSION_CODENAME").ok_or("this release of Debian has no name")?;
    let mut files = vec![etc.join("apt/sources.list")];
    let more = fs::read_dir(etc.join("apt/sources.list.d")).into_iter().flatten().flatten();
    files.extend(more.map(|entry| entry.path()));
    files.sort();
    let found = files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        match file.extension()?.to_str()? {
            "list" => of_lines(&text, &release),
            "sources" => of_stanzas(&text, &release),
            _ => None,
        }
    });
    found.ok_or_else(|| format!("no source of packages in {} has {release}", etc.join("apt").display()))
}

/// In the one-line format of sources.list(5).
fn of_lines(text: &str, release: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        is_main(suite, release, words).then(|| Mirror { uri: uri.to_owned(), signed_by: signed_by.map(str::to_owned) })
    })
}

/// In the deb822 format of sources.list(5).
fn of_stanzas(text: &str, release: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let is_binary = field("Types")?.split_whitespace().any(|kind| kind == "deb");
        let suites = field("Suites")?.split_whitespace().find(|suite| *suite == release)?;
        let uri = field("URIs")?.split_whitespace().next()?;
        // Keys in the text itself are not a file name.
        let signed_by = field("Signed-By").filter(|keys| keys.starts_with('/')).map(str::to_owned);
        let components = field("Components")?.split_whitespace();
        (is_binary && is_main(suites, release, components)).then(|| Mirror { uri: uri.to_owned(), signed_by })
    })
}

fn is_main<'a>(suite: &str, release: &str, mut components: impl Iterator<Item = &'a str>) -> bool {
    suite == release && components.any(|component| component == "main")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the files below a folder that stands for `/etc`, and expects the line for another release, or the reason.
    #[track_caller]
    fn check(files: &[(&str, &str)], expect: Result<&str, &str>) {
        let etc = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = etc.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        match (of_this_system(etc.path()), expect) {
            (Ok(mirror), Ok(line)) => assert_eq!(mirror.line("newer"), format!("{line}\n")),
            (Err(reason), Err(expect)) => assert!(reason.contains(expect), "{reason}"),
            (found, expect) => panic!("{found:?} instead of {expect:?}"),
        }
    }

    const SYSTEM: (&str, &str) = ("os-release", "NAME=\"x\"\nID=debian\nVERSION_CODENAME=\"older\"\n");

    #[test]
    fn mirror_of_the_system_is_found_in_both_formats() {
        let lines = "# deb http://no older main\ndeb-src http://no older main\ndeb http://sec older-security main\n\
                     deb [arch=amd64 signed-by=/k] http://m/debian older contrib main\n";
        check(&[SYSTEM, ("apt/sources.list", lines)], Ok("deb [signed-by=/k] http://m/debian newer main"));
        let plain = "deb http://m/debian older main\n";
        check(&[SYSTEM, ("apt/sources.list.d/a.list", plain)], Ok("deb http://m/debian newer main"));
        let stanzas = "Types: deb\n# a comment\nURIs: http://other\nSuites: nodistro\nComponents: main\n\n\
                       Types: deb deb-src\nURIs: http://m/debian http://n\nSuites: older older-updates\nComponents: main\nSigned-By: /k\n";
        check(
            &[SYSTEM, ("apt/sources.list.d/a.sources", stanzas)],
            Ok("deb [signed-by=/k] http://m/debian newer main"),
        );
    }

    #[test]
    fn missing_mirror_is_an_error() {
        check(&[], Err("not Debian"));
        check(&[("os-release", "ID=ubuntu\n")], Err("not Debian"));
        check(&[("os-release", "ID=debian\n")], Err("no name"));
        check(&[SYSTEM, ("apt/sources.list", "deb http://m older contrib\n")], Err("no source of packages"));
    }
}
