//! What the policy of a machine lets an agent measure: who submits, which modules, which grants. A signature alone never runs native code:
//! its digest must be trusted on this machine too.

use crate::cli::RunArgs;
use crate::stored::Trust;
use anyhow::{Context, bail, ensure};
use bench_engine::Plan;
use bench_engine::worker::Isolation;
use bench_fleet::{ModuleDigest, Spec};
use bench_model::{Arguments, Arm, Requirement, Scenario};
use module_store::{Digest, Grant, Policy, Signature, SubmitterTrust};
use pg_connection::{Environment, Settings, is_connection};
use std::path::{Component, Path, PathBuf};

/// The policy that an agent was given.
#[derive(Debug)]
pub(super) struct AgentPolicy {
    file: PathBuf,
    trust: Trust,
}

impl AgentPolicy {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        ensure!(file.is_file(), "--policy {}: there is no such file; without one nothing is allowed", file.display());
        Ok(Self { file: file.to_owned(), trust: Trust::of(Policy::read(file)?) })
    }

    /// An error if `spec`, whose command line is `arguments`, may not be measured. Neither loads nor reads anything of the run.
    pub(super) fn permit(&self, spec: &Spec, arguments: &RunArgs) -> anyhow::Result<()> {
        let submitter = self.submitter(spec)?;
        // It becomes part of the names of folders.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        ensure!(
            (1..=100).contains(&spec.id.len()) && spec.id.chars().all(is_plain),
            "{:?} is not a name of a run; start it with `fleet run`",
            spec.id
        );
        ensure!(
            arguments.modules.is_empty(),
            "a run that is submitted to others cannot say where their modules are; leave out --modules"
        );
        ensure!(
            arguments.common.measured.limits.isolation != Isolation::None,
            "a run that is submitted to others cannot have --isolation none"
        );
        if let Some(file) = arguments.what.iter().find(|what| what.ends_with(".toml")) {
            bail!("{file}: a run that is submitted to others cannot have a suite file; name the scenarios");
        }
        self.permit_grants(submitter, grants(arguments, submitter))?;
        // The module `self` is part of this program.
        for module in spec.modules.iter().filter(|module| module.name != "self") {
            self.permit_module(submitter, module)?;
        }
        Ok(())
    }

    /// Whether modules of `spec` may be fetched from `address`.
    #[cfg(feature = "registry")]
    pub(super) fn permits_source(&self, spec: &Spec, address: &module_store::RemoteReference) -> anyhow::Result<bool> {
        Ok(self.submitter(spec)?.sources.iter().any(|source| source.has(address)))
    }

    /// An error if the cells of `plan` need a server that the submitter of `spec` may not have: of a suite, or by default.
    pub(super) fn permit_plan(&self, spec: &Spec, plan: &Plan) -> anyhow::Result<()> {
        let submitter = self.submitter(spec)?;
        for cell in &plan.cells {
            let parameters = cell.scenario.requirements.iter().filter_map(Requirement::postgres_parameter);
            for value in parameters.filter_map(|name| cell.arguments.get(name)) {
                self.permit_grants(submitter, grants_of(&value.to_string(), submitter))?;
            }
            let folders = cell.scenario.requirements.iter().filter_map(Requirement::scratch_parameter);
            for name in folders {
                self.permit_grants(submitter, Ok(written(&cell.scenario, name, &cell.arguments)))?;
            }
        }
        Ok(())
    }

    fn permit_grants(&self, submitter: &SubmitterTrust, needed: anyhow::Result<Vec<Grant>>) -> anyhow::Result<()> {
        for grant in needed.map_err(|error| anyhow::anyhow!("{error}; {}", self.next()))? {
            ensure!(
                submitter.grants.iter().any(|given| includes(given, &grant)),
                "the submitter {} may not be granted `{grant}`; {}",
                submitter.name,
                self.next()
            );
        }
        Ok(())
    }

    fn submitter(&self, spec: &Spec) -> anyhow::Result<&SubmitterTrust> {
        let signature = spec.signature.as_deref();
        let signature =
            signature.context("this machine measures signed runs only; sign it with `fleet run --key FILE`")?;
        let signature = signature.parse::<Signature>().context("the signature of the run is malformed")?;
        self.trust.policy().submitter(&spec.statement(), &signature).with_context(|| {
            format!(
                "the run is signed by key {}, which may not submit to this machine, or was changed after it was signed; to allow it, \
                 add the key to [submitters] of {} there",
                signature.key_id(),
                self.file.display()
            )
        })
    }

    fn permit_module(&self, submitter: &SubmitterTrust, module: &ModuleDigest) -> anyhow::Result<()> {
        let ModuleDigest { name, arm, sha256, .. } = module;
        let digest = Digest::from_hex(sha256).with_context(|| format!("module {name}: `{sha256}` is not a digest"))?;
        if *arm == Arm::Wasm {
            ensure!(
                self.trust.knows(&digest),
                "the component {name} with {digest} is not trusted, nor a key that signed it; {}",
                self.next()
            );
            return Ok(());
        }
        ensure!(
            submitter.natives,
            "the submitter {} may not run native code, such as {name} ({arm}); {}",
            submitter.name,
            self.next()
        );
        let is_trusted = self.trust.policy().modules.get(&digest).is_some_and(|trust| trust.natives);
        ensure!(
            is_trusted,
            "the native code of {name} ({arm}) with {digest} is not trusted by its digest, and no signature can stand for that; {}",
            self.next()
        );
        Ok(())
    }

    fn next(&self) -> String {
        format!("to allow it, change {} on that machine", self.file.display())
    }
}

/// What the command line of a run needs of the machine, besides its modules.
fn grants(arguments: &RunArgs, submitter: &SubmitterTrust) -> anyhow::Result<Vec<Grant>> {
    let measured = &arguments.common.measured;
    let mut grants: Vec<Grant> = Vec::new();
    grants.extend(measured.grants.allow_net.iter().cloned().map(Grant::Net));
    grants.extend(measured.grants.env.iter().cloned().map(Grant::Env));
    grants.extend(measured.grants.allow_dir.iter().map(|granted| Grant::Dir {
        host: granted.host.display().to_string(),
        guest: granted.guest.clone(),
        read_only: granted.read_only,
    }));
    let parameters = measured.parameters.iter().chain(&measured.families.parameters);
    for value in parameters.flat_map(|(_, values)| values) {
        grants.extend(grants_of(value, submitter)?);
    }
    Ok(grants)
}

/// What the folder parameter `name` of a scenario needs, in which a folder is made and written to. A default is the trusted module's own.
fn written(scenario: &Scenario, name: &str, arguments: &Arguments) -> Vec<Grant> {
    let is_default = |value| {
        let parameter = scenario.parameters.iter().find(|parameter| parameter.name == name);
        parameter.is_some_and(|parameter| parameter.defaults.contains(value))
    };
    let given = arguments.get(name).filter(|value| !is_default(value)).map(ToString::to_string);
    let folder = given.filter(|folder| !folder.starts_with('@'));
    folder.map(|host| Grant::Dir { guest: host.clone(), host, read_only: false }).into_iter().collect()
}

/// What a parameter with this value needs of the machine. Of a connection string it is what the host will connect to, wherever in it that
/// stands: words of it override others, and the environment of this machine completes it.
fn grants_of(value: &str, submitter: &SubmitterTrust) -> anyhow::Result<Vec<Grant>> {
    if let Some(inside) = value.strip_prefix("@run/") {
        let is_inside = Path::new(inside).components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(is_inside, "`{value}` leads out of the directory of the run");
    }
    if value.starts_with('@') {
        ensure!(
            submitter.natives,
            "the submitter {} may not have servers started, as `{value}` does, because they are native code",
            submitter.name
        );
        return Ok(Vec::new());
    }
    if is_connection(value) {
        let settings = Settings::resolve(value, &Environment::of_process())?;
        return Ok(settings.addresses.iter().map(|address| Grant::Net(address.to_connect())).collect());
    }
    Ok(if let Some((_, rest)) = value.split_once("://") {
        vec![Grant::Net(address(rest))]
    } else if is_path(value) {
        vec![Grant::Dir { host: value.to_owned(), guest: value.to_owned(), read_only: true }]
    } else {
        Vec::new()
    })
}

/// Whether a value names a place on this machine: one that exists, or that native code could make.
fn is_path(value: &str) -> bool {
    let path = Path::new(value);
    path.is_absolute() || path.components().any(|part| part == Component::ParentDir) || path.exists()
}

/// The host and the port in what follows the scheme of a URL.
fn address(rest: &str) -> String {
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, address)| address).to_owned()
}

/// Whether what is `needed` is part of what is `given`.
fn includes(given: &Grant, needed: &Grant) -> bool {
    match (given, needed) {
        (
            Grant::Dir { host, guest, read_only },
            Grant::Dir { host: needed_host, guest: needed_guest, read_only: needs_no_more },
        ) => host == needed_host && guest == needed_guest && (!read_only || *needs_no_more),
        _ => given == needed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use bench_fleet::PROTOCOL;
    use bench_model::Parameter;
    use clap::Parser;
    use module_store::SecretKey;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    const COMPONENT: &[u8] = b"component";
    const PROBE: &[u8] = b"probe";

    fn spec(words: &str) -> Spec {
        let module = |arm, bytes: &[u8]| ModuleDigest {
            name: "m".to_owned(),
            arm,
            sha256: Digest::of_bytes(bytes).hex(),
            file: String::new(),
            address: None,
        };
        Spec {
            protocol: PROTOCOL,
            host_version: "1".to_owned(),
            id: "r".to_owned(),
            words: words.split_whitespace().map(str::to_owned).collect(),
            command: Vec::new(),
            seed: 1,
            order_sha256: String::new(),
            modules: vec![module(Arm::Wasm, COMPONENT), module(Arm::Native, PROBE)],
            signature: None,
        }
    }

    /// Checks the run `words`, signed by the key that `policy` is made for, against it.
    #[track_caller]
    fn check(words: &str, policy: &str, expect: Result<(), &str>) {
        let key = SecretKey::generate().unwrap();
        let mut spec = spec(words);
        spec.signature = Some(key.sign(&spec.statement(), "test").to_string());
        check_signed(&spec, &policy.replace("KEY", &key.public().to_string()), expect);
    }

    #[track_caller]
    fn check_signed(spec: &Spec, policy: &str, expect: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let policy = policy.replace("COMPONENT", &Digest::of_bytes(COMPONENT).to_string());
        fs::write(&file, policy.replace("PROBE", &Digest::of_bytes(PROBE).to_string())).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let words = ["bench-host", "run"].into_iter().chain(spec.words.iter().map(String::as_str));
        let Command::Run(arguments) = Cli::try_parse_from(words).unwrap().command else { panic!("not `run`") };
        let found = AgentPolicy::read(&file).unwrap().permit(spec, &arguments);
        match (found, expect) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(format!("{error:#}").contains(part), "{error:#}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    const ALL: &str = "[submitters.\"KEY\"]\nname = \"ci\"\nnatives = true\ngrants = [\"net h:1\", \"env A\", \"dir /::/\"]\n[modules.\"COMPONENT\"]\n[modules.\"PROBE\"]\nnatives = true\n";

    #[test]
    fn signed_run_is_measured_if_all_of_it_is_allowed() {
        check("m/s --allow-net h:1 --env A -p url=x://u@h:1/d -p input=/", ALL, Ok(()));
        check("m/s --allow-net h:2", ALL, Err("the submitter ci may not be granted `net h:2`; to allow it, change "));
        check("m/s --env B", ALL, Err("may not be granted `env B`"));
        check("m/s -p url=x://h:1@other:1/d", ALL, Err("may not be granted `net other:1`"));
        check("m/s --allow-dir /etc::/etc:ro", ALL, Err("may not be granted `dir /etc::/etc:ro`"));
        check("m/s --modules /tmp", ALL, Err("leave out --modules"));
        check("suite.toml", ALL, Err("cannot have a suite file"));
        check("m/s --isolation none", ALL, Err("cannot have --isolation none"));
    }

    #[test]
    fn connection_needs_the_address_that_is_connected_to() {
        let submitter = SubmitterTrust { name: "ci".to_owned(), ..SubmitterTrust::default() };
        let check = |connection: &str, expect: &str| {
            let needed = grants_of(connection, &submitter).unwrap();
            let needed: Vec<_> = needed.iter().map(Grant::to_string).collect();
            assert_eq!(needed.join(" "), expect, "{connection}");
        };
        check("host=10.0.0.5 port=5433 user=u dbname=d", "net 10.0.0.5:5433");
        check("postgres://u@allowed:5432/d?host=10.0.0.5", "net 10.0.0.5:5432");
        check("postgres://u@h:1,i:2/d", "net h:1 net i:2");
        check("plain", "");
        check("module/scenario", "");
        check("/not/there", "dir /not/there::/not/there:ro");
        check("../not-there", "dir ../not-there::../not-there:ro");
        let native = SubmitterTrust { natives: true, ..submitter.clone() };
        assert!(grants_of("@run/fetched", &native).unwrap().is_empty());
        for outside in ["@run//etc", "@run/../../x"] {
            assert!(grants_of(outside, &native).unwrap_err().to_string().contains("out of the directory"), "{outside}");
        }
        assert!(grants_of("@cluster", &submitter).unwrap_err().to_string().contains("may not have servers started"));
        assert!(grants_of("host=h port=x", &submitter).is_err(), "it cannot be told what this connects to");
    }

    #[test]
    fn folder_that_is_written_to_needs_more_than_one_that_is_read() {
        let parameter = Parameter::new("directory", "@temp", "a folder");
        let scenario = Scenario::new("s", "f", "s").requires("scratch:directory", "files").parameter(parameter);
        let check = |value: &str, expect: &str| {
            let mut arguments = Arguments::default();
            arguments.set("directory", value);
            let needed: Vec<_> = written(&scenario, "directory", &arguments).iter().map(Grant::to_string).collect();
            assert_eq!(needed.join(" "), expect, "{value}");
        };
        check("@temp", "");
        check("/data", "dir /data::/data");
        let needed = Grant::Dir { host: "/data".to_owned(), guest: "/data".to_owned(), read_only: false };
        assert!(!includes(&"dir /data::/data:ro".parse().unwrap(), &needed));
        assert!(includes(&"dir /data::/data".parse().unwrap(), &needed));
    }

    #[test]
    fn signature_alone_never_runs_native_code() {
        let by_submitter = ALL.replacen("natives = true", "natives = false", 1);
        check("m/s", &by_submitter, Err("the submitter ci may not run native code, such as m (native)"));
        let without_digest = ALL.replace("[modules.\"PROBE\"]\nnatives = true\n", "[keys.\"KEY\"]\nnatives = true\n");
        check("m/s", &without_digest, Err("is not trusted by its digest, and no signature can stand for that"));
        let as_component = ALL.replace("[modules.\"PROBE\"]\nnatives = true\n", "[modules.\"PROBE\"]\n");
        check("m/s", &as_component, Err("is not trusted by its digest"));
        check("m/s -p pg=@cluster", &by_submitter, Err("may not have servers started"));
        check("m/s", &ALL.replace("[modules.\"COMPONENT\"]\n", ""), Err("the component m with sha256:"));
    }

    #[test]
    fn stranger_and_changed_run_are_refused() {
        check_signed(&spec("m/s"), "", Err("this machine measures signed runs only"));
        check("m/s", "", Err("which may not submit to this machine"));
        let key = SecretKey::generate().unwrap();
        let mut changed = spec("m/s");
        changed.signature = Some(key.sign(&changed.statement(), "test").to_string());
        changed.words.push("m/t".to_owned());
        check_signed(&changed, &ALL.replace("KEY", &key.public().to_string()), Err("was changed after it was signed"));
        let mut elsewhere = Spec { id: "../r".to_owned(), ..spec("m/s") };
        elsewhere.signature = Some(key.sign(&elsewhere.statement(), "test").to_string());
        let policy = ALL.replace("KEY", &key.public().to_string());
        check_signed(&elsewhere, &policy, Err("\"../r\" is not a name of a run"));
        let garbled = Spec { signature: Some("x".to_owned()), ..spec("m/s") };
        check_signed(&garbled, ALL_WITHOUT_KEY, Err("the signature of the run is malformed"));
    }

    const ALL_WITHOUT_KEY: &str = "[modules.\"COMPONENT\"]\n";
}
