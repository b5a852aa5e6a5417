//! The scenario's description, and the arguments that it is opened with. It must not know how anything is started.

use crate::start;
use bench_model::{Arguments, MachineLimit, Metric, ModuleError, Parameter, Scenario, Unit, Value};
use std::path::PathBuf;

/// The scenario's name.
pub(crate) const SCENARIO: &str = "cold-start";

/// How a process comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The native server, by `posix_spawn`.
    Spawn,
    /// The same function as a script of this language.
    Script(start::Language),
    /// A fork of a parent that has initialised.
    Zygote,
    /// A restore by CRIU.
    Restore {
        /// Pages are fetched when they are touched.
        lazy: bool,
    },
}

/// The kinds, in the words of the descriptor.
pub(crate) const KINDS: [(&str, Kind); 6] = [
    ("spawn", Kind::Spawn),
    ("spawn-python", Kind::Script(start::Language::Python)),
    ("spawn-node", Kind::Script(start::Language::Node)),
    ("fork-zygote", Kind::Zygote),
    ("criu-restore", Kind::Restore { lazy: false }),
    ("criu-lazy-pages", Kind::Restore { lazy: true }),
];

/// Where a checkpoint's images are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// In memory.
    Tmpfs,
    /// In the scratch folder, and not in the page cache when a restore begins.
    Disk,
}

const IMAGES: [(&str, Images); 2] = [("tmpfs", Images::Tmpfs), ("disk", Images::Disk)];

/// Whether CRIU finds what an earlier run of it has learnt about the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    Warm,
    Cold,
}

const CACHES: [(&str, Cache); 2] = [("warm", Cache::Warm), ("cold", Cache::Cold)];

/// How CRIU is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Its command is started for each restore.
    Command,
    /// Its worker has been started before, and waits for a request.
    Standby,
}

const CALLERS: [(&str, Caller); 2] = [("command", Caller::Command), ("standby", Caller::Standby)];

/// Arguments of one cell.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) kind: Kind,
    pub(crate) heap_bytes: usize,
    pub(crate) init_ms: u64,
    pub(crate) images: Images,
    pub(crate) cache: Cache,
    pub(crate) caller: Caller,
    pub(crate) directory: PathBuf,
}

impl Options {
    /// Out of the arguments of the scenario.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, ModuleError> {
        let options = Self {
            kind: choice(arguments, "start", &KINDS)?,
            heap_bytes: arguments.size("heap_bytes")?,
            init_ms: arguments.size("init_ms")? as u64,
            images: choice(arguments, "images", &IMAGES)?,
            cache: choice(arguments, "cache", &CACHES)?,
            caller: choice(arguments, "caller", &CALLERS)?,
            directory: PathBuf::from(arguments.text("directory")?),
        };
        if options.kind == (Kind::Restore { lazy: true }) && options.caller == Caller::Standby {
            let reason =
                "`caller=standby` with `start=criu-lazy-pages`: pages come from a second process; give caller=command";
            return Err(ModuleError::InvalidArgument(reason.to_owned()));
        }
        Ok(options)
    }

    /// What the function is told about its initialisation.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [(function_core::HEAP_BYTES, self.heap_bytes.to_string()), (function_core::INIT_MS, self.init_ms.to_string())]
    }
}

/// The scenario.
pub(crate) fn scenario() -> Scenario {
    let clock =
        "from the start being asked for, with a request waiting at the socket, to the whole answer, which is compared";
    let stage = "parts of a restore: `image` is CRIU itself around the restore it reports, from its start to its end; `restore` is from \
                 its first fork to the resumption of the process, `forking` being a part of it";
    Scenario::new(SCENARIO, "serverless", "starts the function and waits for its first correct answer")
        .times_itself(Unit::Nanoseconds, clock)
        .limit(MachineLimit::Spawn)
        .metric(Metric::new("stage", Unit::Nanoseconds, stage).label("name"))
        .metric(Metric::new(
            "bare_fork",
            Unit::Nanoseconds,
            "fork, exit and wait of the same parent, in turns with the starts; start=fork-zygote",
        ))
        .metric(Metric::new(
            "bare_restore",
            Unit::Nanoseconds,
            "a process that is spawned, touches as many pages as the image has, copies it there and answers, in turns; start=criu-*",
        ))
        .requires("scratch:directory", "scripts, and images of checkpoints")
        .can_use("probe:criu", "start=criu-*: a CRIU that works on this kernel, and CAP_SYS_ADMIN")
        .parameter(choices("start", "how the process comes to be", &KINDS).sweep(names(&KINDS)))
        .parameter(
            Parameter::new("heap_bytes", 1 << 20, "bytes that the function touches before its first request")
                .unit(Unit::Bytes)
                .between(1, 1 << 34),
        )
        .parameter(
            Parameter::new("init_ms", 0, "milliseconds that the function works before its first request").between(0, 60_000),
        )
        .parameter(choices("images", "where images are; on the disk they are not in the page cache; start=criu-*", &IMAGES))
        .parameter(choices("cache", "whether CRIU knows the kernel from an earlier run; start=criu-*", &CACHES))
        .parameter(choices(
            "caller",
            "whether CRIU is started for each restore, or before it, and waits for a request; start=criu-restore",
            &CALLERS,
        ))
        .parameter(Parameter::new("directory", "@temp", "the folder for scripts and for images on the disk"))
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
        ModuleError::InvalidArgument(format!("`{name}` is `{text}`; there are {}", known.join(", ")))
    })
}
