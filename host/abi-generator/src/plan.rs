//! Reads `native-probes/probe-abi/abi.toml`: which parts of WIT have a counterpart in C, in which order, and what is written by
//! hand because it is not one to one with WIT.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The comment that the header begins with.
    pub preamble: String,
    /// The parts of the header, in order; each is also a Rust module.
    pub section: Vec<Section>,
    /// Rust types that both arms share.
    #[serde(default)]
    pub vocabulary: Vec<Vocabulary>,
}

/// A part of the header, and one Rust module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The Rust module's name.
    pub module: String,
    /// The comment on the part.
    pub doc: String,
    /// The id by which a probe requests the table, if it is an extension.
    pub extension: Option<Extension>,
    /// Interfaces of WIT of which every function must be a member of a table or listed in `without`.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Functions of these interfaces that have no counterpart in C, each with the reason.
    #[serde(default)]
    pub without: BTreeMap<String, String>,
    /// What the part declares, in order.
    #[serde(default)]
    pub item: Vec<Item>,
}

/// How a probe requests the table of an extension.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The name of the constant, without `BHP_`.
    pub name: String,
    /// The value of the constant.
    pub id: String,
    /// The Rust name of the table.
    pub table: String,
}

/// One declaration.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Item {
    /// Named numbers: the cases of an enum or variant of WIT, or numbers written by hand.
    Constants(Constants),
    /// A handle.
    Opaque {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// Its comment: who owns the object, and until when.
        doc: String,
    },
    /// A record of WIT, or one written by hand.
    Struct(Struct),
    /// A table of functions.
    Table(Table),
    /// Text for each language, written by hand.
    Verbatim {
        /// For the header.
        c: String,
        /// For the Rust module.
        rust: String,
    },
}

/// Named numbers, counted from 0.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// The comment on all of them.
    pub doc: Option<String>,
    /// `package/interface.type` of an enum or variant.
    pub wit: Option<String>,
    /// The prefix of each name, after `BHP_`.
    #[serde(default)]
    pub prefix: String,
    /// The suffix of each name that comes from WIT.
    #[serde(default)]
    pub suffix: String,
    /// The Rust type, if it is not `i32`.
    pub typed: Option<String>,
    /// Cases before those of WIT.
    #[serde(default)]
    pub first: Vec<Case>,
    /// Cases of WIT that have no number.
    #[serde(default)]
    pub without: Vec<String>,
    /// Cases behind those of WIT.
    #[serde(default)]
    pub last: Vec<Case>,
}

/// One named number that is written by hand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name, in the style of WIT.
    pub name: String,
    /// Its comment.
    pub doc: Option<String>,
}

/// Plain data.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Struct {
    /// The C name.
    pub c: String,
    /// The Rust name.
    pub rust: String,
    /// The comment, in place of that in WIT.
    pub doc: Option<String>,
    /// `package/interface.type` of a record.
    pub wit: Option<String>,
    /// Members that are written by hand, as `name: Type`.
    #[serde(default)]
    pub members: Vec<String>,
    /// Fields of the record that are left out.
    #[serde(default)]
    pub without: Vec<String>,
    /// Fields that have another name in C.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Whether the Rust type has a `Default`, of zeros.
    #[serde(default)]
    pub zero: bool,
}

/// A table of functions, whose first member is its size.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The C name.
    pub c: String,
    /// The Rust name.
    pub rust: String,
    /// Its comment.
    pub doc: Option<String>,
    /// Whether the host owns it: then it has a context, which is the first parameter of functions without a handle.
    #[serde(default)]
    pub ctx: bool,
    /// The first parameter of functions from WIT if there is no context, as `name: Type`.
    pub handle: Option<String>,
    /// Its members, in order.
    pub members: Vec<Member>,
}

/// One member of a table: from `wit`, or written by hand as `field` or `call`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name in both languages.
    pub name: Option<String>,
    /// `package/interface.function`, or `package/interface.resource.function`.
    pub wit: Option<String>,
    /// The name of the out-parameter for the result, or its name and type if they differ from WIT: `sequence`, `object_out: *mut Object`.
    pub out: Option<String>,
    /// The type of a member that is not a function.
    pub field: Option<String>,
    /// A function that is written by hand: its parameters and result in the syntax of Rust.
    pub call: Option<String>,
    /// The name of the function's type in Rust, if it has one.
    pub alias: Option<String>,
    /// Whether it may be NULL.
    #[serde(default)]
    pub optional: bool,
    /// The comment, in place of that in WIT.
    pub doc: Option<String>,
    /// A text that is appended to the comment of WIT.
    pub note: Option<String>,
    /// Members from this one on exist only if the size of the table includes them. In Rust they are in a table of this name that
    /// begins with the former one.
    pub grown: Option<String>,
}

/// Rust types from one interface, in one module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// The module's name.
    pub module: String,
    /// The comment on the module.
    pub doc: String,
    /// `package/interface`.
    pub interface: String,
    /// Enums and records, by their names in WIT.
    #[serde(default)]
    pub types: Vec<String>,
    /// Types that another crate defines by hand: the path of each by its name in WIT. Only the conversions are generated, so a crate
    /// that uses them depends on that other crate too.
    #[serde(default)]
    pub elsewhere: BTreeMap<String, String>,
    /// Enums whose cases have numbers in C: the name of the enum, and how the numbers are found.
    #[serde(default)]
    pub codes: BTreeMap<String, Codes>,
    /// A struct of the parameters of a function, by the struct's name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Lists of the names between backticks in a comment of WIT: the constant's name, and `package/interface.record.field`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

/// How the cases of an enum are numbered in C.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The case whose number stands for those that have none.
    pub otherwise: Option<String>,
}
