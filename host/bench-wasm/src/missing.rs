//! Names the imports of a component that this host does not provide, each with what to do about it.

use crate::inspect::{WORKLOAD_VERSION, compatible};

/// The packages of WASI 0.2 that are always linked.
const LINKED: [&str; 6] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// The package that a family may provide.
const HTTP: &str = "wasi:http";

/// The reason why a component with these imports cannot be linked, where families provide the interfaces and packages `further`; `None` if
/// the names of its imports do not show it.
pub(crate) fn missing(imports: &[String], further: &[&str]) -> Option<String> {
    let others = imports.iter().filter(|import| !further.contains(&import.as_str()));
    let advice: Vec<_> = others.filter_map(|import| Some((import, advice(import, further)?))).collect();
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

/// What is said of other interfaces of WASI 0.3 where it runs some, which are of other versions or packages.
const NO_OTHER_0_3: &str = "of WASI 0.3, only the releases of cli, clocks, filesystem, http, random and sockets are provided; build it for these, \
                            or for WASI 0.2";

/// What is said of HTTP where no family provides it.
const NO_HTTP: &str = "HTTP is not in this build of bench-host; build bench-host with its default features";

/// What to do about an import of WASI 0.3, of a package that this host provides or not.
fn advice_0_3(package: &str, version: &str, is_provided: bool) -> Option<&'static str> {
    // The packages of WASI 0.2 are those of 0.3, but for one that became a part of the component model.
    let is_linked = is_provided && package != "wasi:io" && !version.contains('-');
    match package {
        _ if !cfg!(feature = "wasi-0-3") => Some(NO_0_3),
        _ if is_linked => None,
        HTTP if !is_provided => Some(NO_HTTP),
        _ => Some(NO_OTHER_0_3),
    }
}

/// What to do about `import`, if neither this host nor a family, which provides `further`, has it.
fn advice(import: &str, further: &[&str]) -> Option<String> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let package = name.split('/').next().unwrap_or(name);
    let is_release = |version: &str| version.starts_with("0.2.") && !version.contains("-rc");
    if package.starts_with("bench-host:") {
        return other_version(package, version);
    }
    let is_provided = LINKED.contains(&package) || further.contains(&package);
    let advice = match package {
        _ if package.starts_with("wasi:") && version.starts_with("0.3.") => advice_0_3(package, version, is_provided)?,
        _ if is_provided && is_release(version) => return None,
        _ if is_provided => "only releases of WASI 0.2 are provided; build it for one of them",
        HTTP => NO_HTTP,
        _ if package.starts_with("wasi:") => "bench-host does not implement it; build the component without it",
        _ => "not an interface of the host; compose it with a component that exports it (`wac plug`)",
    };
    Some(advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], expect: Option<&str>) {
        let imports: Vec<_> = imports.iter().map(|import| (*import).to_owned()).collect();
        assert_eq!(missing(&imports, &["bench", HTTP]).as_deref(), expect);
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
            true => format!("imports `wasi:clocks/types@0.3.0-rc-1`: {NO_OTHER_0_3}"),
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

    #[test]
    fn host_without_http_says_so() {
        let imports = ["wasi:http/types@0.2.0", "wasi:http/outgoing-handler@0.2.0"].map(str::to_owned);
        let expect = format!("imports `{}`: {NO_HTTP}", imports.join("`, `"));
        assert_eq!(missing(&imports, &["bench"]).as_deref(), Some(expect.as_str()));
        let later = ["wasi:http/client@0.3.0".to_owned()];
        let reason = if cfg!(feature = "wasi-0-3") { NO_HTTP } else { NO_0_3 };
        let expect = format!("imports `wasi:http/client@0.3.0`: {reason}");
        assert_eq!(missing(&later, &["bench"]).as_deref(), Some(expect.as_str()));
    }
}
