//! `registry list oci://…`: the versions of a repository. Registries cannot be searched, but they list the tags of what is known by name.

use super::remote;
use crate::cli::StoredArgs;
use crate::{Exit, stored};
use anyhow::bail;
use bench_report::{Body, Column, Data, Datum, Document, Rank, Section, Table};
use module_store::{Reference, ReferenceError, RemoteReference, Store};
use serde::Serialize;

/// A tag as programs read it.
#[derive(Serialize)]
struct VersionJson {
    tag: String,
    address: String,
    /// Whether the store has it.
    is_stored: bool,
}

#[derive(Serialize)]
struct VersionsJson {
    repository: String,
    versions: Vec<VersionJson>,
}

pub(super) fn list(repository: &str, arguments: &StoredArgs) -> anyhow::Result<Exit> {
    let of = match repository.parse::<RemoteReference>() {
        // An address has a tag, and a repository none.
        Err(ReferenceError::NoTag(_)) => format!("{repository}:any").parse::<RemoteReference>()?,
        Err(error) => return Err(error.into()),
        Ok(_) => bail!("{repository}: give the repository alone, without a tag or a digest"),
    };
    let tags = remote::registry(&of.host, &arguments.transport)?.list_tags(&of.repository)?;
    let store = stored::open()?;
    let mut addresses: Vec<_> = tags.into_iter().map(|tag| RemoteReference { tag: Some(tag), ..of.clone() }).collect();
    // Versions in their order, and then other tags.
    addresses.sort_by_key(|address| (address.module_name().is_none(), address.module_name()));
    let versions = addresses.into_iter().map(|address| version(&store, address)).collect();
    let listed = VersionsJson { repository: repository.to_owned(), versions };
    arguments.show.print(&document(&listed))?;
    Ok(Exit::Done)
}

fn version(store: &Store, address: RemoteReference) -> VersionJson {
    VersionJson {
        tag: address.tag.clone().unwrap_or_default(),
        address: address.to_string(),
        is_stored: store.find(&Reference::Remote(address)).is_ok(),
    }
}

/// A row for each tag.
fn document(listed: &VersionsJson) -> Document {
    let columns = vec![
        Column::words("tag"),
        Column::words("address"),
        Column::words("in the store").key("is_stored").rank(Rank::Filled),
    ];
    let row = |version: &VersionJson| {
        let is_stored = if version.is_stored { Datum::text("yes") } else { Datum::Blank };
        vec![Datum::text(&version.tag), Datum::text(&version.address), is_stored]
    };
    let rows: Vec<_> = listed.versions.iter().map(row).collect();
    let remarks = if rows.is_empty() { vec!["no tags".to_owned()] } else { Vec::new() };
    let section =
        Section::new("versions", "", Body::Table(Table::plain(columns, rows))).in_data().with_remarks(remarks);
    Document { data: Data::of(listed), records: None, sections: vec![section] }
}
