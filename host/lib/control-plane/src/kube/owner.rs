//! The owner of an object in an API server: a process on a machine. It tells what a dead run left from what a live run needs.

use procfs_core::FromRead;
use procfs_core::process::Stat;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// A process. A field that this system does not tell is empty; then no owner counts as dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) host: String,
    /// Distinguishes hosts with the same name.
    pub(super) machine: String,
    /// Changes when the host starts.
    pub(super) boot: String,
    /// The namespace in which process ids are unique.
    pub(super) pids: String,
    pub(super) pid: u32,
    /// Its start in ticks since boot, because process ids are reused (`/proc/PID/stat`, proc(5)).
    pub(super) started: u64,
}

impl Owner {
    /// This process.
    pub(super) fn this() -> Self {
        let pid = std::process::id();
        Self {
            host: text("/proc/sys/kernel/hostname"),
            machine: text("/etc/machine-id"),
            boot: text("/proc/sys/kernel/random/boot_id"),
            pids: fs::read_link("/proc/self/ns/pid").map_or_else(|_| String::new(), |link| link.display().to_string()),
            pid,
            started: started(pid).unwrap_or(0),
        }
    }

    /// Its text in an annotation.
    pub(super) fn annotation(&self) -> String {
        json!(self).to_string()
    }

    /// Whether an annotation names a process that has ended, as far as this process can see.
    pub(super) fn outlives(&self, annotation: &str) -> bool {
        serde_json::from_str::<Self>(annotation).is_ok_and(|owner| owner.is_gone(self))
    }

    /// Whether the process has ended, as far as `here` can see; a process of another host is never known to have ended.
    fn is_gone(&self, here: &Self) -> bool {
        let same = |a: &str, b: &str| !a.is_empty() && a == b;
        if !same(&self.host, &here.host) {
            return false;
        }
        if !same(&self.boot, &here.boot) {
            // If it is the same machine, it has been restarted since.
            return same(&self.machine, &here.machine) && !self.boot.is_empty() && !here.boot.is_empty();
        }
        same(&self.pids, &here.pids) && started(self.pid) != Some(self.started)
    }

    /// A unique name for the objects that this process creates from now on.
    pub(super) fn run(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{:x}-{:x}", self.pid, now.as_nanos())
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn started(pid: u32) -> Option<u64> {
    Stat::from_file(format!("/proc/{pid}/stat")).ok().map(|stat| stat.starttime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Owner), expect: bool) {
        let here = Owner::this();
        let mut owner = here.clone();
        change(&mut owner);
        assert_eq!(owner.is_gone(&here), expect, "{owner:?}");
    }

    #[test]
    fn process_has_ended_only_if_seen_on_this_machine() {
        check(|_| (), false);
        check(|owner| owner.started += 1, true);
        // The first process never ends, but began at another time.
        check(|owner| owner.pid = 1, true);
        check(|owner| (owner.host, owner.started) = ("elsewhere".to_owned(), 1), false);
        check(|owner| (owner.pids, owner.started) = ("pid:[1]".to_owned(), 1), false);
        check(|owner| (owner.host, owner.started) = (String::new(), 1), false);
        check(|owner| (owner.boot, owner.machine) = ("before".to_owned(), "another".to_owned()), false);
    }

    #[test]
    fn process_of_an_earlier_boot_has_ended() {
        let here = Owner { machine: "m".to_owned(), ..Owner::this() };
        let before = Owner { boot: "before".to_owned(), ..here.clone() };
        assert!(before.is_gone(&here));
        let unknown = Owner { boot: String::new(), ..here.clone() };
        assert!(!unknown.is_gone(&here));
    }

    #[test]
    fn run_names_are_unique() {
        let here = Owner::this();
        let (first, second) = (here.run(), here.run());
        assert_ne!(first, second);
        assert!(first.starts_with(&format!("{:x}-", std::process::id())), "{first}");
    }
}
