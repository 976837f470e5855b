//! One connection of one page: who may connect, the greeting, requests and replies, events.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{self, CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use card_protocol::message::{Event, FromBridge, Hello, Outcome, Reply, Request};
use card_protocol::{CardFailure, MAX_MESSAGE, SUBPROTOCOL, close_code};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tungstenite::error::{CapacityError, Error as WebSocketError};

use crate::config::AllowedOrigin;
use crate::connections::Caller;
use crate::controls::Admission;
use crate::operations::Session;
use crate::origin::Gatekeeper;
use crate::peer::Peer;
use crate::worker::Worker;

/// Room for reading and writing of one connection; the messages are short.
const BUFFER: usize = 8 * 1024;

/// How long a page may take to receive a close frame and to answer it.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// More than there can be requests at once.
const MOST_REQUESTS: u32 = 1024;

/// How long the end of the bridge waits for replies to go out.
const REPLY_LIMIT: Duration = Duration::from_secs(1);

/// What all connections share.
pub struct Shared {
    /// Who may connect.
    pub gatekeeper: Gatekeeper,
    /// Whether anybody may at the moment.
    pub admission: watch::Sender<Admission>,
    /// Who works with the cards.
    pub worker: Worker,
    /// Each request holds one until its reply has gone out.
    unanswered: Arc<Semaphore>,
}

impl Shared {
    /// For the connections of one bridge.
    pub fn new(gatekeeper: Gatekeeper, worker: Worker) -> Self {
        let unanswered = Arc::new(Semaphore::new(MOST_REQUESTS as usize));
        Self { gatekeeper, admission: watch::Sender::new(Admission::Open), worker, unanswered }
    }

    /// Waits a moment until each request that was carried out has its reply.
    pub async fn all_answered(&self) {
        let _ = tokio::time::timeout(REPLY_LIMIT, self.unanswered.acquire_many(MOST_REQUESTS)).await;
    }
}

/// Why a page is refused. It is told by a close code after a completed upgrade: a page can't tell a refused upgrade
/// from a bridge that is not running.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    code: u16,
    reason: &'static str,
}

/// The person wants a pause.
const PAUSED: Refusal = Refusal { code: close_code::PAUSED, reason: "paused" };

/// Answers an upgrade: a page is who its browser says.
pub async fn accept(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let origin = shared.gatekeeper.allowed_origin(&headers);
    accept_for(shared, caller, &headers, origin, upgrade)
}

/// Answers an upgrade for a page of this origin; where there is none, it is refused.
pub fn accept_for(
    shared: Arc<Shared>,
    caller: Caller,
    headers: &HeaderMap,
    origin: Option<Arc<AllowedOrigin>>,
    mut upgrade: WebSocketUpgrade,
) -> Response {
    let speaks_ours = upgrade.requested_protocols().any(|protocol| protocol == SUBPROTOCOL);
    let admitted = admit(&shared, caller.peer, headers, origin, speaks_ours);
    // A browser breaks off when none of the subprotocols that it offered is selected, and would not see the close code.
    let selected = if speaks_ours {
        Some(HeaderValue::from_static(SUBPROTOCOL))
    } else {
        upgrade.requested_protocols().next().cloned()
    };
    if let Some(selected) = selected {
        upgrade.set_selected_protocol(selected);
    }
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(async move |socket| {
            match admitted {
                Ok((origin, _place)) => Connection::new(socket, shared, origin).serve().await,
                Err(refusal) => refuse(socket, refusal).await,
            }
            drop(caller);
        })
}

fn admit(
    shared: &Shared,
    peer: Peer,
    headers: &HeaderMap,
    origin: Option<Arc<AllowedOrigin>>,
    speaks_ours: bool,
) -> Result<(Arc<AllowedOrigin>, OwnedSemaphorePermit), Refusal> {
    let gatekeeper = &shared.gatekeeper;
    if peer == Peer::Stranger {
        return Err(Refusal { code: close_code::USER, reason: "user" });
    }
    if !gatekeeper.is_own_host(headers) {
        return Err(Refusal { code: close_code::HOST, reason: "host" });
    }
    let origin = origin.ok_or(Refusal { code: close_code::ORIGIN, reason: "origin" })?;
    if !speaks_ours {
        return Err(Refusal { code: close_code::VERSION, reason: "version" });
    }
    // Told last, and only to those that may know whether the bridge is there.
    if *shared.admission.borrow() == Admission::Paused {
        return Err(PAUSED);
    }
    let place = gatekeeper.place(&origin).ok_or(Refusal { code: close_code::FULL, reason: "full" })?;
    Ok((origin, place))
}

async fn refuse(mut socket: WebSocket, refusal: Refusal) {
    tracing::warn!(code = refusal.code, "a page was refused: {}", refusal.reason);
    close(&mut socket, refusal.code, refusal.reason).await;
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let closed = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        // The page's own close frame follows; nothing else that it sends is looked at.
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = tokio::time::timeout(CLOSE_LIMIT, closed).await;
}

/// A request that is being carried out; the session is lent to it meanwhile.
type Running = Pin<Box<dyn Future<Output = Finished> + Send>>;

struct Finished {
    session: Session,
    reply: Reply,
    unanswered: Option<OwnedSemaphorePermit>,
}

struct Connection {
    socket: WebSocket,
    shared: Arc<Shared>,
    session: Option<Session>,
    running: Option<Running>,
}

/// The page has gone, or can't be talked to.
struct Gone;

impl Connection {
    fn new(socket: WebSocket, shared: Arc<Shared>, origin: Arc<AllowedOrigin>) -> Self {
        tracing::info!(origin = %origin.url, "a page connected");
        let session = Session::new(origin, shared.worker.clone());
        Self { socket, shared, session: Some(session), running: None }
    }

    async fn serve(mut self) {
        // A page that has gone needs no answer.
        let _: Result<(), Gone> = self.converse().await;
        tracing::info!("a page disconnected");
    }

    async fn converse(&mut self) -> Result<(), Gone> {
        let mut readers = self.shared.worker.readers();
        let now = readers.borrow_and_update().clone();
        let connection_key = self.session.as_ref().map(Session::connection_key).ok_or(Gone)?;
        let mut admission = self.shared.admission.subscribe();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.send(&FromBridge::Hello(Hello { version, connection_key, readers: now })).await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => self.receive(message).await?,
                Ok(()) = readers.changed() => {
                    let readers = readers.borrow_and_update().clone();
                    self.send(&FromBridge::Event(Event::Readers { readers })).await?;
                }
                Finished { session, reply, unanswered } = finished(&mut self.running) => {
                    self.running = None;
                    self.session = Some(session);
                    self.send(&FromBridge::Reply(reply)).await?;
                    drop(unanswered);
                }
                // A request that is running is answered first.
                () = until_paused(&mut admission), if self.running.is_none() => return self.pause().await,
            }
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Gone> {
        match message {
            Some(Ok(Message::Text(text))) => self.request(text.as_str()).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => {
                close(&mut self.socket, ws::close_code::UNSUPPORTED, "text only").await;
                Err(Gone)
            }
            Some(Err(error)) => {
                if let Some((code, reason)) = fault_of_page(error) {
                    close(&mut self.socket, code, reason).await;
                }
                Err(Gone)
            }
            Some(Ok(Message::Close(_))) | None => Err(Gone),
        }
    }

    async fn request(&mut self, text: &str) -> Result<(), Gone> {
        let Ok(request) = serde_json::from_str::<Request>(text) else {
            return self.malformed(text).await;
        };
        let Some(mut session) = self.session.take() else {
            return self.fail(request.id, CardFailure::Busy).await;
        };
        if *self.shared.admission.borrow() == Admission::Paused {
            return self.pause().await;
        }
        let unanswered = Arc::clone(&self.shared.unanswered).try_acquire_owned().ok();
        self.running = Some(Box::pin(async move {
            let id = request.id;
            let outcome = session.carry_out(request).await;
            Finished { session, reply: Reply { id, outcome }, unanswered }
        }));
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), Gone> {
        close(&mut self.socket, PAUSED.code, PAUSED.reason).await;
        Err(Gone)
    }

    /// A request that can't be read is answered if its id can.
    async fn malformed(&mut self, text: &str) -> Result<(), Gone> {
        #[derive(Deserialize)]
        struct Id {
            id: u32,
        }
        tracing::warn!("a malformed request");
        if let Ok(Id { id }) = serde_json::from_str(text) {
            return self.fail(id, CardFailure::Malformed).await;
        }
        close(&mut self.socket, ws::close_code::POLICY, "malformed").await;
        Err(Gone)
    }

    async fn fail(&mut self, id: u32, failure: CardFailure) -> Result<(), Gone> {
        self.send(&FromBridge::Reply(Reply { id, outcome: Outcome::Failed(failure) })).await
    }

    async fn send(&mut self, message: &FromBridge) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_| Gone)?;
        self.socket.send(Message::text(text)).await.map_err(|_| Gone)
    }
}

/// The close code for what is no message, where there is still somebody to tell it.
fn fault_of_page(error: axum::Error) -> Option<(u16, &'static str)> {
    match *error.into_inner().downcast().ok()? {
        WebSocketError::Capacity(CapacityError::MessageTooLong { .. }) => Some((ws::close_code::SIZE, "too long")),
        WebSocketError::Utf8(_) => Some((ws::close_code::INVALID, "not text")),
        WebSocketError::Protocol(_) => Some((ws::close_code::PROTOCOL, "not a websocket message")),
        _ => None,
    }
}

async fn until_paused(admission: &mut watch::Receiver<Admission>) {
    if admission.wait_for(|admission| *admission == Admission::Paused).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn finished(running: &mut Option<Running>) -> Finished {
    match running {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}
