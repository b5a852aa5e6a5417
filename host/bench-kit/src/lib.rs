//! What authors of plug-ins need, as texts in this program: the SDKs, the WIT packages, the C header, and a template for each language.
//! Nothing here needs a network or a checkout.

mod template;
mod write;

pub use template::{Driver, Language, Project, ProjectError};
pub use write::{write_all, write_changed};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file: its path in its folder, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// With slashes.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl File {
    /// Whether it is a script, which is made executable.
    pub fn is_executable(&self) -> bool {
        self.path.ends_with(".sh")
    }
}

/// The files of the SDKs. [`Language::sdk`] says which folders a language needs.
pub fn sdk() -> Vec<File> {
    SDK.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

/// The files of the SDKs, whose crates name the `repository` that a publisher has for them. The project has no address of its own.
pub fn sdk_of(repository: &str) -> Vec<File> {
    const WORKSPACE: (&str, &str) = ("rust/Cargo.toml", "publish = true\n");
    const CRATE: &str = "publish.workspace = true\n";
    let mut files = sdk();
    for file in files.iter_mut().filter(|file| file.path.starts_with("rust/") && file.path.ends_with("Cargo.toml")) {
        file.text = match file.path == WORKSPACE.0 {
            true => file.text.replace(WORKSPACE.1, &format!("{}repository = \"{repository}\"\n", WORKSPACE.1)),
            false => file.text.replace(CRATE, &format!("{CRATE}repository.workspace = true\n")),
        };
    }
    files
}

/// The WIT packages: names and texts.
pub fn wit_packages() -> Vec<(&'static str, &'static str)> {
    let package = |(path, text): &(&'static str, &'static str)| {
        let (folder, file) = path.strip_prefix("wit/")?.split_once('/')?;
        (file.strip_suffix(".wit") == Some(folder)).then_some((folder, *text))
    };
    SDK.iter().filter_map(package).collect()
}

/// The WIT packages of WASI that functions are written against, each after those that it uses: names and texts.
pub fn wasi_packages() -> Vec<(&'static str, &'static str)> {
    let package = |name: &'static str| {
        let place = format!("wit/wasi/{name}.wit");
        SDK.iter().find(|(path, _)| *path == place).map(|(_, text)| (name, *text))
    };
    ["io", "clocks", "http"].into_iter().filter_map(package).collect()
}

/// The C header of native probes.
pub fn header() -> &'static str {
    SDK.iter().find(|(path, _)| *path == "include/bench_probe.h").map(|(_, text)| *text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdk_has_every_part() {
        let names: Vec<_> = wit_packages().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["function", "log", "operator", "pipeline", "ring", "tabular", "workload"]);
        assert_eq!(wasi_packages().len(), 3);
        assert!(header().contains("bench_probe_v1"));
        let paths: Vec<_> = sdk().into_iter().map(|file| file.path).collect();
        for path in [
            "rust/Cargo.toml",
            "rust/bench-plugin/src/lib.rs",
            "rust/bench-plugin/wit/workload/workload.wit",
            "go/go.mod",
        ] {
            assert!(paths.iter().any(|found| found == path), "{path}");
        }
        assert!(paths.iter().all(|path| !path.contains("published") && !path.contains("_test.go")));
    }

    #[test]
    fn contract_of_an_operator_is_in_the_wit_and_in_each_sdk() {
        let sdk = sdk();
        let in_sdks = ["rust/bench-plugin/src/operator.rs", "go/bench/operator.go", "c/bench_operator.h"];
        for path in ["wit/operator/operator.wit"].into_iter().chain(in_sdks) {
            let file = sdk.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is missing"));
            for word in ["`chain`", "`watch`", "`apply`", "`TestResource`", "`nonce`", r#"`{"nonce":N,"count":C}`"#] {
                assert!(file.text.contains(word), "{path}: {word} is not stated");
            }
        }
    }

    #[test]
    fn every_crate_names_the_repository_of_its_publisher() {
        let manifests = |files: Vec<File>| {
            files.into_iter().filter(|file| file.path.starts_with("rust/") && file.path.ends_with("Cargo.toml"))
        };
        let address = "https://host/a/b";
        let mut crates = 0;
        for manifest in manifests(sdk_of(address)) {
            let is_workspace = manifest.path == "rust/Cargo.toml";
            let of_workspace = format!("repository = \"{address}\"");
            let line = if is_workspace { of_workspace.as_str() } else { "repository.workspace = true" };
            assert_eq!(manifest.text.lines().filter(|found| *found == line).count(), 1, "{}", manifest.path);
            let readme = manifest.path.replace("Cargo.toml", "README.md");
            assert!(is_workspace || SDK.iter().any(|(path, _)| *path == readme), "{readme} is missing");
            crates += usize::from(!is_workspace);
        }
        assert_eq!(crates, 7);
        assert!(manifests(sdk()).all(|manifest| !manifest.text.contains("repository")));
    }

    #[test]
    fn versions_are_those_of_the_project() {
        let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let read = |file: &str| std::fs::read_to_string(format!("{project}/{file}")).unwrap();
        let manifests = read("Cargo.toml") + &read("plugins/Cargo.toml");
        let (_, workspace) = SDK.iter().find(|(path, _)| *path == "rust/Cargo.toml").unwrap();
        let foreign = workspace.lines().filter(|line| line.contains(" = ") && !line.contains("path ="));
        let foreign: Vec<_> =
            foreign.filter(|line| !line.starts_with("members") && !line.starts_with("publish")).collect();
        assert!(foreign.len() > 8, "{foreign:?}");
        for line in foreign {
            assert!(manifests.lines().any(|known| known == line), "{line}: not as in the project's manifests");
        }
        let (_, connectors) = SDK.iter().find(|(path, _)| *path == "rust/pg-wire/Cargo.toml").unwrap();
        let of_project = read("plugins/pg-wire/Cargo.toml");
        for line in connectors.lines().filter(|line| line.contains(" = ")) {
            assert!(of_project.lines().any(|known| known == line), "{line}: not as in plugins/pg-wire/Cargo.toml");
        }
    }

    /// What a document refers to: the targets of its links, and the files that it names.
    fn references(text: &str) -> Vec<&str> {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
        let code = text.split('`').skip(1).step_by(2);
        let is_file = |name: &&str| {
            let (_, last) = name.rsplit_once('/').unwrap_or_default();
            !name.contains(' ') && [".md", ".rs", ".wit", ".h", ".toml", ".go"].iter().any(|end| last.ends_with(end))
        };
        links.chain(code.filter(is_file)).collect()
    }

    #[test]
    fn references_are_links_and_files() {
        let text = "[a](b.md), `c/d.rs`, `e/f`, `g.md`, `cargo build x/y.rs`, [h](https://i)";
        assert_eq!(references(text), ["b.md", "https://i", "c/d.rs"]);
    }

    #[test]
    fn documents_of_the_sdk_lead_nowhere_outside_of_it() {
        let files = sdk();
        let documents: Vec<_> = files.iter().filter(|file| file.path.ends_with(".md")).collect();
        assert!(documents.len() >= 4, "{documents:?}");
        for document in documents {
            let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for reference in references(&document.text).into_iter().filter(|target| !target.starts_with("https://")) {
                let place = format!("{folder}/{reference}");
                let place = place.trim_start_matches('/');
                assert!(
                    files.iter().any(|file| file.path == place),
                    "{}: {reference} is not in the SDK",
                    document.path
                );
            }
        }
    }

    #[test]
    fn sources_of_the_sdk_name_no_folder_of_the_project() {
        for file in sdk() {
            // Generated files say what they were generated from.
            for line in file.text.lines().filter(|line| !line.contains("@generated")) {
                for folder in ["host/lib/", "host/bench-", "host/families/", "native-probes/", "plugins/", "host/xtask"]
                {
                    assert!(!line.contains(folder), "{}: {folder} is not in the SDK: {line}", file.path);
                }
            }
        }
    }
}
