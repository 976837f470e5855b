//! Clients that are slow, or many, and the end of the service while somebody is being served. Over real sockets.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use server::listener::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinHandle,
};

/// For how long nothing was asked on a connection that gives way.
const IDLE: Duration = Duration::from_millis(50);

/// Longer than anything takes, and shorter than the limits of a service to which nothing else is said.
const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A service whose answer waits to be let go.
struct Held {
    address: SocketAddr,
    begun: std::sync::Arc<Notify>,
    let_go: std::sync::Arc<Notify>,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
}

async fn held(limits: Limits) -> Held {
    let (begun, let_go) = (std::sync::Arc::new(Notify::new()), std::sync::Arc::new(Notify::new()));
    let answer = {
        let (begun, let_go) = (begun.clone(), let_go.clone());
        move || async move {
            begun.notify_one();
            let_go.notified().await;
            "answered"
        }
    };
    let (address, stop, serving) = start(Router::new().route("/", get(answer)), limits).await;
    Held { address, begun, let_go, stop, serving }
}

impl Held {
    /// Somebody who has asked, and is not answered yet.
    async fn asking(&self) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(REQUEST).await.unwrap();
        self.begun.notified().await;
        socket
    }
}

/// Starts a service; gives where it listens, what stops it, and that it serves.
async fn start(router: Router, limits: Limits) -> (SocketAddr, watch::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(());
    (address, stop, tokio::spawn(serve(listener, router, limits, stopping)))
}

async fn read_all(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(PATIENCE, socket.read_to_end(&mut text)).await.expect("it ends").unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_request_that_never_ends_to_arrive_is_cut_off() {
    let service = held(Limits { head: Duration::from_millis(200), ..Limits::default() }).await;
    let mut socket = TcpStream::connect(service.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    // Ends only when the service closes the connection.
    let answer = read_all(&mut socket).await;
    assert!(!answer.contains("answered"), "{answer}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_keeps_its_connection_for_a_time_only() {
    const LARGE: usize = 32 * 1024 * 1024;
    let router =
        Router::new().route("/large", get(|| async { vec![0_u8; LARGE] })).route("/", get(|| async { "answered" }));
    let limits = Limits { stall: Duration::from_millis(300), connections: 1, ..Limits::default() };
    let (address, _stop, _) = start(router, limits).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = read_all(&mut second).await;
    assert!(answer.ends_with("answered"));
    drop(first);
}

#[tokio::test]
async fn beyond_the_number_of_connections_others_wait_and_are_served_then() {
    let service = held(Limits { connections: 1, ..Limits::default() }).await;
    let first = service.asking().await;
    let mut second = TcpStream::connect(service.address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), service.begun.notified()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    service.begun.notified().await;
    service.let_go.notify_one();
    assert!(read_all(&mut second).await.ends_with("answered"));
}

/// Asks for something on a connection, which is kept; nothing where the service has closed it.
async fn ask(socket: &mut TcpStream) -> Option<()> {
    socket.write_all(REQUEST).await.ok()?;
    answer(socket).await
}

/// Reads an answer to its end.
async fn answer(socket: &mut TcpStream) -> Option<()> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"answered") {
        let read = tokio::time::timeout(PATIENCE, socket.read_buf(&mut answer)).await.expect("it comes, or the end");
        if read.ok()? == 0 {
            return None;
        }
    }
    Some(())
}

/// A service that answers at once, and its address.
async fn prompt(connections: u32) -> (SocketAddr, watch::Sender<()>) {
    // Nobody goes because they were idle for too long.
    let limits = Limits { connections, idle: IDLE, head: Duration::from_hours(1), ..Limits::default() };
    let (address, stop, _) = start(Router::new().route("/", get(|| async { "answered" })), limits).await;
    (address, stop)
}

#[tokio::test]
async fn of_idle_connections_the_one_that_was_idle_for_the_longest_time_gives_way() {
    let (address, _stop) = prompt(3).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        ask(&mut socket).await.expect("there is room");
        kept.push(socket);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Now the second has been idle for the longest time.
    ask(&mut kept[0]).await.expect("nobody else has come");
    for gone in [1, 2, 0] {
        let mut next = TcpStream::connect(address).await.unwrap();
        ask(&mut next).await.expect("there is room");
        assert_eq!(read_all(&mut kept[gone]).await, "");
        kept.push(next);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_idle_for_long_keeps_its_place() {
    let limits = Limits { connections: 1, idle: Duration::from_hours(1), ..Limits::default() };
    let service = held(limits).await;
    let mut first = TcpStream::connect(service.address).await.unwrap();
    let _second = TcpStream::connect(service.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    first.write_all(REQUEST).await.unwrap();
    service.let_go.notify_one();
    answer(&mut first).await.expect("it kept its place");
}

#[tokio::test]
async fn whoever_comes_is_answered_however_many_keep_their_connections() {
    let (address, _stop) = prompt(4).await;
    let mut kept = Vec::new();
    for _ in 0..200 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        ask(&mut socket).await.expect("it is answered");
        kept.push(socket);
    }
}

#[tokio::test]
async fn who_says_nothing_or_half_a_request_gives_way_too() {
    for said in ["", "GET / HTTP/1.1\r\nhost: loc"] {
        let (address, _stop) = prompt(4).await;
        let mut silent = Vec::new();
        for _ in 0..8 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(said.as_bytes()).await.unwrap();
            silent.push(socket);
        }
        let mut socket = TcpStream::connect(address).await.unwrap();
        ask(&mut socket).await.expect("it is answered");
    }
}

#[tokio::test]
async fn a_connection_that_is_being_answered_does_not_give_way_and_is_kept() {
    let service = held(Limits { connections: 2, idle: IDLE, ..Limits::default() }).await;
    let mut first = service.asking().await;
    let mut silent = TcpStream::connect(service.address).await.unwrap();
    let mut third = TcpStream::connect(service.address).await.unwrap();
    third.write_all(REQUEST).await.unwrap();
    service.begun.notified().await;
    assert_eq!(read_all(&mut silent).await, "");
    for socket in [&mut first, &mut third] {
        service.let_go.notify_one();
        answer(socket).await.expect("it was begun");
    }
    service.let_go.notify_one();
    ask(&mut first).await.expect("it is kept");
}

#[tokio::test]
async fn nobody_gives_way_for_somebody_who_has_a_place_by_now() {
    let service = held(Limits { connections: 1, idle: IDLE, ..Limits::default() }).await;
    let first = service.asking().await;
    let mut second = TcpStream::connect(service.address).await.unwrap();
    // It is wanted that somebody gives way, and nobody can; then the first goes by itself.
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(first);
    tokio::time::sleep(IDLE * 10).await;
    service.let_go.notify_one();
    ask(&mut second).await.expect("it keeps its place");
}

#[tokio::test]
async fn a_connection_that_is_to_give_way_is_answered_first() {
    let service = held(Limits { connections: 1, idle: IDLE, ..Limits::default() }).await;
    let mut first = service.asking().await;
    let mut second = TcpStream::connect(service.address).await.unwrap();
    second.write_all(REQUEST).await.unwrap();
    // The service has long wanted the place when it answers.
    tokio::time::sleep(Duration::from_millis(300)).await;
    service.let_go.notify_one();
    assert!(read_all(&mut first).await.ends_with("answered"));
    service.begun.notified().await;
    service.let_go.notify_one();
    answer(&mut second).await.expect("it has the place");
}

#[tokio::test]
async fn a_service_that_stops_ends_what_it_has_begun_and_begins_nothing() {
    let service = held(Limits::default()).await;
    let mut socket = service.asking().await;
    service.stop.send_replace(());
    while TcpStream::connect(service.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!service.serving.is_finished());
    service.let_go.notify_one();
    assert!(read_all(&mut socket).await.ends_with("answered"));
    service.serving.await.unwrap();
}

#[tokio::test]
async fn a_service_that_stops_does_not_wait_for_ever() {
    let service = held(Limits { drain: Duration::from_millis(100), ..Limits::default() }).await;
    let _socket = service.asking().await;
    service.stop.send_replace(());
    service.serving.await.unwrap();
}
