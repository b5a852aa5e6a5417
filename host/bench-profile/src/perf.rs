//! Reads what `perf script -F tid,time,event,period,ip,sym,dso` prints.

use crate::function::{demangled, engine_name};
use crate::{Frame, Owner, Profile, Sample, UNKNOWN};
use std::collections::BTreeMap;

/// Tells whose code a frame is, by the file that perf names.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// The names of the files of the module under test, without their folders.
    pub guest_files: Vec<String>,
    /// The names of the functions of a component, by the numbers of their core module and their own, because the engine cuts names.
    pub guest_names: BTreeMap<(u32, u32), String>,
}

impl Owners {
    /// The whole name of a function whose name the engine may have cut: `wasm[0]::function[12]::_ZN4json`.
    fn whole_name<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let (module, function, cut) = engine_name(name)?;
        let whole = self.guest_names.get(&(module.parse().ok()?, function.parse().ok()?))?;
        whole.starts_with(cut).then_some(whole)
    }

    /// Compiled code of components is in a file of the host's cache (`.cwasm`), or in none: then perf names the map of its
    /// functions, `/tmp/perf-PID.map`. The engine's own code in it, for calls across the boundary, is the host's.
    fn of(&self, file: &str, function: &str) -> Owner {
        let name = file.rsplit('/').next().unwrap_or(file);
        let is_compiled = name.ends_with(".cwasm") || name.starts_with("perf-") && name.ends_with(".map");
        if is_compiled && function.contains("_trampoline[") {
            Owner::Host
        } else if is_compiled || self.guest_files.iter().any(|guest| guest == name) {
            Owner::Guest
        } else if is_of_kernel(name) {
            Owner::Kernel
        } else {
            Owner::Host
        }
    }
}

/// Whether a file is the kernel or a module of it: perf names it `[kernel.kallsyms]`, `vmlinux` where that has symbols, and modules `[ext4]`
/// or by their file.
fn is_of_kernel(name: &str) -> bool {
    const OF_PROCESSES: [&str; 7] = ["[unknown]", "[vdso]", "[vsyscall]", "[heap]", "[stack]", "[anon]", "[uprobes]"];
    let is_module = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"].iter().any(|end| name.ends_with(end));
    is_module || name.starts_with("vmlinux") || (name.starts_with('[') && !OF_PROCESSES.contains(&name))
}

/// The samples in `text`. Lines that are not understood, such as remarks of perf, are ignored.
pub fn parse_perf_script(text: &str, owners: &Owners) -> Profile {
    let mut samples = Vec::new();
    let mut open: Option<Sample> = None;
    for line in text.lines() {
        if line.trim().is_empty() {
            samples.extend(open.take().map(turned));
        } else if line.starts_with(['\t', ' ']) && open.is_some() {
            let frame = frame(line, owners);
            if let (Some(sample), Some(frame)) = (&mut open, frame) {
                sample.frames.push(frame);
            }
        } else {
            samples.extend(open.take().map(turned));
            open = head(line);
        }
    }
    samples.extend(open.map(turned));
    samples.retain(|sample| !sample.frames.is_empty());
    Profile { samples }
}

/// perf prints the running function first.
fn turned(mut sample: Sample) -> Sample {
    sample.frames.reverse();
    sample
}

/// `3530  11815.898904:    1003009 cpu-clock:`
fn head(line: &str) -> Option<Sample> {
    let mut words = line.split_whitespace();
    let thread = words.next()?.parse().ok()?;
    let (seconds, fraction) = words.next()?.strip_suffix(':')?.split_once('.')?;
    let nanoseconds: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let time_ns = seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?;
    let weight_ns = words.next()?.parse().ok()?;
    Some(Sample { thread, time_ns, weight_ns, frames: Vec::new() })
}

/// `    ffffffff815a30c3 filemap_map_pages ([kernel.kallsyms])`; names and files may contain spaces.
fn frame(line: &str, owners: &Owners) -> Option<Frame> {
    let (address, rest) = line.trim().split_once(' ')?;
    u64::from_str_radix(address, 16).ok()?;
    let rest = rest.trim().strip_suffix(')')?;
    // A program that was replaced while it ran.
    let rest = rest.strip_suffix(" (deleted)").unwrap_or(rest);
    let (name, file) = rest.rsplit_once(" (")?;
    let whole = owners.whole_name(name).unwrap_or(name);
    let name = if whole == UNKNOWN || whole.is_empty() { UNKNOWN.to_owned() } else { demangled(whole) };
    Some(Frame { owner: owners.of(file, &name), name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
 3530  11815.898904:    1003009 cpu-clock:ppp: 
	ffffffff822601e7 exc_page_fault ([kernel.kallsyms])
	    7f00 json::parse<u8>::h0123456789abcdef (/tmp/perf-3530.map)
	    7f10 [unknown] ([unknown])

 3531  11816.000000001:    2000000 cpu-clock:ppp: 
	    55d0 _ZN4json5parse17h0123456789abcdefE (/a folder/kernels.so)
	    55d1 main (/usr/bin/bench-host (deleted))

 3533  11818.5:    5 cpu-clock:ppp: 
	   20020 wasm[0]::function[12]::_ZN4json5parse17h01234 (/a/cache/code/6c9a-0ede.cwasm)
	   79e00 wasm[0]::array_to_wasm_trampoline[286] (/a/cache/code/6c9a-0ede.cwasm)

 3532  11817.5:    1 cpu-clock:ppp: 

";

    #[test]
    fn names_that_the_engine_has_cut_are_whole() {
        let whole = "_ZN4json5parse5value17h0123456789abcdefE".to_owned();
        let owners = Owners { guest_names: [((0, 12), whole)].into(), ..Owners::default() };
        let check = |name: &str, expect: &str| {
            let line = format!("  20020 {name} (/a/cache/code/6c9a-0ede.cwasm)");
            assert_eq!(frame(&line, &owners).expect("it is a frame").name, expect, "{name}");
        };
        check("wasm[0]::function[12]::_ZN4json5parse5val", "json::parse::value");
        check("wasm[0]::function[12]::_ZN4json5parse5value17h0123456789abcdefE", "json::parse::value");
        check("wasm[0]::function[12]::_ZN5other", "other");
        check("wasm[0]::function[13]::_ZN4json5parse5val", "json::parse::val");
        check("wasm[1]::function[12]::dlfree", "dlfree");
    }

    fn frames(sample: &Sample) -> Vec<(&str, Owner)> {
        sample.frames.iter().map(|frame| (frame.name.as_str(), frame.owner)).collect()
    }

    #[test]
    fn kernel_is_told_from_what_else_stands_in_brackets() {
        for name in ["[kernel.kallsyms]", "[guest.kernel.kallsyms]", "vmlinux", "vmlinux-6.1", "[ext4]", "xfs.ko.zst"] {
            assert!(is_of_kernel(name), "{name}");
        }
        for name in ["[unknown]", "[vdso]", "[heap]", "libc.so.6", "bench-host"] {
            assert!(!is_of_kernel(name), "{name}");
        }
        let vmlinux = Owners::default().of("/lib/modules/6.1.0/build/vmlinux", "vfs_fsync");
        assert_eq!(vmlinux, Owner::Kernel);
    }

    #[test]
    fn samples_are_read_with_the_caller_first() {
        let owners = Owners { guest_files: vec!["kernels.so".to_owned()], ..Owners::default() };
        let profile = parse_perf_script(TEXT, &owners);
        let [first, second, third] = &profile.samples[..] else { panic!("{profile:?}") };
        assert_eq!((first.thread, first.time_ns, first.weight_ns), (3530, 11_815_898_904_000, 1_003_009));
        let expect = [(UNKNOWN, Owner::Host), ("json::parse<u8>", Owner::Guest), ("exc_page_fault", Owner::Kernel)];
        assert_eq!(frames(first), expect);
        assert_eq!(second.time_ns, 11_816_000_000_001);
        assert_eq!(frames(second), [("main", Owner::Host), ("json::parse", Owner::Guest)]);
        let expect = [("wasm[0]::array_to_wasm_trampoline[286]", Owner::Host), ("json::parse", Owner::Guest)];
        assert_eq!(frames(third), expect);
        assert_eq!((profile.total_ns(), profile.own_ns(Owner::Kernel)), (3_003_014, 1_003_009));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[ \t\n0-9a-f.:()\\[\\]/a-z]{0,200}") {
            let profile = parse_perf_script(&text, &Owners::default());
            prop_assert!(profile.samples.iter().all(|sample| !sample.frames.is_empty()));
        }
    }
}
