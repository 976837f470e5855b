//! The listeners and the routes.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::connections::Connections;
use crate::controls::Controls;
use crate::origin::Gatekeeper;
use crate::peer;
use crate::relay::{self, Consents};
use crate::websocket::{self, Shared};
use crate::worker::Worker;

/// A bridge that listens.
pub struct Bridge {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    shared: Arc<Shared>,
    router: Router,
}

impl Bridge {
    /// Binds the port on the loopback addresses of the machine, for itself alone.
    ///
    /// # Errors
    ///
    /// When another program has the port, on either address.
    pub async fn bind(config: &Config, worker: Worker) -> io::Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        match TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await {
            Ok(second) => listeners.push(second),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "this machine has no ::1"),
        }
        let gatekeeper = Gatekeeper::new(config.origins.clone(), address);
        let shared = Arc::new(Shared::new(gatekeeper, worker));
        let consents = Arc::new(Consents::read(config.consents.clone()));
        let router = Router::new()
            .route("/", get(websocket::accept))
            .with_state(Arc::clone(&shared))
            .merge(relay::router(Arc::clone(&shared), consents));
        Ok(Self { listeners, address, shared, router })
    }

    /// Adds the page that handles virtual cards.
    #[cfg(feature = "virtual-cards")]
    #[must_use]
    pub fn with_virtual_cards(mut self, cards: Arc<crate::virtual_cards::VirtualCards>) -> Self {
        self.router = self.router.merge(crate::virtual_cards::page::router(Arc::clone(&self.shared), cards));
        self
    }

    /// Handles for what stands beside the bridge.
    pub fn controls(&self) -> Controls {
        Controls { admission: self.shared.admission.clone(), worker: self.shared.worker.clone() }
    }

    /// The IPv4 address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, and then until the transaction that is running has ended and its page was told; not for long
    /// if its card hangs.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        peer::say_if_unchecked();
        let request_limit = self.shared.worker.limits().request;
        let connections = Arc::new(Connections::new(self.router, request_limit));
        let mut accepting: JoinSet<()> =
            self.listeners.into_iter().map(|listener| Arc::clone(&connections).accept(listener)).collect();
        stop.await;
        accepting.shutdown().await;
        self.shared.worker.close().await;
        self.shared.all_answered().await;
    }
}
