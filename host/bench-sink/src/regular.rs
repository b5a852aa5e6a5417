//! Opens and reads files that others may have put in place of ours. A pipe, a device or an endless file must neither block nor fill
//! the memory.

use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Take};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file with `options`, without waiting for another process as for the other end of a pipe.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(not_regular())
}

/// Like [`open`], but does not follow a link: where others can write to the folder, one could lead to any file of the user.
pub fn open_no_link(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        if is_link { io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link") } else { error }
    })?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(not_regular())
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is a folder, a pipe or a device, not a regular file")
}

/// Reads a regular file of at most `bytes_max` bytes. The size is that of the file when it is opened, so files that have none, such
/// as those of `/proc`, are empty.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    read_from(&mut open(path, OpenOptions::new().read(true))?, bytes_max)
}

/// The most bytes of a file that an argument names and that is kept in memory as a whole, such as a request or an expected output.
const WHOLE_BYTES_MAX: u64 = 1 << 30;

/// Like [`read`], for a file that an argument names and that is kept in memory as a whole.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    read(path, WHOLE_BYTES_MAX)
}

/// Like [`read`], for a file that is open.
pub fn read_from(file: &mut File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let size = size_within(file, bytes_max)?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Like [`read`], to be read piece by piece.
pub fn open_within(path: &Path, bytes_max: u64) -> io::Result<Take<File>> {
    let file = open(path, OpenOptions::new().read(true))?;
    let size = size_within(&file, bytes_max)?;
    Ok(file.take(size))
}

/// The size of `file`, which is an error above `bytes_max`: a file must not be taken for one that ends there.
fn size_within(file: &File, bytes_max: u64) -> io::Result<u64> {
    let size = file.metadata()?.len();
    if size > bytes_max {
        let reason = format!("it has {size} bytes, and the maximum is {bytes_max}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(size)
}

/// Like [`read`], for text in UTF-8.
pub fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    String::from_utf8(read(path, bytes_max)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path, expect: Result<&[u8], &str>) {
        let in_pieces = open_within(path, 4).and_then(|mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        });
        for read in [read(path, 4), in_pieces] {
            match (read, expect) {
                (Ok(bytes), Ok(expect)) => assert_eq!(bytes, expect),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{}: {error}", path.display()),
                (found, expect) => panic!("{}: {found:?}, expected {expect:?}", path.display()),
            }
        }
    }

    #[test]
    fn only_a_regular_file_within_the_maximum_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("small"), b"1234").unwrap();
        std::fs::write(path("large"), b"12345").unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
        std::os::unix::fs::symlink("small", path("link")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        check(&path("small"), Ok(b"1234"));
        check(&path("link"), Ok(b"1234"));
        check(&path("large"), Err("it has 5 bytes, and the maximum is 4"));
        check(&path("zero"), Err("not a regular file"));
        check(&path("pipe"), Err("not a regular file"));
        check(folder.path(), Err("not a regular file"));
        check(&path("missing"), Err("No such file"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_of_the_kernel_without_a_size_is_empty() {
        check(Path::new("/proc/self/status"), Ok(b""));
    }
}
