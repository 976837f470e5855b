//! A plain balancer: each connection goes to the next server, without regard for who comes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// It listens until the test ends.
pub struct Balancer {
    address: SocketAddr,
    servers: Arc<Vec<Server>>,
}

struct Server {
    address: SocketAddr,
    served: AtomicUsize,
}

impl Balancer {
    /// Begins to listen before these servers.
    pub async fn start(servers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = |address| Server { address, served: AtomicUsize::new(0) };
        let servers: Arc<Vec<_>> = Arc::new(servers.into_iter().map(server).collect());
        let behind = Arc::clone(&servers);
        tokio::spawn(async move {
            for turn in 0.. {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass_on(client, Arc::clone(&behind), turn));
            }
        });
        Self { address, servers }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections each server had.
    pub fn served(&self) -> Vec<usize> {
        self.servers.iter().map(|server| server.served.load(Ordering::SeqCst)).collect()
    }
}

/// Passes a connection on to the server whose turn it is, or to the next one that takes it. One that breaks stays broken.
async fn pass_on(mut client: TcpStream, servers: Arc<Vec<Server>>, turn: usize) {
    for number in 0..servers.len() {
        let server = &servers[(turn + number) % servers.len()];
        if let Ok(mut connection) = TcpStream::connect(server.address).await {
            server.served.fetch_add(1, Ordering::SeqCst);
            let _ = copy_bidirectional(&mut client, &mut connection).await;
            return;
        }
    }
}
