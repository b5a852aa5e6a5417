//! Which file system a folder is on. A write that is called durable is only as durable as that.

use serde::{Deserialize, Serialize};
use std::path::Path;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// As the kernel calls it: `ext4`, `tmpfs`, `overlay`.
    pub kind: String,
    /// Whether it never waits for the disk, however it is asked to (an overlay mounted `volatile`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_volatile: bool,
}

impl FileSystem {
    /// Whether what is written to it is in memory alone.
    pub fn is_memory(&self) -> bool {
        matches!(self.kind.as_str(), "tmpfs" | "ramfs" | "devtmpfs")
    }
}

/// The file system that `folder`, or the nearest folder above it that is there, is on.
pub fn file_system(folder: &Path) -> Option<FileSystem> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    mounted_at(&super::read("/proc/self/mountinfo")?, &there)
}

/// Out of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
fn mounted_at(mounts: &str, folder: &Path) -> Option<FileSystem> {
    let mount = |line: &str| {
        let (own, of_file_system) = line.split_once(" - ")?;
        let point = unescape(own.split(' ').nth(4)?);
        let mut fields = of_file_system.split(' ');
        let (kind, options) = (fields.next()?.to_owned(), fields.nth(1).unwrap_or_default());
        let is_volatile = options.split(',').any(|option| option == "volatile");
        Some((point, FileSystem { kind, is_volatile }))
    };
    let below = mounts.lines().filter_map(mount).filter(|(point, _)| folder.starts_with(point));
    // Of two at the same place the later one is on top.
    below.max_by_key(|(point, _)| Path::new(point).components().count()).map(|(_, found)| found)
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&part[3..]);
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 0:1 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u,volatile
23 22 0:2 / /tmp rw,nosuid shared:7 - tmpfs tmpfs rw,size=9k
24 22 8:1 / /data rw - xfs /dev/sda1 rw
25 24 8:2 / /data rw - ext4 /dev/sdb1 rw
26 22 8:3 / /with\\040blank rw - btrfs /dev/sdc rw
";

    fn check(folder: &str, kind: &str, is_volatile: bool, is_memory: bool) {
        let found = mounted_at(MOUNTS, Path::new(folder)).unwrap();
        assert_eq!((found.kind.as_str(), found.is_volatile, found.is_memory()), (kind, is_volatile, is_memory));
    }

    #[test]
    fn the_deepest_and_topmost_mount_counts() {
        check("/home/ann", "overlay", true, false);
        check("/tmp/run", "tmpfs", false, true);
        check("/tmpfile", "overlay", true, false);
        check("/data/x", "ext4", false, false);
        check("/with blank/x", "btrfs", false, false);
        assert_eq!(mounted_at("", Path::new("/")), None);
        assert_eq!(mounted_at("no mount", Path::new("/")), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_is_not_there_yet_is_on_what_it_will_be_on() {
        let folder = tempfile::tempdir().unwrap();
        let found = file_system(folder.path());
        assert!(found.is_some());
        assert_eq!(file_system(&folder.path().join("not/yet")), found);
    }
}
