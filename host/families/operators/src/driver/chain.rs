//! The scenario `chain`: operators in a row pass tokens on to each other, in phases in which memory and times are measured.

use super::KIND;
use super::figures::{self, Figures};
use super::host::{Dispatched, Host, Rules, Step};
use super::memory::Sampler;
use super::settings::Settings;
use super::tokens::Tokens;
use crate::operators::Factory;
use crate::spec::{self, metric};
use bench_drivers::{CellFailure, Task, record};
use bench_engine::{Amount, Clock, MonotonicClock, OpenLoop};
use bench_model::{Check, ModuleError};
use bench_sink::Sink;
use bench_sink::runfile::Status;
use control_plane::{ControlPlane, Event, Key, Scope};
use std::sync::Arc;

/// The field manager that writes the tokens.
const WRITER: &str = "bench-host";

/// The name of the object that travels along the chain. Its spec has the token as the member `nonce`.
const NAME: &str = "token";

/// A chain while it runs.
pub(super) struct Chain<'a> {
    pub(super) host: Host<'a>,
    clock: &'a MonotonicClock,
    settings: &'a Settings,
    first: Key,
    pub(super) tokens: Tokens,
    pub(super) figures: Figures,
    sent_at_rate: Option<SentTokens>,
}

/// The tokens of the measured open loop.
#[derive(Clone, Copy, Debug)]
struct SentTokens {
    count: u64,
    /// The nanoseconds from its start until the last token was written.
    sending_ns: u64,
}

/// The phases in which no process of an operator starts or ends.
const STEADY: [&str; 4] = ["empty", "active", "idle", "unloaded"];

/// The achieved rate is checked only with at least this many tokens, because the first ones are cold.
const OPEN_LOOP_MIN: u64 = 100;

/// Which times are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    /// Times of a chain with all operators loaded.
    Chains,
    /// Times of operators that are loaded for an event, and of a chain of them.
    Wakes,
}

/// Runs a chain through all phases, records into `sink`, and returns the number of tokens sent.
pub(super) fn measure(
    factories: Vec<Box<dyn Factory>>,
    plane: Arc<dyn ControlPlane>,
    settings: &Settings,
    task: &Task<'_>,
    sink: &mut Sink,
    checks: &mut Vec<Check>,
) -> Result<u64, CellFailure> {
    let clock = MonotonicClock::new();
    let figures = Figures::with_room(settings.count);
    let sampler = Sampler::start(clock, "empty");
    sampler.enter("load", Vec::new());
    let mut chain = Chain::load(factories, plane, settings, &clock, figures, task.reclaim)?;
    let processes = chain.host.processes();
    let has_processes = !processes.is_empty();
    sampler.enter("active", processes);
    chain.warm_up(task.budget.warm_up_ns)?;
    chain.send(half(task.budget.amount), Keep::Chains)?;
    if chain.has_failed() {
        return chain.account(sink, checks).map(|()| chain.tokens.sent());
    }
    sampler.enter("idle", chain.host.processes());
    chain.stay(settings.idle_ns)?;
    sampler.enter("unloading", Vec::new());
    chain.unload()?;
    sampler.enter("unloaded", chain.host.processes());
    chain.stay(settings.idle_ns)?;
    sampler.enter("wake", Vec::new());
    chain.wake(half(task.budget.amount))?;
    let mut samples = sampler.stop();
    if has_processes {
        // They come and go in the other phases, so what was read there is not all of the memory.
        samples.retain(|sample| STEADY.contains(&sample.phase));
    }
    chain.figures.record(sink, settings.count)?;
    figures::memory(sink, &samples)?;
    chain.account(sink, checks)?;
    Ok(chain.tokens.sent())
}

/// Sends two tokens along a chain of loaded operators and two along the chain unloaded, and returns the checks. Nothing is timed.
pub(super) fn try_out(
    factories: Vec<Box<dyn Factory>>,
    plane: Arc<dyn ControlPlane>,
    settings: Settings,
) -> Result<Vec<Check>, ModuleError> {
    let settings = Settings { period_ns: None, ..settings };
    let clock = MonotonicClock::new();
    let mut sink = Sink::new(&spec::chain().metrics);
    let mut checks = Vec::new();
    let attempt = || {
        let mut chain = Chain::load(factories, plane, &settings, &clock, Figures::with_room(settings.count), || ())?;
        chain.send(Amount::Operations(2), Keep::Chains)?;
        chain.host.unload_all();
        chain.wake(Amount::Operations(2))?;
        chain.account(&mut sink, &mut checks)
    };
    attempt().map_err(|CellFailure { status, reason }| match status {
        Status::Skipped => ModuleError::Unavailable(reason),
        _ => ModuleError::Other(reason),
    })?;
    Ok(checks)
}

/// Half of the budget is for loaded operators, half for unloaded ones.
fn half(amount: Amount) -> Amount {
    match amount {
        Amount::Time { ns } => Amount::Time { ns: ns / 2 },
        operations @ Amount::Operations(_) => operations,
    }
}

impl<'a> Chain<'a> {
    /// Loads the operators, and watches what the last one writes before anything is written.
    pub(super) fn load(
        factories: Vec<Box<dyn Factory>>,
        plane: Arc<dyn ControlPlane>,
        settings: &'a Settings,
        clock: &'a MonotonicClock,
        figures: Figures,
        reclaim: fn(),
    ) -> Result<Self, CellFailure> {
        let depth_max = u32::try_from(settings.count).unwrap_or(u32::MAX);
        let host = Host::new(plane, clock, factories, Rules { idle_ns: None, depth_max, reclaim });
        let first = Key::new(KIND, namespace(0), NAME);
        let tokens = Tokens::new(settings.deadline_ns);
        let mut chain = Self { host, clock, settings, first, tokens, figures, sent_at_rate: None };
        let begin_ns = clock.now_ns();
        chain.host.add(settings.count, |number| arguments(number, &settings.extra));
        let mut scopes = Vec::with_capacity(settings.count);
        for number in 0..settings.count {
            let before_ns = clock.now_ns();
            scopes.push(chain.host.start(number, &arguments(number, &settings.extra))?);
            chain.figures.load_ns.push(clock.now_ns() - before_ns);
        }
        for (number, scopes) in scopes.iter().enumerate() {
            let before_ns = clock.now_ns();
            chain.host.watch(number, scopes)?;
            chain.figures.load_ns[number] += clock.now_ns() - before_ns;
        }
        chain.figures.load_all_ns.push(clock.now_ns() - begin_ns);
        chain.host.observe(&Scope::new(KIND, namespace(settings.count)))?;
        Ok(chain)
    }

    /// Sends tokens without recording their times.
    fn warm_up(&mut self, time_ns: u64) -> Result<(), CellFailure> {
        let begin_ns = self.clock.now_ns();
        loop {
            self.send_one(Keep::Nothing)?;
            if self.clock.now_ns() - begin_ns >= time_ns || self.is_futile() {
                return Ok(());
            }
        }
    }

    /// Sends tokens until `amount` is reached, at the requested rate.
    fn send(&mut self, amount: Amount, keep: Keep) -> Result<(), CellFailure> {
        let begin_ns = self.clock.now_ns();
        let mut sent = 0;
        loop {
            match self.settings.period_ns {
                None => self.send_one(keep)?,
                Some(period_ns) => {
                    let due_ns = begin_ns + sent * period_ns;
                    self.run_until(due_ns, keep)?;
                    self.write(due_ns)?;
                }
            }
            sent += 1;
            let elapsed_ns = self.clock.now_ns() - begin_ns;
            // There is room for the time of every token that was sent.
            let is_done = amount.is_done(elapsed_ns, sent) || sent >= figures::CHAINS_MAX as u64;
            let is_futile = if self.settings.period_ns.is_some() { self.has_failed() } else { self.is_futile() };
            if is_done || is_futile {
                self.sent_at_rate = self.settings.period_ns.map(|_| SentTokens { count: sent, sending_ns: elapsed_ns });
                return self.drain(keep);
            }
        }
    }

    /// Sends one token and waits until it has arrived, for at most twice the deadline.
    fn send_one(&mut self, keep: Keep) -> Result<(), CellFailure> {
        self.write(self.clock.now_ns())?;
        self.drain(keep)
    }

    fn write(&mut self, due_ns: u64) -> Result<(), CellFailure> {
        let token = self.tokens.next(due_ns);
        let spec = format!(r#"{{"nonce":{token}}}"#);
        let written = self.host.plane.apply(&self.first, WRITER, &spec);
        written.map(drop).map_err(|error| {
            CellFailure::failed(format!("cannot write {} into the control plane: {error}", self.first))
        })
    }

    /// Runs the host until the last token has arrived, for at most twice the deadline.
    fn drain(&mut self, keep: Keep) -> Result<(), CellFailure> {
        let end_ns = self.clock.now_ns() + 2 * self.settings.deadline_ns;
        while !self.tokens.is_last_seen() && !self.has_failed() && self.clock.now_ns() < end_ns {
            self.advance(end_ns, keep)?;
        }
        Ok(())
    }

    /// Whether an event failed for good, so that its token cannot arrive.
    fn has_failed(&self) -> bool {
        self.host.tally.failed > 0
    }

    /// Whether further tokens would be waited for in vain, because the last one has not arrived and no event is under way.
    fn is_futile(&self) -> bool {
        self.has_failed() || (!self.tokens.is_last_seen() && self.host.is_quiet())
    }

    fn run_until(&mut self, end_ns: u64, keep: Keep) -> Result<(), CellFailure> {
        while self.clock.now_ns() < end_ns {
            self.advance(end_ns, keep)?;
        }
        Ok(())
    }

    /// Runs one step of the host, or waits until there is something to do.
    fn advance(&mut self, end_ns: u64, keep: Keep) -> Result<(), CellFailure> {
        match self.host.step()? {
            Step::Nothing => self.host.wait(end_ns),
            Step::Dispatched(Dispatched { took_ns, was_unloaded: true, is_reconciled: true })
                if keep == Keep::Wakes =>
            {
                self.figures.wake_ns.push(took_ns);
            }
            Step::Dispatched(_) => (),
            Step::Observed(event) => self.seen(&event, keep)?,
        }
        Ok(())
    }

    fn seen(&mut self, event: &Event, keep: Keep) -> Result<(), CellFailure> {
        let now_ns = self.clock.now_ns();
        let Some(object) = event.object() else { return Ok(()) };
        let (token, _) = parse(&object.spec).ok_or_else(|| {
            CellFailure::failed(format!(
                "the spec of {} is `{}`; the operator must write {{\"nonce\":N,\"count\":N}}",
                object.key, object.spec
            ))
        })?;
        if let Some(took_ns) = self.tokens.see(token, now_ns) {
            match keep {
                Keep::Nothing => (),
                Keep::Chains => self.figures.chain_ns.push(took_ns),
                Keep::Wakes => self.figures.chain_cold_ns.push(took_ns),
            }
        }
        Ok(())
    }

    /// Runs the host for this time without sending tokens.
    fn stay(&mut self, time_ns: u64) -> Result<(), CellFailure> {
        self.run_until(self.clock.now_ns() + time_ns, Keep::Nothing)
    }

    /// Waits until the host has unloaded every operator, all of which are idle.
    fn unload(&mut self) -> Result<(), CellFailure> {
        self.host.set_idle(Some(self.settings.idle_ns));
        let end_ns = self.clock.now_ns() + self.settings.idle_ns + self.settings.deadline_ns;
        while self.host.unloaded() < self.settings.count {
            if self.clock.now_ns() >= end_ns {
                let (unloaded, count) = (self.host.unloaded(), self.settings.count);
                let why = self.host.tally.failures.first().map_or("", String::as_str);
                return Err(CellFailure::failed(format!(
                    "only {unloaded} of {count} idle operators could be unloaded within deadline_ms: {why}"
                )));
            }
            self.advance(end_ns, Keep::Nothing)?;
        }
        Ok(())
    }

    /// Sends tokens along unloaded operators, and unloads all of them after each.
    fn wake(&mut self, amount: Amount) -> Result<(), CellFailure> {
        self.host.set_idle(None);
        let begin_ns = self.clock.now_ns();
        for round in 1.. {
            self.send_one(Keep::Wakes)?;
            for (took_ns, bytes) in self.host.unload_all() {
                self.figures.unload_ns.push(took_ns);
                self.figures.state_bytes.push(bytes);
            }
            let is_done = amount.is_done(self.clock.now_ns() - begin_ns, round);
            if is_done || self.is_futile() {
                break;
            }
        }
        Ok(())
    }

    /// Checks that every token sent and every event delivered is accounted for.
    fn account(&self, sink: &mut Sink, checks: &mut Vec<Check>) -> Result<(), CellFailure> {
        let (sent, failed) = (self.tokens.sent(), self.tokens.outstanding());
        let (seen, late, strange) = (self.tokens.seen, self.tokens.late, self.tokens.strange);
        let retried = self.host.tally.retried;
        let counts = [
            (metric::SENT, sent),
            (metric::SEEN, seen),
            (metric::LATE, late),
            (metric::FAILED, failed),
            (metric::RETRIED, retried),
        ];
        for (name, count) in counts {
            record(sink, name, &[], &[count])?;
        }
        let tally = &self.host.tally;
        let detail = format!("sent {sent} = seen {seen} + late {late} + failed {failed}; {strange} seen twice");
        checks.push(Check::that("every-nonce-once", sent == seen + late + failed && strange == 0, detail));
        let queued = self.host.queued();
        let why: String = tally.failures.iter().map(|failure| format!("; {failure}")).collect();
        let detail = format!(
            "delivered {} = reconciled {} + failed {} + queued {queued}{why}",
            tally.delivered, tally.reconciled, tally.failed
        );
        // A failure is an event that failed for good, or an operator that could not be suspended.
        let is_whole = tally.delivered == tally.reconciled + tally.failed + queued && tally.failures.is_empty();
        checks.push(Check::that("every-event-once", is_whole, detail));
        // A token whose event is still under way is late; without an event it is lost.
        let detail = format!("{failed} tokens have not arrived, {queued} events are queued");
        checks.push(Check::that("nothing-swallowed", failed == 0 || !self.host.is_quiet(), detail));
        if retried == 0 && failed == 0 {
            checks.push(self.state_kept(seen + late));
        }
        checks.extend(self.achieved_rate());
        Ok(())
    }

    /// Whether tokens have arrived at the requested rate; `None` in a closed loop, or with too few tokens to tell.
    fn achieved_rate(&self) -> Option<Check> {
        let (period_ns, SentTokens { count, sending_ns }) = self.settings.period_ns.zip(self.sent_at_rate)?;
        if count < OPEN_LOOP_MIN {
            return None;
        }
        let response_ns: &[u64] = &self.figures.chain_ns;
        let arrived = response_ns.len() as u64;
        let (asked, missing) = (1e9 / period_ns.max(1) as f64, count.saturating_sub(arrived));
        let open_loop = OpenLoop { asked, response_ns, missing, sending_ns };
        Some(open_loop.check(format_args!("{arrived} of {count} tokens")))
    }

    /// Whether every operator has counted every token, although it was unloaded in between.
    fn state_kept(&self, tokens: u64) -> Check {
        let written = |number: usize| self.host.plane.get(&Key::new(KIND, namespace(number + 1), NAME));
        let counted =
            |number: usize| written(number).ok().and_then(|object| parse(&object.spec)).map(|(_, count)| count);
        let wrong =
            (0..self.settings.count).map(|number| (number, counted(number))).find(|(_, count)| *count != Some(tokens));
        let detail = wrong.map_or_else(
            || format!("each of {} operators has counted {tokens}", self.settings.count),
            |(number, count)| {
                let count = count.map_or_else(|| "nothing".to_owned(), |count| count.to_string());
                format!("operator {number} has counted {count} instead of {tokens}: its state was lost")
            },
        );
        Check::that("state-kept", wrong.is_none(), detail)
    }
}

/// The namespace that operator `number` watches.
fn namespace(number: usize) -> String {
    format!("chain-{number}")
}

fn arguments(number: usize, extra: &[(String, String)]) -> Vec<(String, String)> {
    let link = [("watch".to_owned(), namespace(number)), ("apply".to_owned(), namespace(number + 1))];
    link.into_iter().chain(extra.iter().cloned()).collect()
}

/// The token and the count in a spec.
fn parse(spec: &str) -> Option<(u64, u64)> {
    let spec: serde_json::Value = serde_json::from_str(spec).ok()?;
    Some((spec.get("nonce")?.as_u64()?, spec.get("count")?.as_u64()?))
}
