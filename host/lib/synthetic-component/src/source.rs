//! Reads the WIT of a user: the functions of one of its worlds, or of all interfaces of a package that has no world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wit_parser::{Function, InterfaceId, PackageId, ParseError, Resolve, ResolveError, World, WorldId, WorldItem};

/// The reason why a WIT has no price.
#[derive(Debug, thiserror::Error)]
pub enum WitError {
    /// It is not valid.
    #[error("{location}: {reason}")]
    Invalid {
        /// The file, the line and the column.
        location: String,
        /// The problem.
        reason: String,
    },
    /// It cannot be read, or it does not say where it is wrong.
    #[error("{}: {reason}; give a `.wit` file, or the folder of a package with its `deps`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// It has no such world.
    #[error("{}: no world `{world}` in the package {package}; its worlds are {known}", path.display())]
    NoWorld {
        /// The file or folder.
        path: PathBuf,
        /// The world that was asked for.
        world: String,
        /// The package.
        package: String,
        /// The names of its worlds, or that it has none.
        known: String,
    },
    /// It has several worlds, none of which was asked for.
    #[error("{}: the package {package} has several worlds; give the name of one after the file: {known}", path.display())]
    SeveralWorlds {
        /// The file or folder.
        path: PathBuf,
        /// The package.
        package: String,
        /// The names of its worlds.
        known: String,
    },
    /// There is no function in it.
    #[error("{}: no function in {place}; give a WIT with functions", path.display())]
    NoFunction {
        /// The file or folder.
        path: PathBuf,
        /// The world or package.
        place: String,
    },
}

/// Functions, and the types that they use.
pub(crate) struct Source {
    pub(crate) resolve: Resolve,
    pub(crate) functions: Vec<SourceFunction>,
}

/// A function and the name of its interface, or of its world if it is in none.
pub(crate) struct SourceFunction {
    pub(crate) interface: String,
    pub(crate) function: Function,
}

/// Reads the functions of `world` in the WIT at `path`. Without a name, that is the only world of the package.
pub(crate) fn read(path: &Path, world: Option<&str>) -> Result<Source, WitError> {
    let mut resolve = Resolve::default();
    let package = match resolve.push_path(path) {
        Ok((package, _)) => package,
        Err(error) => return Err(invalid(path, &resolve, &error)),
    };
    let (functions, place) = match world_of(path, &resolve, package, world)? {
        Some(world) => (of_world(&resolve, world), format!("the world `{}`", resolve.worlds[world].name)),
        None => (of_package(&resolve, package), format!("the package {}", resolve.packages[package].name)),
    };
    if functions.is_empty() {
        return Err(WitError::NoFunction { path: path.to_owned(), place });
    }
    Ok(Source { resolve, functions })
}

/// The error with the place in the text, if it has one.
fn invalid(path: &Path, resolve: &Resolve, error: &anyhow::Error) -> WitError {
    let of_parser = error.downcast_ref::<ParseError>().map(|error| (error.kind().span(), error.kind().to_string()));
    let of_resolver =
        || error.downcast_ref::<ResolveError>().map(|error| (error.kind().span(), error.kind().to_string()));
    match of_parser.or_else(of_resolver) {
        Some((span, reason)) if span.is_known() => {
            WitError::Invalid { location: resolve.render_location(span), reason: one_line(&reason) }
        }
        _ => WitError::Unreadable { path: path.to_owned(), reason: one_line(&format!("{error:#}")) },
    }
}

/// The text with a space in place of each line break and indentation.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The world with this name, which may be one of another package (`wasi:http/proxy@0.2.0`). `None` if none was asked for and there is
/// none.
fn world_of(
    path: &Path,
    resolve: &Resolve,
    package_id: PackageId,
    world: Option<&str>,
) -> Result<Option<WorldId>, WitError> {
    let package = &resolve.packages[package_id];
    let names = |join: &str| {
        let names: Vec<_> = package.worlds.keys().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(join) }
    };
    let (path, name) = (path.to_owned(), package.name.to_string());
    match world {
        Some(world) => match resolve.select_world(&[package_id], Some(world)) {
            Ok(found) => Ok(Some(found)),
            Err(_) => Err(WitError::NoWorld { path, world: world.to_owned(), package: name, known: names(", ") }),
        },
        None if package.worlds.len() > 1 => Err(WitError::SeveralWorlds { path, package: name, known: names(" or ") }),
        None => Ok(package.worlds.values().next().copied()),
    }
}

/// What a world imports and exports, each interface once.
fn of_world(resolve: &Resolve, world: WorldId) -> Vec<SourceFunction> {
    let World { name, imports, exports, .. } = &resolve.worlds[world];
    let mut functions = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, item) in imports.iter().chain(exports.iter()) {
        match item {
            WorldItem::Interface { id, .. } if seen.insert(*id) => {
                functions.extend(of_interface(resolve, *id, &resolve.name_world_key(key)));
            }
            WorldItem::Function(function) => {
                functions.push(SourceFunction { interface: name.clone(), function: function.clone() });
            }
            WorldItem::Interface { .. } | WorldItem::Type { .. } => {}
        }
    }
    functions
}

fn of_package(resolve: &Resolve, package: PackageId) -> Vec<SourceFunction> {
    let interfaces = resolve.packages[package].interfaces.iter();
    let named = interfaces.map(|(name, id)| (resolve.id_of(*id).unwrap_or_else(|| name.clone()), *id));
    named.flat_map(|(name, id)| of_interface(resolve, id, &name)).collect()
}

fn of_interface(resolve: &Resolve, interface: InterfaceId, name: &str) -> Vec<SourceFunction> {
    let functions = resolve.interfaces[interface].functions.values();
    functions.map(|function| SourceFunction { interface: name.to_owned(), function: function.clone() }).collect()
}
