//! The packages of a workspace, from `cargo metadata`: which are modules, and which take long to compile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::project::Project;
use crate::tool;

/// The condition, as `cargo metadata` prints it, of dependencies that components do not have.
const NATIVE_ONLY: &str = r#"cfg(not(target_family = "wasm"))"#;

/// A member of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// The name, with dashes.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The licence, as an SPDX expression; empty if there is none.
    pub(crate) license: String,
    /// The absolute path of its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    /// Whether it has a library that the host can load.
    pub(crate) is_module: bool,
    /// The names of its programs.
    pub(crate) programs: Vec<String>,
    /// The names of its cargo features.
    pub(crate) features: Vec<String>,
    /// The folders of the packages of this checkout that it depends on.
    pub(crate) dependencies: Vec<PathBuf>,
    /// Those of them that a component of it is built of.
    pub(crate) built_of: Vec<PathBuf>,
    /// The test executables whose result follows from their own contents.
    pub(crate) deterministic_tests: Vec<String>,
    /// Whether it is built by default: false for packages that take minutes to compile.
    pub(crate) is_default: bool,
}

/// The members of the workspace with this manifest (of the root, or of the plug-ins), sorted by name.
pub(crate) fn members(project: &Project, manifest: Option<&str>) -> Result<Vec<Package>> {
    let mut command = project.cargo(manifest);
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    if let Some(manifest) = manifest {
        ensure!(
            project.root().join(manifest).is_file(),
            "{manifest} is absent, so its packages cannot be built: restore it with `git checkout -- {manifest}`"
        );
        command.args(["--manifest-path", manifest]);
    }
    parse(&tool::read(&mut command)?)
}

/// The members of the root workspace in this folder of the root.
pub(crate) fn members_in(project: &Project, folder: &Path) -> Result<Vec<Package>> {
    let folder = project.root().join(folder);
    Ok(members(project, None)?.into_iter().filter(|package| package.manifest.starts_with(&folder)).collect())
}

fn parse(metadata: &str) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata).context("what `cargo metadata` printed is not JSON")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` printed no packages")?;
    let mut packages = packages.iter().map(package).collect::<Result<Vec<_>>>()?;
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn package(value: &Value) -> Result<Package> {
    let text =
        |key: &str| value[key].as_str().with_context(|| format!("`cargo metadata` printed a package without {key}"));
    let targets = || value["targets"].as_array().into_iter().flatten();
    let is_cdylib =
        |target: &Value| target["crate_types"].as_array().into_iter().flatten().any(|kind| kind == "cdylib");
    let is_program = |target: &&Value| target["kind"].as_array().into_iter().flatten().any(|kind| kind == "bin");
    let programs = targets().filter(is_program).filter_map(|target| target["name"].as_str());
    Ok(Package {
        name: text("name")?.to_owned(),
        version: value["version"].as_str().unwrap_or_default().to_owned(),
        license: value["license"].as_str().unwrap_or_default().to_owned(),
        manifest: PathBuf::from(text("manifest_path")?),
        is_module: targets().any(is_cdylib),
        programs: programs.map(str::to_owned).collect(),
        features: value["features"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect(),
        dependencies: texts(value["dependencies"].as_array(), |one| one["path"].as_str().map(PathBuf::from)),
        built_of: texts(value["dependencies"].as_array(), |one| {
            let is_built = one["kind"] != "dev" && one["target"] != NATIVE_ONLY;
            one["path"].as_str().map(PathBuf::from).filter(|_| is_built)
        }),
        deterministic_tests: texts(value["metadata"]["bench-host"]["deterministic-tests"].as_array(), |one| {
            one.as_str().map(str::to_owned)
        }),
        is_default: value["metadata"]["bench-host"]["default"] != Value::Bool(false),
    })
}

/// What `find` finds in the elements of a list, if there is one.
fn texts<T>(list: Option<&Vec<Value>>, find: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    list.into_iter().flatten().filter_map(find).collect()
}

fn folder(member: &Package) -> Option<PathBuf> {
    member.manifest.parent().map(Path::to_path_buf)
}

/// The folders of the packages in `names` and of all packages of this checkout that they depend on, sorted.
pub(crate) fn folders_of(members: &[Package], names: &[&str]) -> Vec<PathBuf> {
    let named = members.iter().filter(|member| names.contains(&member.name.as_str()));
    followed(members, named.filter_map(folder).collect(), |member| member.dependencies.as_slice())
}

/// The folder of `plugin` and those of all packages of this checkout that its component is built of, sorted.
pub(crate) fn built_of(members: &[Package], plugin: &Package) -> Vec<PathBuf> {
    followed(members, folder(plugin).into_iter().collect(), |member| member.built_of.as_slice())
}

/// The folders that are `left`, and all that `next` leads to, sorted.
fn followed(members: &[Package], mut left: Vec<PathBuf>, next: impl Fn(&Package) -> &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = BTreeSet::new();
    while let Some(found) = left.pop() {
        let member = members.iter().find(|member| folder(member).as_ref() == Some(&found));
        if folders.insert(found) {
            left.extend(member.into_iter().flat_map(|member| next(member).iter().cloned()));
        }
    }
    folders.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_parsed_and_sorted() {
        let packages = parse(
            r#"{"packages": [
                {"name": "ring-client", "manifest_path": "/p/ring-client/Cargo.toml", "metadata": null,
                 "targets": [{"crate_types": ["rlib", "cdylib"]}, {"name": "serve", "kind": ["bin"], "crate_types": ["bin"]},
                             {"name": "it", "kind": ["test"], "crate_types": ["bin"]}]},
                {"name": "heavy", "manifest_path": "/p/heavy/Cargo.toml", "features": {"portable": []},
                 "metadata": {"bench-host": {"default": false}}, "targets": [{"crate_types": ["cdylib"]}]},
                {"name": "sdk", "manifest_path": "/p/sdk/Cargo.toml", "metadata": {"docs": {}},
                 "targets": [{"crate_types": ["lib"]}, {"crate_types": ["bin"]}]}]}"#,
        )
        .unwrap();
        let seen: Vec<_> = packages.iter().map(|p| (p.name.as_str(), p.is_module, p.is_default)).collect();
        assert_eq!(seen, [("heavy", true, false), ("ring-client", true, true), ("sdk", false, true)]);
        assert_eq!(packages.iter().flat_map(|package| &package.programs).collect::<Vec<_>>(), ["serve"]);
        assert_eq!(packages.iter().flat_map(|package| &package.features).collect::<Vec<_>>(), ["portable"]);
    }

    #[test]
    fn dependencies_are_followed() {
        let packages = parse(
            r#"{"packages": [
                {"name": "a", "manifest_path": "/p/a/Cargo.toml",
                 "dependencies": [{"name": "b", "path": "/p/b"}, {"name": "libc"}], "targets": [],
                 "metadata": {"bench-host": {"deterministic-tests": ["one", "two"]}}},
                {"name": "b", "manifest_path": "/p/b/Cargo.toml", "targets": [],
                 "dependencies": [{"name": "c", "path": "/p/c", "kind": "dev"}, {"name": "a", "path": "/p/a", "kind": "build"},
                                  {"name": "d", "path": "/p/d", "target": "cfg(not(target_family = \"wasm\"))"}]},
                {"name": "c", "manifest_path": "/p/c/Cargo.toml", "targets": []},
                {"name": "d", "manifest_path": "/p/d/Cargo.toml", "targets": []}]}"#,
        )
        .unwrap();
        let check = |names: &[&str], expect: &[&str]| {
            assert_eq!(folders_of(&packages, names), expect.iter().map(Path::new).collect::<Vec<_>>());
        };
        check(&["a"], &["/p/a", "/p/b", "/p/c", "/p/d"]);
        assert_eq!(built_of(&packages, &packages[0]), ["/p/a", "/p/b"].map(PathBuf::from));
        check(&["c", "d"], &["/p/c", "/p/d"]);
        assert_eq!(packages[0].deterministic_tests, ["one", "two"]);
        assert!(packages[3].deterministic_tests.is_empty());
    }

    #[test]
    fn invalid_metadata_is_an_error() {
        for text in ["", "{}", r#"{"packages": [{"name": "a"}]}"#] {
            assert!(parse(text).is_err(), "{text:?} was taken for metadata");
        }
    }
}
