//! Pages, and other programs of the same user, that mean harm: each is refused, and a page that means none goes on
//! working meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use card_bridge::Limits;
use card_protocol::message::{FromBridge, Outcome, Request, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, Purpose, SUBPROTOCOL, close_code};
use tungstenite::{Message, WebSocket};

use crate::cards::Issued;
use crate::page::{self, Headers, PATIENCE, Page};
use crate::readers::{LIMITS, ORIGIN, OTHER_ORIGIN, OneReader, Served, serve};

const CHALLENGE: Challenge = Challenge([7; 32]);
/// How many pages of one origin the bridge takes at once.
const MOST_PAGES: usize = 16;
/// How many connections the bridge takes at once.
const MOST_CONNECTIONS: usize = 256;
/// What lies in the buffers of the machine between two programs, with much to spare.
const BUFFERS: usize = 64 << 20;

/// A bridge with a card, and a page of another origin than the attacker's that uses it.
struct Victim {
    page: Page,
    bridge: Served,
    card: Issued,
}

impl Victim {
    fn new(limits: Limits) -> Self {
        let card = Issued::new(KeyAlgorithm::P256);
        let bridge = serve(OneReader::with(card.insert()), limits);
        let page = Page::open(bridge.address, OTHER_ORIGIN);
        Self { page, bridge, card }
    }

    fn address(&self) -> SocketAddr {
        self.bridge.address
    }

    /// The page that was there before goes on, and a new one is let in.
    fn is_unharmed(&mut self) {
        let proof = self.page.prove_card(Purpose::Hello, CHALLENGE).unwrap();
        assert!(self.card.signed(&proof, OTHER_ORIGIN));
        let proof = Page::open(self.address(), OTHER_ORIGIN).prove_card(Purpose::Hello, CHALLENGE).unwrap();
        assert!(self.card.signed(&proof, OTHER_ORIGIN));
    }
}

fn open(address: SocketAddr, origin: &'static str) -> WebSocket<TcpStream> {
    page::connect(address, Headers { host: None, origin: Some(origin), subprotocol: Some(SUBPROTOCOL) }).0
}

/// Whether the bridge greets on this connection; otherwise with which code it closes it.
fn greeting(socket: &mut WebSocket<TcpStream>) -> Result<(), u16> {
    match socket.read().unwrap() {
        Message::Text(text) => {
            assert!(matches!(serde_json::from_str(&text), Ok(FromBridge::Hello(_))), "{text}");
            Ok(())
        }
        Message::Close(Some(frame)) => Err(frame.code.into()),
        other => panic!("{other:?} instead of a greeting"),
    }
}

fn raw(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads until the bridge closes the connection.
fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the bridge keeps the connection"),
    }
    answer
}

/// Beginning of a masked frame (RFC 6455, 5.2) with a mask of zeros, so that the payload stands there as it is.
fn frame(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat()
}

#[test]
fn of_a_hundred_pages_of_one_origin_sixteen_are_let_in_and_other_origins_do_not_notice() {
    let mut victim = Victim::new(LIMITS);
    let mut sockets: Vec<_> = (0..100).map(|_| open(victim.address(), ORIGIN)).collect();
    let greetings: Vec<_> = sockets.iter_mut().map(greeting).collect();
    assert_eq!(greetings.iter().filter(|greeting| greeting.is_ok()).count(), MOST_PAGES);
    assert!(greetings.iter().all(|greeting| matches!(greeting, Ok(()) | Err(close_code::FULL))), "{greetings:?}");
    victim.is_unharmed();

    // Their places are given back when they go, which the bridge may notice a moment later.
    drop(sockets);
    let since = Instant::now();
    while greeting(&mut open(victim.address(), ORIGIN)).is_err() {
        assert!(since.elapsed() < PATIENCE, "the places are not given back");
    }
}

#[test]
fn a_hundred_pages_of_an_origin_that_is_not_listed_are_refused_and_nobody_else_notices() {
    let mut victim = Victim::new(LIMITS);
    let mut sockets: Vec<_> = (0..100).map(|_| open(victim.address(), "https://evil.test")).collect();
    victim.is_unharmed();
    for socket in &mut sockets {
        assert_eq!(greeting(socket), Err(close_code::ORIGIN));
    }
}

#[test]
fn a_refused_page_that_does_not_close_its_end_is_cut_off() {
    let mut victim = Victim::new(LIMITS);
    let address = victim.address();
    // Without the library, which would answer the close frame.
    let mut stream = raw(address);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nOrigin: https://evil.test\r\n{upgrade}\r\n\r\n").unwrap();
    let told = until_closed(&mut stream);
    let close_with_4403 = [0x88, 8, 0x11, 0x33];
    assert!(told.windows(4).any(|part| part == close_with_4403), "{}", String::from_utf8_lossy(&told));
    victim.is_unharmed();
}

#[test]
fn a_connection_that_does_not_come_to_its_request_is_closed() {
    let mut victim = Victim::new(Limits { request: Duration::from_secs(2), ..LIMITS });
    for begin in ["", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: "] {
        let mut stream = raw(victim.address());
        stream.write_all(begin.as_bytes()).unwrap();
        victim.is_unharmed();
        assert_eq!(until_closed(&mut stream), b"", "{begin}");
    }
    // The page has been connected for longer than a request may take.
    victim.is_unharmed();
}

#[test]
fn a_connection_too_many_is_closed_at_once_and_those_that_are_there_go_on() {
    let mut victim = Victim::new(Limits { request: PATIENCE * 2, ..LIMITS });
    let mut streams: Vec<_> = (1..MOST_CONNECTIONS).map(|_| raw(victim.address())).collect();
    assert_eq!(until_closed(&mut raw(victim.address())), b"");
    assert!(victim.page.prove_card(Purpose::Hello, CHALLENGE).is_ok());
    // With one gone there is room for one again.
    streams.pop();
    let since = Instant::now();
    loop {
        let mut stream = raw(victim.address());
        // The connection may be closed before the request has gone out.
        let _ = stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if until_closed(&mut stream).starts_with(b"HTTP/1.1 404") {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "the place is not given back");
    }
}

#[test]
fn a_message_of_a_gigabyte_is_refused_before_it_is_there() {
    let mut victim = Victim::new(LIMITS);
    let mut socket = open(victim.address(), ORIGIN);
    socket.get_mut().write_all(&frame(0x81, 1 << 30)).unwrap();
    assert_eq!(page::close_code(&mut socket), 1009);

    let mut socket = open(victim.address(), ORIGIN);
    let stream = socket.get_mut();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&frame(0x81, 1 << 30)).unwrap();
    let part = vec![b'a'; 1 << 20];
    let taken = (0..1 << 10).take_while(|_| stream.write_all(&part).is_ok()).count() << 20;
    assert!(taken < BUFFERS, "the bridge took {taken} bytes");
    victim.is_unharmed();
}

#[test]
fn a_message_of_many_frames_is_refused_when_it_gets_too_long() {
    let mut victim = Victim::new(LIMITS);
    let mut socket = open(victim.address(), ORIGIN);
    let part = [vec![b'a'; 40_000]].concat();
    for first in [0x01, 0x00] {
        socket.get_mut().write_all(&[frame(first, 40_000), part.clone()].concat()).unwrap();
    }
    assert_eq!(page::close_code(&mut socket), 1009);
    victim.is_unharmed();
}

#[test]
fn garbage_instead_of_a_request_is_refused() {
    let mut victim = Victim::new(LIMITS);
    for garbage in [&[0; 64][..], &[0xFF; 64], b"hello\r\n\r\n"] {
        let mut stream = raw(victim.address());
        stream.write_all(garbage).unwrap();
        let answer = until_closed(&mut stream);
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{garbage:?}: {}", String::from_utf8_lossy(&answer));
    }
    victim.is_unharmed();
}

#[test]
fn garbage_instead_of_a_message_ends_the_connection_with_what_it_was() {
    let mut victim = Victim::new(LIMITS);
    let nested = "[".repeat(60_000);
    let nested = [frame(0x81, 60_000), nested.into_bytes()].concat();
    for (bytes, code) in [
        // A reserved bit, an opcode that does not exist, a frame without a mask, a continuation of nothing.
        ([frame(0xF1, 1), vec![b'a']].concat(), 1002),
        ([frame(0x83, 1), vec![b'a']].concat(), 1002),
        (vec![0x81, 0x02, b'{', b'}'], 1002),
        ([frame(0x80, 1), vec![b'a']].concat(), 1002),
        ([frame(0x81, 2), vec![0xC0, 0x80]].concat(), 1007),
        (nested, 1008),
    ] {
        let mut socket = open(victim.address(), ORIGIN);
        socket.get_mut().write_all(&bytes).unwrap();
        assert_eq!(page::close_code(&mut socket), code, "{:?}", &bytes[..2]);
    }
    victim.is_unharmed();
}

/// Stops a thread when it goes, also when the test fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_page_that_asks_without_pause_does_not_keep_another_from_the_card() {
    const AHEAD: u32 = 8;
    let mut victim = Victim::new(LIMITS);
    let stop = AtomicBool::new(false);
    let (begun, first) = mpsc::channel();
    let mut flooding = Page::open(victim.address(), ORIGIN);
    std::thread::scope(|threads| {
        let flood = threads.spawn(|| {
            let prove = |id| {
                let verb = Verb::ProveCard { reader: None, purpose: Purpose::Hello, challenge: CHALLENGE };
                Request { id, verb }
            };
            // Always some ahead, so that the next request is there when one is done.
            (0..AHEAD).for_each(|id| flooding.send_request(&prove(id)));
            while !stop.load(Ordering::SeqCst) {
                match flooding.reply().outcome {
                    Outcome::Done(_) => drop(begun.send(())),
                    Outcome::Failed(failure) => assert_eq!(failure, CardFailure::Busy),
                }
                flooding.send_request(&prove(AHEAD));
            }
            // The card is not taken away from a transaction that is running.
            (0..AHEAD).for_each(|_| drop(flooding.reply()));
        });
        let stopping = Stopping(&stop);
        first.recv_timeout(PATIENCE).expect("it floods");
        for _ in 0..5 {
            victim.is_unharmed();
        }
        drop(stopping);
        flood.join().unwrap();
    });
}

#[test]
fn a_page_that_asks_and_does_not_listen_is_not_listened_to_any_more() {
    let mut victim = Victim::new(LIMITS);
    let mut socket = open(victim.address(), ORIGIN);
    let request = serde_json::to_string(&Request { id: 1, verb: Verb::Readers }).unwrap();
    let request = [frame(0x81, request.len() as u64), request.into_bytes()].concat();
    let many = request.repeat(10_000);
    let stream = socket.get_mut();
    stream.set_nonblocking(true).unwrap();
    let mut taken = 0;
    let since = Instant::now();
    let mut stuck_since = None;
    // Until nothing has been taken for a while.
    while stuck_since.is_none_or(|stuck: Instant| stuck.elapsed() < Duration::from_millis(500)) {
        match stream.write(&many[taken % request.len()..]) {
            Ok(length) => (taken, stuck_since) = (taken + length, None),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                stuck_since.get_or_insert_with(Instant::now);
            }
        }
        assert!(taken < 4 * BUFFERS && since.elapsed() < PATIENCE, "the bridge took {taken} bytes");
        std::thread::yield_now();
    }
    victim.is_unharmed();
}
