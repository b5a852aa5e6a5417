//! What scenarios ask for that a user must grant: addresses, folders and environment variables. A component has what is granted, the
//! interfaces of the host that are not denied, and nothing else; a probe can do what the user can, and is not asked.

use crate::cli::GrantArgs;
use crate::modules::{Loaded, Modules};
use crate::worker::{Kind, ModuleSpec};
use crate::{output, stored};
use anyhow::Context;
use bench_drivers::Grants;
use bench_model::{Capability, HostInterface, Requirement, Scenario};
use module_store::{Digest, Grant, ModuleTrust, Policy};
use std::io::{self, IsTerminal};

/// What the options of a command grant and deny.
pub(crate) fn given(options: &GrantArgs) -> anyhow::Result<Grants> {
    let variable = |name: &String| {
        let value = std::env::var(name)
            .with_context(|| format!("--env {name}: the variable is not set, or not valid UTF-8"))?;
        anyhow::Ok((name.clone(), value))
    };
    Ok(Grants {
        directories: options.allow_dir.clone(),
        connections: options.allow_net.clone(),
        scratch: Vec::new(),
        environment: options.env.iter().map(variable).collect::<anyhow::Result<_>>()?,
        denied: options.deny.clone(),
    })
}

/// An error if the scenario needs what `module`, with these `imports`, is not granted or is denied: what it is, and the options that grant it.
pub(crate) fn ensure_granted(module: &ModuleSpec, imports: &[String], scenario: &Scenario) -> Result<(), String> {
    if module.kind != Kind::Component {
        return Ok(());
    }
    if let Some(grant) = denied(&module.grants, imports, scenario).map(Grant::Host) {
        return Err(format!(
            "it asks to {}, which is denied; give {}, or except it from a policy that says so: bench-host registry trust sha256:{} \
             --grant '{grant}'",
            deed(&grant),
            option(&grant),
            module.sha256
        ));
    }
    let needed = scenario.requirements.iter().filter(|requirement| !requirement.optional);
    let mut denied = needed.filter_map(|requirement| Some((missing(&module.grants, requirement)?, requirement)));
    match denied.next() {
        None => Ok(()),
        Some((grant, requirement)) => Err(format!(
            "it asks to {}, which is not granted{}; give {}, or grant it always: bench-host registry trust sha256:{} --grant '{grant}'",
            deed(&grant),
            purpose(requirement),
            option(&grant),
            module.sha256
        )),
    }
}

/// The interface of the host that the component imports or the scenario requires, if there is one that is denied. A component cannot be run
/// without what it imports, so none of its scenarios can.
fn denied(grants: &Grants, imports: &[String], scenario: &Scenario) -> Option<HostInterface> {
    let imported = imports.iter().filter_map(|import| HostInterface::of_import(import));
    let needed = scenario.requirements.iter().filter(|requirement| !requirement.optional);
    let needed = needed.filter_map(|requirement| match requirement.capability {
        Capability::Host(interface) => Some(interface),
        _ => None,
    });
    imported.chain(needed).find(|interface| grants.denied.contains(interface))
}

/// What the requirement asks for, if it is for the user to grant and `grants` does not have it.
fn missing(grants: &Grants, requirement: &Requirement) -> Option<Grant> {
    let grant = grant_of(&requirement.capability)?;
    let is_granted = match &grant {
        Grant::Net(address) => grants.connections.contains(address),
        Grant::Dir { guest, read_only, .. } => {
            let mut folders = grants.directories.iter();
            folders.any(|folder| folder.guest == *guest && (*read_only || !folder.read_only))
        }
        Grant::Env(name) => grants.environment.iter().any(|(granted, _)| granted == name),
        Grant::Host(interface) => !grants.denied.contains(interface),
    };
    (!is_granted).then_some(grant)
}

/// What the user grants for it. Interfaces of the host are there without being asked for; one that is denied stays so.
fn grant_of(capability: &Capability) -> Option<Grant> {
    match capability {
        Capability::Net(address) => Some(Grant::Net(address.clone())),
        Capability::Dir { path, read_only } => {
            Some(Grant::Dir { host: path.clone(), guest: path.clone(), read_only: *read_only })
        }
        Capability::Env(name) => Some(Grant::Env(name.clone())),
        _ => None,
    }
}

/// What a module does with the grant, after `it asks to`.
fn deed(grant: &Grant) -> String {
    match grant {
        Grant::Net(address) => format!("connect to {address}"),
        Grant::Dir { host, read_only: true, .. } => format!("read the folder {host}"),
        Grant::Dir { host, read_only: false, .. } => format!("read and write the folder {host}"),
        Grant::Env(name) => format!("read the environment variable {name}"),
        Grant::Host(interface) => format!("use the host's {interface}"),
    }
}

/// The option that grants it for one command.
fn option(grant: &Grant) -> String {
    match grant {
        Grant::Net(address) => format!("--allow-net {address}"),
        Grant::Dir { host, guest, read_only } => {
            format!("--allow-dir {host}::{guest}{}", if *read_only { ":ro" } else { "" })
        }
        Grant::Env(name) => format!("--env {name}"),
        Grant::Host(interface) => format!("no --deny {interface}"),
    }
}

fn purpose(requirement: &Requirement) -> String {
    if requirement.purpose.is_empty() { String::new() } else { format!(" ({})", requirement.purpose) }
}

impl Modules {
    /// Asks on a terminal about each component that asks for something and was not decided on before, and remembers the answer. Where
    /// there is no terminal, nothing is asked, and what is not granted is denied.
    pub(crate) fn ask_for_grants(&mut self) {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return;
        }
        for loaded in self.loaded.iter_mut().chain(self.companions.iter_mut()) {
            if let Err(error) = ask(loaded) {
                output::error(&error);
            }
        }
    }
}

/// Asks about one module.
fn ask(loaded: &mut Loaded) -> anyhow::Result<()> {
    let Some(digest) = Digest::from_hex(&loaded.spec.sha256).filter(|_| loaded.spec.kind == Kind::Component) else {
        return Ok(());
    };
    let (mut grants, sentences) = wanted(&loaded.spec.grants, &loaded.offer.descriptor.scenarios);
    let path = stored::policy_path()?;
    let mut policy = Policy::read(&path)?;
    if grants.is_empty() || policy.modules.contains_key(&digest) {
        return Ok(());
    }
    output::line(&format!("{} asks to", loaded.offer.file.display()));
    sentences.iter().for_each(|sentence| output::line(sentence));
    output::line("Grant it that, now and from now on? [y/N]");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    let is_granted = matches!(answer.trim(), "y" | "Y" | "yes");
    if !is_granted {
        grants.clear();
    }
    stored::merge(&mut loaded.spec.grants, stored::to_grants(&grants));
    policy.modules.insert(digest, ModuleTrust { natives: false, grants });
    policy.write(&path)?;
    let decided = if is_granted { "granted" } else { "denied" };
    output::line(&format!(
        "{decided}, as {} says; `bench-host registry trust {digest} --revoke` forgets it",
        path.display()
    ));
    Ok(())
}

/// What the scenarios ask for beyond what is `granted`, each once, and a sentence about each.
fn wanted(granted: &Grants, scenarios: &[Scenario]) -> (Vec<Grant>, Vec<String>) {
    let mut grants: Vec<Grant> = Vec::new();
    let mut sentences = Vec::new();
    for requirement in scenarios.iter().flat_map(|scenario| &scenario.requirements) {
        if let Some(grant) = missing(granted, requirement).filter(|grant| !grants.contains(grant)) {
            sentences.push(format!("  {}{}", deed(&grant), purpose(requirement)));
            grants.push(grant);
        }
    }
    (grants, sentences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_drivers::DirectoryGrant;

    fn spec(kind: Kind, grants: Grants) -> ModuleSpec {
        ModuleSpec {
            file: "m.wasm".into(),
            sha256: "00".to_owned(),
            kind,
            grants,
            cache: None,
            memory_bytes_max: 1,
            engine: None,
            descriptor: None,
            keeps_rights: false,
        }
    }

    fn folder(read_only: bool) -> Grants {
        let directory = DirectoryGrant { host: "/elsewhere".into(), guest: "/data".to_owned(), read_only };
        Grants { directories: vec![directory], ..Grants::default() }
    }

    #[test]
    fn component_has_its_grants_and_is_referred_to_the_option_otherwise() {
        let check = |capability: &str, grants: Grants, expect: Option<&str>| {
            let scenario = Scenario::new("s", "f", "").requires(capability, "for a test");
            let found = ensure_granted(&spec(Kind::Component, grants), &[], &scenario).err();
            assert_eq!(found.is_some(), expect.is_some(), "{capability}: {found:?}");
            let (found, expect) = (found.unwrap_or_default(), expect.unwrap_or_default());
            assert!(found.contains(expect), "{capability}: {expect:?} is not in: {found}");
        };
        let net = |address: &str| Grants { connections: vec![address.to_owned()], ..Grants::default() };
        let told = "it asks to connect to h:1, which is not granted (for a test); give --allow-net h:1, or grant it always: \
                    bench-host registry trust sha256:00 --grant 'net h:1'";
        check("net:h:1", Grants::default(), Some(told));
        check("net:h:1", net("h:2"), Some("--allow-net h:1"));
        check("net:h:1", net("h:1"), None);
        check("dir:/data:ro", Grants::default(), Some("--allow-dir /data::/data:ro"));
        check("dir:/data:ro", folder(true), None);
        check("dir:/data", folder(true), Some("it asks to read and write the folder /data"));
        check("dir:/data", folder(false), None);
        check("env:A", Grants::default(), Some("--env A"));
        let environment = vec![("A".to_owned(), "1".to_owned())];
        check("env:A", Grants { environment, ..Grants::default() }, None);
        check("cpu:2", Grants::default(), None);
    }

    #[test]
    fn each_thing_that_is_asked_for_has_one_sentence() {
        let scenario = |name: &str| Scenario::new(name, "f", "");
        let scenarios = [
            scenario("a").requires("net:h:1", "rows come from there").requires("env:A", "").requires("cpu:2", ""),
            scenario("b")
                .requires("net:h:1", "again")
                .can_use("dir:/data:ro", "inputs")
                .requires("dir:/out", "results"),
            scenario("c").requires("env:GRANTED", ""),
        ];
        let environment = vec![("GRANTED".to_owned(), "1".to_owned())];
        let (grants, sentences) = wanted(&Grants { environment, ..Grants::default() }, &scenarios);
        let expect = [
            "  connect to h:1 (rows come from there)",
            "  read the environment variable A",
            "  read the folder /data (inputs)",
            "  read and write the folder /out (results)",
        ];
        assert_eq!(sentences, expect);
        let grants: Vec<_> = grants.iter().map(Grant::to_string).collect();
        assert_eq!(grants, ["net h:1", "env A", "dir /data::/data:ro", "dir /out::/out"]);
    }

    #[test]
    fn optional_request_and_that_of_a_probe_need_no_grant() {
        let optional = Scenario::new("s", "f", "").can_use("net:h:1", "");
        assert_eq!(ensure_granted(&spec(Kind::Component, Grants::default()), &[], &optional), Ok(()));
        let needed = Scenario::new("s", "f", "").requires("net:h:1", "");
        assert_eq!(ensure_granted(&spec(Kind::Probe, Grants::default()), &[], &needed), Ok(()));
    }

    #[test]
    fn interface_of_the_host_is_there_unless_it_is_denied() {
        let check = |kind: Kind, import: &str, scenario: Scenario, denied: &[HostInterface], expect: Option<&str>| {
            let grants = Grants { denied: denied.to_vec(), ..Grants::default() };
            let found = ensure_granted(&spec(kind, grants), &[import.to_owned()], &scenario).err();
            assert_eq!(found.is_some(), expect.is_some(), "{import}: {found:?}");
            let (found, expect) = (found.unwrap_or_default(), expect.unwrap_or_default());
            assert!(found.contains(expect), "{expect:?} is not in: {found}");
        };
        let plain = || Scenario::new("s", "f", "");
        let (ring, log) = (HostInterface::Ring, HostInterface::Log);
        let told = "it asks to use the host's ring, which is denied; give no --deny ring, or except it from a policy that says so: \
                    bench-host registry trust sha256:00 --grant 'ring'";
        check(Kind::Component, "bench-host:ring/ring@0.1.1", plain(), &[], None);
        check(Kind::Component, "bench-host:ring/ring@0.1.1", plain(), &[log], None);
        check(Kind::Component, "bench-host:ring/ring@0.1.1", plain(), &[log, ring], Some(told));
        check(Kind::Component, "wasi:cli/stdout@0.2.6", plain().requires("log", ""), &[log], Some("no --deny log"));
        check(Kind::Component, "wasi:cli/stdout@0.2.6", plain().can_use("log", ""), &[log], None);
        check(Kind::Probe, "", plain().requires("log", ""), &[log], None);
    }

    #[test]
    fn what_is_denied_is_not_asked_about() {
        let scenarios = [Scenario::new("s", "f", "").requires("ring", "").requires("env:A", "")];
        let granted = Grants { denied: vec![HostInterface::Ring], ..Grants::default() };
        let (grants, sentences) = wanted(&granted, &scenarios);
        assert_eq!(grants, [Grant::Env("A".to_owned())]);
        assert_eq!(sentences, ["  read the environment variable A"]);
    }
}
