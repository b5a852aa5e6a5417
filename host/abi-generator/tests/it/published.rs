//! Published WIT: what was built against a version goes on working with every later one that is compatible with it, and no
//! package changes without a new version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The folders of packages.
fn packages() -> Vec<PathBuf> {
    let folders = fs::read_dir(wit()).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.is_dir()).collect()
}

/// The published versions in a package's folder: files that are never edited.
fn published(package: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(package.join("published")).map_or_else(|_| Vec::new(), |entries| entries.collect());
    let paths = entries.into_iter().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

/// Resolves these sources together.
fn resolved(sources: &[PathBuf]) -> Resolve {
    let mut groups = sources.iter().map(|path| {
        if path.is_dir() {
            return UnresolvedPackageGroup::parse_dir(path).unwrap();
        }
        UnresolvedPackageGroup::parse(path, &fs::read_to_string(path).unwrap()).unwrap()
    });
    let (first, others) = (groups.next().unwrap(), groups.collect());
    let mut resolve = Resolve::default();
    resolve.push_groups(first, others).unwrap();
    resolve
}

/// The other packages that a source names.
fn with_dependencies(source: &Path) -> Vec<PathBuf> {
    let text = if source.is_dir() {
        fs::read_to_string(source.join(source.file_name().unwrap()).with_extension("wit")).unwrap()
    } else {
        fs::read_to_string(source).unwrap()
    };
    let needs_workload = text.contains("bench-host:workload/");
    let workload = needs_workload.then(|| wit().join("workload"));
    std::iter::once(source.to_owned()).chain(workload).collect()
}

fn package(resolve: &Resolve, folder: &Path) -> PackageId {
    let name = folder.file_name().unwrap().to_str().unwrap();
    resolve.packages.iter().find(|(_, package)| package.name.name == name).unwrap().0
}

fn version(resolve: &Resolve, id: PackageId) -> String {
    resolve.packages[id].name.version.as_ref().unwrap().to_string()
}

/// Versions with the same major number, below 1.0 the same minor, are compatible.
fn series(version: &str) -> String {
    let parts: Vec<_> = version.split('.').collect();
    if parts[0] == "0" { parts[..2].join(".") } else { parts[0].to_owned() }
}

/// Everything that a text says but its comments.
fn without_comments(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_version_is_published_under_its_number() {
    for folder in packages() {
        let found = published(&folder);
        assert!(!found.is_empty(), "{}: keep the published text in `published/VERSION.wit`", folder.display());
        for (name, path) in found {
            let resolve = resolved(&with_dependencies(&path));
            assert_eq!(version(&resolve, package(&resolve, &folder)), name, "{}", path.display());
        }
    }
}

#[test]
fn package_differs_from_its_published_version_in_comments_alone() {
    for folder in packages() {
        let resolve = resolved(&with_dependencies(&folder));
        let version = version(&resolve, package(&resolve, &folder));
        let Some(path) = published(&folder).remove(&version) else {
            panic!("{}: {version} is not published; copy it to `published/{version}.wit`", folder.display());
        };
        let current = folder.join(folder.file_name().unwrap()).with_extension("wit");
        assert_eq!(without_comments(&current), without_comments(&path), "{}: needs a new version", folder.display());
    }
}

#[test]
fn each_version_is_compatible_with_the_one_before() {
    let mut compared = 0;
    for folder in packages() {
        let versions: Vec<_> = published(&folder).into_iter().collect();
        for pair in versions.windows(2).filter(|pair| series(&pair[0].0) == series(&pair[1].0)) {
            let mut resolve = resolved(&with_dependencies(&pair[0].1));
            let before = package(&resolve, &folder);
            let later = resolved(&with_dependencies(&pair[1].1));
            resolve.merge(later).unwrap();
            let after = resolve
                .packages
                .iter()
                .find(|(id, found)| *id != before && found.name.name == resolve.packages[before].name.name);
            let after = after
                .map(|(id, _)| id)
                .unwrap_or_else(|| panic!("{}: the later version is not merged", folder.display()));
            let worlds: Vec<_> = resolve.packages[before].worlds.iter().map(|(name, id)| (name.clone(), *id)).collect();
            for (name, world) in worlds {
                let next = *resolve.packages[after].worlds.get(&name).unwrap_or_else(|| panic!("world {name} is gone"));
                let checked = wit_component::semver_check(resolve.clone(), world, next);
                checked.unwrap_or_else(|error| panic!("{}: world {name}: {error:#}", folder.display()));
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no package has two compatible versions, so the check was not tried");
}

#[test]
fn change_of_a_function_is_found() {
    let texts = ["u64", "u32"].map(|ty| {
        let version = if ty == "u64" { "0.1.0" } else { "0.1.1" };
        format!("package test:p@{version}; interface i {{ f: func() -> {ty}; }} world w {{ import i; }}")
    });
    let mut resolve = Resolve::default();
    let [before, after] = texts.map(|text| resolve.push_source("inline.wit", &text).unwrap());
    let [before, after] = [before, after].map(|package| resolve.packages[package].worlds["w"]);
    assert!(wit_component::semver_check(resolve, before, after).is_err());
}
