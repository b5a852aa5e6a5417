//! Finds the file system of a folder, which decides whether a synced write is durable.

use serde::{Deserialize, Serialize};
use std::path::Path;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// The kernel's name for it: `ext4`, `tmpfs`, `overlay`.
    pub kind: String,
    /// Whether syncing never waits for the disk (an overlay mounted `volatile`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_volatile: bool,
}

impl FileSystem {
    /// Whether its files are only in memory.
    pub fn is_memory(&self) -> bool {
        matches!(self.kind.as_str(), "tmpfs" | "ramfs" | "devtmpfs")
    }
}

/// The file system of `folder`, or of the nearest existing folder above it.
pub fn file_system(folder: &Path) -> Option<FileSystem> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    mounted_at(&super::read("/proc/self/mountinfo")?, &there)
}

/// Parses `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
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
    // Of two mounts at the same path, the later one is on top.
    below.max_by_key(|(point, _)| Path::new(point).components().count()).map(|(_, found)| found)
}

/// Decodes blanks and other characters that are written as a backslash and three octal digits.
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
    fn deepest_and_topmost_mount_counts() {
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
    fn missing_folder_is_on_the_file_system_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let found = file_system(folder.path());
        assert!(found.is_some());
        assert_eq!(file_system(&folder.path().join("not/yet")), found);
    }
}
