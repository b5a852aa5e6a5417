//! What keeps the code of modules apart from the rest of the machine: as much as the kernel offers and as changes no figure.
//! METHODOLOGY.md says why it is this and not namespaces.

#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod group;
mod probe_limits;
#[cfg(target_os = "linux")]
mod rights;

#[cfg(target_os = "linux")]
pub(super) use group::Group;
pub use probe_limits::ProbeLimits;

use std::fmt;
use std::str::FromStr;

/// How far workers are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Not at all.
    None,
    /// A control group for each worker, and fewer rights. Nothing that is measured becomes slower.
    #[default]
    Standard,
    /// Also a filter of system calls, which makes each of them slower.
    Strict,
}

impl Isolation {
    const ALL: [Self; 3] = [Self::None, Self::Standard, Self::Strict];

    /// Its name on the command line and in run files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Standard => "standard",
            Self::Strict => "strict",
        }
    }

    /// The name, and what of it this machine offers: `standard: control group, no privileges`.
    pub fn describe(self) -> String {
        let offered = Offered::of_this_machine();
        let is_strict = self == Self::Strict;
        let parts = [
            (offered.group.is_ok(), "control group"),
            (offered.memory_bytes.is_some(), "memory limit"),
            (offered.rights.is_ok(), "no privileges"),
            (is_strict && offered.filter.is_ok(), "filter of system calls"),
        ];
        let parts: Vec<_> = parts.into_iter().filter_map(|(is_there, part)| is_there.then_some(part)).collect();
        match (self, parts.is_empty()) {
            (Self::None, _) => self.as_str().to_owned(),
            (_, true) => format!("{self}: nothing that this machine offers"),
            (_, false) => format!("{self}: {}", parts.join(", ")),
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Isolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|isolation| isolation.as_str() == text);
        found.ok_or_else(|| format!("unknown isolation `{text}`; use none, standard or strict"))
    }
}

/// What this machine offers. A reason stands for what it does not.
#[derive(Clone, Debug)]
pub struct Offered {
    /// A control group for each worker.
    pub group: Result<(), String>,
    /// The limit of the memory of such a group, if there is one.
    pub memory_bytes: Option<u64>,
    /// Giving up rights.
    pub rights: Result<(), String>,
    /// Filtering system calls.
    pub filter: Result<(), String>,
}

impl Offered {
    /// Tries all of it, on threads that end at once, because rights and filters are those of a thread.
    #[cfg(target_os = "linux")]
    pub fn of_this_machine() -> Self {
        let tried = |attempt: fn() -> Result<(), String>| {
            std::thread::spawn(attempt).join().unwrap_or_else(|_| Err("it cannot be tried".to_owned()))
        };
        let place = group::place();
        Self {
            group: place.map(|_| ()).map_err(str::to_owned),
            memory_bytes: place.ok().and_then(group::Place::memory_bytes_max),
            rights: tried(rights::give_up),
            filter: tried(filter::apply),
        }
    }

    /// Nothing.
    #[cfg(not(target_os = "linux"))]
    pub fn of_this_machine() -> Self {
        let absent = || Err("this system is not Linux".to_owned());
        Self { group: absent(), memory_bytes: None, rights: absent(), filter: absent() }
    }
}

/// The variable in which a worker finds its isolation and, after a space, the folder of its control group if it has one.
pub(super) const VARIABLE: &str = "BENCH_HOST_ISOLATION";

/// The isolation that the parent wants; none in a process that no parent of this program has started.
fn wanted() -> Isolation {
    let value = std::env::var(VARIABLE).unwrap_or_default();
    value.split(' ').next().and_then(|level| level.parse().ok()).unwrap_or(Isolation::None)
}

/// Gives up rights and filters system calls, as the parent wants, for this thread and all that it starts from now on. A worker calls it
/// before it loads a module. With `keeps_rights`, a module says that it needs the rights; only [`Isolation::Strict`] does not care.
pub fn confine(keeps_rights: bool) -> Result<(), String> {
    let isolation = wanted();
    #[cfg(target_os = "linux")]
    {
        if isolation == Isolation::Strict || (isolation == Isolation::Standard && !keeps_rights) {
            rights::give_up()?;
        }
        if isolation == Isolation::Strict {
            filter::apply()?;
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (isolation, keeps_rights);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolation_is_named_as_it_is_parsed() {
        for isolation in Isolation::ALL {
            assert_eq!(isolation.to_string().parse(), Ok(isolation));
        }
        let error = "soft".parse::<Isolation>().unwrap_err();
        assert_eq!(error, "unknown isolation `soft`; use none, standard or strict");
    }

    #[test]
    fn description_begins_with_the_level_and_nothing_is_named_for_none() {
        assert_eq!(Isolation::None.describe(), "none");
        assert!(Isolation::Standard.describe().starts_with("standard: "));
        assert!(!Isolation::Standard.describe().contains("filter"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn trying_what_is_offered_takes_nothing_from_this_thread() {
        let status = || std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let of_thread = |text: &str| {
            let lines = text
                .lines()
                .filter(|line| ["Cap", "NoNewPrivs", "Seccomp:"].iter().any(|begin| line.starts_with(begin)));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let before = of_thread(&status());
        Offered::of_this_machine();
        assert!(before.len() >= 5, "{before:?}");
        assert_eq!(of_thread(&status()), before);
    }
}
