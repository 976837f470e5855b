//! Clients that are slow, or many, and the end of the service while somebody is being served. Over real sockets.

use std::time::Duration;

use axum::{Router, routing::get};
use server::listener::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinHandle,
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A service whose answer waits to be let go.
struct Held {
    address: std::net::SocketAddr,
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
    let router = Router::new().route("/", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(());
    let serving = tokio::spawn(serve(listener, router, limits, stopping));
    Held { address, begun, let_go, stop, serving }
}

async fn read_all(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    socket.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_request_that_never_ends_to_arrive_is_cut_off() {
    let service = held(Limits { head: Duration::from_millis(200), ..Limits::default() }).await;
    let mut socket = TcpStream::connect(service.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    // Ends only when the service closes the connection.
    let answer = tokio::time::timeout(Duration::from_secs(10), read_all(&mut socket)).await.unwrap();
    assert!(!answer.contains("answered"), "{answer}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_keeps_its_connection_for_a_time_only() {
    const LARGE: usize = 32 * 1024 * 1024;
    let router =
        Router::new().route("/large", get(|| async { vec![0_u8; LARGE] })).route("/", get(|| async { "answered" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { stall: Duration::from_millis(300), connections: 1, ..Limits::default() };
    let (_stop, stopping) = watch::channel(());
    tokio::spawn(serve(listener, router, limits, stopping));
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), read_all(&mut second)).await.expect("it has its turn");
    assert!(answer.ends_with("answered"));
    drop(first);
}

#[tokio::test]
async fn beyond_the_number_of_connections_others_wait_and_are_served_then() {
    let service = held(Limits { connections: 1, ..Limits::default() }).await;
    let mut first = TcpStream::connect(service.address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    service.begun.notified().await;
    let mut second = TcpStream::connect(service.address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), service.begun.notified()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    service.begun.notified().await;
    service.let_go.notify_one();
    assert!(read_all(&mut second).await.ends_with("answered"));
}

#[tokio::test]
async fn a_service_that_stops_ends_what_it_has_begun_and_begins_nothing() {
    let service = held(Limits::default()).await;
    let mut socket = TcpStream::connect(service.address).await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    service.begun.notified().await;
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
    let mut socket = TcpStream::connect(service.address).await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    service.begun.notified().await;
    service.stop.send_replace(());
    service.serving.await.unwrap();
}
