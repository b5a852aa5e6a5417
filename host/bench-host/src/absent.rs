//! Commands, options and interfaces of cargo features that this program may be built without, and the error when one is needed.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// A command or option, the feature that it comes with, and whether this program has it.
type Part = (&'static str, &'static str, bool);

const PARTS: [Part; 12] = [
    ("agent", "fleet", cfg!(feature = "fleet")),
    ("completions", "manual", cfg!(feature = "manual")),
    ("fleet", "fleet", cfg!(feature = "fleet")),
    ("keygen", "signatures", cfg!(feature = "signatures")),
    ("man", "manual", cfg!(feature = "manual")),
    ("price", "price", cfg!(feature = "price")),
    ("profile", "profile", cfg!(feature = "profile")),
    ("--profile", "profile", cfg!(feature = "profile")),
    ("pull", "registry", cfg!(feature = "registry")),
    ("push", "registry", cfg!(feature = "registry")),
    ("sign", "signatures", cfg!(feature = "signatures")),
    ("wrap", "wrap", cfg!(feature = "wrap")),
];

/// What components import of families, as it begins.
const INTERFACES: [Part; 4] = [
    ("bench-host:function/", "serverless", cfg!(feature = "serverless")),
    ("bench-host:operator/", "operators", cfg!(feature = "operators")),
    ("bench-host:pipeline/", "pipelines", cfg!(feature = "pipelines")),
    ("wasi:http/", "serverless", cfg!(feature = "serverless")),
];

/// The reason and what to do, if a component was refused because this program lacks what it imports.
pub(crate) fn interface(refusal: &str) -> Option<String> {
    interface_among(&INTERFACES, refusal)
}

fn interface_among(parts: &[Part], refusal: &str) -> Option<String> {
    let is_lacking = |name: &str| refusal.contains(&format!("imports instance `{name}"));
    let (name, feature, _) = parts.iter().find(|(name, _, is_there)| !is_there && is_lacking(name))?;
    Some(format!(
        "it imports `{name}…`, which this bench-host was built without; build it with default features, or with the cargo feature `{feature}`"
    ))
}

/// The reason and what to do, if the command line was refused because this program lacks a part.
pub(crate) fn reason(refused: &clap::Error) -> Option<anyhow::Error> {
    reason_among(&PARTS, refused)
}

fn reason_among(parts: &[Part], refused: &clap::Error) -> Option<anyhow::Error> {
    let kind = match refused.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => return None,
    };
    let Some(ContextValue::String(given)) = refused.get(kind) else { return None };
    let (name, feature, _) = parts.iter().find(|(name, _, is_there)| !is_there && name == given)?;
    Some(anyhow::anyhow!(
        "this bench-host was built without `{name}`; build it with default features, or with the cargo feature `{feature}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    #[test]
    fn absent_command_or_option_is_distinguished_from_a_mistake() {
        let check = |words: &[&str], expect: Option<&str>| {
            let words = ["p"].iter().chain(words);
            let command = Command::new("p").subcommand(Command::new("run").arg(Arg::new("what")));
            let refused = command.try_get_matches_from(words).unwrap_err();
            let parts = [("fleet", "fleet", false), ("--profile", "profile", false), ("price", "price", true)];
            assert_eq!(reason_among(&parts, &refused).map(|reason| reason.to_string()).as_deref(), expect, "{refused}");
        };
        let told = "this bench-host was built without `fleet`; build it with default features, or with the cargo feature `fleet`";
        check(&["fleet"], Some(told));
        check(&["fleet", "run", "--on", "local"], Some(told));
        let told = "this bench-host was built without `--profile`; \
                    build it with default features, or with the cargo feature `profile`";
        check(&["run", "--profile"], Some(told));
        check(&["flee"], None);
        check(&["price"], None);
        check(&["run", "--profiled"], None);
        check(&["--help"], None);
    }

    #[test]
    fn absent_interface_is_told_from_a_misfit() {
        let refusal = |name: &str| {
            format!(
                "a.wasm: does not fit this host: component imports instance `{name}control-plane@0.2.0`, but a matching \
                 implementation was not found in the linker"
            )
        };
        let parts = [("bench-host:operator/", "operators", false), ("wasi:http/", "serverless", true)];
        let found = |name: &str| interface_among(&parts, &refusal(name));
        let told = "it imports `bench-host:operator/…`, which this bench-host was built without; \
                    build it with default features, or with the cargo feature `operators`";
        assert_eq!(found("bench-host:operator/").as_deref(), Some(told));
        assert_eq!(found("wasi:http/"), None, "it is there");
        assert_eq!(found("other:operator/"), None);
    }
}
