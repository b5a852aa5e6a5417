//! The client: connections that are kept alive, driven by one thread that does nothing else, so that no answer waits for it to be woken.

use super::arrival_rate::ArrivalRate;
use super::http::{RequestText, parse_answer};
use crate::exchange::Exchange;
use crate::functions::{Answer, HttpRequest};
use bench_engine::{Amount, Clock, MonotonicClock};
use bench_model::Check;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// A request sent later than this after its time counts as late.
const LATE_NS: u64 = 1_000_000;

/// A request that is later than this is not sent.
const SHED_NS: u64 = 1_000_000_000;

/// Read at once.
const READ_BYTES: usize = 16 << 10;

/// Pauses of the processor between two looks at whether an answer is there: less than a microsecond, in which a thread that shares a core
/// with the client has it alone.
const PAUSES: usize = 32;

/// What the connections did in one phase.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// From when each request was meant to be sent until its whole answer was there.
    pub(super) response_ns: Vec<u64>,
    pub(super) late: u64,
    pub(super) shed: u64,
    /// Answers that were not the known one, and the check that the last of them failed.
    pub(super) failed: u64,
    pub(super) wrong: Option<Check>,
    /// From the begin until the last request was sent.
    pub(super) sending_ns: u64,
}

/// Connections to one server.
pub(super) struct Client {
    connections: Vec<Connection>,
    clock: MonotonicClock,
    request: RequestText,
    exchange: Arc<Exchange>,
    /// The answers of one look at the connections, and how long each took. Kept, so that its memory is.
    answered: Vec<(u64, Answer)>,
    /// Whether to wait for answers spinning, for which the client must have a processor of its own.
    spins: bool,
}

struct Connection {
    stream: TcpStream,
    is_head: bool,
    /// When the request that is not answered was meant to be sent.
    intended_ns: Option<u64>,
    input: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects `count` times, one after the other, and says what each took, in nanoseconds.
    pub(super) fn connect(
        address: SocketAddr,
        exchange: Arc<Exchange>,
        count: usize,
        clock: MonotonicClock,
        spins: bool,
    ) -> io::Result<(Self, Vec<u64>)> {
        let (mut connections, mut times) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let before = clock.now_ns();
            let stream = TcpStream::connect(address)?;
            times.push(clock.now_ns() - before);
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            connections.push(Connection::new(stream, &exchange.request));
        }
        let request = RequestText::new(&exchange.request);
        Ok((Self { connections, clock, request, exchange, answered: Vec::with_capacity(count), spins }, times))
    }

    /// Sends requests at `pace` until there are as many, or so much time has passed, as `amount` says, and waits for the
    /// answers to all of them. Ends early where an answer is wrong.
    pub(super) fn run(&mut self, pace: ArrivalRate, amount: Amount) -> io::Result<Tally> {
        let mut tally = Tally::default();
        let begin = self.clock.now_ns();
        // Requests that were sent or shed.
        let mut next = 0;
        loop {
            let now = self.clock.now_ns() - begin;
            if tally.failed == 0 && !amount.is_done(now, next) {
                next = self.send_due(pace, begin, next, &mut tally)?;
            } else if self.connections.iter().all(|connection| connection.intended_ns.is_none()) {
                if let Amount::Time { ns } = amount {
                    // What was late already when the time was over had no free connection, and is not forgotten.
                    tally.shed += pace.due_before(ns.saturating_sub(LATE_NS), next);
                }
                return Ok(tally);
            }
            self.receive(begin, &mut tally)?;
        }
    }

    /// Sends what is due on the connections that are free. Times are since `begin`.
    fn send_due(&mut self, pace: ArrivalRate, begin: u64, mut next: u64, tally: &mut Tally) -> io::Result<u64> {
        for connection in self.connections.iter_mut().filter(|connection| connection.intended_ns.is_none()) {
            let (intended, now) = loop {
                let now = self.clock.now_ns() - begin;
                let intended = pace.due_ns(next).unwrap_or(now);
                if intended > now {
                    return Ok(next);
                }
                next += 1;
                if now - intended <= SHED_NS {
                    break (intended, now);
                }
                tally.shed += 1;
            };
            tally.late += u64::from(now - intended > LATE_NS);
            tally.sending_ns = now;
            connection.intended_ns = Some(intended);
            send(&mut connection.stream, self.request.sent_at(self.clock.now_ns()))?;
        }
        Ok(next)
    }

    /// Takes the answers that are there; waits for one where the client has no processor of its own.
    fn receive(&mut self, begin: u64, tally: &mut Tally) -> io::Result<()> {
        let Self { connections, answered, clock, spins, exchange, .. } = self;
        let mut busy: Vec<_> = connections.iter_mut().filter(|one| one.intended_ns.is_some()).collect();
        if busy.is_empty() {
            std::hint::spin_loop();
            return Ok(());
        }
        if busy.len() > 1 || !*spins {
            let mut sockets: Vec<_> = busy.iter().map(|one| PollFd::new(&one.stream, PollFlags::IN)).collect();
            let no_time = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            // Who shares a processor wakes up once in a while to see what is due.
            let a_while = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000 };
            match poll(&mut sockets, Some(if *spins { &no_time } else { &a_while })) {
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            let ready: Vec<_> = sockets.iter().map(|socket| !socket.revents().is_empty()).collect();
            let mut ready = ready.into_iter();
            busy.retain(|_| ready.next().unwrap_or(false));
        }
        for connection in busy {
            if let Some(answer) = connection.take_answer()? {
                let now = clock.now_ns() - begin;
                let intended = connection.intended_ns.take().unwrap_or(now);
                answered.push((now - intended, answer));
            } else {
                (0..PAUSES).for_each(|_| std::hint::spin_loop());
            }
        }
        // No answer waits for its time to be taken until another one has been checked.
        answered.drain(..).for_each(|(response_ns, answer)| tally.record_response(exchange, response_ns, &answer));
        Ok(())
    }
}

/// Sends the whole request. It goes into the buffer of the socket, which is empty, unless it is larger than that.
fn send(stream: &mut TcpStream, mut request: &[u8]) -> io::Result<()> {
    while !request.is_empty() {
        match stream.write(request) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(bytes) => request = &request[bytes..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(&*stream, PollFlags::OUT)], None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Tally {
    /// Counts one answer. A check says in words what was found, which takes longer than finding it: only a wrong answer gets one.
    fn record_response(&mut self, exchange: &Exchange, response_ns: u64, answer: &Answer) {
        if exchange.is_right(answer) {
            self.response_ns.push(response_ns);
        } else {
            self.failed += 1;
            self.wrong = Some(exchange.check("answers", answer));
        }
    }
}

impl Connection {
    fn new(stream: TcpStream, request: &HttpRequest) -> Self {
        let is_head = request.method == "HEAD";
        Self { stream, is_head, intended_ns: None, input: Vec::new(), buffer: vec![0; READ_BYTES] }
    }

    /// The whole answer, where it is there.
    fn take_answer(&mut self) -> io::Result<Option<Answer>> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            Ok(bytes) => self.input.extend_from_slice(&self.buffer[..bytes]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(None),
            Err(error) => return Err(error),
        }
        let parsed = parse_answer(&self.input, self.is_head).map_err(io::Error::other)?;
        let Some((answer, bytes)) = parsed else { return Ok(None) };
        self.input.drain(..bytes);
        Ok(Some(answer))
    }
}

/// One connection, one request, one answer.
pub(super) fn ask_once(address: SocketAddr, request: &HttpRequest) -> io::Result<Answer> {
    let mut connection = Connection::new(TcpStream::connect(address)?, request);
    connection.stream.write_all(RequestText::new(request).sent_at(0))?;
    loop {
        if let Some(answer) = connection.take_answer()? {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn request_larger_than_the_buffer_of_a_socket_is_sent() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let request: Vec<u8> = (0..64_u32 << 20).map(|at| (at % 251) as u8).collect();
        let reader = std::thread::spawn(move || {
            let mut found = Vec::new();
            peer.read_to_end(&mut found).map(|_| found)
        });
        send(&mut stream, &request).unwrap();
        drop(stream);
        assert!(reader.join().unwrap().unwrap() == request);
    }
}
