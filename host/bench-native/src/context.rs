//! The context of a session, to which `ctx` points, and the functions of the host table. At the boundary nothing unwinds, no pointer is
//! trusted to be a slice or a text, and the size of everything that a probe passes is bounded.

use crate::capability::OWN;
use crate::notes::{Notes, Refusal, Used};
use crate::text;
use bench_model::Check;
use bench_sink::{SeriesId, Sink};
use probe_abi::raw;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Maximum number of checks, more than a user can read.
const CHECKS_MAX: usize = 1_000;

/// Maximum number of labels, more than any metric declares.
const LABELS_MAX: usize = 64;

/// The mutable part of a session's side of the host.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) sink: Sink,
    /// The checks that `verify` has reported during the current call.
    pub(crate) checks: Vec<Check>,
    pub(crate) is_verifying: bool,
    /// The notes of the current call.
    pub(crate) notes: Option<Box<Notes>>,
    pub(crate) used: Rc<Used>,
    /// The tables of the capabilities, in their order.
    pub(crate) tables: [*const c_void; OWN.len()],
    /// What capabilities hold. A handful at most, which are looked through faster than a hash is made.
    pub(crate) slots: Vec<Box<dyn Any>>,
}

/// The host table whose functions work on `ctx`.
pub(crate) fn host_table(ctx: *mut Context) -> raw::Host {
    raw::Host { size: size_of::<raw::Host>(), ctx: ctx.cast(), series_open, series_append, check, explain, extension }
}

impl Context {
    /// What the session holds for the capability whose type of state this is; an empty one where it was not asked for before.
    pub(crate) fn slot<T: Default + 'static>(&mut self) -> &mut T {
        let found = self.slots.iter().position(|slot| slot.is::<T>());
        let index = found.unwrap_or_else(|| {
            self.slots.push(Box::new(T::default()));
            self.slots.len() - 1
        });
        self.slots[index].downcast_mut().expect("it was just seen to have this type")
    }

    /// Runs `body` for a probe and returns its status. A panic of the host becomes a refusal, because it must not unwind into the
    /// probe's frames.
    pub(crate) fn serve(&mut self, body: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> raw::Status {
        let served = catch_unwind(AssertUnwindSafe(|| body(self)));
        match served.unwrap_or_else(|_| Err(Refusal::new(raw::OTHER, "the host panicked in this function"))) {
            Ok(()) => raw::OK,
            Err(refusal) => self.refuse(refusal),
        }
    }

    #[cold]
    fn refuse(&mut self, refusal: Refusal) -> raw::Status {
        let status = refusal.status;
        self.notes.get_or_insert_default().refuse(refusal);
        status
    }

    fn open_series(&mut self, metric: &str, labels: &[raw::Arg]) -> Result<SeriesId, Refusal> {
        self.used.series_open.set(true);
        let refused = |reason: String| Refusal::new(raw::INVALID_ARGUMENT, reason);
        if labels.len() > LABELS_MAX {
            return Err(refused(format!("metric `{metric}` was given {} labels", labels.len())));
        }
        let label = |label: &raw::Arg| {
            // SAFETY: the probe lends the labels' texts for the duration of the call.
            let (name, value) = unsafe { (text::name(label.name), text::name(label.value)) };
            match (name, value) {
                (Ok(name), Ok(value)) => Ok((name.to_owned(), value.to_owned())),
                (Err(fault), _) => Err(refused(format!("a label of metric `{metric}` {fault}"))),
                (Ok(name), Err(fault)) => Err(refused(format!("the label `{name}` of metric `{metric}` {fault}"))),
            }
        };
        let labels = labels.iter().map(label).collect::<Result<Vec<_>, _>>()?;
        self.sink.open(metric, &labels).map_err(|error| refused(error.to_string()))
    }

    fn add_check(&mut self, check: Check) -> Result<(), Refusal> {
        self.used.check.set(true);
        if !self.is_verifying {
            let reason = format!("it reported the check `{}` outside of `verify`", check.name);
            return Err(Refusal::breach(raw::INVALID_STATE, reason));
        }
        // A dropped check could be a failed one.
        if self.checks.len() >= CHECKS_MAX {
            return Err(Refusal::breach(raw::OTHER, format!("it reported more than {CHECKS_MAX} checks")));
        }
        self.checks.push(check);
        Ok(())
    }

    #[cold]
    fn refuse_samples(&mut self, series: u32, nowhere: Option<usize>) -> raw::Status {
        let reason = match nowhere {
            Some(count) => format!("it appended {count} samples to series {series} from a null pointer"),
            None => format!("it appended samples to series {series}, which was never opened"),
        };
        self.refuse(Refusal::breach(raw::INVALID_ARGUMENT, reason))
    }
}

/// The context to which a callback's `ctx` points.
///
/// # Safety
/// `ctx` is null or what [`host_table`] got, and the caller is a callback, whose frame the reference does not outlive. Then
/// no other reference to the context is alive: a probe calls the host only from inside a call of its session, on the
/// session's thread; the session keeps none across such a call; and no callback calls the probe.
#[inline]
pub(crate) unsafe fn context<'a>(ctx: *mut c_void) -> Option<&'a mut Context> {
    // SAFETY: a context is never freed, and the caller promises the rest.
    unsafe { ctx.cast::<Context>().as_mut() }
}

unsafe extern "C" fn series_open(
    ctx: *mut c_void,
    metric: raw::Str,
    labels: *const raw::Arg,
    labels_len: usize,
    series_out: *mut u32,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the host table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        // SAFETY: the probe lends the room for the number for the duration of the call.
        let out = unsafe { out(series_out, "series_open") }?;
        // A probe that ignores a refusal must not write into another series.
        *out = u32::MAX;
        // SAFETY: the probe lends the name for the duration of the call.
        let metric = unsafe { text::name(metric) };
        let metric =
            metric.map_err(|fault| Refusal::new(raw::INVALID_ARGUMENT, format!("the metric's name {fault}")))?;
        // SAFETY: the probe lends the labels for the duration of the call.
        let labels = unsafe { text::borrowed(labels, labels_len) };
        let labels = labels.ok_or_else(|| Refusal::breach(raw::INVALID_ARGUMENT, "the labels are a null pointer"))?;
        *out = context.open_series(metric, labels)?.0;
        Ok(())
    })
}

/// This is on a measured path: a pointer, a bound, and the sink. The sink panics only if it runs out of memory or the like, which
/// aborts the process here, because this function cannot unwind.
unsafe extern "C" fn series_append(
    ctx: *mut c_void,
    series: u32,
    samples: *const u64,
    samples_len: usize,
) -> raw::Status {
    // SAFETY: `ctx` comes out of the host table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    // SAFETY: the probe lends the samples for the duration of the call.
    let Some(samples) = (unsafe { text::borrowed(samples, samples_len) }) else {
        return context.refuse_samples(series, Some(samples_len));
    };
    match context.sink.append(SeriesId(series), samples) {
        Ok(()) => raw::OK,
        Err(_) => context.refuse_samples(series, None),
    }
}

unsafe extern "C" fn check(ctx: *mut c_void, name: raw::Str, passed: i32, detail: raw::Str) -> raw::Status {
    // SAFETY: `ctx` comes out of the host table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return raw::INVALID_ARGUMENT };
    context.serve(|context| {
        // SAFETY: the probe lends both texts for the duration of the call.
        let (name, detail) = unsafe { (text::display_text(name), text::display_text(detail)) };
        let (Some(name), Some(detail)) = (name, detail) else {
            return Err(Refusal::breach(raw::INVALID_ARGUMENT, "the check is a null pointer"));
        };
        context.add_check(Check { name, passed: passed != 0, detail })
    })
}

unsafe extern "C" fn explain(ctx: *mut c_void, message: raw::Str) {
    // SAFETY: `ctx` comes out of the host table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return };
    context.serve(|context| {
        context.used.explain.set(true);
        // SAFETY: the probe lends the message for the duration of the call.
        let message = unsafe { text::display_text(message) };
        let message =
            message.ok_or_else(|| Refusal::breach(raw::INVALID_ARGUMENT, "the explanation is a null pointer"))?;
        context.notes.get_or_insert_default().explain(message);
        Ok(())
    });
}

unsafe extern "C" fn extension(ctx: *mut c_void, id: raw::Str) -> *const c_void {
    // SAFETY: `ctx` comes out of the host table, and this is a callback.
    let Some(context) = (unsafe { context(ctx) }) else { return std::ptr::null() };
    // Nothing here can panic: the id is compared where it is.
    // SAFETY: the probe lends the id for the duration of the call.
    let Ok(id) = (unsafe { text::name(id) }) else { return std::ptr::null() };
    match OWN.iter().position(|capability| capability.id() == id) {
        Some(index) => {
            context.used.extensions[index].set(true);
            context.tables[index]
        }
        None => std::ptr::null(),
    }
}

/// The memory for a result of `function`.
///
/// # Safety
/// `room` is null, misaligned, or points to a value that only the callee uses during the call.
pub(crate) unsafe fn out<'a, T>(room: *mut T, function: &str) -> Result<&'a mut T, Refusal> {
    if room.is_null() || !room.is_aligned() {
        return Err(Refusal::breach(
            raw::INVALID_ARGUMENT,
            format!("it passed no memory for the result to `{function}`"),
        ));
    }
    // SAFETY: the pointer is neither null nor misaligned, and the caller promises the rest.
    Ok(unsafe { &mut *room })
}
