//! Connections until they are websockets: how many there may be, how long each may take to say what it wants, and whose
//! it is. What it wants is the router's business.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::peer::{Peer, SocketTable};

/// How many connections the bridge's own user may have: more than all pages of a few origins together, so that a page
/// which is refused and comes again does not keep the others out.
const MOST_OF_OWN_USER: usize = 256;
/// How many connections strangers may have. They are there to be told that they are refused.
const MOST_OF_STRANGERS: usize = 16;
/// How many connections are taken before they are looked at.
const MOST_AT_ONCE: usize = 64;
/// How long the bridge leaves connections waiting when the operating system gives it no more.
const PAUSE: Duration = Duration::from_secs(1);

/// Whose a request is. Its connection counts for as long as this is kept, so a websocket keeps it.
#[derive(Clone)]
pub struct Caller {
    /// Who is at the other end.
    pub peer: Peer,
    _place: Arc<OwnedSemaphorePermit>,
}

/// What all listeners share.
pub struct Connections {
    own_user: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    request_limit: Duration,
    router: Router,
}

impl Connections {
    /// For requests that `router` answers, each within `request_limit` from its connection's beginning.
    pub fn new(router: Router, request_limit: Duration) -> Self {
        Self {
            own_user: Arc::new(Semaphore::new(MOST_OF_OWN_USER)),
            strangers: Arc::new(Semaphore::new(MOST_OF_STRANGERS)),
            request_limit,
            router,
        }
    }

    /// Takes connections for as long as it is polled. Those that were taken go on when it is dropped.
    pub async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let mut arrived = Vec::new();
            let mut next = Some(listener.accept().await);
            // Whose they are is looked up for all together that are there, so that a flood costs no more than one.
            while let Some(accepted) = next {
                match accepted {
                    Ok(connection) => arrived.push(connection),
                    Err(error) if is_of_connection(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "no connection can be taken");
                        tokio::time::sleep(PAUSE).await;
                        break;
                    }
                }
                next = if arrived.len() < MOST_AT_ONCE { accept_now(&listener).await } else { None };
            }
            let table = tokio::task::spawn_blocking(SocketTable::read).await.unwrap_or_default();
            for (stream, other) in arrived {
                self.begin(stream, other, &table);
            }
        }
    }

    fn begin(&self, stream: TcpStream, other: SocketAddr, table: &SocketTable) {
        let Ok(own) = stream.local_addr() else { return };
        let peer = table.peer(own, other);
        let places = match peer {
            Peer::SameUser | Peer::NotChecked => &self.own_user,
            Peer::Stranger => &self.strangers,
        };
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            tracing::warn!(?peer, "a connection too many was closed");
            return;
        };
        let caller = Caller { peer, _place: Arc::new(place) };
        tokio::spawn(answer(stream, self.router.clone(), caller, self.request_limit));
    }
}

/// The next connection, if one is waiting.
async fn accept_now(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    future::poll_fn(|context| match listener.poll_accept(context) {
        Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Answers the one request of a connection, or hands the connection over to its websocket.
async fn answer(stream: TcpStream, router: Router, caller: Caller, limit: Duration) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(caller.clone());
        let answer = router.clone().oneshot(request);
        async {
            let mut answer = answer.await?;
            if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(limit, connection.with_upgrades()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
        Err(_) => tracing::warn!("a connection did not come to a request in time"),
    }
}

/// Whether it is the trouble of the one connection that was to be taken.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}
