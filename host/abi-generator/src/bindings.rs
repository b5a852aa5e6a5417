//! The bindings of the SDK for plug-ins in Rust, made by wit-bindgen. They are checked in, because its macro, with a parser of WIT and of
//! WebAssembly behind it, takes longer to compile than a plug-in.

use crate::Generated;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};
use wit_parser::Resolve;

/// The folder of the generated modules, and the path of the SDK's modules that others refer to.
const FOLDER: &str = "plugins/sdk-rust/src/component/generated";

/// The bindings of one world.
struct Bindings {
    /// The file of the module, without its extension.
    module: &'static str,
    /// The folders of the packages in `wit/`.
    packages: &'static [&'static str],
    /// A package with the world, if none of those has it.
    inline: Option<&'static str>,
    /// The world.
    world: &'static str,
    /// Interfaces whose bindings are in another module; all others are generated.
    elsewhere: &'static [(&'static str, &'static str)],
    /// The macro that exports an implementation, and the module that users of the SDK name it by.
    export: Option<(&'static str, &'static str)>,
}

const ALL: &[Bindings] = &[
    Bindings {
        module: "workload",
        packages: &["workload"],
        inline: None,
        world: "bench-host:workload/workload",
        elsewhere: &[],
        export: Some(("export", "bench_plugin::support::bindings")),
    },
    Bindings {
        module: "ring",
        packages: &["ring"],
        inline: None,
        world: "bench-host:ring/client",
        elsewhere: &[],
        export: None,
    },
    Bindings {
        module: "log",
        packages: &["log"],
        inline: None,
        world: "bench-host:log/client",
        elsewhere: &[],
        export: None,
    },
    Bindings {
        module: "function",
        packages: &["function"],
        inline: None,
        world: "bench-host:function/function",
        elsewhere: &[],
        export: Some(("export_function_world", "bench_plugin::support::function_bindings")),
    },
    Bindings {
        module: "operator",
        packages: &["operator"],
        inline: None,
        world: "bench-host:operator/module",
        elsewhere: &[],
        export: Some(("export_operator_world", "bench_plugin::support::operator_bindings")),
    },
    // Without the common exports of plug-ins. A function is only imported if it is used, so a source imports only `emit`.
    Bindings {
        module: "source",
        packages: &["workload", "pipeline"],
        inline: Some(
            "package bench-plugin:source; \
             world source { import bench-host:pipeline/batches@0.1.0; export bench-host:pipeline/source@0.1.0; }",
        ),
        world: "bench-plugin:source/source",
        elsewhere: &[("bench-host:workload/types@0.1.0", "crate::arm::bindings::bench_host::workload::types")],
        export: Some(("export_source_world", "bench_plugin::support::source_bindings")),
    },
    Bindings {
        module: "destination",
        packages: &["workload", "pipeline"],
        inline: Some(
            "package bench-plugin:destination; world destination { export bench-host:pipeline/destination@0.1.0; }",
        ),
        world: "bench-plugin:destination/destination",
        elsewhere: &[
            ("bench-host:workload/types@0.1.0", "crate::arm::bindings::bench_host::workload::types"),
            (
                "bench-host:pipeline/reports@0.1.0",
                "crate::arm::pipeline::source_bindings::bench_host::pipeline::reports",
            ),
        ],
        export: Some(("export_destination_world", "bench_plugin::support::destination_bindings")),
    },
    Bindings {
        module: "stages",
        packages: &["workload", "tabular"],
        inline: Some("package bench-plugin:stages; world stages { export bench-host:tabular/stage@0.1.0; }"),
        world: "bench-plugin:stages/stages",
        elsewhere: &[("bench-host:workload/types@0.1.0", "crate::arm::bindings::bench_host::workload::types")],
        export: Some(("export_stage_world", "bench_plugin::support::stage_bindings")),
    },
];

/// The bindings of all worlds that the SDK has, from the packages in the folder `wit`.
pub fn bindings(wit: &Path) -> Result<Vec<Generated>> {
    ALL.iter().map(|bindings| bindings.generate(wit).with_context(|| bindings.world)).collect()
}

impl Bindings {
    fn generate(&self, wit: &Path) -> Result<Generated> {
        let mut resolve = Resolve::default();
        let mut packages = Vec::new();
        for package in self.packages {
            packages.push(resolve.push_dir(wit.join(package))?.0);
        }
        if let Some(text) = self.inline {
            packages = vec![resolve.push_str("inline.wit", text)?];
        }
        let world = resolve.select_world(&packages, Some(self.world))?;
        let mut files = Files::default();
        self.options().build().generate(&mut resolve, world, &mut files)?;
        let (_, bytes) = files.iter().next().context("wit-bindgen has written no file")?;
        let path = PathBuf::from(format!("{FOLDER}/{}.rs", self.module));
        let header =
            format!("//! The bindings of the world `{}`, @generated by `cargo xtask abi` from wit/.\n", self.world);
        Ok((path, header + std::str::from_utf8(bytes)?))
    }

    fn options(&self) -> Opts {
        let elsewhere = |&(interface, path): &(&str, &str)| (interface.to_owned(), WithOption::Path(path.to_owned()));
        let mut options = Opts {
            format: true,
            generate_all: true,
            with: self.elsewhere.iter().map(elsewhere).collect(),
            ..Opts::default()
        };
        if let Some((name, module)) = self.export {
            options.export_macro_name = Some(name.to_owned());
            options.default_bindings_module = Some(module.to_owned());
            options.pub_export_macro = true;
        }
        options
    }
}
