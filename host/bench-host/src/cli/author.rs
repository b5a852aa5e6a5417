//! The arguments of the commands for authors of plug-ins.

use super::{GrantArgs, LimitArgs, duration_ns, key_values};
use crate::family_options::FamilyOptions;
use bench_kit::{Driver, Language};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Name of the plug-in and of its folder: a-z, 0-9, - and _
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Language: rust, go, c, python, js
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub(crate) lang: Language,
    /// How the host exercises it: workload, operator, source, destination, function
    #[arg(long, value_name = "DRIVER", default_value = "workload")]
    pub(crate) driver: Driver,
    /// Build only a native probe (rust, c), for what WebAssembly cannot do
    #[arg(long)]
    pub(crate) probe: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SdkArgs {
    /// Write the SDK into this folder, or bring an earlier copy up to date
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    pub(crate) copy: Option<PathBuf>,
    /// Name this address in the manifests of the crates, for a registry that they are published in
    #[arg(long, value_name = "URL", value_parser = address, requires = "copy")]
    pub(crate) repository: Option<String>,
    /// Print the path of the SDK in the user's data folder, and write the SDK there if it is missing; the default without options
    #[arg(long)]
    pub(crate) path: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WitArgs {
    /// Name of the package: workload, operator, pipeline, function, tabular, ring, log; or of one of WASI: http, io, clocks
    #[arg(value_name = "PACKAGE", default_value = "workload")]
    pub(crate) package: String,
}

#[cfg(feature = "wrap")]
#[derive(Debug, Args)]
pub(crate) struct WrapArgs {
    /// A core module that exports functions of WIT interfaces, as Go and C build it
    #[arg(value_name = "CORE")]
    pub(crate) core: PathBuf,
    /// The component to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Components, core modules and probes; a probe in the same folder as a component of the same name is checked with it
    #[arg(required = true, value_name = "MODULE")]
    pub(crate) modules: Vec<PathBuf>,
    /// Values of a parameter, such as `rows=1Ki,1Mi`, instead of its defaults and the edges of its domain
    #[arg(short = 'p', long = "parameter", value_name = "KEY=VALUE[,VALUE…]", value_parser = key_values)]
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    #[command(flatten)]
    pub(crate) families: FamilyOptions,
    /// How the results are printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: CheckFormat,
    /// Also test whether errors are noticed: corrupts results of operations, which `verify` must see, and adds 2 % of work, which a
    /// comparison must see; takes some seconds per scenario
    #[arg(long)]
    pub(crate) sensitivity: bool,
    /// Time limit for the scenarios of one module; those that it leaves no time for are skipped
    #[arg(long, value_name = "DURATION", value_parser = duration_ns, default_value = "2m")]
    pub(crate) within: u64,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// An address that can stand in a manifest.
fn address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(letter);
    match rest {
        Some(rest) if !rest.is_empty() && rest.chars().all(is_plain) => Ok(text.to_owned()),
        _ => Err("expected an address, such as https://HOST/FOLDER".to_owned()),
    }
}

/// How the results of `check` are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// One line per rule
    Text,
    /// One JSON document
    Json,
    /// JUnit XML, for services that show results of tests
    Junit,
}
