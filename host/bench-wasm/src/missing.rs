//! Names the imports of a component that this host does not provide, each with what to do about it.

use crate::inspect::{WORKLOAD_VERSION, compatible};

/// The packages of WASI 0.2 that are always linked.
const LINKED: [&str; 6] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// The reason why a component with these imports cannot be linked, where families provide the interfaces `further`; `None` if the names
/// of its imports do not show it.
pub(crate) fn missing(imports: &[String], further: &[&str]) -> Option<String> {
    let others = imports.iter().filter(|import| !further.contains(&import.as_str()));
    let advice: Vec<_> = others.filter_map(|import| Some((import, advice(import)?))).collect();
    // WASI has many interfaces, and the same advice for all of one version.
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for (import, advice) in advice {
        match lines.iter_mut().find(|(known, _)| *known == advice) {
            Some((_, imports)) => imports.push(import),
            None => lines.push((advice, vec![import])),
        }
    }
    let line = |(advice, imports): (String, Vec<&str>)| format!("imports `{}`: {advice}", imports.join("`, `"));
    (!lines.is_empty()).then(|| lines.into_iter().map(line).collect::<Vec<_>>().join("; "))
}

/// The packages of this host that components of every family import, and their versions.
const OWN: [(&str, &str); 3] =
    [("bench-host:log", "0.1.0"), ("bench-host:ring", "0.1.1"), ("bench-host:workload", WORKLOAD_VERSION)];

/// What to do about an import of this host's, if it is of a version that this host does not have.
fn other_version(package: &str, version: &str) -> Option<String> {
    let (_, ours) = OWN.into_iter().find(|(known, _)| *known == package)?;
    let (_, name) = package.split_once(':')?;
    (!compatible(version, ours)).then(|| {
        format!("this bench-host has {ours}; build it against the output of `bench-host wit {name}`, or use a newer bench-host")
    })
}

/// What is said of what is built for WASI 0.3, where this host runs nothing of it.
const NO_0_3: &str = "built for WASI 0.3, which this bench-host does not run; build it for WASI 0.2";

/// What is said of HTTP of WASI 0.3, where this host runs other things of it.
const NO_HTTP_0_3: &str = "HTTP of WASI 0.3, which this bench-host does not run yet, although it runs commands and functions of WASI 0.3; \
                           build it for `wasi:http` 0.2";

/// What is said of other interfaces of WASI 0.3 there, which are of other versions or packages.
const NO_OTHER_0_3: &str = "of WASI 0.3, only the releases of cli, clocks, filesystem, random and sockets are provided; build it for these, or \
                            for WASI 0.2";

/// What to do about `import`, which is of WASI 0.3.
fn advice_0_3(package: &str, version: &str) -> Option<String> {
    // The packages of WASI 0.2 are those of 0.3, but for one that became a part of the component model.
    let is_linked = LINKED.contains(&package) && package != "wasi:io" && !version.contains('-');
    match package {
        _ if !cfg!(feature = "wasi-0-3") => Some(NO_0_3.to_owned()),
        "wasi:http" => Some(NO_HTTP_0_3.to_owned()),
        _ if is_linked => None,
        _ => Some(NO_OTHER_0_3.to_owned()),
    }
}

/// What to do about `import`, if this host does not provide it.
fn advice(import: &str) -> Option<String> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let package = name.split('/').next().unwrap_or(name);
    let is_release = |version: &str| version.starts_with("0.2.") && !version.contains("-rc");
    if package.starts_with("bench-host:") {
        return other_version(package, version);
    }
    if package.starts_with("wasi:") && version.starts_with("0.3.") {
        return advice_0_3(package, version);
    }
    match package {
        _ if (LINKED.contains(&package) || package == "wasi:http") && is_release(version) => None,
        _ if LINKED.contains(&package) || package == "wasi:http" => {
            Some("only releases of WASI 0.2 are provided; build it for one of them".to_owned())
        }
        _ if package.starts_with("wasi:") => {
            Some("bench-host does not implement it; build the component without it".to_owned())
        }
        _ => Some("not an interface of the host; compose it with a component that exports it (`wac plug`)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], expect: Option<&str>) {
        let imports: Vec<_> = imports.iter().map(|import| (*import).to_owned()).collect();
        assert_eq!(missing(&imports, &["bench"]).as_deref(), expect);
    }

    #[test]
    fn versions_are_those_of_the_wit() {
        for (package, version) in OWN {
            let name = package.strip_prefix("bench-host:").unwrap();
            let file = format!("{}/../../wit/{name}/{name}.wit", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(file).unwrap();
            assert_eq!(text.lines().next(), Some(format!("package {package}@{version};").as_str()));
        }
    }

    #[test]
    fn each_missing_import_is_named_with_advice() {
        check(&["bench", "wasi:cli/environment@0.2.3", "wasi:http/types@0.2.0", "bench-host:log/log@0.1.0"], None);
        check(
            &["bench-host:ring/ring@0.2.0", "bench-host:operator/control-plane@0.1.0"],
            Some(
                "imports `bench-host:ring/ring@0.2.0`: this bench-host has 0.1.1; build it against the output of `bench-host wit ring`, \
                 or use a newer bench-host",
            ),
        );
        let third =
            ["wasi:cli/run@0.3.0", "wasi:io/poll@0.2.0", "wasi:clocks/types@0.3.0-rc-1", "wasi:http/client@0.3.0"];
        let named = match cfg!(feature = "wasi-0-3") {
            true => format!(
                "imports `wasi:clocks/types@0.3.0-rc-1`: {NO_OTHER_0_3}; imports `wasi:http/client@0.3.0`: {NO_HTTP_0_3}"
            ),
            false => format!(
                "imports `wasi:cli/run@0.3.0`, `wasi:clocks/types@0.3.0-rc-1`, `wasi:http/client@0.3.0`: {NO_0_3}"
            ),
        };
        check(&third, Some(&named));
        check(
            &["wasi:nn/tensor@0.2.0-rc", "my:db/query"],
            Some(
                "imports `wasi:nn/tensor@0.2.0-rc`: bench-host does not implement it; build the component without it; \
                 imports `my:db/query`: not an interface of the host; compose it with a component that exports it (`wac plug`)",
            ),
        );
    }
}
