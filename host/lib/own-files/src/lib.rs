//! Folders and files that other users of this machine cannot change, and replacing files without following the links that other users may
//! have put in their place.

#![forbid(unsafe_code)]

mod replace;

pub use replace::replace;

use rustix::fs::OFlags;
use rustix::process::{getegid, geteuid};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The reason why a folder or file cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Exposure {
    /// Other users can change it, or put something else in its place.
    #[error("{}: other users can write to it", .0.display())]
    Writable(PathBuf),
    /// Its owner can change it.
    #[error("{}: it belongs to another user", .0.display())]
    Foreign(PathBuf),
    /// It cannot be looked at.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Exposure {
    /// What is exposed: the given folder or file, or a folder above it.
    pub fn path(&self) -> &Path {
        match self {
            Self::Writable(path) | Self::Foreign(path) | Self::Io { path, .. } => path,
        }
    }
}

/// An error if another user, except root, can change what is at `path`, or put something else there: by its own owner and mode, or by
/// those of a folder above it.
pub fn ensure_private(path: &Path) -> Result<(), Exposure> {
    let found = metadata(path)?;
    if found.uid() != geteuid().as_raw() {
        return Err(Exposure::Foreign(path.to_owned()));
    }
    if found.mode() & WRITABLE != 0 {
        return Err(Exposure::Writable(path.to_owned()));
    }
    let io = |source| Exposure::Io { path: path.to_owned(), source };
    // Both the path as it is written, where links could be exchanged, and the one that it leads to.
    let written = std::path::absolute(path).map_err(io)?;
    let real = path.canonicalize().map_err(io)?;
    for folder in written.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let found = metadata(folder)?;
        let folder_of = Folder { owner: found.uid(), group: found.gid(), mode: found.mode() };
        if !is_owner_trusted(folder_of.owner, geteuid().as_raw()) {
            return Err(Exposure::Foreign(folder.to_owned()));
        }
        if !folder_of.protects_entries(getegid().as_raw()) {
            return Err(Exposure::Writable(folder.to_owned()));
        }
    }
    Ok(())
}

/// Opens the file at `path` for reading if it is a regular file of this user alone: no link, and not writable for other users. It must be
/// in a folder that is [private](ensure_private), which it may not always have been.
pub fn open_own(path: &Path) -> io::Result<File> {
    // None, if it was replaced after it was opened.
    open_if(path, |found| found.nlink() <= 1)
}

/// As [`open_own`], for a file that this user gives several names in private folders.
pub fn open_own_linked(path: &Path) -> io::Result<File> {
    open_if(path, |_| true)
}

fn open_if(path: &Path, is_right: impl FnOnce(&Metadata) -> bool) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    let is_own = found.uid() == geteuid().as_raw() && found.mode() & WRITABLE == 0;
    if found.is_file() && is_own && is_right(&found) {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a regular file that only this user can write to"))
}

/// The bits of a mode by which the group and others can write.
const WRITABLE: u32 = 0o022;

const GROUP_WRITABLE: u32 = 0o020;
const OTHERS_WRITABLE: u32 = 0o002;

/// Entries of a folder with this bit can be renamed and removed by their owners only.
const STICKY: u32 = 0o1000;

/// The owner of files whose owner is outside of a user namespace; the system's folders look like that in a sandbox.
const UNMAPPED: u32 = 65_534;

/// A folder above something that must be private.
#[derive(Clone, Copy)]
struct Folder {
    owner: u32,
    group: u32,
    mode: u32,
}

impl Folder {
    /// Whether users other than its owner and root cannot exchange entries that are not theirs. Members of the user's own `group` are
    /// trusted, because many systems give each user a group of their own and let it write.
    fn protects_entries(self, group: u32) -> bool {
        let is_open_to_group = self.mode & GROUP_WRITABLE != 0 && ![0, group].contains(&self.group);
        let is_open = self.mode & OTHERS_WRITABLE != 0 || is_open_to_group;
        !is_open || self.mode & STICKY != 0
    }
}

/// Whether the owner of a folder above something is trusted not to exchange it.
fn is_owner_trusted(owner: u32, user: u32) -> bool {
    [0, user, UNMAPPED].contains(&owner)
}

fn metadata(path: &Path) -> Result<Metadata, Exposure> {
    fs::metadata(path).map_err(|source| Exposure::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[track_caller]
    fn check(path: &Path, expect: Result<(), &Path>) {
        let found = ensure_private(path);
        assert_eq!(found.as_ref().map_err(Exposure::path).copied(), expect, "{found:?}");
    }

    #[test]
    fn folder_is_private_if_it_and_those_above_are() {
        let parent = tempfile::tempdir().unwrap();
        let above = parent.path().join("above");
        let folder = above.join("folder");
        fs::create_dir_all(&folder).unwrap();
        set(&above, 0o755);
        set(&folder, 0o755);
        check(&folder, Ok(()));
        for mode in [0o775, 0o757, 0o777, 0o1777] {
            set(&folder, mode);
            check(&folder, Err(&folder));
        }
        set(&folder, 0o700);
        set(&above, 0o777);
        check(&folder, Err(&above));
        // Others can add entries, and cannot exchange these.
        set(&above, 0o1777);
        check(&folder, Ok(()));
        let link = parent.path().join("link");
        symlink(&above, &link).unwrap();
        check(&link.join("folder"), Ok(()));
        set(&above, 0o777);
        assert!(ensure_private(&link.join("folder")).is_err(), "the folder that a link leads to is looked at");
        check(&above.join("absent"), Err(&above.join("absent")));
    }

    #[test]
    fn link_in_an_open_folder_is_not_trusted() {
        let parent = tempfile::tempdir().unwrap();
        let (open, folder) = (parent.path().join("open"), parent.path().join("folder"));
        for path in [&open, &folder] {
            fs::create_dir(path).unwrap();
            set(path, 0o700);
        }
        symlink(&folder, open.join("link")).unwrap();
        check(&open.join("link"), Ok(()));
        set(&open, 0o777);
        check(&open.join("link"), Err(&open));
    }

    #[test]
    fn owners_and_groups_decide_who_can_exchange_entries() {
        let check = |owner: u32, group: u32, mode: u32, expect: bool| {
            let found = is_owner_trusted(owner, 1_000) && Folder { owner, group, mode }.protects_entries(1_000);
            assert_eq!(found, expect, "{owner}:{group} {mode:o}");
        };
        check(0, 0, 0o755, true);
        check(0, 0, 0o775, true);
        check(1_000, 1_000, 0o775, true);
        check(1_000, 100, 0o775, false);
        check(1_000, 100, 0o1775, true);
        check(1_001, 1_000, 0o755, false);
        check(UNMAPPED, UNMAPPED, 0o755, true);
        check(0, 0, 0o1777, true);
        check(0, 0, 0o777, false);
    }

    #[test]
    fn only_a_regular_file_of_this_user_alone_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "content").unwrap();
        set(&path("file"), 0o644);
        assert!(open_own(&path("file")).is_ok());
        symlink(path("file"), path("link")).unwrap();
        assert!(open_own(&path("link")).is_err() && open_own(folder.path()).is_err());
        fs::hard_link(path("file"), path("hard-link")).unwrap();
        assert!(open_own(&path("file")).is_err(), "another name of it may be in a folder of others");
        assert!(open_own_linked(&path("file")).is_ok() && open_own_linked(&path("link")).is_err());
        fs::remove_file(path("hard-link")).unwrap();
        set(&path("file"), 0o664);
        assert!(open_own(&path("file")).is_err() && open_own_linked(&path("file")).is_err());
    }

    #[test]
    fn file_and_folder_of_another_user_are_not_trusted() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, file) = (parent.path().join("folder"), parent.path().join("file"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "content").unwrap();
        set(&folder, 0o755);
        set(&file, 0o644);
        if let Err(error) = chown(&folder, Some(1), None).and_then(|()| chown(&file, Some(1), None)) {
            eprintln!("skipped: only root can give files away ({error}); run the tests as root");
            return;
        }
        assert!(matches!(ensure_private(&folder), Err(Exposure::Foreign(found)) if found == folder));
        fs::create_dir(folder.join("own")).unwrap();
        set(&folder.join("own"), 0o700);
        assert!(matches!(ensure_private(&folder.join("own")), Err(Exposure::Foreign(found)) if found == folder));
        assert!(open_own(&file).is_err() && open_own_linked(&file).is_err());
    }
}
