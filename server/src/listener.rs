//! Serves HTTP/1.1 on a socket, plainly or over TLS. A client that is slow holds a connection for a time only, many of them hold a number of
//! connections only, and the end of the service lets what was begun finish.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
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
    /// How many connections there may be at once; others wait to be accepted.
    pub connections: usize,
    /// How long requests that are under way may take to end when the service stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            stall: Duration::from_secs(20),
            connections: 4096,
            drain: Duration::from_secs(15),
        }
    }
}

/// After a connection could not be accepted (no file descriptor is left, say), others are given this long to end.
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
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = GracefulShutdown::new();
    loop {
        let (socket, place) = tokio::select! {
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(fault) => {
                    tracing::warn!(fault = &fault as &dyn std::error::Error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            _ = stopping.changed() => break,
        };
        let Ok(peer) = socket.peer_addr() else { continue };
        let (router, tls, watcher) = (router.clone(), tls.clone(), connections.watcher());
        tokio::spawn(async move {
            let _place = place;
            let Some(tls) = tls else { return answer(socket, peer, router, limits, watcher).await };
            match tokio::time::timeout(limits.head, tls.accept(socket)).await {
                Ok(Ok(socket)) => answer(socket, peer, router, limits, watcher).await,
                Ok(Err(fault)) => tracing::debug!(fault = &fault as &dyn std::error::Error, "TLS was not begun"),
                Err(_) => tracing::debug!("TLS was not begun in time"),
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Answers the requests of a connection, one after another.
async fn answer(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    watcher: Watcher,
) {
    let with_peer = move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    };
    let service = TowerToHyperService::new(router.map_request(with_peer));
    let mut socket = TimeoutWriter::new(socket);
    socket.set_timeout(Some(limits.stall));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(Box::pin(socket)), service);
    // A client that breaks off, or is too slow, is no fault of the service.
    if let Err(fault) = watcher.watch(connection).await {
        tracing::debug!(fault = &fault as &dyn std::error::Error, "a connection ended");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (socket, _) = listener.accept().await?;
    socket.set_nodelay(true)?;
    Ok((socket, place))
}
