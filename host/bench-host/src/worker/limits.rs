//! Bounds what a worker may allocate and open, so that a module ends its worker and not the machine.

use super::{DependencySpec, Kind, ModuleSpec, Request};
use bench_drivers::workload;
use bench_engine::worker::ProbeLimits;
use bench_wasm::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a worker may allocate beyond the memories of a component: compiled code, samples, what the host holds for the component, and what its
/// engine keeps ready.
const BESIDES_COMPONENT_BYTES: u64 = 3 << 30;

/// Where a component is compared, counted or corrupted, so many of its sessions exist at the same time.
const SESSIONS: u64 = 4;

/// The driver whose components are in a pool for many: the writable room that it reserves is more than any machine has, and is hardly used.
const WITH_POOL_FOR_MANY: &str = "operator";

/// Limits this worker to what the modules may have that `request` names, with everything that the host holds for them. Memory that is shared
/// with other processes does not count, nor do mapped files.
pub(super) fn apply(request: &Request) {
    let modules = modules(request);
    let probe = ProbeLimits::wanted().filter(|_| modules.iter().any(|module| module.kind == Kind::Probe));
    if let Some(bytes) = data_bytes_max(request, &modules, probe) {
        lower(Resource::Data, bytes);
    }
    if let Some(probe) = probe {
        lower(Resource::Nofile, probe.open_files);
        lower(Resource::Fsize, probe.file_bytes);
    }
}

/// Sets a limit where no stricter one holds already.
fn lower(resource: Resource, most: u64) {
    let lowered = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    let Rlimit { current, maximum } = getrlimit(resource);
    // Lowering is always allowed.
    let _ = setrlimit(resource, Rlimit { current: lowered(current), maximum: lowered(maximum) });
}

/// The modules that the worker will load.
fn modules(request: &Request) -> Vec<&ModuleSpec> {
    fn with<'a>(module: &'a ModuleSpec, companion: Option<&'a DependencySpec>) -> Vec<&'a ModuleSpec> {
        std::iter::once(module).chain(companion.into_iter().flat_map(DependencySpec::modules)).collect()
    }
    match request {
        Request::Measure(request) => with(&request.module, request.companion.as_deref()),
        Request::Check { module, companion, .. } => with(module, companion.as_deref()),
        Request::Compare(request) => request.candidates.iter().map(|candidate| &candidate.module).collect(),
        Request::Describe(module)
        | Request::Account { module, .. }
        | Request::Corrupt { module, .. }
        | Request::Burdened { module, .. } => vec![module],
        Request::Chains { .. } | Request::Calibrate { .. } => Vec::new(),
        #[cfg(feature = "price")]
        Request::Price { .. } => Vec::new(),
    }
}

/// How many instances of each component may use all of its memory at the same time; `None` where nothing is bounded.
fn at_once(request: &Request) -> Option<u64> {
    let of_driver = |driver: &str| match driver {
        workload::NAME => Some(1),
        WITH_POOL_FOR_MANY => None,
        // As many as a pool has room for.
        _ => Some(Limits::default().instances_max as u64),
    };
    match request {
        Request::Describe(_) => Some(1),
        Request::Measure(request) => of_driver(&request.driver),
        Request::Check { driver, .. } => of_driver(driver),
        Request::Compare(_) | Request::Account { .. } | Request::Corrupt { .. } | Request::Burdened { .. } => {
            Some(SESSIONS)
        }
        Request::Chains { .. } | Request::Calibrate { .. } => None,
        #[cfg(feature = "price")]
        Request::Price { .. } => None,
    }
}

/// What the worker may allocate: the sum of what its modules may. `None` where one of them is bounded by the machine alone: programs, which
/// have processes of their own, and probes without limits.
fn data_bytes_max(request: &Request, modules: &[&ModuleSpec], probe: Option<ProbeLimits>) -> Option<u64> {
    let at_once = at_once(request).filter(|_| !modules.is_empty())?;
    let machine = ProbeLimits::of_this_machine().data_bytes;
    let of_module = |module: &&ModuleSpec| match module.kind {
        Kind::Component => {
            let one = module.memory_bytes_max as u64;
            let all = one.saturating_mul(at_once);
            // Many instances together are bounded by the machine before.
            let most = machine.filter(|_| at_once > SESSIONS).map_or(all, |machine| machine.max(one));
            Some(all.min(most).saturating_add(BESIDES_COMPONENT_BYTES))
        }
        Kind::Probe => probe?.data_bytes,
        Kind::Program { .. } | Kind::Native | Kind::Builtin => None,
    };
    modules.iter().map(of_module).try_fold(0_u64, |sum, bytes| Some(sum.saturating_add(bytes?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::{CandidateSpec, CompareRequest, MeasureRequest};
    use bench_drivers::Grants;
    use bench_model::Arguments;

    const MIB: u64 = 1 << 20;

    /// A module with a limit of 64 MiB, if it is a component.
    fn module(kind: Kind) -> ModuleSpec {
        ModuleSpec {
            file: "m".into(),
            sha256: String::new(),
            kind,
            grants: Grants::default(),
            cache: None,
            memory_bytes_max: 64 << 20,
            engine: None,
            descriptor: None,
            keeps_rights: false,
        }
    }

    fn measured(kind: Kind, driver: &str, companion: Option<Kind>) -> Request {
        let dependency = |kind| {
            let (module, scenario) = (module(kind), "s".to_owned());
            Box::new(DependencySpec { module, scenario, arguments: Arguments::default(), further: Vec::new() })
        };
        Request::Measure(Box::new(MeasureRequest {
            module: module(kind),
            companion: companion.map(dependency),
            cell: 0,
            process: 0,
            scenario: "s".to_owned(),
            driver: driver.to_owned(),
            arguments: Arguments::default(),
            warm_up_ns: 0,
            time_ns: None,
            iterations: Some(1),
        }))
    }

    fn compared(kinds: Vec<Kind>) -> Request {
        let candidate = |kind| CandidateSpec {
            module: module(kind),
            label: String::new(),
            cell: 0,
            scenario: "s".to_owned(),
            arguments: Arguments::default(),
        };
        Request::Compare(Box::new(CompareRequest {
            candidates: kinds.into_iter().map(candidate).collect(),
            process: 0,
            seed: 0,
            warm_up_ns: 0,
            time_ns: 0,
            blocks_max: 0,
            ledger_ns: 0,
        }))
    }

    #[track_caller]
    fn check(request: &Request, expect: Option<u64>) {
        let probe = ProbeLimits { data_bytes: Some(1_000 * MIB), open_files: 1, file_bytes: 1 };
        let found = data_bytes_max(request, &modules(request), Some(probe));
        assert_eq!(found.map(|bytes| bytes / MIB), expect);
    }

    #[test]
    fn worker_may_allocate_what_its_modules_may_together() {
        let besides = BESIDES_COMPONENT_BYTES / MIB;
        check(&Request::Describe(module(Kind::Component)), Some(64 + besides));
        check(&measured(Kind::Component, "workload", None), Some(64 + besides));
        check(&measured(Kind::Probe, "workload", None), Some(1_000));
        check(&compared(vec![Kind::Component, Kind::Component]), Some(2 * (4 * 64 + besides)));
        check(&compared(vec![Kind::Probe, Kind::Component]), Some(1_000 + 4 * 64 + besides));
        let arguments = Arguments::default;
        let (component, scenario) = (|| module(Kind::Component), || "s".to_owned());
        let account =
            Request::Account { module: component(), cell: 0, process: 0, scenario: scenario(), arguments: arguments() };
        let corrupt = Request::Corrupt { module: component(), scenario: scenario(), arguments: arguments() };
        let burdened = Request::Burdened {
            module: component(),
            scenario: scenario(),
            arguments: arguments(),
            time_ns: 0,
            seed: 0,
        };
        for request in [account, corrupt, burdened] {
            check(&request, Some(4 * 64 + besides));
        }
    }

    #[test]
    fn components_of_other_drivers_have_all_of_a_pool_or_of_the_machine() {
        let besides = BESIDES_COMPONENT_BYTES / MIB;
        let machine = ProbeLimits::of_this_machine().data_bytes.map_or(u64::MAX, |bytes| bytes / MIB);
        let of_one = (64 * Limits::default().instances_max as u64).min(machine) + besides;
        check(&measured(Kind::Component, "function", None), Some(of_one));
        check(&measured(Kind::Component, "destination", Some(Kind::Component)), Some(2 * of_one));
    }

    #[test]
    fn programs_pools_for_many_and_what_has_no_module_are_not_bounded() {
        check(&measured(Kind::Component, WITH_POOL_FOR_MANY, None), None);
        check(&measured(Kind::Component, "destination", Some(Kind::Builtin)), None);
        check(&compared(vec![Kind::Component, Kind::Native]), None);
        check(&Request::Chains { extra: Vec::new(), time_ns: 0, seed: 0 }, None);
        let probe = measured(Kind::Probe, "workload", None);
        assert_eq!(data_bytes_max(&probe, &modules(&probe), None), None, "without isolation");
    }
}
