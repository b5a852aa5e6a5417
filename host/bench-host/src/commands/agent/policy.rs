//! What the policy of a machine lets an agent measure: who submits, which modules, which grants. A signature alone never runs native code:
//! its digest must be trusted on this machine too.

use crate::cli::RunArgs;
use crate::families;
use crate::resolve::{PROJECT, RUN, TEMPORARY};
use crate::stored::Trust;
use anyhow::{Context, bail, ensure};
use bench_engine::Plan;
use bench_engine::worker::Isolation;
use bench_family::Reach;
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

    /// What this policy says of modules, with which they are loaded.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
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

    /// An error if the cells of `plan` need a server, a file or an account that the submitter of `spec` may not have, wherever the argument
    /// comes from that says so: from the command line, a suite, or a default.
    pub(super) fn permit_plan(&self, spec: &Spec, plan: &Plan) -> anyhow::Result<()> {
        let submitter = self.submitter(spec)?;
        for cell in &plan.cells {
            let parameters = cell.scenario.requirements.iter().filter_map(Requirement::postgres_parameter);
            for value in parameters.filter_map(|name| cell.arguments.get(name)) {
                self.permit_grants(submitter, grants_of(&value.to_string(), submitter))?;
            }
            for requirement in &cell.scenario.requirements {
                self.permit_grants(submitter, place(&cell.scenario, requirement, &cell.arguments))?;
            }
            for reach in families::reaches(&cell.scenario, &cell.arguments) {
                self.permit_reach(submitter, &plan.full_name(cell), &reach)?;
            }
        }
        Ok(())
    }

    /// An error if `scenario` may not have what a family uses for it.
    fn permit_reach(&self, submitter: &SubmitterTrust, scenario: &str, reach: &Reach) -> anyhow::Result<()> {
        match reach {
            Reach::Read(path) => self.permit_grants(submitter, of_path(path, true)),
            Reach::Write(path) => self.permit_grants(submitter, of_path(path, false)),
            Reach::Kubeconfig => {
                ensure!(
                    submitter.kubeconfig,
                    "the submitter {} may not use the kubeconfig of this machine, as {scenario} would; {}: `kubeconfig = true`",
                    submitter.name,
                    self.next()
                );
                Ok(())
            }
        }
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

/// What the scenario needs to read or write at the path that a parameter of this requirement has. A default is the trusted module's own.
fn place(scenario: &Scenario, requirement: &Requirement, arguments: &Arguments) -> anyhow::Result<Vec<Grant>> {
    let (name, read_only) = match (requirement.read_parameter(), requirement.scratch_parameter()) {
        (Some(name), _) => (name, true),
        (None, Some(name)) => (name, false),
        (None, None) => return Ok(Vec::new()),
    };
    let is_default = |value| {
        let parameter = scenario.parameters.iter().find(|parameter| parameter.name == name);
        parameter.is_some_and(|parameter| parameter.defaults.contains(value))
    };
    match arguments.get(name).filter(|value| !is_default(value)).map(ToString::to_string) {
        Some(path) if ![PROJECT, TEMPORARY].contains(&path.as_str()) => of_path(&path, read_only),
        _ => Ok(Vec::new()),
    }
}

/// What reading a path needs, or writing to it. The directory of the run is the run's own.
fn of_path(path: &str, read_only: bool) -> anyhow::Result<Vec<Grant>> {
    if let Some(inside) = path.strip_prefix(RUN) {
        let is_inside = Path::new(inside).components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(is_inside, "`{path}` leads out of the directory of the run");
        return Ok(Vec::new());
    }
    Ok(vec![Grant::Dir { host: path.to_owned(), guest: path.to_owned(), read_only }])
}

/// What a parameter with this value needs of the machine. Of a connection string it is what the host will connect to, wherever in it that
/// stands: words of it override others, and the environment of this machine completes it.
fn grants_of(value: &str, submitter: &SubmitterTrust) -> anyhow::Result<Vec<Grant>> {
    if [PROJECT, TEMPORARY].contains(&value) {
        return Ok(Vec::new());
    }
    if value.starts_with(RUN) {
        return of_path(value, true);
    }
    if let Some(named) = value.strip_prefix('@') {
        // Families that take the content of a file as a value say so themselves; this is before any module is loaded.
        if named.contains('/') {
            return of_path(named, true);
        }
        ensure!(
            submitter.natives,
            "the submitter {} may not have servers started, as `{value}` does, because they are native code",
            submitter.name
        );
        return Ok(Vec::new());
    }
    if is_connection(value) {
        let settings = Settings::resolve(value, &Environment::of_process())?;
        let mut grants: Vec<Grant> =
            settings.addresses.iter().map(|address| Grant::Net(address.to_connect())).collect();
        for file in Settings::files(value)? {
            grants.extend(of_path(&file.display().to_string(), true)?);
        }
        return Ok(grants);
    }
    if let Some((_, rest)) = value.split_once("://") {
        return Ok(vec![Grant::Net(address(rest))]);
    }
    if is_path(value) { of_path(value, true) } else { Ok(Vec::new()) }
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
    use bench_engine::{LoadedModule, Selection};
    use bench_fleet::PROTOCOL;
    use bench_model::{Descriptor, Parameter};
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
        let words = ["bench-host", "run"].into_iter().chain(spec.words.iter().map(String::as_str));
        let Command::Run(arguments) = Cli::try_parse_from(words).unwrap().command else { panic!("not `run`") };
        compare(read(policy).permit(spec, &arguments), expect);
    }

    /// The policy of this text.
    fn read(policy: &str) -> AgentPolicy {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let policy = policy.replace("COMPONENT", &Digest::of_bytes(COMPONENT).to_string());
        fs::write(&file, policy.replace("PROBE", &Digest::of_bytes(PROBE).to_string())).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        AgentPolicy::read(&file).unwrap()
    }

    #[track_caller]
    fn compare(found: anyhow::Result<()>, expect: Result<(), &str>) {
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
        check("host=h user=u passfile=/p sslrootcert=system", "net h:5432 dir /p::/p:ro");
        ["@run/fetched", "@project", "@temp"].into_iter().for_each(|own| check(own, ""));
        check("@/etc/passwd", "dir /etc/passwd::/etc/passwd:ro");
        for outside in ["@run//etc", "@run/../../x"] {
            let error = grants_of(outside, &submitter).unwrap_err().to_string();
            assert!(error.contains("out of the directory"), "{outside}: {error}");
        }
        assert!(grants_of("@cluster", &submitter).unwrap_err().to_string().contains("may not have servers started"));
        assert!(grants_of("host=h port=x", &submitter).is_err(), "it cannot be told what this connects to");
    }

    #[test]
    fn folder_that_is_written_to_needs_more_than_one_that_is_read() {
        let check = |requirement: &str, value: &str, expect: &str| {
            let scenario = placed(requirement);
            let mut arguments = Arguments::default();
            arguments.set("directory", value);
            let needed = place(&scenario, &scenario.requirements[0], &arguments).unwrap();
            let needed: Vec<_> = needed.iter().map(Grant::to_string).collect();
            assert_eq!(needed.join(" "), expect, "{value}");
        };
        check("scratch:directory", "@temp", "");
        check("scratch:directory", "/data", "dir /data::/data");
        check("scratch:directory", "@temp/../data", "dir @temp/../data::@temp/../data");
        check("read:directory", "own", "");
        check("read:directory", "@project", "");
        check("read:directory", "not there", "dir not there::not there:ro");
        check("module:directory", "/data", "");
        let needed = Grant::Dir { host: "/data".to_owned(), guest: "/data".to_owned(), read_only: false };
        assert!(!includes(&"dir /data::/data:ro".parse().unwrap(), &needed));
        assert!(includes(&"dir /data::/data".parse().unwrap(), &needed));
    }

    /// A scenario with a place that it requires like this.
    fn placed(requirement: &str) -> Scenario {
        let parameter = Parameter::new("directory", "own", "a folder");
        Scenario::new("s", "f", "s").requires(requirement, "files").parameter(parameter)
    }

    /// Checks the cells of `scenario` with this argument, for a submitter of whom the policy has these lines.
    #[track_caller]
    fn check_plan(scenario: &Scenario, (name, value): (&str, &str), lines: &str, expect: Result<(), &str>) {
        let key = SecretKey::generate().unwrap();
        let mut spec = spec("m/s");
        spec.signature = Some(key.sign(&spec.statement(), "test").to_string());
        let descriptor = Descriptor::new("m", "1", "").scenario(scenario.clone());
        let (file, sha256) = (PathBuf::from("m.wasm"), String::new());
        let offer = LoadedModule { file, sha256, arm: Arm::Wasm, variant: None, descriptor };
        let axes = vec![(name.to_owned(), vec![value.to_owned()])];
        let selection = Selection { pattern: "*".to_owned(), arms: None, axes };
        let plan = Plan::build(vec![offer], &[selection], 1, 1).unwrap();
        let policy = read(&format!("[submitters.\"{}\"]\nname = \"ci\"\n{lines}\n", key.public()));
        compare(policy.permit_plan(&spec, &plan), expect);
    }

    #[test]
    fn place_that_a_requirement_names_is_granted_or_refused() {
        let (argument, grants) = (("directory", "data"), "grants = [\"dir data:ro\"]");
        let refused = "the submitter ci may not be granted `dir data::data:ro`";
        check_plan(&placed("read:directory"), argument, "", Err(refused));
        check_plan(&placed("read:directory"), argument, grants, Ok(()));
        check_plan(&placed("scratch:directory"), argument, grants, Err("may not be granted `dir data::data`"));
    }

    /// The scenario of this name, as its driver specifies it.
    #[cfg(any(feature = "operators", feature = "serverless"))]
    fn specified(driver: &str, name: &str) -> Scenario {
        let driver = families::drivers().get(driver).unwrap();
        bench_drivers::Driver::scenarios(driver).into_iter().find(|scenario| scenario.name == name).unwrap()
    }

    #[cfg(feature = "operators")]
    #[test]
    fn kubeconfig_is_used_by_submitters_who_may() {
        let chain = specified("operator", "chain");
        let refused = "ci may not use the kubeconfig of this machine, as m/chain would; to allow it, change ";
        check_plan(&chain, ("control_plane", "kube"), "natives = true", Err(refused));
        check_plan(&chain, ("control_plane", "kube"), "kubeconfig = true", Ok(()));
        check_plan(&chain, ("control_plane", "embedded"), "", Ok(()));
    }

    #[cfg(feature = "serverless")]
    #[test]
    fn file_in_place_of_a_value_is_granted_or_refused() {
        let request = specified("handler", "request");
        let refused = Err("the submitter ci may not be granted `dir secret::secret:ro`");
        check_plan(&request, ("expect", "@secret"), "natives = true", refused);
        check_plan(&request, ("request", "secret"), "natives = true", refused);
        check_plan(&request, ("expect", "@secret"), "grants = [\"dir secret:ro\"]", Ok(()));
        check_plan(&request, ("expect", "secret"), "", Ok(()));
        check("m/s -p expect=@/etc/secret", ALL, Err("may not be granted `dir /etc/secret::/etc/secret:ro`"));
        check("m/s -p expect=@./secret", ALL, Err("may not be granted `dir ./secret::./secret:ro`"));
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
