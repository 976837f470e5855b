//! Who may connect, and how others are told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use card_protocol::{SUBPROTOCOL, close_code};

use crate::page::{self, Headers, Page};
use crate::readers::{LIMITS, ORIGIN, OTHER_ORIGIN, OneReader, Served, serve};

const GOOD: Headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };

fn bridge() -> Served {
    serve(OneReader::empty(), LIMITS)
}

fn refused_with(headers: Headers) -> u16 {
    let bridge = bridge();
    let (mut socket, _) = page::connect(bridge.address, headers);
    page::close_code(&mut socket)
}

#[test]
fn a_page_of_a_listed_origin_is_greeted_with_the_readers() {
    let bridge = bridge();
    let page = Page::open(bridge.address, ORIGIN);
    assert_eq!(page.hello().version, env!("CARGO_PKG_VERSION"));
    let reader = Reader { name: "The reader".to_owned(), card: CardPresence::Absent, keypad: Keypad::None };
    assert_eq!(page.hello().readers, Readers::Running { readers: vec![reader] });
}

/// The two ends of such a connection stand in different tables of the kernel, or in another one.
#[test]
fn a_page_of_the_same_user_is_known_over_ipv6_too() {
    if TcpListener::bind(("::1", 0)).is_err() {
        eprintln!("not tried: this machine has no ::1");
        return;
    }
    let bridge = bridge();
    let over = |ip: &str| SocketAddr::new(ip.parse().unwrap(), bridge.address.port());
    Page::open(over("::1"), ORIGIN);
    // The user is looked at first, and what is wrong is the name only.
    let (mut socket, _) = page::connect(over("::ffff:127.0.0.1"), GOOD);
    assert_eq!(page::close_code(&mut socket), close_code::HOST);
}

#[test]
fn each_connection_has_a_key_of_its_own() {
    let bridge = bridge();
    let pages = [ORIGIN, ORIGIN, OTHER_ORIGIN].map(|origin| Page::open(bridge.address, origin));
    assert_ne!(pages[0].key(), pages[1].key());
    assert_ne!(pages[1].key(), pages[2].key());
}

#[test]
fn other_origins_are_refused_with_4403() {
    for origin in [
        None,
        Some("null"),
        Some("https://evil.test"),
        Some("https://service.test.evil.test"),
        Some("http://service.test"),
    ] {
        assert_eq!(refused_with(Headers { origin, ..GOOD }), close_code::ORIGIN, "{origin:?}");
    }
}

#[test]
fn other_host_names_are_refused_with_4400_whatever_the_origin() {
    for host in ["evil.test", "evil.test:24787", "127.0.0.1:1", "localhost"] {
        assert_eq!(refused_with(Headers { host: Some(host), ..GOOD }), close_code::HOST, "{host}");
    }
}

#[test]
fn other_subprotocols_are_refused_with_4426() {
    for subprotocol in [None, Some("card-bridge.v9"), Some("chat, card-bridge.v10")] {
        assert_eq!(refused_with(Headers { subprotocol, ..GOOD }), close_code::VERSION, "{subprotocol:?}");
    }
}

#[test]
fn ours_is_chosen_among_several_subprotocols() {
    let bridge = bridge();
    let headers = Headers { subprotocol: Some("card-bridge.v2, card-bridge.v1"), ..GOOD };
    let (_, response) = page::connect(bridge.address, headers);
    assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
}

/// Otherwise the browser breaks the connection off and the page never sees why.
#[test]
fn a_refused_page_gets_a_subprotocol_that_it_offered() {
    let bridge = bridge();
    let (_, response) = page::connect(bridge.address, Headers { subprotocol: Some("card-bridge.v9"), ..GOOD });
    assert_eq!(response.headers()["sec-websocket-protocol"], "card-bridge.v9");
}

#[test]
fn a_plain_request_is_no_websocket() {
    let bridge = bridge();
    let mut stream = TcpStream::connect(bridge.address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\nOrigin: {ORIGIN}\r\nConnection: close\r\n\r\n", bridge.address)
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[test]
fn the_port_is_taken_on_the_loopback_interface_only() {
    let bridge = bridge();
    assert!(bridge.address.ip().is_loopback());
    assert!(std::net::TcpListener::bind(("127.0.0.1", bridge.address.port())).is_err());
}
