//! Serves HTTP/1.1 on a socket, plainly or over TLS. A client that is slow holds a connection for a time only, many of them
//! hold a number of connections only, and the end of the service lets what was begun finish.
//!
//! When all connections are taken, those on which nothing is asked give way to those who come, the longest idle first: however
//! many browsers keep theirs, whoever comes is answered. Only those that are being answered keep others out, for as long as the
//! limits let them.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, task::Poll, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use futures::{FutureExt, poll};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

use crate::tls::Tls;

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long the head of a request may take to arrive, also of the next one on a connection that is kept.
    pub head: Duration,
    /// How long a client may take nothing of its answer.
    pub stall: Duration,
    /// How many connections there may be at once; who comes then waits until one ends, or an idle one gives way.
    pub connections: u32,
    /// For how long nothing was asked on a connection that gives way: a request may be on its way.
    pub idle: Duration,
    /// How long requests that are under way may take to end when the service stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            stall: Duration::from_secs(20),
            connections: 2048,
            idle: Duration::from_millis(500),
            drain: Duration::from_secs(15),
        }
    }
}

/// When there is no room for a connection (also when no file descriptor is left), it is tried so often.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the service stops, then until what is under way has ended.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stopping: watch::Receiver<()>) {
    serve_over(listener, router, limits, None, stopping).await;
}

/// The same over TLS.
pub async fn serve_tls(listener: TcpListener, router: Router, limits: Limits, tls: Tls, stopping: watch::Receiver<()>) {
    serve_over(listener, router, limits, Some(tls), stopping).await;
}

async fn serve_over(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Option<Tls>,
    mut stopping: watch::Receiver<()>,
) {
    let room = Arc::new(Room::of(limits.connections));
    loop {
        // A receiver that has not seen the end.
        let client = Client { limits, room: Arc::clone(&room), stopping: stopping.clone() };
        let (socket, place) = tokio::select! {
            accepted = accept(&listener, &room) => match accepted {
                Ok(accepted) => accepted,
                Err(fault) => {
                    tracing::warn!(fault = &fault as &dyn std::error::Error, "a connection was not accepted");
                    room.wanted.notify_one();
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            _ = stopping.changed() => break,
        };
        let Ok(peer) = socket.peer_addr() else { continue };
        let (router, tls) = (router.clone(), tls.clone());
        tokio::spawn(async move {
            let _place = place;
            match tls {
                None => client.answer(socket, peer, router).await,
                Some(tls) => client.answer_over(&tls, socket, peer, router).await,
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, room.until_empty()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// The connections that there may be.
struct Room {
    places: Arc<Semaphore>,
    size: u32,
    /// Somebody wants a place. The idle ones stand one behind the other: who has been idle for the longest time hears it.
    wanted: Notify,
}

impl Room {
    fn of(size: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(size as usize)), size, wanted: Notify::new() }
    }

    /// A place for somebody who has come, as soon as there is one; an idle connection gives way for it.
    async fn place(&self) -> io::Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let mut place = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            self.wanted.notify_one();
            if let Ok(place) = tokio::time::timeout(PAUSE, &mut place).await {
                // Where it came from one that ended by itself, nobody has heard that it was wanted.
                let _ = self.wanted.notified().now_or_never();
                return place.map_err(io::Error::other);
            }
        }
    }

    /// Comes back when a connection that has been idle for so long is to give way: the next of all of them in turn.
    async fn until_wanted(&self, idle: Duration) {
        tokio::time::sleep(idle).await;
        self.wanted.notified().await;
    }

    /// Comes back when there is no connection any more.
    async fn until_empty(&self) {
        let _ = self.places.acquire_many(self.size).await;
    }
}

/// Somebody on a connection.
struct Client {
    limits: Limits,
    room: Arc<Room>,
    stopping: watch::Receiver<()>,
}

impl Client {
    /// Answers over TLS, once it is begun.
    async fn answer_over(self, tls: &Tls, socket: TcpStream, peer: SocketAddr, router: Router) {
        let begun = tokio::select! {
            biased;
            begun = tokio::time::timeout(self.limits.head, tls.accept(socket)) => begun,
            () = self.room.until_wanted(self.limits.idle) => return,
        };
        match begun {
            Ok(Ok(socket)) => self.answer(socket, peer, router).await,
            Ok(Err(fault)) => tracing::debug!(fault = &fault as &dyn std::error::Error, "TLS was not begun"),
            Err(_) => tracing::debug!("TLS was not begun in time"),
        }
    }

    /// Answers the requests of a connection, one after another.
    async fn answer(
        mut self,
        socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        router: Router,
    ) {
        let (asks, mut asked) = watch::channel(Asked::Nothing);
        let answers = asks.clone();
        let with_peer = move |mut request: Request<Incoming>| {
            asks.send_replace(Asked::Now);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(Body::new)
        };
        let answered = move |answer| {
            answers.send_replace(Asked::Before);
            answer
        };
        let service = TowerToHyperService::new(router.map_request(with_peer).map_response(answered));
        let mut socket = TimeoutWriter::new(socket);
        socket.set_timeout(Some(self.limits.stall));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .serve_connection(TokioIo::new(Box::pin(socket)), service);
        let mut connection = pin!(connection);
        let mut is_closing = false;
        let ended = loop {
            let is_idle = *asked.borrow_and_update() != Asked::Now;
            tokio::select! {
                // A request that has arrived is heard before that somebody else wants the place.
                biased;
                ended = connection.as_mut() => break ended,
                // Whoever was asked something stands behind the other idle ones.
                Ok(()) = asked.changed() => continue,
                // It ends as soon as what is under way has been answered.
                _ = self.stopping.changed(), if !is_closing => connection.as_mut().graceful_shutdown(),
                () = self.room.until_wanted(self.limits.idle), if is_idle && !is_closing => {
                    if *asked.borrow() == Asked::Nothing {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    if let Poll::Ready(ended) = poll!(connection.as_mut()) {
                        break ended;
                    }
                    // An answer is not taken yet: the next gives way instead.
                    self.room.wanted.notify_one();
                }
            }
            is_closing = true;
        };
        // A client that breaks off, or is too slow, is no fault of the service.
        if let Err(fault) = ended {
            tracing::debug!(fault = &fault as &dyn std::error::Error, "a connection ended");
        }
    }
}

/// What was asked on a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nothing yet, or not to the end of a request's head.
    Nothing,
    /// Something that is not answered yet.
    Now,
    /// Something, and it was answered, but perhaps not taken yet.
    Before,
}

async fn accept(listener: &TcpListener, room: &Room) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let (socket, _) = listener.accept().await?;
    socket.set_nodelay(true)?;
    Ok((socket, room.place().await?))
}
