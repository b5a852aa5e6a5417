//! Writing a probe in Rust without `unsafe`: a trait, a handle to the host, and an export macro that keeps panics on
//! this side of the boundary.

use crate::function::Start;
use crate::log::{Durability, Log, PageState};
use crate::operator;
use crate::peer::{Peer, PeerConfig};
use crate::raw;
use crate::ring::{Consumer, Producer};
use bench_model::{Arguments, Descriptor, ModuleError, Session};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A probe.
pub trait Probe {
    /// How a function for the driver `function` is started, where the probe is one.
    const FUNCTION: Option<Start> = None;

    /// How an operator for the driver `operator` is made, where the probe has some.
    const OPERATOR: Option<operator::Make> = None;

    /// What there is to measure. The same at each call.
    fn describe() -> Descriptor;

    /// Prepares a scenario. The host passes a value within its domain for every parameter.
    fn open(scenario: &str, arguments: &Arguments, host: Host) -> Result<Box<dyn Session>, ModuleError>;
}

/// What the host offers to a session. Cheap to copy; stays on the thread that opened the session.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Valid until the process ends, as the ABI promises.
    raw: NonNull<raw::Host>,
    not_send: PhantomData<*mut ()>,
}

/// A series of a metric that the descriptor declares.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    host: Host,
    id: u32,
}

impl Host {
    /// Opens a series of `metric` with these label names and values; opening the same one again continues it.
    pub fn series(self, metric: &str, labels: &[(&str, &str)]) -> Result<Series, ModuleError> {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| raw::Arg { name: raw::Str::new(name), value: raw::Str::new(value) })
            .collect();
        let mut id = 0;
        let table = self.table();
        // SAFETY: the table is the host's, and every pointer outlives the call.
        let status =
            unsafe { (table.series_open)(table.ctx, raw::Str::new(metric), labels.as_ptr(), labels.len(), &mut id) };
        match raw::error_of(status, format!("the host refused the series `{metric}`")) {
            None => Ok(Series { host: self, id }),
            Some(error) => Err(error),
        }
    }

    /// The writing end of the ring `name`, created with `capacity` bytes where it is not there yet.
    pub fn ring_producer(self, name: &str, capacity: u32, crc32c: bool) -> Result<Producer, ModuleError> {
        Producer::open(self.ring()?, name, capacity, crc32c)
    }

    /// The reading end of the ring `name`, which its producer has created.
    pub fn ring_consumer(self, name: &str) -> Result<Consumer, ModuleError> {
        Consumer::open(self.ring()?, name)
    }

    /// A second process behind two rings.
    pub fn ring_peer(self, config: PeerConfig) -> Result<Peer, ModuleError> {
        let table: *const raw::RingWithPeers = self.extension(raw::EXTENSION_RING).cast();
        // SAFETY: an extension is valid until the process ends, and its first member is its size, whatever its version.
        let is_whole = !table.is_null() && unsafe { table.cast::<usize>().read() } >= size_of::<raw::RingWithPeers>();
        // SAFETY: the size says that all of it is there.
        let table = if is_whole { unsafe { table.as_ref() } } else { None };
        Peer::start(table.ok_or_else(|| not_offered("bench-host:ring/0.1 with peers"))?, config)
    }

    /// A new log in the scratch folder `directory`, with segments of `segment_bytes`, a multiple of 64 KiB up to 64 MiB.
    pub fn log(
        self,
        directory: &str,
        durability: Durability,
        page_state: PageState,
        segment_bytes: u64,
    ) -> Result<Log, ModuleError> {
        let table: *const raw::Log = self.extension(raw::EXTENSION_LOG).cast();
        // SAFETY: an extension is valid until the process ends.
        let table = unsafe { table.as_ref() }.filter(|table| table.size >= size_of::<raw::Log>());
        let table = table.ok_or_else(|| not_offered(raw::EXTENSION_LOG))?;
        Log::open(table, directory, durability, page_state, segment_bytes)
    }

    fn ring(self) -> Result<&'static raw::Ring, ModuleError> {
        let table: *const raw::Ring = self.extension(raw::EXTENSION_RING).cast();
        // SAFETY: an extension is valid until the process ends.
        let table = unsafe { table.as_ref() }.filter(|table| table.size >= size_of::<raw::Ring>());
        table.ok_or_else(|| not_offered(raw::EXTENSION_RING))
    }

    /// A further table, or null. Its first member is its size.
    fn extension(self, id: &str) -> *const std::ffi::c_void {
        let table = self.table();
        // SAFETY: the table is the host's, and the id outlives the call.
        unsafe { (table.extension)(table.ctx, raw::Str::new(id)) }
    }

    fn table(self) -> &'static raw::Host {
        // SAFETY: `export::open` looked at the size; the host keeps the table until the process ends.
        unsafe { self.raw.as_ref() }
    }

    fn explain(self, message: &str) {
        let table = self.table();
        // SAFETY: the table is the host's, and the message outlives the call.
        unsafe { (table.explain)(table.ctx, raw::Str::new(message)) }
    }

    fn check(self, check: &bench_model::Check) -> raw::Status {
        let table = self.table();
        let (name, detail) = (raw::Str::new(&check.name), raw::Str::new(&check.detail));
        // SAFETY: the table is the host's, and name and detail outlive the call.
        unsafe { (table.check)(table.ctx, name, i32::from(check.passed), detail) }
    }
}

fn not_offered(id: &str) -> ModuleError {
    ModuleError::Unavailable(format!("the host does not offer `{id}`"))
}

impl Series {
    /// Records samples in the metric's base unit. The host counts what it cannot keep.
    pub fn append(&self, samples: &[u64]) {
        let table = self.host.table();
        // SAFETY: the table is the host's, and the samples outlive the call. The status only repeats that the id is
        // one the host gave, which it is.
        let _ = unsafe { (table.series_append)(table.ctx, self.id, samples.as_ptr(), samples.len()) };
    }

    /// Records one sample.
    pub fn record(&self, sample: u64) {
        self.append(&[sample]);
    }
}

/// Exports a [`Probe`] as the dynamic library's entry.
#[macro_export]
macro_rules! export_probe {
    ($probe:ty) => {
        /// The entry the host looks for.
        // SAFETY: no other item of this library has the name.
        #[unsafe(no_mangle)]
        pub extern "C" fn bench_probe_v1() -> *const $crate::raw::Probe {
            static TABLE: ::std::sync::OnceLock<$crate::export::Table> = ::std::sync::OnceLock::new();
            TABLE.get_or_init($crate::export::table::<$probe>).as_ptr()
        }
    };
}

/// What [`export_probe!`] expands to. Not for direct use.
#[doc(hidden)]
pub mod export {
    use super::{Host, Probe};
    use crate::function::Answering;
    use crate::{operators, raw};
    use bench_model::{Arguments, Kind, ModuleError, Session, Value};
    use bench_wire::DescriptorJson;
    use std::any::Any;
    use std::marker::PhantomData;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr::NonNull;

    /// A probe table whose texts live until the process ends.
    #[expect(missing_debug_implementations, reason = "only the macro holds one")]
    pub struct Table(raw::Probe);

    // SAFETY: the table is never changed after it is made, and its descriptor is leaked text.
    unsafe impl Send for Table {}
    // SAFETY: as above.
    unsafe impl Sync for Table {}

    impl Table {
        pub fn as_ptr(&self) -> *const raw::Probe {
            &raw const self.0
        }
    }

    pub fn table<P: Probe>() -> Table {
        // A description that panics is described as empty, which the host refuses with its own words.
        let descriptor =
            catch_unwind(|| serde_json::to_string(&DescriptorJson::from(&P::describe())).unwrap_or_default());
        Table(raw::Probe {
            size: size_of::<raw::Probe>(),
            abi_major: raw::ABI_MAJOR,
            abi_minor: raw::ABI_MINOR,
            descriptor: raw::Str::new(descriptor.unwrap_or_default().leak()),
            open: open::<P>,
            iterate,
            verify,
            close,
            extension: extension::<P>,
        })
    }

    /// What a `bhp_session` points to.
    struct Opened {
        session: Box<dyn Session>,
        host: Host,
    }

    unsafe extern "C" fn open<P: Probe>(
        host: *const raw::Host,
        scenario: raw::Str,
        args: *const raw::Arg,
        args_len: usize,
        session_out: *mut *mut raw::Session,
    ) -> raw::Status {
        // SAFETY: the host passes a table whose first member is its size.
        let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
        guard(host, || {
            // SAFETY: the host passes texts and arguments that it keeps for the duration of the call.
            let (scenario, args) = unsafe { (scenario.text(), raw::slice(args, args_len)) };
            let session = P::open(&scenario, &arguments::<P>(&scenario, args)?, host)?;
            let opened = Box::into_raw(Box::new(Opened { session, host }));
            // SAFETY: the host passes room for one pointer.
            unsafe { session_out.write(opened.cast()) };
            Ok(())
        })
    }

    /// The host behind its table, unless that ends before what is needed.
    ///
    /// # Safety
    /// `host` is null or points to a table whose first member is its size, and which stays valid until the process ends.
    pub(crate) unsafe fn accept(host: *const raw::Host) -> Option<Host> {
        let raw = NonNull::new(host.cast_mut())?;
        // SAFETY: the caller promises a table whose first member is its size.
        let size = unsafe { raw.as_ref().size };
        (size >= size_of::<raw::Host>()).then_some(Host { raw, not_send: PhantomData })
    }

    unsafe extern "C" fn iterate(
        session: *mut raw::Session,
        times: u64,
        outcome_out: *mut raw::Outcome,
    ) -> raw::Status {
        // SAFETY: the host passes what `open` gave, from one thread, and not after `close`.
        let opened = unsafe { &mut *session.cast::<Opened>() };
        let host = opened.host;
        guard(host, || {
            let outcome = opened.session.iterate(times)?;
            let outcome =
                raw::Outcome { operations: outcome.operations, bytes: outcome.bytes, checksum: outcome.checksum };
            // SAFETY: the host passes room for one outcome.
            unsafe { outcome_out.write(outcome) };
            Ok(())
        })
    }

    unsafe extern "C" fn verify(session: *mut raw::Session) -> raw::Status {
        // SAFETY: as in `iterate`.
        let opened = unsafe { &mut *session.cast::<Opened>() };
        let host = opened.host;
        guard(host, || {
            for check in opened.session.verify()? {
                if host.check(&check) != raw::OK {
                    return Err(ModuleError::Other(format!("the host refused the check `{}`", check.name)));
                }
            }
            Ok(())
        })
    }

    unsafe extern "C" fn close(session: *mut raw::Session) {
        // SAFETY: the host passes what `open` gave, once, and not again.
        let opened = unsafe { Box::from_raw(session.cast::<Opened>()) };
        // There is nobody left to tell of a panic in a destructor.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(opened)));
    }

    unsafe extern "C" fn extension<P: Probe>(id: raw::Str) -> *const std::ffi::c_void {
        let functions = const { &Functions::<P>::TABLE };
        let operators = const { &operators::Table::<P>::TABLE };
        // SAFETY: the host lends the id for the duration of the call.
        match &*unsafe { id.text() } {
            raw::EXTENSION_FUNCTION if P::FUNCTION.is_some() => (&raw const *functions).cast(),
            raw::EXTENSION_OPERATOR if P::OPERATOR.is_some() => (&raw const *operators).cast(),
            _ => std::ptr::null(),
        }
    }

    struct Functions<P>(PhantomData<P>);

    impl<P: Probe> Functions<P> {
        const TABLE: raw::Function =
            raw::Function { size: size_of::<raw::Function>(), start: start::<P>, answer, stop };
    }

    /// What a `bhp_started` points to.
    struct Started {
        function: Box<dyn Answering>,
        answer: Vec<u8>,
        host: Host,
    }

    unsafe extern "C" fn start<P: Probe>(
        host: *const raw::Host,
        heap_bytes: u64,
        init_ms: u64,
        started_out: *mut *mut raw::Started,
    ) -> raw::Status {
        // SAFETY: the host passes a table whose first member is its size.
        let Some(host) = (unsafe { accept(host) }) else { return raw::INVALID_STATE };
        guard(host, || {
            let start = P::FUNCTION.ok_or_else(|| ModuleError::Other("the probe is no function".to_owned()))?;
            let started = Started { function: start(heap_bytes, init_ms)?, answer: Vec::new(), host };
            // SAFETY: the host passes room for one pointer.
            unsafe { started_out.write(Box::into_raw(Box::new(started)).cast()) };
            Ok(())
        })
    }

    unsafe extern "C" fn answer(
        started: *mut raw::Started,
        body: *const u8,
        body_len: usize,
        status_out: *mut u32,
        answer_out: *mut raw::Bytes,
    ) -> raw::Status {
        // SAFETY: the host passes what `start` gave, from one thread, and not after `stop`.
        let started = unsafe { &mut *started.cast::<Started>() };
        guard(started.host, || {
            // SAFETY: the host keeps the body for the duration of the call.
            let body = unsafe { raw::slice(body, body_len) };
            let (status, answer) = started.function.answer(body);
            started.answer = answer;
            let lent = raw::Bytes { ptr: started.answer.as_ptr(), len: started.answer.len() };
            // SAFETY: the host passes room for one status and for one pointer and length.
            unsafe {
                status_out.write(status.into());
                answer_out.write(lent);
            }
            Ok(())
        })
    }

    unsafe extern "C" fn stop(started: *mut raw::Started) {
        // SAFETY: the host passes what `start` gave, once, and not again.
        let started = unsafe { Box::from_raw(started.cast::<Started>()) };
        // There is nobody left to tell of a panic in a destructor.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(started)));
    }

    /// The arguments with the kinds that the descriptor gives their parameters.
    fn arguments<P: Probe>(scenario: &str, args: &[raw::Arg]) -> Result<Arguments, ModuleError> {
        let descriptor = P::describe();
        let known = descriptor.scenarios.iter().find(|known| known.name == scenario);
        let known = known.ok_or_else(|| ModuleError::UnknownScenario(scenario.to_owned()))?;
        let kind = |name: &str| {
            known.parameters.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.kind())
        };
        let mut arguments = Arguments::default();
        for arg in args {
            // SAFETY: the host keeps names and values for the duration of the call.
            let (name, value) = unsafe { (arg.name.text(), arg.value.text()) };
            let value = Value::parse(kind(&name).unwrap_or(Kind::Text), &value)
                .map_err(|error| ModuleError::InvalidArgument(format!("`{name}`: {error}")))?;
            arguments.set(name, value);
        }
        Ok(arguments)
    }

    /// Runs `body`, explains its error or panic to the host, and returns the status that stands for it.
    pub(crate) fn guard(host: Host, body: impl FnOnce() -> Result<(), ModuleError>) -> raw::Status {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(())) => raw::OK,
            Ok(Err(error)) => {
                host.explain(explanation(&error));
                raw::status_of(&error)
            }
            Err(panic) => {
                host.explain(panic_text(&*panic));
                raw::PANICKED
            }
        }
    }

    /// The text alone: the status carries the case.
    fn explanation(error: &ModuleError) -> &str {
        match error {
            ModuleError::UnknownScenario(text)
            | ModuleError::InvalidArgument(text)
            | ModuleError::CapabilityDenied(text)
            | ModuleError::Unavailable(text)
            | ModuleError::Crashed(text)
            | ModuleError::Other(text) => text,
        }
    }

    fn panic_text(panic: &(dyn Any + Send)) -> &str {
        panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a value that is no text")
    }
}
