//! The description of the scenario, and its arguments.

use crate::start;
use bench_model::{Arguments, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit, Value};
use std::path::PathBuf;

/// The scenario's name.
pub(crate) const SCENARIO: &str = "cold-start";

/// How the process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartMethod {
    /// The native server, in one of two ways.
    Spawn(start::Exec),
    /// The same function as a script in this language.
    Script(start::Language),
    /// A fork of an initialised parent.
    Zygote,
    /// A restore with CRIU.
    Restore {
        /// Whether pages are loaded when they are touched.
        lazy: bool,
    },
}

/// Values of the parameter `start`.
pub(crate) const START_METHODS: [(&str, StartMethod); 7] = [
    ("spawn", StartMethod::Spawn(start::Exec::PosixSpawn)),
    ("spawn-python", StartMethod::Script(start::Language::Python)),
    ("spawn-node", StartMethod::Script(start::Language::Node)),
    ("fork-exec", StartMethod::Spawn(start::Exec::Fork)),
    ("fork-zygote", StartMethod::Zygote),
    ("criu-restore", StartMethod::Restore { lazy: false }),
    ("criu-lazy-pages", StartMethod::Restore { lazy: true }),
];

/// Where a checkpoint's images are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// In memory.
    Tmpfs,
    /// In the scratch folder, dropped from the page cache before each restore.
    Disk,
}

const IMAGES: [(&str, Images); 2] = [("tmpfs", Images::Tmpfs), ("disk", Images::Disk)];

/// Whether CRIU finds its cache of kernel features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    Warm,
    Cold,
}

const CACHES: [(&str, Cache); 2] = [("warm", Cache::Warm), ("cold", Cache::Cold)];

/// How CRIU is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The command `criu` is started for each restore.
    Command,
    /// A worker is started before the restore, and waits for a request.
    Standby,
}

const CALLERS: [(&str, Caller); 2] = [("command", Caller::Command), ("standby", Caller::Standby)];

/// Arguments of one cell.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) method: StartMethod,
    pub(crate) heap_bytes: usize,
    pub(crate) init_ms: u64,
    pub(crate) images: Images,
    pub(crate) cache: Cache,
    pub(crate) caller: Caller,
    pub(crate) directory: PathBuf,
}

impl Options {
    /// Reads the arguments of the scenario.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, ModuleError> {
        let options = Self {
            method: choice(arguments, "start", &START_METHODS)?,
            heap_bytes: arguments.size("heap_bytes")?,
            init_ms: arguments.size("init_ms")? as u64,
            images: choice(arguments, "images", &IMAGES)?,
            cache: choice(arguments, "cache", &CACHES)?,
            caller: choice(arguments, "caller", &CALLERS)?,
            directory: PathBuf::from(arguments.text("directory")?),
        };
        if options.method == (StartMethod::Restore { lazy: true }) && options.caller == Caller::Standby {
            let reason = "`caller=standby` does not support `start=criu-lazy-pages`, which needs a second process; give caller=command";
            return Err(ModuleError::InvalidArgument(reason.to_owned()));
        }
        Ok(options)
    }

    /// The environment variables that configure the initialisation of the function.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [(function_core::HEAP_BYTES, self.heap_bytes.to_string()), (function_core::INIT_MS, self.init_ms.to_string())]
    }
}

/// The scenario.
pub(crate) fn scenario() -> Scenario {
    let clock = "from the request to start, while an HTTP request already waits in the socket, to the complete response, which is checked";
    let stage = "stages of a restore: `image` is the run time of CRIU outside of the restore that it reports; `restore` is from its \
                 first fork until the process resumes and includes `forking`";
    Scenario::new(SCENARIO, "serverless", "starts the function and waits for its first correct response")
        .times_itself(Unit::Nanoseconds, clock)
        .limit(MachineLimit::Spawn)
        .metric(Metric::new("stage", Unit::Nanoseconds, stage).label("name"))
        .metric(Metric::new(
            "bare_fork",
            Unit::Nanoseconds,
            "baseline: an empty fork, exit and wait of the same parent, interleaved with the starts; start=fork-zygote only",
        ))
        .metric(Metric::new(
            "bare_restore",
            Unit::Nanoseconds,
            "baseline: a spawned process that touches as many pages as the image has, copies the image and answers, interleaved with the starts; start=criu-* only",
        ))
        .requires("scratch:directory", "scripts and checkpoint images")
        .can_use("probe:criu", "start=criu-* needs a CRIU that works on this kernel, and CAP_SYS_ADMIN")
        .parameter(
            choices(
                "start",
                "how the process is started; spawn*: posix_spawn, which the C library does as vfork does; fork-exec: fork, then exec",
                &START_METHODS,
            )
            .sweep(names(&START_METHODS)),
        )
        .parameter(
            Parameter::new("heap_bytes", 1 << 20, "bytes of memory that the function initialises before its first request")
                .unit(Unit::Bytes)
                .between(1, 1 << 34),
        )
        .parameter(
            Parameter::new("init_ms", 0, "CPU time of the initialisation before the first request, in milliseconds").between(0, 60_000),
        )
        .parameter(choices("images", "where checkpoint images are: in memory, or on disk and dropped from the page cache; start=criu-* only", &IMAGES))
        .parameter(choices("cache", "whether CRIU's cache of kernel features exists; start=criu-* only", &CACHES))
        .parameter(choices(
            "caller",
            "whether CRIU is started for each restore (command) or waits for a request (standby); start=criu-restore only",
            &CALLERS,
        ))
        .parameter(Parameter::new("directory", "@temp", "the folder for scripts and for images on disk; @temp is a scratch folder of the host"))
}

fn choices<T>(name: &str, summary: &str, choices: &[(&'static str, T)]) -> Parameter {
    Parameter::new(name, choices[0].0, summary).choices(names(choices))
}

fn names<T>(choices: &[(&'static str, T)]) -> Vec<Value> {
    choices.iter().map(|(name, _)| Value::from(*name)).collect()
}

fn choice<T: Copy>(arguments: &Arguments, name: &str, choices: &[(&str, T)]) -> Result<T, ModuleError> {
    let text = arguments.text(name)?;
    choices.iter().find(|(known, _)| *known == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; give one of {}", known.join(", ")))
    })
}
