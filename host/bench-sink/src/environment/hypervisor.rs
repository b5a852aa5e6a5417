//! Finds the name of the hypervisor that the machine runs in.

use super::read;
use std::path::Path;

/// Parts of the names in the tables of a firmware (DMI) that only virtual machines have.
const FIRMWARES: [&str; 16] = [
    "Amazon EC2",
    "Apple Virtualization",
    "BHYVE",
    "Bochs",
    "Google Compute Engine",
    "KVM",
    "KubeVirt",
    "OpenStack",
    "Parallels",
    "QEMU",
    "VMware",
    "VirtualBox",
    "Virtual Machine",
    "Xen",
    "innotek GmbH",
    "vServer",
];

/// What names a machine without a hypervisor although its vendor rents out virtual machines.
const BARE: &str = ".metal";

/// The files of DMI that every user can read.
const DMI: [&str; 4] = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"];

/// The compatible machine of a device tree that QEMU, kvmtool and crosvm make.
const MADE_UP_MACHINE: &str = "linux,dummy-virt";

/// The hypervisor, if something names one, given the text of `/proc/cpuinfo`. A processor of x86 says whether there is one. Others do not: there,
/// the firmware or the device tree may name it, and where neither does, there may still be one.
pub fn hypervisor(cpuinfo: &str) -> Option<String> {
    hypervisor_in(cpuinfo, Path::new("/"))
}

fn hypervisor_in(cpuinfo: &str, root: &Path) -> Option<String> {
    let file = |path: &str| read(root.join(path));
    let kind = file("sys/hypervisor/type");
    let dmi = |name: &str| file(&format!("sys/class/dmi/id/{name}"));
    let flags = cpuinfo.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim() == "flags");
    match flags {
        Some((_, flags)) => {
            flags.split_whitespace().find(|flag| *flag == "hypervisor")?;
            Some(kind.or_else(|| dmi("sys_vendor")).unwrap_or_else(|| "unnamed".to_owned()))
        }
        None => kind.or_else(|| in_device_tree(&file)).or_else(|| in_firmware(&dmi)),
    }
}

fn in_device_tree(file: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    // Texts in a device tree end with NUL, and a property can have several.
    let first = |path: &str| Some(file(path)?.split('\0').next()?.to_owned());
    let machine = || first("proc/device-tree/compatible").filter(|machine| machine == MADE_UP_MACHINE);
    first("proc/device-tree/hypervisor/compatible").or_else(machine)
}

fn in_firmware(dmi: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let names: Vec<String> = DMI.iter().filter_map(|name| dmi(name)).collect();
    let is_bare = names.iter().any(|name| name.ends_with(BARE));
    let is_virtual = |name: &String| FIRMWARES.iter().any(|firmware| name.contains(firmware));
    names.into_iter().find(|name| !is_bare && is_virtual(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "flags\t\t: fpu hypervisor\n";
    const ARM: &str = "Features\t: fp asimd\n";

    /// Checks the hypervisor of a machine with these files.
    #[track_caller]
    fn check(cpuinfo: &str, files: &[(&str, &str)], expect: Option<&str>) {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(hypervisor_in(cpuinfo, root.path()).as_deref(), expect);
    }

    #[test]
    fn processor_of_x86_says_whether_there_is_one() {
        let vendor = ("sys/class/dmi/id/sys_vendor", "QEMU\n");
        check(X86, &[vendor], Some("QEMU"));
        check(X86, &[vendor, ("sys/hypervisor/type", "xen\n")], Some("xen"));
        check(X86, &[], Some("unnamed"));
        check("vmx flags\t: hypervisor\nflags\t\t: fpu vmx\n", &[vendor], None);
    }

    #[test]
    fn firmware_or_device_tree_names_it_on_other_processors() {
        let vendor = |name| ("sys/class/dmi/id/sys_vendor", name);
        let product = |name| ("sys/class/dmi/id/product_name", name);
        check(ARM, &[vendor("QEMU"), product("KVM Virtual Machine")], Some("KVM Virtual Machine"));
        check(ARM, &[vendor("Amazon EC2"), product("m6g.large")], Some("Amazon EC2"));
        check(ARM, &[vendor("Amazon EC2"), product("m6g.metal")], None);
        check(ARM, &[vendor("Ampere(R)"), product("Altra")], None);
        check(ARM, &[("proc/device-tree/hypervisor/compatible", "linux,kvm\0other\0")], Some("linux,kvm"));
        check(ARM, &[("proc/device-tree/compatible", "linux,dummy-virt\0")], Some("linux,dummy-virt"));
        check(ARM, &[("proc/device-tree/compatible", "raspberrypi,4-model-b\0brcm,bcm2711\0")], None);
        check("", &[], None);
    }
}
