//! A new plug-in: the files of its folder, from the template of its language and driver.

use crate::{File, TEMPLATES, sdk};
use std::fmt;
use std::str::FromStr;

/// A language that there is a template for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust: a component and a native probe from one source.
    Rust,
    /// Go: a component.
    Go,
    /// C: a component and a native probe from one source.
    C,
    /// Python: a component that contains an interpreter.
    Python,
    /// JavaScript: a component that contains an engine.
    JavaScript,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 5] = [Self::Rust, Self::Go, Self::C, Self::Python, Self::JavaScript];

    /// The name on the command line, and of the folder of its templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Go => "go",
            Self::C => "c",
            Self::Python => "python",
            Self::JavaScript => "js",
        }
    }

    /// The folders of the SDK that a plug-in in this language is built with.
    pub fn sdk(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rust/"],
            Self::Go => &["go/"],
            Self::C => &["c/", "include/"],
            Self::Python | Self::JavaScript => &["wit/workload/"],
        }
    }
}

/// A driver, through whose interface the host exercises a plug-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// The host times calls.
    Workload,
    /// Reconciles objects of a control plane.
    Operator,
    /// Reads rows.
    Source,
    /// Writes rows.
    Destination,
    /// Answers requests.
    Function,
}

impl Driver {
    /// All drivers.
    pub const ALL: [Self; 5] = [Self::Workload, Self::Operator, Self::Source, Self::Destination, Self::Function];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Operator => "operator",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Function => "function",
        }
    }

    /// The folders of a language with the files of this driver. A destination has a source in the same module, so that it can be tried
    /// alone.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Workload => &["workload"],
            Self::Operator => &["operator"],
            Self::Source => &["source"],
            Self::Destination => &["source", "destination"],
            Self::Function => &["function"],
        }
    }
}

macro_rules! by_name {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    format!("unknown: `{text}`; use one of {}", known.join(", "))
                })
            }
        }
    };
}

by_name!(Language);
by_name!(Driver);

/// A plug-in to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The name of the module, the folder and the files.
    pub name: String,
    /// The language.
    pub language: Language,
    /// The driver of its scenarios.
    pub driver: Driver,
    /// Whether only the native arm is built.
    pub is_probe: bool,
}

/// The reason why a plug-in cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The name cannot be that of a module and of a package in its language.
    #[error(
        "`{0}` cannot be the name of a plug-in; use 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter"
    )]
    Name(String),
    /// There is no template.
    #[error("there is no template for the driver {driver} in {language}; {}", known(*.driver))]
    Driver {
        /// The language.
        language: Language,
        /// The driver.
        driver: Driver,
    },
    /// The language cannot make native probes.
    #[error("a plug-in in {0} cannot be a native probe; use --lang rust or --lang c")]
    Probe(Language),
}

/// The languages with a template for a driver, and what to do in another.
fn known(driver: Driver) -> String {
    let languages = Language::ALL.iter().filter(|language| has_template(**language, driver.as_str()));
    let languages: Vec<_> = languages.map(|language| language.as_str()).collect();
    let next = match driver {
        // Such a component is described by the host.
        Driver::Function => {
            "a component that exports `wasi:http/incoming-handler` needs none: give it to `bench-host load`".to_owned()
        }
        _ => format!("begin with --driver workload and export what `bench-host wit {}` says", package(driver)),
    };
    format!("there is one in {}; in another language, {next}", languages.join(" and "))
}

/// The WIT package of a driver.
fn package(driver: Driver) -> &'static str {
    match driver {
        Driver::Source | Driver::Destination => "pipeline",
        other => other.as_str(),
    }
}

fn has_template(language: Language, part: &str) -> bool {
    let folder = format!("{language}/{part}/");
    TEMPLATES.iter().any(|(path, _)| path.starts_with(&folder))
}

impl Project {
    /// The files of its folder, with the parts of the SDK that it is built with in `sdk/`.
    pub fn files(&self) -> Result<Vec<File>, ProjectError> {
        let Self { name, language, driver, is_probe } = self;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.len() > 64 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
            return Err(ProjectError::Name(name.clone()));
        }
        if !has_template(*language, driver.as_str()) {
            return Err(ProjectError::Driver { language: *language, driver: *driver });
        }
        if *is_probe && !has_template(*language, "probe") {
            return Err(ProjectError::Probe(*language));
        }
        let mut files = Vec::new();
        // A later part overrides files of an earlier one.
        let probe = is_probe.then_some("probe");
        for part in std::iter::once("common").chain(driver.parts().iter().copied()).chain(probe) {
            let folder = format!("{language}/{part}/");
            for (path, text) in TEMPLATES {
                let Some(path) = path.strip_prefix(&folder) else { continue };
                let path = self.fill(&path.replace("dot_", "."));
                files.retain(|file: &File| file.path != path);
                files.push(File { path, text: self.fill(text) });
            }
        }
        let wanted = |file: &File| language.sdk().iter().any(|folder| file.path.starts_with(folder));
        files.extend(sdk().into_iter().filter(wanted).map(|file| File { path: format!("sdk/{}", file.path), ..file }));
        Ok(files)
    }

    /// Replaces the places of a template.
    fn fill(&self, text: &str) -> String {
        let features = match self.driver {
            Driver::Operator => "\"operator\"",
            Driver::Source | Driver::Destination => "\"pipeline\"",
            Driver::Workload | Driver::Function => "",
        };
        text.replace("{{name}}", &self.name)
            .replace("{{name_}}", &self.name.replace('-', "_"))
            .replace("{{driver}}", self.driver.as_str())
            .replace("{{features}}", features)
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, language: Language, driver: Driver, is_probe: bool, expect: Result<(), &str>) {
        let project = Project { name: name.to_owned(), language, driver, is_probe };
        match (project.files(), expect) {
            (Ok(files), Ok(())) => {
                let own: Vec<_> = files.iter().filter(|file| !file.path.starts_with("sdk/")).collect();
                for name in ["README.md", "build.sh", ".gitignore", ".github/workflows/check.yml"] {
                    assert!(own.iter().any(|file| file.path == name), "{language} {driver}: {name} is missing");
                }
                for file in own {
                    // Braces of other languages are no places: those hold a word alone.
                    let is_place = |(word, _): (&str, &str)| {
                        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    };
                    let mut rest = file.text.split("{{").skip(1);
                    let left = rest.find(|text| text.split_once("}}").is_some_and(is_place));
                    assert_eq!(left, None, "{}: a place is not filled", file.path);
                }
                assert!(files.iter().any(|file| file.path.starts_with("sdk/")));
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expect) => panic!("{:?}, expected {expect:?}", found.map(|files| files.len())),
        }
    }

    #[test]
    fn every_language_has_a_template_for_workloads() {
        for language in Language::ALL {
            check("my-sum", language, Driver::Workload, false, Ok(()));
        }
    }

    #[test]
    fn rust_has_a_template_for_every_driver() {
        for driver in Driver::ALL {
            check("my-module", Language::Rust, driver, false, Ok(()));
        }
    }

    #[test]
    fn destination_has_a_source_of_its_own() {
        let project = Project {
            name: "my-dest".to_owned(),
            language: Language::Rust,
            driver: Driver::Destination,
            is_probe: false,
        };
        let files = project.files().unwrap();
        let text = |path: &str| {
            let mut of_path = files.iter().filter(|file| file.path == path);
            let text = of_path.next().unwrap_or_else(|| panic!("{path} is missing")).text.clone();
            assert_eq!(of_path.next(), None, "{path} is there twice");
            text
        };
        assert!(text("src/lib.rs").contains("export_connectors!"));
        assert!(text("src/read.rs").contains("impl Source"));
        assert!(text("src/write.rs").contains("\"my-dest/read\""));
        assert!(text("Cargo.toml").contains("features = [\"pipeline\"]"));
        text("sdk/rust/pg-wire/Cargo.toml");
    }

    #[test]
    fn what_there_is_no_template_for_is_refused_with_what_there_is() {
        check("Sum", Language::Rust, Driver::Workload, false, Err("use 1 to 64 characters"));
        check("1", Language::Rust, Driver::Workload, false, Err("beginning with a letter"));
        check("sum", Language::Python, Driver::Operator, false, Err("there is one in rust and go"));
        check("sum", Language::Go, Driver::Source, false, Err("for the driver source in go; there is one in rust"));
        check("sum", Language::C, Driver::Destination, false, Err("export what `bench-host wit pipeline` says"));
        check("sum", Language::JavaScript, Driver::Function, false, Err("`wasi:http/incoming-handler` needs none"));
        check("sum", Language::Go, Driver::Workload, true, Err("use --lang rust or --lang c"));
    }
}
