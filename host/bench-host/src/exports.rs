//! The names of the documents that `report --format` prints: those of the host, and those of families.

use crate::cli::ReportFormat;
use crate::families;
use bench_report::Export;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A document that is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    /// A document for another program.
    Own(ReportFormat),
    /// A document of one family.
    OfFamily(&'static Export),
}

/// Parses the name of a document.
pub(crate) fn parser() -> impl TypedValueParser<Value = Format> {
    let own = ReportFormat::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let further = of_families().map(|export| PossibleValue::new(export.name).help(export.summary));
    PossibleValuesParser::new(own.chain(further))
        .try_map(|name| find(&name).ok_or_else(|| format!("unknown document `{name}`")))
}

fn of_families() -> impl Iterator<Item = &'static Export> {
    families::reports().iter().flat_map(|family| family.exports())
}

fn find(name: &str) -> Option<Format> {
    let own = ReportFormat::from_str(name, false).ok().map(Format::Own);
    own.or_else(|| of_families().find(|export| export.name == name).map(Format::OfFamily))
}
