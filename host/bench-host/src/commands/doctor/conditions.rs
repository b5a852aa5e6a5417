//! Properties of the machine that influence figures: as abilities where they can make figures unreliable, else as plain facts.

use super::abilities::{Ability, lacking, present, unknown};
use bench_report::scale;
use bench_sink::environment::{FileSystem, Warning, warnings};
use bench_sink::fingerprint::Fingerprint;

/// Conditions that can make figures unreliable, and whether they hold.
pub(super) fn conditions(machine: &Fingerprint) -> Vec<Ability> {
    let warnings = warnings(machine);
    let condition = |name: &'static str, warning: &str, fine: Option<String>, otherwise: &str| {
        let found = warnings.iter().find(|found| found.name() == warning);
        match (found, fine) {
            (Some(warning), _) => lacking(name, warning.found(), warning.remedy()),
            (None, Some(fine)) => present(name, fine),
            (None, None) => unknown(name, "not reported by this system", otherwise),
        }
    };
    let clock = machine.clock_source.as_ref().map(|source| format!("{source}, read without a system call"));
    let load = machine.load.map(|[minute, ..]| format!("load {minute:.2} over the last minute"));
    let steal = machine.steal.map(|share| format!("{:.1} % of the time since the system started", share * 100.0));
    let quota = machine.cpu_quota.map_or_else(|| "none".to_owned(), |quota| format!("{quota:.2} processors"));
    let temporary = machine.temporary_folder.as_ref().map(|found| format!("on {}", describe_file_system(found)));
    let boost = machine.boost.map(|_| "off".to_owned());
    let addresses = machine.aslr.map(|level| if level == 1 { "random, but not of the heap" } else { "random" });
    let memory = machine.memory_limit_bytes.map_or_else(|| "none".to_owned(), |bytes| scale::bytes(bytes as f64));
    vec![
        cores(machine),
        condition("clock source", "slow-clock", clock, "compare the roofline `clock` below with `syscall`"),
        governor(machine, &warnings),
        condition("steady speed", "boost", boost, "look at the settings of the firmware"),
        condition("quiet", "load", load, "make sure that nothing else is running"),
        condition("quota", "quota", Some(quota), ""),
        condition("memory limit", "memory-limit", Some(memory), ""),
        condition("steal", "steal", steal, "make sure that the processors are not shared"),
        condition("addresses", "aslr", addresses.map(str::to_owned), "make sure that addresses are random"),
        condition("temporary", "temporary-folder", temporary, "make sure that TMPDIR is on a disk"),
    ]
}

fn cores(machine: &Fingerprint) -> Ability {
    const NAME: &str = "two cores";
    match machine.cpus {
        0 | 1 => lacking(
            NAME,
            "1 processor: nothing can be measured between cores",
            "allow this process to use a second processor",
        ),
        cpus => present(NAME, format!("{cpus} processors")),
    }
}

/// The governor of the processors is not visible in a virtual machine.
fn governor(machine: &Fingerprint, warnings: &[Warning]) -> Ability {
    const NAME: &str = "governor";
    if let Some(warning) = warnings.iter().find(|warning| matches!(warning, Warning::Governor(_))) {
        return lacking(NAME, warning.found(), warning.remedy());
    }
    match (&machine.governor, &machine.virtualisation) {
        (Some(governor), _) => present(NAME, governor),
        (None, Some(hypervisor)) => {
            let found = format!("not visible in a virtual machine ({hypervisor})");
            unknown(NAME, found, "look at the host of the virtual machine")
        }
        (None, None) => unknown(
            NAME,
            "not visible: the kernel does not scale the frequency, or does not show that it does",
            "look at the settings of the firmware",
        ),
    }
}

fn describe_file_system(found: &FileSystem) -> String {
    if found.is_volatile { format!("{}, volatile", found.kind) } else { found.kind.clone() }
}

/// Facts that figures depend on and that are neither good nor bad, as names and values.
pub(super) fn facts(machine: &Fingerprint) -> Vec<(&'static str, String)> {
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let kinds = machine.cpu_kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    // A processor of x86 says whether there is a hypervisor.
    let is_certain = ["x86", "x86_64"].contains(&machine.architecture.as_str());
    let virtualisation = machine.virtualisation.as_deref().unwrap_or(if is_certain { "none" } else { "unknown" });
    let facts = [
        ("engine", machine.engine.clone()),
        ("built with", machine.rustc.clone()),
        ("virtualisation", Some(virtualisation.to_owned())),
        ("SMT", machine.smt.map(switch)),
        ("kinds of processors", Some(kinds).filter(|kinds| !kinds.is_empty())),
        ("memory", machine.memory_bytes.map(|bytes| scale::bytes(bytes as f64))),
        ("huge pages", machine.huge_pages.clone()),
        ("results on", machine.results_folder.as_ref().map(describe_file_system)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether the condition `name` of a machine holds, and that its text contains `part`.
    fn check(name: &str, change: impl FnOnce(&mut Fingerprint), present: Option<bool>, part: &str) {
        let mut machine = Fingerprint { cpus: 2, ..Fingerprint::default() };
        change(&mut machine);
        let all = conditions(&machine);
        let found = all.iter().find(|ability| ability.name == name).unwrap();
        assert!(found.present == present && found.found.contains(part), "{found:?}");
        assert_eq!(found.next_step.is_some(), present != Some(true), "{found:?}");
    }

    #[test]
    fn condition_that_is_not_visible_is_unknown() {
        check("governor", |machine| machine.virtualisation = Some("KVM".to_owned()), None, "virtual machine (KVM)");
        check("governor", |_| (), None, "not visible");
        check("governor", |machine| machine.governor = Some("performance".to_owned()), Some(true), "performance");
        check("governor", |machine| machine.governor = Some("ondemand".to_owned()), Some(false), "`ondemand`");
        check("clock source", |_| (), None, "not reported");
        check("clock source", |machine| machine.clock_source = Some("hpet".to_owned()), Some(false), "`hpet`");
        check("steal", |machine| machine.steal = Some(0.0), Some(true), "0.0 %");
        check("quota", |_| (), Some(true), "none");
        check("quota", |machine| machine.cpu_quota = Some(0.3), Some(false), "0.30 of 2 processors");
        check("two cores", |machine| machine.cpus = 1, Some(false), "between cores");
        check("steady speed", |_| (), None, "not reported");
        check("steady speed", |machine| machine.boost = Some(false), Some(true), "off");
        check("steady speed", |machine| machine.boost = Some(true), Some(false), "boost is on");
        check("addresses", |machine| machine.aslr = Some(2), Some(true), "random");
        check("addresses", |machine| machine.aslr = Some(0), Some(false), "not randomised");
        check("memory limit", |_| (), Some(true), "none");
        check("memory limit", |machine| machine.memory_limit_bytes = Some(1 << 29), Some(false), "512 MiB");
    }

    #[test]
    fn facts_that_nothing_reports_are_left_out() {
        let machine = Fingerprint { architecture: "x86_64".to_owned(), ..Fingerprint::default() };
        assert_eq!(facts(&machine), [("virtualisation", "none".to_owned())]);
        let machine = Fingerprint { smt: Some(true), cpu_kinds: vec![4, 8], ..Fingerprint::default() };
        let expect = [("virtualisation", "unknown"), ("SMT", "on"), ("kinds of processors", "4 + 8")];
        let found = facts(&machine);
        assert_eq!(found.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), expect);
    }
}
