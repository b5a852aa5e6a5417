//! Determines the kind of a file from its first bytes, so that a file that is not a library for this machine is refused with a clear
//! message. The system's loader may still refuse other files.

use crate::LoadError;
use std::path::Path;

/// The number of bytes that are read.
pub(crate) const HEAD_BYTES: usize = 20;

const OURS: &str = std::env::consts::ARCH;

const ELF_MACHINES: [(u16, &str); 7] =
    [(3, "x86"), (21, "powerpc64"), (22, "s390x"), (40, "arm"), (62, "x86_64"), (183, "aarch64"), (243, "riscv64")];

/// Checks the first [`HEAD_BYTES`] bytes of the file at `path`.
pub(crate) fn sniff(path: &Path, head: &[u8]) -> Result<(), LoadError> {
    let not_library = |found: &str| Err(LoadError::NotLibrary { path: path.to_owned(), found: found.to_owned() });
    let (format, machine) = match head {
        [0x7f, b'E', b'L', b'F', ..] => match elf(head) {
            Ok(machine) => ("linux", machine),
            Err(found) => return not_library(found),
        },
        [0xcf, 0xfa, 0xed, 0xfe, ..] => match mach_o(head) {
            Ok(machine) => ("macos", machine),
            Err(found) => return not_library(found),
        },
        // A file for several architectures; the loader selects one.
        [0xca, 0xfe, 0xba, 0xbe, ..] => ("macos", OURS.to_owned()),
        [] => return not_library("it is empty"),
        _ => return not_library("it begins like neither ELF nor Mach-O"),
    };
    let is_foreign = (format == "macos") != cfg!(target_vendor = "apple");
    // If this architecture has no name here, the loader decides.
    let is_named = ELF_MACHINES.iter().any(|(_, name)| *name == OURS);
    if is_foreign || (is_named && machine != OURS) {
        let found = if is_foreign { format!("{machine} {format}") } else { machine };
        return Err(LoadError::OtherMachine { path: path.to_owned(), found, ours: OURS });
    }
    Ok(())
}

/// The architecture of an ELF shared object.
fn elf(head: &[u8]) -> Result<String, &'static str> {
    const CUT_OFF: &str = "its ELF header is incomplete";
    let half = |at: usize| -> Result<u16, &'static str> {
        let bytes: [u8; 2] = head.get(at..at + 2).ok_or(CUT_OFF)?.try_into().map_err(|_| CUT_OFF)?;
        // The sixth byte is the byte order of the rest.
        Ok(if head[5] == 2 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let (kind, machine) = (half(16)?, half(18)?);
    match kind {
        3 => {}
        1 => return Err("an object file, not yet linked"),
        2 => return Err("a program"),
        _ => return Err("an ELF file of another kind"),
    }
    let known = ELF_MACHINES.iter().find(|(number, _)| *number == machine);
    Ok(known.map_or_else(|| format!("ELF machine {machine}"), |(_, name)| (*name).to_owned()))
}

/// The architecture of a 64-bit Mach-O library or bundle.
fn mach_o(head: &[u8]) -> Result<String, &'static str> {
    const CUT_OFF: &str = "its Mach-O header is incomplete";
    let word = |at: usize| -> Result<u32, &'static str> {
        let bytes: [u8; 4] = head.get(at..at + 4).ok_or(CUT_OFF)?.try_into().map_err(|_| CUT_OFF)?;
        Ok(u32::from_le_bytes(bytes))
    };
    let (machine, kind) = (word(4)?, word(12)?);
    match kind {
        6 | 8 => {}
        1 => return Err("an object file, not yet linked"),
        2 => return Err("a program"),
        _ => return Err("a Mach-O file of another kind"),
    }
    Ok(match machine {
        0x0100_0007 => "x86_64".to_owned(),
        0x0100_000c => "aarch64".to_owned(),
        other => format!("Mach-O machine {other:#x}"),
    })
}
