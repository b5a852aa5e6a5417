//! Interfaces that the host implements itself, and which components therefore have without being granted them.

use std::{fmt, str::FromStr};

/// An interface of the host that reaches nothing outside of the run. A component that imports it has it, unless the user denies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostInterface {
    /// Rings in memory that the worker shares with a second process of the host.
    Ring,
    /// Logs in mapped files beside the scratch folder of a session, which are removed with it.
    Log,
    /// The API objects of an operator, which are in the worker unless the user names the API server of a kubeconfig.
    ControlPlane,
}

impl HostInterface {
    /// All of them, in the order of messages.
    pub const ALL: [Self; 3] = [Self::Ring, Self::Log, Self::ControlPlane];

    /// The name on the command line, in policies and in descriptors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Log => "log",
            Self::ControlPlane => "control-plane",
        }
    }

    /// The one that a component with the import `import` has, if it is one of these, in whichever version.
    pub fn of_import(import: &str) -> Option<Self> {
        let (package, interface) = import.strip_prefix("bench-host:")?.split_once('/')?;
        match (package, interface.split('@').next()) {
            ("ring", _) => Some(Self::Ring),
            ("log", _) => Some(Self::Log),
            ("operator", Some("control-plane")) => Some(Self::ControlPlane),
            _ => None,
        }
    }
}

impl fmt::Display for HostInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HostInterface {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|interface| interface.as_str() == text)
            .ok_or_else(|| format!("unknown interface `{text}`; use ring, log or control-plane"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_is_known_by_its_name_and_by_what_a_component_imports() {
        for interface in HostInterface::ALL {
            assert_eq!(interface.to_string().parse(), Ok(interface));
        }
        assert_eq!(
            "batches".parse::<HostInterface>(),
            Err("unknown interface `batches`; use ring, log or control-plane".to_owned())
        );
        let check = |import: &str, expect: Option<HostInterface>| {
            assert_eq!(HostInterface::of_import(import), expect, "{import}");
        };
        check("bench-host:ring/ring@0.1.0", Some(HostInterface::Ring));
        check("bench-host:ring/peers@0.1.1", Some(HostInterface::Ring));
        check("bench-host:log/log@0.1.0", Some(HostInterface::Log));
        check("bench-host:operator/control-plane@0.2.0", Some(HostInterface::ControlPlane));
        check("bench-host:operator/types@0.2.0", None);
        check("bench-host:workload/metrics@0.1.0", None);
        check("wasi:log/log@0.1.0", None);
        check("log", None);
    }
}
