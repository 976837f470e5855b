//! Connections to the servers. They are kept and used again: by whoever comes next, as a balancer does that sends each request
//! to the next server, or by one browser.

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

/// How long an idle connection of everybody's is kept: the service closes it after 20 seconds.
const KEPT: Duration = Duration::from_secs(10);

type Sender = SendRequest<Full<Bytes>>;

/// The connections of everybody, or of one browser.
pub struct Connections {
    servers: Vec<Server>,
    used: AtomicUsize,
    next: AtomicUsize,
    kept: Duration,
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
        Self { servers, used, next: AtomicUsize::new(0), kept: KEPT }
    }

    /// None yet, of somebody who has their own, to the same servers.
    pub fn of_one(&self) -> Self {
        let used = self.used.load(Ordering::Relaxed);
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let server = |server: &Server| Server { address: server.address, idle: Mutex::default() };
        let servers = self.servers.iter().map(server).collect();
        Self { servers, used: used.into(), next: next.into(), kept: Duration::MAX }
    }

    /// From now on only so many of them are asked; all, where nothing is said.
    pub fn use_only(&self, count: Option<usize>) {
        let all = self.servers.len();
        self.used.store(count.map_or(all, |count| count.clamp(1, all)), Ordering::Relaxed);
    }

    /// Sends a request to the next server, and gives its answer with the whole body.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let server = self.next();
        // One that was kept may have been closed meanwhile, also while the request was sent: browsers send it again then.
        while let Some(mut sender) = server.take(self.kept) {
            if sender.ready().await.is_err() {
                continue;
            }
            match server.answer(sender, request.clone()).await {
                Err(fault) if was_closed(&fault) => {}
                answer => return answer,
            }
        }
        server.answer(server.connect().await?, request).await
    }

    /// Sends a request to the next server, on a connection that is made for it.
    pub async fn send_on_another(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let server = self.next();
        server.answer(server.connect().await?, request).await
    }

    fn next(&self) -> &Server {
        &self.servers[self.next.fetch_add(1, Ordering::Relaxed) % self.used.load(Ordering::Relaxed)]
    }
}

/// Whether a connection ended before any of an answer came.
fn was_closed(fault: &anyhow::Error) -> bool {
    fault.downcast_ref().is_some_and(|fault: &hyper::Error| fault.is_incomplete_message() || fault.is_canceled())
}

impl Server {
    /// One that has been idle for less than that.
    fn take(&self, kept: Duration) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < kept);
        idle.pop().map(|(sender, _)| sender)
    }

    async fn connect(&self) -> anyhow::Result<Sender> {
        let stream = TcpStream::connect(self.address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn answer(&self, mut sender: Sender, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let (parts, body) = sender.send_request(request).await.context("the connection broke")?.into_parts();
        let body = body.collect().await.context("the connection broke")?.to_bytes();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((sender, Instant::now()));
        Ok(Response::from_parts(parts, body))
    }
}
