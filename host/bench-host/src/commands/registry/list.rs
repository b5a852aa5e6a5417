//! `registry list`: the modules of the store.

use crate::cli::StoredArgs;
use crate::{Exit, output, stored};
use bench_report::{Body, Column, Data, Datum, Document, Rank, Section, Table};
use module_store::{Policy, StoredModule};
use serde::Serialize;

/// A module as programs read it.
#[derive(Serialize)]
struct ModuleJson {
    module: String,
    manifest: String,
    files: Vec<FileJson>,
    /// The trusted keys whose signatures hold.
    signed_by: Vec<String>,
    pulled_from: Option<String>,
}

#[derive(Serialize)]
struct FileJson {
    arm: &'static str,
    platform: Option<String>,
    digest: String,
    bytes: u64,
}

#[derive(Serialize)]
struct ListJson {
    modules: Vec<ModuleJson>,
}

pub(super) fn run(arguments: &StoredArgs) -> anyhow::Result<Exit> {
    #[cfg(feature = "registry")]
    if let Some(repository) = &arguments.repository {
        return super::versions::list(repository, arguments);
    }
    let store = stored::open()?;
    let policy = Policy::read(&stored::policy_path()?)?;
    let (modules, damaged) = store.modules()?;
    let modules: Vec<_> = modules.iter().map(|module| module_json(module, &policy)).collect();
    arguments.show.print(&document(modules))?;
    damaged.iter().for_each(|damage| output::line(&format!("bench-host: {}: {}", damage.module, damage.error)));
    Ok(if damaged.is_empty() { Exit::Done } else { Exit::Finding })
}

fn module_json(module: &StoredModule, policy: &Policy) -> ModuleJson {
    let component = module.component.iter().map(|file| FileJson {
        arm: "wasm",
        platform: None,
        digest: file.digest.to_string(),
        bytes: file.size,
    });
    let natives = module.natives.iter().map(|native| FileJson {
        arm: "native",
        platform: Some(native.platform.clone()),
        digest: native.file.digest.to_string(),
        bytes: native.file.size,
    });
    ModuleJson {
        module: module.shown(),
        manifest: module.manifest.digest.to_string(),
        files: component.chain(natives).collect(),
        signed_by: policy.signers(module).iter().map(|signer| signer.key.id()).collect(),
        pulled_from: module.pulled_from.clone(),
    }
}

/// A row for each file.
fn document(modules: Vec<ModuleJson>) -> Document {
    let columns = vec![
        Column::words("module"),
        Column::words("arm"),
        Column::words("platform").rank(Rank::Filled),
        Column::figures("size").key("bytes"),
        Column::words("signed by").rank(Rank::Filled),
        Column::words("pulled from").rank(Rank::Extra(1)),
        Column::words("digest"),
    ];
    let text = |text: Option<&String>| text.map_or(Datum::Blank, Datum::text);
    let mut rows = Vec::new();
    for module in &modules {
        for file in &module.files {
            let signed_by = Some(module.signed_by.join(", ")).filter(|keys| !keys.is_empty());
            rows.push(vec![
                Datum::text(&module.module),
                Datum::text(file.arm),
                text(file.platform.as_ref()),
                Datum::bytes(file.bytes as f64),
                text(signed_by.as_ref()),
                text(module.pulled_from.as_ref()),
                Datum::text(&file.digest),
            ]);
        }
    }
    let body = Body::Table(Table::plain(columns, rows));
    let remarks = if modules.is_empty() {
        vec!["no modules; add one with `bench-host registry add NAME@VERSION FILE`".to_owned()]
    } else {
        Vec::new()
    };
    let section = Section::new("modules", "", body).in_data().with_remarks(remarks);
    Document { data: Data::of(&ListJson { modules }), records: None, sections: vec![section] }
}
