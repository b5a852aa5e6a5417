//! A control group for each worker (cgroups(7), version 2): the kernel ends all of its processes at once, wherever they have moved in
//! sessions and parents, and bounds their memory.

use super::super::tree;
use bench_sink::environment::memory_bytes;
use rustix::process::{Pid, getpid, test_kill_process};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What the folders of this program's groups begin with. The mark of a worker follows, which begins with the id of its parent.
const PREFIX: &str = "bench-host-";

/// The share of the machine's memory that one worker may use. What it reads and writes in files counts, but is given back first.
const MEMORY_SHARE: f64 = 0.75;

/// How many processes and threads a worker may have, where groups can bound that: more than any arm starts, and few enough that one which
/// only starts others leaves the machine usable.
const PROCESSES_MAX: u32 = 16_384;

/// The group that this process is in, below which it can make others.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    memory_bytes_max: Option<u64>,
}

/// Where groups can be made, or why they cannot; found once.
pub(super) fn place() -> Result<&'static Place, &'static str> {
    static PLACE: OnceLock<Result<Place, String>> = OnceLock::new();
    PLACE.get_or_init(Place::find).as_ref().map_err(String::as_str)
}

impl Place {
    /// What a worker may use of the memory, if the groups can bound it.
    pub(super) fn memory_bytes_max(&self) -> Option<u64> {
        self.memory_bytes_max
    }

    fn find() -> Result<Self, String> {
        let read = |file: &str| fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"));
        let folder = own_folder(&read("/proc/self/mounts")?, &read("/proc/self/cgroup")?)
            .ok_or("there are no control groups of version 2")?;
        let mut place = Self { folder, memory_bytes_max: None };
        place.remove_left();
        let attempt = Group::make(&place, &tree::mark(u64::MAX));
        let attempt = attempt
            .map_err(|error| format!("{} does not let this user make groups: {error}", place.folder.display()))?;
        let can_kill = attempt.folder.join("cgroup.kill").exists();
        attempt.remove(Duration::from_secs(1));
        if !can_kill {
            return Err("the kernel cannot end a control group; Linux 5.14 or later can".to_owned());
        }
        if place.passes_on_memory() {
            place.memory_bytes_max = memory_bytes().map(|bytes| (bytes as f64 * MEMORY_SHARE) as u64);
        }
        Ok(place)
    }

    /// Whether groups below this one can bound memory. Has the kernel do it if this process is alone in its group, which then is its own:
    /// a group that passes on controllers may have no process itself, so this one moves to a group of its own.
    fn passes_on_memory(&self) -> bool {
        let lists = |file: &str| {
            let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            text.split_whitespace().any(|word| word == "memory")
        };
        if lists("cgroup.subtree_control") {
            return true;
        }
        let processes = fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        let own = getpid().as_raw_pid().to_string();
        // The root of all groups has no such file, and what it passes on concerns the whole machine.
        let is_own = self.folder.join("cgroup.type").exists() && processes.split_whitespace().eq([own.as_str()]);
        if !is_own || !lists("cgroup.controllers") {
            return false;
        }
        let leaf = self.folder.join(format!("{PREFIX}{own}"));
        let move_and_pass_on = || {
            fs::create_dir(&leaf)?;
            fs::write(leaf.join("cgroup.procs"), &own)?;
            // Of the number of processes, only if there is such a controller.
            let _ = fs::write(self.folder.join("cgroup.subtree_control"), "+pids");
            fs::write(self.folder.join("cgroup.subtree_control"), "+memory")
        };
        move_and_pass_on().is_ok()
    }

    /// Removes groups whose parent was killed before it could.
    fn remove_left(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let parent = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
            // A process of another user exists, too.
            let is_gone = |parent: Pid| test_kill_process(parent) == Err(rustix::io::Errno::SRCH);
            if parent.and_then(Pid::from_raw).is_some_and(is_gone) {
                // The kernel refuses if a process is in it.
                remove_below(&entry.path());
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// The folder of this process's group: below the mount point in `mounts` (proc_pid_mounts(5)), the path in `groups` (cgroups(7)).
fn own_folder(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then_some(point)
    })?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = Path::new(mount).join(path);
    // What lies outside of the process's namespace is shown with `..`.
    (!path.split('/').any(|part| part == "..") && folder.is_dir()).then_some(folder)
}

/// The control group of one worker.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
}

impl Group {
    /// Makes the group of the worker with this mark; none where there are none.
    pub(crate) fn of_worker(mark: &str) -> Option<Self> {
        Self::make(place().ok()?, mark).ok()
    }

    fn make(place: &Place, mark: &str) -> io::Result<Self> {
        let folder = place.folder.join(format!("{PREFIX}{mark}"));
        fs::create_dir(&folder)?;
        let group = Self { folder };
        // There is no such file where the controller is not passed on.
        let _ = fs::write(group.folder.join("pids.max"), PROCESSES_MAX.to_string());
        if let Some(bytes) = place.memory_bytes_max {
            let bound = fs::write(group.folder.join("memory.max"), bytes.to_string());
            // All of its processes end together, so that no part of a worker goes on.
            let bound = bound.and_then(|()| fs::write(group.folder.join("memory.oom.group"), "1"));
            if let Err(error) = bound {
                group.remove(Duration::ZERO);
                return Err(error);
            }
        }
        Ok(group)
    }

    /// The group that the parent has made for this process.
    pub(crate) fn of_variable() -> Option<Self> {
        let value = std::env::var(super::VARIABLE).ok()?;
        Some(Self { folder: value.split_once(' ')?.1.into() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder, for the kernel.
    pub(crate) fn open(&self) -> Option<File> {
        File::open(&self.folder).ok()
    }

    /// Moves this process into it if it was not born there, as where a container forbids `clone3`.
    pub(crate) fn enter(&self) {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let name = self.folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if !groups.lines().any(|line| line.starts_with("0::") && line.ends_with(name)) {
            // Outside of it, the supervisor is what ends the processes.
            let _ = fs::write(self.folder.join("cgroup.procs"), "0");
        }
    }

    /// Ends all of its processes.
    pub(crate) fn kill(&self) {
        // It may be gone.
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
    }

    /// The memory limit, if the kernel ended processes because they reached it.
    pub(crate) fn exceeded_memory_bytes(&self) -> Option<u64> {
        let events = fs::read_to_string(self.folder.join("memory.events")).ok()?;
        let limit = fs::read_to_string(self.folder.join("memory.max")).ok()?;
        limit.trim().parse().ok().filter(|_| reached_its_limit(&events))
    }

    /// Removes the group, whose processes were ended, as soon as they have.
    pub(crate) fn remove(self, patience: Duration) {
        let started = Instant::now();
        loop {
            match fs::remove_dir(&self.folder) {
                // Its last process is about to end, or has left a group below it.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && started.elapsed() < patience => {
                    remove_below(&self.folder);
                    std::thread::yield_now();
                }
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// Whether the kernel has ended processes because their group was at its limit, as `memory.events` of the group tells. `oom_kill` alone is also
/// that of a machine without memory, which ends workers before others.
fn reached_its_limit(events: &str) -> bool {
    let happened = |name: &str| {
        let counts = events.lines().filter_map(|line| line.split_once(' '));
        counts.into_iter().any(|(event, count)| event == name && count != "0")
    };
    happened("oom") && happened("oom_kill")
}

/// Removes the groups that the processes of a group have made below it. What cannot be removed yet stays.
fn remove_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&entry.path());
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn groups_below_a_group_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("leaf/below")).unwrap();
        fs::create_dir(folder.path().join("busy")).unwrap();
        fs::write(folder.path().join("busy/cgroup.procs"), "1").unwrap();
        remove_below(folder.path());
        assert!(!folder.path().join("leaf").exists());
        assert!(folder.path().join("busy/cgroup.procs").exists());
    }

    #[test]
    fn worker_that_a_machine_without_memory_ended_has_not_reached_its_limit() {
        let check = |oom: u32, kills: u32, expect: bool| {
            let events = format!("low 0\nhigh 0\nmax 7\noom {oom}\noom_kill {kills}\noom_group_kill 0\n");
            assert_eq!(reached_its_limit(&events), expect, "{events}");
        };
        check(1, 1, true);
        check(0, 1, false);
        check(1, 0, false);
        check(0, 0, false);
        assert!(!reached_its_limit(""));
    }

    #[test]
    fn own_folder_is_below_the_mount_of_version_2() {
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().to_str().unwrap();
        fs::create_dir_all(folder.path().join("user/scope")).unwrap();
        let mounts = format!("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\nnone {mount} cgroup2 rw,relatime 0 0\n");
        let check = |groups: &str, expect: Option<PathBuf>| assert_eq!(own_folder(&mounts, groups), expect, "{groups}");
        check("3:cpu:/elsewhere\n0::/user/scope\n", Some(folder.path().join("user/scope")));
        check("0::/user/missing\n", None);
        check("0::/../other\n", None);
        check("3:cpu:/user\n", None);
        assert_eq!(own_folder("proc /proc proc rw 0 0\n", "0::/user/scope\n"), None);
    }

    #[test]
    fn group_of_a_dead_parent_is_removed_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let name = |process: u32| format!("{PREFIX}{process:010}-{:020}", 7);
        for name in [name(child.id()), name(std::process::id()), "other".to_owned(), format!("{PREFIX}x")] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Place { folder: folder.path().to_owned(), memory_bytes_max: None }.remove_left();
        assert!(!folder.path().join(name(child.id())).exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    /// A group of its own for a test, or a line with the reason why there is none.
    fn group(number: u64) -> Option<Group> {
        let reason = match place() {
            Ok(_) => "the group cannot be made",
            Err(reason) => reason,
        };
        let group = Group::of_worker(&tree::mark(u64::MAX - number));
        if group.is_none() {
            eprintln!("skipped: {reason}; run the tests in `systemd-run --user --scope -p Delegate=yes`");
        }
        group
    }

    #[test]
    fn killed_group_has_no_process_left_in_any_session() {
        let Some(group) = group(1) else { return };
        let script = "echo $$ > \"$0/cgroup.procs\" && (setsid sleep 600 &) && (sleep 600 & exit) && exec sleep 600";
        let mut child = Command::new("sh").args(["-c", script]).arg(group.folder()).spawn().unwrap();
        let processes = || fs::read_to_string(group.folder().join("cgroup.procs")).unwrap_or_default().lines().count();
        while processes() < 3 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        assert!(child.try_wait().unwrap().is_none(), "the process cannot enter its group");
        group.kill();
        assert!(!child.wait().unwrap().success());
        while processes() > 0 {
            std::thread::yield_now();
        }
        let folder = group.folder().to_owned();
        group.remove(Duration::from_secs(60));
        assert!(!folder.exists());
    }

    #[test]
    fn process_cannot_start_more_than_its_group_may_have() {
        let Some(group) = group(3) else { return };
        if fs::write(group.folder().join("pids.max"), "4").is_err() {
            eprintln!(
                "skipped: the groups bound no processes here; a group of its own, with the pids controller, does"
            );
            return group.remove(Duration::from_secs(60));
        }
        let script = "echo $$ > \"$0/cgroup.procs\" && for i in 1 2 3 4 5 6 7 8; do sleep 600 & done";
        let status = Command::new("sh").args(["-c", script]).arg(group.folder()).status().unwrap();
        assert!(!status.success(), "a shell that cannot fork fails");
        let processes = fs::read_to_string(group.folder().join("cgroup.procs")).unwrap();
        assert!(processes.lines().count() <= 4, "{processes}");
        group.kill();
        group.remove(Duration::from_secs(60));
    }

    #[test]
    fn process_that_takes_more_memory_than_its_group_may_is_ended() {
        let Some(group) = group(2) else { return };
        if fs::write(group.folder().join("memory.max"), "33554432").is_err() {
            eprintln!("skipped: the groups bound no memory here; a group of its own, with the memory controller, does");
            return group.remove(Duration::from_secs(60));
        }
        assert_eq!(group.exceeded_memory_bytes(), None);
        // `tail` keeps what has no end of line. Swap would let it go on for long.
        let _ = fs::write(group.folder().join("memory.swap.max"), "0");
        let script = "echo $$ > \"$0/cgroup.procs\" && exec tail -n 1 /dev/zero";
        let status = Command::new("sh").args(["-c", script]).arg(group.folder()).status().unwrap();
        assert!(!status.success());
        assert_eq!(group.exceeded_memory_bytes(), Some(33_554_432));
        group.remove(Duration::from_secs(60));
    }
}
