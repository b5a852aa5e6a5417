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

    /// The folders of the SDK that a plug-in in this language is built with, unless it has a world of its own.
    pub fn sdk(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rust/"],
            Self::Go => &["go/"],
            Self::C => &["c/", "include/"],
            Self::Python | Self::JavaScript => &["wit/workload/"],
        }
    }

    /// The steps of the recipe for continuous integration that build a plug-in in this language.
    fn build_steps(self) -> &'static str {
        match self {
            Self::Rust => "- run: ./build.sh",
            Self::Go => "- uses: actions/setup-go@v5\n        with: { go-version: stable }\n      - run: ./build.sh",
            Self::C => "- run: pip install ziglang && ./build.sh",
            Self::Python => "- run: pip install -r requirements.txt && ./build.sh",
            Self::JavaScript => "- run: npm install && ./build.sh",
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

    /// The folders of a language with the files of this driver, where there are such. `component` is what all drivers need that are built as
    /// components only. A destination has a source in the same module, so that it can be tried alone.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Workload => &["workload"],
            Self::Operator => &["component", "operator"],
            Self::Source => &["source"],
            Self::Destination => &["source", "destination"],
            Self::Function => &["component", "function"],
        }
    }

    /// Why there is no template in a language, if there is none: the table of what `new` can make.
    fn refusal(self, language: Language) -> Option<&'static str> {
        match (language, self) {
            (Language::Rust, _) | (_, Self::Workload | Self::Operator | Self::Function) => None,
            (_, Self::Source) => Some(
                "a source is timed while it reads a table that the host makes and counts on a PostgreSQL server; it needs the server's \
                 protocol over a socket and an encoder of Apache Arrow, and only the SDK for Rust has them. Use --lang rust. In other \
                 languages, a component can change batches between a source and a destination without a socket: it exports `source` of \
                 `bench-host wit pipeline` for the driver `transform`",
            ),
            (_, Self::Destination) => Some(
                "a destination writes a table on a PostgreSQL server, where the host compares all cells, so rows that it drops have no \
                 figure; it needs the server's protocol over a socket and a decoder of Apache Arrow, and only the SDK for Rust has them. \
                 Use --lang rust. In other languages, a component can change batches between a source and a destination without a \
                 socket: it exports `source` of `bench-host wit pipeline` for the driver `transform`",
            ),
        }
    }

    /// Whether a plug-in in a language can be a native probe: there is code for the table of the driver in the language's SDK.
    fn has_probe(self, language: Language) -> bool {
        language == Language::Rust || (language == Language::C && self == Self::Workload)
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
    /// A package of the SDK, which the plug-in depends on, has this name.
    #[error("`{0}` is the name of a crate of the SDK; choose another name")]
    OfSdk(String),
    /// There is no template.
    #[error("there is no template for the driver {driver} in {language}: {}", .driver.refusal(*.language).unwrap_or_default())]
    Driver {
        /// The language.
        language: Language,
        /// The driver.
        driver: Driver,
    },
    /// It cannot be a native probe.
    #[error(
        "a plug-in in {language} for the driver {driver} cannot be a native probe; use --lang rust, or --lang c with --driver workload"
    )]
    Probe {
        /// The language.
        language: Language,
        /// The driver.
        driver: Driver,
    },
}

impl Project {
    /// The files of its folder, with the parts of the SDK that it is built with in `sdk/`.
    pub fn files(&self) -> Result<Vec<File>, ProjectError> {
        let Self { name, language, driver, is_probe } = self;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.len() > 64 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
            return Err(ProjectError::Name(name.clone()));
        }
        let is_of_sdk = |file: &File| file.path == format!("rust/{name}/Cargo.toml");
        if *language == Language::Rust && sdk().iter().any(is_of_sdk) {
            return Err(ProjectError::OfSdk(name.clone()));
        }
        let (language, driver) = (*language, *driver);
        if driver.refusal(language).is_some() {
            return Err(ProjectError::Driver { language, driver });
        }
        if *is_probe && !driver.has_probe(language) {
            return Err(ProjectError::Probe { language, driver });
        }
        let mut files = self.recipe();
        // A later part overrides files of an earlier one. `wasm` is what building a component takes, `probe` what differs without one.
        let arms = if *is_probe { "probe" } else { "wasm" };
        for part in std::iter::once("common").chain(driver.parts().iter().copied()).chain([arms]) {
            let folder = format!("{language}/{part}/");
            for (path, text) in TEMPLATES {
                let Some(path) = path.strip_prefix(&folder) else { continue };
                let path = self.fill(&path.replace("dot_", "."));
                files.retain(|file: &File| file.path != path);
                files.push(File { path, text: self.fill(text) });
            }
        }
        let packages = self.world_packages();
        if packages.is_empty() {
            let wanted = |file: &File| language.sdk().iter().any(|folder| file.path.starts_with(folder));
            let placed = |file: File| File { path: format!("sdk/{}", file.path), ..file };
            files.extend(sdk().into_iter().filter(wanted).map(placed));
        } else {
            files.extend(self.world(packages));
        }
        Ok(files)
    }

    /// The recipe for continuous integration.
    fn recipe(&self) -> Vec<File> {
        let recipe = TEMPLATES.iter().filter(|(path, _)| *path == "ci/check.yml");
        let path = ".github/workflows/check.yml".to_owned();
        recipe.map(|(_, text)| File { path: path.clone(), text: self.fill(text) }).collect()
    }

    /// The WIT packages of a plug-in that has a world of its own, by their places in the SDK. Tools of interpreted languages read a world
    /// and all that it uses from one folder; to wrap a core module no world is needed.
    fn world_packages(&self) -> &'static [&'static str] {
        match (self.language, self.driver) {
            (Language::Python | Language::JavaScript, Driver::Operator) => &["workload/workload", "operator/operator"],
            (Language::Python | Language::JavaScript, Driver::Function) => {
                &["workload/workload", "wasi/io", "wasi/clocks", "wasi/http"]
            }
            _ => &[],
        }
    }

    /// The folder `wit`: the world, and the packages in the layout that tools read.
    fn world(&self, packages: &[&str]) -> Vec<File> {
        let sdk = sdk();
        let package = |place: &&str| {
            let path = format!("wit/{place}.wit");
            let text = sdk.iter().find(|file| file.path == path)?.text.clone();
            let (_, name) = place.rsplit_once('/')?;
            Some(File { path: format!("wit/deps/{name}.wit"), text })
        };
        let world = format!("worlds/{}/plugin.wit", self.driver);
        let world = TEMPLATES.iter().find(|(path, _)| *path == world);
        let world = world.map(|(_, text)| File { path: "wit/plugin.wit".to_owned(), text: (*text).to_owned() });
        world.into_iter().chain(packages.iter().filter_map(package)).collect()
    }

    /// Replaces the places of a template.
    fn fill(&self, text: &str) -> String {
        let features = match self.driver {
            Driver::Operator => "\"operator\"",
            Driver::Source | Driver::Destination => "\"pipeline\"",
            Driver::Workload | Driver::Function => "",
        };
        let (wit, world) =
            if self.world_packages().is_empty() { ("sdk/wit/workload", "workload") } else { ("wit", "plugin") };
        text.replace("{{name}}", &self.name)
            .replace("{{wit}}", wit)
            .replace("{{world}}", world)
            .replace("{{name_}}", &self.name.replace('-', "_"))
            .replace("{{driver}}", self.driver.as_str())
            .replace("{{features}}", features)
            .replace("{{build}}", self.language.build_steps())
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
                for file in files.iter().filter(|file| file.path == "build.sh") {
                    let is_sourced = file.text.contains(". ./wasm-cc.sh");
                    assert_eq!(is_sourced, own.iter().any(|file| file.path == "wasm-cc.sh"), "{language} {driver}");
                }
                for file in own {
                    // Braces of other languages are not placeholders: those hold a word alone.
                    let is_place = |(word, _): (&str, &str)| {
                        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    };
                    let mut rest = file.text.split("{{").skip(1);
                    let left = rest.find(|text| text.split_once("}}").is_some_and(is_place));
                    assert_eq!(left, None, "{}: a place is not filled", file.path);
                }
                // What it is built with is there in one of two layouts.
                let count = |folder: &str| files.iter().filter(|file| file.path.starts_with(folder)).count();
                assert_eq!(project.world_packages().len(), count("wit/deps/"), "{language} {driver}");
                assert!((count("sdk/") == 0) == (count("wit/plugin.wit") == 1), "{language} {driver}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expect) => panic!("{:?}, expected {expect:?}", found.map(|files| files.len())),
        }
    }

    #[test]
    fn components_in_rust_and_c_are_built_with_simd() {
        for (language, flag) in [(Language::Rust, "+simd128"), (Language::C, "-msimd128")] {
            for driver in Driver::ALL.into_iter().filter(|driver| driver.refusal(language).is_none()) {
                let project = Project { name: "sum".to_owned(), language, driver, is_probe: false };
                let files = project.files().expect("there is a template");
                for name in ["build.sh", "README.md"] {
                    let file = files.iter().find(|file| file.path == name).expect("it was made");
                    assert!(file.text.contains(flag), "{language} {driver}: {name}");
                }
            }
        }
    }

    #[test]
    fn every_place_of_the_table_has_a_template_or_a_reason() {
        for language in Language::ALL {
            for driver in Driver::ALL {
                let folder = format!("{language}/{driver}/");
                let has_template = TEMPLATES.iter().any(|(path, _)| path.starts_with(&folder));
                assert_eq!(driver.refusal(language).is_none(), has_template, "{language} {driver}");
                let reason = "and only the SDK for Rust has them. Use --lang rust. In other languages, a component";
                check("my-module", language, driver, false, if has_template { Ok(()) } else { Err(reason) });
            }
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
    fn missing_template_is_refused_with_the_existing_ones() {
        check("Sum", Language::Rust, Driver::Workload, false, Err("use 1 to 64 characters"));
        check("1", Language::Rust, Driver::Workload, false, Err("beginning with a letter"));
        check(
            "sum",
            Language::Go,
            Driver::Source,
            false,
            Err("no template for the driver source in go: a source is timed"),
        );
        check("sum", Language::Go, Driver::Source, false, Err("makes and counts on a PostgreSQL server"));
        check("sum", Language::C, Driver::Destination, false, Err("where the host compares all cells"));
        check("sum", Language::C, Driver::Destination, false, Err("for the driver `transform`"));
        check("sum", Language::Go, Driver::Workload, true, Err("use --lang rust, or --lang c with --driver workload"));
        check("sum", Language::C, Driver::Operator, true, Err("in c for the driver operator cannot be a native probe"));
        check("sum", Language::C, Driver::Workload, true, Ok(()));
    }
}
