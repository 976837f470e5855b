//! Connections to the servers. They are kept and used again, by whoever comes next: as a balancer does that sends each request
//! to the next server.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an idle connection is kept: the service closes it after 20 seconds.
const KEPT: Duration = Duration::from_secs(10);

type Sender = SendRequest<Full<Bytes>>;

/// The connections of everybody.
pub struct Connections {
    servers: Vec<Server>,
    used: AtomicUsize,
    next: AtomicUsize,
}

struct Server {
    address: SocketAddr,
    idle: Mutex<Vec<(Sender, Instant)>>,
}

impl Connections {
    /// None yet, to these servers.
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        let used = AtomicUsize::new(addresses.len());
        let servers = addresses.into_iter().map(|address| Server { address, idle: Mutex::default() }).collect();
        Self { servers, used, next: AtomicUsize::new(0) }
    }

    /// From now on only so many of them are asked; all, where nothing is said.
    pub fn use_only(&self, count: Option<usize>) {
        let all = self.servers.len();
        self.used.store(count.map_or(all, |count| count.clamp(1, all)), Ordering::Relaxed);
    }

    /// Sends a request to the next server, and gives its answer with the whole body.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let server = &self.servers[self.next.fetch_add(1, Ordering::Relaxed) % self.used.load(Ordering::Relaxed)];
        // One that was kept may have been closed meanwhile; then the request was not sent.
        while let Some(mut sender) = server.take() {
            if sender.ready().await.is_ok() {
                return server.answer(sender, request).await;
            }
        }
        let stream = TcpStream::connect(server.address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        server.answer(sender, request).await
    }
}

impl Server {
    /// One that is idle for so short a time that the service is not about to close it.
    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < KEPT);
        idle.pop().map(|(sender, _)| sender)
    }

    async fn answer(&self, mut sender: Sender, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let (parts, body) = sender.send_request(request).await.context("the connection broke")?.into_parts();
        let body = body.collect().await.context("the connection broke")?.to_bytes();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((sender, Instant::now()));
        Ok(Response::from_parts(parts, body))
    }
}
