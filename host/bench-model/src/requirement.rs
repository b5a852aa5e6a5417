//! Requirements of scenarios beyond their imports, and their text form.

use crate::{Arm, HostInterface};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Something that a scenario needs and that its imports do not show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Requirement {
    /// What is needed.
    pub capability: Capability,
    /// The purpose, in one line.
    #[cfg_attr(feature = "serde", serde(default))]
    pub purpose: String,
    /// Whether the scenario also runs without it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub optional: bool,
}

/// What is needed. Each case has one text form in descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// `probe:criu`: a program or a privilege that the machine must have.
    Probe(String),
    /// `kernel:userfaultfd`: a feature of the kernel.
    Kernel(String),
    /// `cpu:2`: a number of processors. The scenario places its threads itself.
    Cpu(u32),
    /// `read:PARAMETER`: the parameter's value is a path that the module reads.
    Read(String),
    /// `scratch:PARAMETER`: the parameter's value becomes the path of an empty folder. The host creates the folder for one process
    /// of the cell, in the folder that the parameter names, and removes it afterwards.
    Scratch(String),
    /// `module:PARAMETER`: the parameter's value is the full name of a scenario of another module. The host loads that module in
    /// the same arm; parameters that both scenarios have get the same values.
    Module(String),
    /// `postgres:PARAMETER`: the parameter's value is the URL of a PostgreSQL server. `@cluster` stands for a temporary server that
    /// the host starts for the run.
    Postgres(String),
    /// `net:HOST:PORT`: an address to connect to. A component needs it granted, as it does the two below.
    Net(String),
    /// `dir:PATH[:ro]`: a folder of the host, which the module sees under the same path.
    Dir {
        /// The path.
        path: String,
        /// Whether reading it is enough.
        read_only: bool,
    },
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `ring`, `log` or `control-plane`: an interface of the host. A component has it, unless the user denies it.
    Host(HostInterface),
    /// `clock:own`: the scenario times itself.
    OwnClock,
    /// `arm:wasm,process`: the scenario has only these arms.
    Arms(Vec<Arm>),
    /// Any other text. The host shows and otherwise ignores it.
    Other(String),
}

impl Requirement {
    /// The parameter whose value is a path that the module reads, if this is such a requirement.
    pub fn read_parameter(&self) -> Option<&str> {
        if let Capability::Read(name) = &self.capability { Some(name) } else { None }
    }

    /// The parameter whose value becomes the path of an empty folder, if this is such a requirement.
    pub fn scratch_parameter(&self) -> Option<&str> {
        if let Capability::Scratch(name) = &self.capability { Some(name) } else { None }
    }

    /// The parameter whose value names a scenario of another module, if this is such a requirement.
    pub fn module_parameter(&self) -> Option<&str> {
        if let Capability::Module(name) = &self.capability { Some(name) } else { None }
    }

    /// The parameter whose value is the URL of a PostgreSQL server, if this is such a requirement.
    pub fn postgres_parameter(&self) -> Option<&str> {
        if let Capability::Postgres(name) = &self.capability { Some(name) } else { None }
    }

    /// The parameter that this requirement names, if it names one.
    pub fn parameter(&self) -> Option<&str> {
        use Capability::{
            Arms, Cpu, Dir, Env, Host, Kernel, Module, Net, Other, OwnClock, Postgres, Probe, Read, Scratch,
        };
        match &self.capability {
            Read(name) | Scratch(name) | Module(name) | Postgres(name) => Some(name),
            Probe(_) | Kernel(_) | Cpu(_) | Net(_) | Dir { .. } | Env(_) | Host(_) | OwnClock | Arms(_) | Other(_) => {
                None
            }
        }
    }
}

impl Capability {
    /// The text forms, with what varies in capitals.
    pub const FORMS: [&'static str; 15] = [
        "probe:NAME",
        "kernel:NAME",
        "cpu:N",
        "read:NAME",
        "scratch:NAME",
        "module:NAME",
        "postgres:NAME",
        "net:HOST:PORT",
        "dir:PATH",
        "env:NAME",
        "ring",
        "log",
        "control-plane",
        "clock:own",
        "arm:ARMS",
    ];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probe(name) => write!(f, "probe:{name}"),
            Self::Kernel(name) => write!(f, "kernel:{name}"),
            Self::Cpu(count) => write!(f, "cpu:{count}"),
            Self::Read(parameter) => write!(f, "read:{parameter}"),
            Self::Scratch(parameter) => write!(f, "scratch:{parameter}"),
            Self::Module(parameter) => write!(f, "module:{parameter}"),
            Self::Postgres(parameter) => write!(f, "postgres:{parameter}"),
            Self::Net(address) => write!(f, "net:{address}"),
            Self::Dir { path, read_only } => write!(f, "dir:{path}{}", if *read_only { ":ro" } else { "" }),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Host(interface) => f.write_str(interface.as_str()),
            Self::OwnClock => f.write_str("clock:own"),
            Self::Arms(arms) => {
                let names: Vec<_> = arms.iter().map(|arm| arm.as_str()).collect();
                write!(f, "arm:{}", names.join(","))
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Fails if the kind of the requirement is known and the text after it is not valid.
impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let other = || Self::Other(text.to_owned());
        let Some((kind, rest)) = text.split_once(':') else {
            return Ok(text.parse().map_or_else(|_| other(), Self::Host));
        };
        Ok(match kind {
            "probe" => Self::Probe(rest.to_owned()),
            "kernel" => Self::Kernel(rest.to_owned()),
            "cpu" => Self::Cpu(
                processors(rest).ok_or_else(|| format!("`{text}`: expected a number of processors, as in `cpu:2`"))?,
            ),
            "read" => Self::Read(rest.to_owned()),
            "scratch" => Self::Scratch(rest.to_owned()),
            "module" => Self::Module(rest.to_owned()),
            "postgres" => Self::Postgres(rest.to_owned()),
            "net" if is_address(rest) => Self::Net(rest.to_owned()),
            "net" => return Err(format!("`{text}`: expected an address, as in `net:127.0.0.1:5432`")),
            "dir" => {
                let (path, read_only) = rest.strip_suffix(":ro").map_or((rest, false), |path| (path, true));
                if !path.starts_with('/') {
                    return Err(format!("`{text}`: expected an absolute path, as in `dir:/data:ro`"));
                }
                Self::Dir { path: path.to_owned(), read_only }
            }
            "env" if !rest.is_empty() && !rest.contains('=') => Self::Env(rest.to_owned()),
            "env" => return Err(format!("`{text}`: expected the name of a variable, as in `env:HOME`")),
            "clock" if rest == "own" => Self::OwnClock,
            "arm" => {
                let arms = rest.split(',').map(str::parse).collect::<Result<_, String>>();
                Self::Arms(arms.map_err(|reason| format!("`{text}`: {reason}"))?)
            }
            _ => other(),
        })
    }
}

/// Whether the text is `HOST:PORT`.
fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// Parses a number in its only text form, so that parsing and printing give the same text.
fn processors(text: &str) -> Option<u32> {
    text.parse().ok().filter(|count: &u32| count.to_string() == text)
}

/// Invalid text is kept, so that [`crate::Descriptor::validate`] can report it.
impl From<&str> for Capability {
    fn from(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

impl From<String> for Capability {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

#[cfg(feature = "serde")]
impl Serialize for Capability {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: Result<Capability, &str>) {
        match (text.parse::<Capability>(), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn every_form_is_parsed_as_its_kind() {
        let values = [("HOST:PORT", "localhost:80"), ("NAME", "x"), ("PATH", "/x"), ("ARMS", "wasm"), ("N", "2")];
        for form in Capability::FORMS {
            let text = values.iter().fold(form.to_owned(), |text, (name, value)| text.replace(name, value));
            let parsed: Capability = text.parse().unwrap();
            assert!(!matches!(parsed, Capability::Other(_)), "{text}");
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn each_kind_has_one_text_form() {
        check("probe:criu", Ok(Capability::Probe("criu".to_owned())));
        check("kernel:userfaultfd", Ok(Capability::Kernel("userfaultfd".to_owned())));
        check("cpu:2", Ok(Capability::Cpu(2)));
        check("postgres:database_url", Ok(Capability::Postgres("database_url".to_owned())));
        check("clock:own", Ok(Capability::OwnClock));
        check("net:[::1]:80", Ok(Capability::Net("[::1]:80".to_owned())));
        check("dir:/data:ro", Ok(Capability::Dir { path: "/data".to_owned(), read_only: true }));
        check("env:HOME", Ok(Capability::Env("HOME".to_owned())));
        check("ring", Ok(Capability::Host(HostInterface::Ring)));
        check("control-plane", Ok(Capability::Host(HostInterface::ControlPlane)));
        check("arm:wasm,native-cpu", Ok(Capability::Arms(vec![Arm::Wasm, Arm::NativeCpu])));
        for text in ["moon:full", "clock:atomic", "ring:x", "root", ""] {
            check(text, Ok(Capability::Other(text.to_owned())));
        }
        check("cpu:two", Err("`cpu:two`: expected a number of processors"));
        check("cpu:02", Err("as in `cpu:2`"));
        check("net:localhost", Err("as in `net:127.0.0.1:5432`"));
        check("dir:data", Err("`dir:data`: expected an absolute path"));
        check("env:A=1", Err("expected the name of a variable"));
        check("arm:wasm,gpu", Err("`arm:wasm,gpu`: unknown arm `gpu`; use wasm"));
    }

    proptest! {
        #[test]
        fn parsing_and_printing_gives_the_same_text(
            text in "(probe|kernel|cpu|read|scratch|module|postgres|net|dir|env|clock|arm|moon)?:?(own|wasm|native|,|-cpu|[0-9]|[a-z_]|:80|/|:ro){0,4}"
        ) {
            prop_assert_eq!(Capability::from(text.as_str()).to_string(), text);
        }
    }
}
