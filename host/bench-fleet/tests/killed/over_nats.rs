//! The same agents, connected to a real `nats-server`: they and the server are killed at random moments, and cut off from each other.

use crate::fake::{Fate, GROUPS, LINK, SERVER, TAKES, command};
use crate::nats_server::NatsServer;
use crate::{measure_with, quiet};
use bench_fleet::{
    AgentId, ClassId, Collector, Completed, Fleet, FleetFolder, Guests, Invitation, Jetstream, Login, NatsAddress,
    Part, Pings, Queue, Reception, RunStream, Server, Stored, Subject, wait_for_invitation,
};
use bench_sink::runfile::FILE_NAME;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often agents are killed in all; the variable asks for more, such as 200.
const KILLS: (&str, u32) = ("BENCH_FLEET_TEST_KILLS", 6);

/// How often the server is killed; the variable asks for more, such as 10.
const RESTARTS: (&str, u32) = ("BENCH_FLEET_TEST_RESTARTS", 1);

/// How long a repetition takes, so that something is killed while it goes on.
pub(crate) const TAKES_MS: u64 = 20;

pub(crate) fn times((variable, few): (&str, u32)) -> u32 {
    std::env::var(variable).map_or(few, |times| times.parse().unwrap())
}

/// Lets time pass for the others.
pub(crate) fn pause(time: Duration) {
    let (_held, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(time);
}

/// An agent as `bench-host agent --on` is one: it waits for invitations, and starts a process for each.
struct Attendant {
    child: Arc<Mutex<Option<Child>>>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attendant {
    fn start(address: NatsAddress, name: &str, folder: PathBuf, fate: Fate) -> Self {
        let server = Server::connect(&address, &Login::default(), Pings::Never).unwrap();
        let (child, is_stopped) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
        let (held, stopped, name) = (Arc::clone(&child), Arc::clone(&is_stopped), name.to_owned());
        let thread = thread::spawn(move || {
            let mut finished = Vec::new();
            let is_stopped = || stopped.load(Ordering::SeqCst);
            while let Ok(Some(invitation)) = wait_for_invitation(&server, &name, &finished, &is_stopped) {
                let Invitation { run, link } = invitation;
                let (_, mut command) = command(&name, &folder, fate);
                command.env(SERVER, address.to_string()).env(LINK, link).env(TAKES, TAKES_MS.to_string());
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                *held.lock().unwrap() = Some(command.spawn().unwrap());
                if has_succeeded(&held) {
                    finished.push(run);
                }
            }
        });
        Self { child, is_stopped, thread: Some(thread) }
    }

    /// Kills the process that measures, if there is one.
    fn kill(&self) -> bool {
        let mut child = self.child.lock().unwrap();
        let Some(child) = child.as_mut() else { return false };
        child.try_wait().unwrap().is_none() && child.kill().is_ok()
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.kill();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits for the end of a process that others may kill meanwhile.
fn has_succeeded(child: &Mutex<Option<Child>>) -> bool {
    loop {
        if let Some(status) = child.lock().unwrap().as_mut().and_then(|child| child.try_wait().unwrap()) {
            return status.success();
        }
        pause(Duration::from_millis(5));
    }
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Set when it is dropped, also by a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Measures with agents that connect to these addresses, and calls `during` until that is over.
#[track_caller]
fn measure(
    server: &Server,
    agents: &[(&str, Fate, NatsAddress)],
    mut during: impl FnMut(&[Attendant]) + Send,
) -> (u32, usize) {
    let start = |own: &Path| {
        let start = |(name, fate, address): &(&str, Fate, NatsAddress)| {
            Attendant::start(address.clone(), name, own.to_owned(), *fate)
        };
        agents.iter().map(start).collect::<Vec<_>>()
    };
    measure_at(server, agents.len() as u32, start, |_, agents| during(agents))
}

/// Measures with so many agents, which `start` has connect to the server and keep their own run files in the folder that it is given. Calls
/// `during` with that folder and the agents until that is over.
#[track_caller]
pub(crate) fn measure_at<T: Sync>(
    server: &Server,
    number: u32,
    start: impl FnOnce(&Path) -> Vec<T>,
    mut during: impl FnMut(&Path, &[T]) + Send,
) -> (u32, usize) {
    let out = tempfile::tempdir().unwrap();
    let folder = FleetFolder::new(out.path(), "r");
    let _lock = folder.begin().unwrap();
    let mut stream = RunStream::open(server, "r").unwrap();
    let fleet = Fleet::expect_visitors(&[], number as usize);
    let _reception = Reception::open(server, "r", Guests::Any(number), fleet.door()).unwrap();
    let own = folder.agents();
    let agents = start(&own);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                during(&own, &agents);
            }
        });
        let _over = Over(&is_over);
        measure_with("over a server", &folder, (fleet, GROUPS), move |collector, names| {
            stream.keep_agents(names).unwrap();
            Box::new(Jetstream::open(stream, collector).unwrap())
        })
    })
}

#[test]
fn agent_killed_at_random_moments_loses_nothing_that_it_finished() {
    let Some(server) = NatsServer::start() else { return };
    let mut dice = Dice(1);
    let mut kills = 0;
    let mut run = 0;
    while kills < times(KILLS) {
        run += 1;
        assert!(run < 10 * times(KILLS), "the agent is there to be killed");
        let connection = server.connect();
        let agents = [("a", Fate::Lives, server.address()), ("b", Fate::Lives, server.address())];
        // An agent that is killed again and again would never end.
        let mut left = 3;
        let (given_up, _) = measure(&connection, &agents, |agents| {
            pause(Duration::from_millis(dice.below(300)));
            if left > 0 && agents[1].kill() {
                left -= 1;
                kills += 1;
            }
        });
        assert_eq!(given_up, 0, "one agent alone does not end a group");
        RunStream::open(&connection, "r").unwrap().remove().unwrap();
    }
}

/// Kills the server while agents measure, and starts it again, with an empty disk if it `is_wiped`.
#[track_caller]
fn check_restarts(is_wiped: bool) {
    let Some(mut server) = NatsServer::start() else { return };
    let address = server.address();
    let connection = server.connect();
    let mut dice = Dice(2);
    let (mut restarts, mut runs) = (0, 0);
    while restarts < times(RESTARTS) {
        runs += 1;
        assert!(runs <= 10 * times(RESTARTS), "a run lasts long enough for a restart");
        let agents = [("a", Fate::Lives, address.clone()), ("b", Fate::Lives, address.clone())];
        let (given_up, _) = measure(&connection, &agents, |_| {
            pause(Duration::from_millis(200 + dice.below(300)));
            if restarts < times(RESTARTS) {
                restarts += 1;
                server.restart(is_wiped);
            }
        });
        assert_eq!(given_up, 0);
        RunStream::open(&connection, "r").unwrap().remove().unwrap();
    }
}

#[test]
fn server_that_is_killed_and_restarted_costs_nothing_that_an_agent_finished() {
    check_restarts(false);
}

#[test]
fn server_that_loses_its_disk_costs_nothing_that_an_agent_finished() {
    check_restarts(true);
}

/// A connection to the server that can be cut, and that counts the bytes on it.
struct Proxy {
    port: u16,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    /// The connections at both ends.
    open: Mutex<Vec<TcpStream>>,
    is_cut: AtomicBool,
    /// Whether what the server sends waits.
    holds_answers: AtomicBool,
    bytes: AtomicU64,
    is_closed: AtomicBool,
}

impl Proxy {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                shared.open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (from, to, is_answer) in [(&near, &far, false), (&far, &near, true)] {
                    let (from, to, line) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&shared));
                    thread::spawn(move || line.carry(from, to, is_answer));
                }
            }
        });
        Self { port, line }
    }

    fn address(&self) -> NatsAddress {
        format!("nats://127.0.0.1:{}", self.port).parse().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.is_closed.store(true, Ordering::SeqCst);
    }
}

impl Line {
    /// Ends every connection. What is under way is lost, also answers to what has arrived. Returns whether there was one.
    fn break_off(&self) -> bool {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        // One that has ended by itself cannot be shut down.
        open.iter().filter(|stream| stream.shutdown(Shutdown::Both).is_ok()).count() > 0
    }

    /// Passes on what arrives. While the line is cut, it waits, as what is sent again and again does.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, is_answer: bool) {
        let waits = || {
            let is_on = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
            (is_on(&self.is_cut) || (is_answer && is_on(&self.holds_answers))) && !is_on(&self.is_closed)
        };
        let mut buffer = [0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            while waits() {
                pause(Duration::from_millis(10));
            }
            self.bytes.fetch_add(read as u64, Ordering::SeqCst);
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// Cuts the agent `b` off for so long, once.
#[track_caller]
fn check_cut(fate: Fate, time: Duration) {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::start(server.port());
    let agents = [("a", Fate::Lives, server.address()), ("b", fate, proxy.address())];
    let mut cuts = 0;
    let (given_up, _) = measure(&server.connect(), &agents, |_| {
        pause(Duration::from_millis(300));
        if cuts == 0 {
            cuts += 1;
            proxy.line.is_cut.store(true, Ordering::SeqCst);
            pause(time);
            proxy.line.is_cut.store(false, Ordering::SeqCst);
        }
    });
    assert_eq!((given_up, cuts), (0, 1));
}

#[test]
fn agent_that_is_cut_off_for_less_than_its_lease_goes_on() {
    check_cut(Fate::Lives, Duration::from_secs(1));
}

#[test]
fn agent_that_is_cut_off_for_longer_than_its_lease_loses_nothing_and_counts_nothing_twice() {
    // It is never frozen, but has a short lease.
    check_cut(Fate::FreezesAt(0), Duration::from_secs(3));
}

/// Breaks the connection of the agent `b`, or that of the coordinator, three times.
#[track_caller]
fn check_breaks(is_of_coordinator: bool) {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::start(server.port());
    let addresses = [proxy.address(), server.address()];
    let [of_coordinator, of_agent] = if is_of_coordinator { [0, 1] } else { [1, 0] };
    let connection = Server::connect(&addresses[of_coordinator], &Login::default(), Pings::Often).unwrap();
    let agents = [("a", Fate::Lives, server.address()), ("b", Fate::Lives, addresses[of_agent].clone())];
    let mut dice = Dice(3);
    let mut breaks = 0;
    let (given_up, _) = measure(&connection, &agents, |_| {
        pause(Duration::from_millis(50 + dice.below(100)));
        breaks += u32::from(breaks < 3 && proxy.line.break_off());
    });
    assert_eq!(given_up, 0);
    assert!(breaks > 0);
}

#[test]
fn answers_that_get_lost_with_the_connection_count_nothing_twice() {
    check_breaks(false);
}

#[test]
fn connection_of_the_coordinator_that_breaks_costs_nothing_that_an_agent_finished() {
    check_breaks(true);
}

#[test]
fn what_the_server_has_kept_counts_once_although_its_answer_got_lost() {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::start(server.port());
    let folder = tempfile::tempdir().unwrap();
    let open = |server: &Server, name: &str| {
        let collector = Collector::create(&folder.path().join(name), &["a".to_owned()]).unwrap();
        Jetstream::open(RunStream::open(server, "r").unwrap(), collector).unwrap()
    };
    let kept = |name: &str| fs::read(folder.path().join(name).join("a").join(FILE_NAME)).unwrap();
    let (agent, class) = (AgentId(0), ClassId(0));
    let subject = Subject { agent, part: Part::Repetition { cell: 0, process: 0 } };
    let through = Server::connect(&proxy.address(), &Login::default(), Pings::Often).unwrap();
    let mut queue = open(&through, "own");
    queue.submit(class, 1).unwrap();
    proxy.line.holds_answers.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (another, mut looks) = (server.connect(), 0);
            loop {
                looks += 1;
                assert!(looks < 1_000, "the server has never got the block");
                let name = format!("look-{looks}");
                drop(open(&another, &name));
                if kept(&name) == b"block\n" {
                    break;
                }
                pause(Duration::from_millis(10));
            }
            // The server has it, and its answer is lost with the connection.
            proxy.line.break_off();
            proxy.line.holds_answers.store(false, Ordering::SeqCst);
        });
        assert_eq!(queue.store(subject, b"block\n").unwrap(), Stored::First);
    });
    assert_eq!(queue.store(subject, b"block\n").unwrap(), Stored::Known);
    assert_eq!(queue.complete(class, 0, agent).unwrap(), Completed::First);
    assert_eq!(kept("own"), b"block\n");
    let again = open(&server.connect(), "again");
    assert_eq!((kept("again"), again.owner(class, 0)), (b"block\n".to_vec(), Some(agent)));
}

#[test]
fn agent_that_sends_every_block_twice_counts_once_at_a_server() {
    let Some(server) = NatsServer::start() else { return };
    let agents = [("a", Fate::Lives, server.address()), ("b", Fate::SendsTwice, server.address())];
    let (given_up, _) = measure(&server.connect(), &agents, |_| pause(Duration::from_millis(10)));
    assert_eq!(given_up, 0);
}

#[test]
fn nothing_is_sent_to_or_by_an_agent_while_a_repetition_measures() {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::start(server.port());
    let start = || {
        let line = Arc::clone(&proxy.line);
        let connected = Server::connect(&proxy.address(), &Login::default(), Pings::Never).unwrap();
        thread::spawn(move || quiet::serve(&connected, Box::new(move || line.bytes.load(Ordering::SeqCst))))
    };
    quiet::check(&server.connect(), start, |agent| agent.join().unwrap());
}
