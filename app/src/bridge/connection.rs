//! One websocket connection to the bridge.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use card_protocol::{
    SUBPROTOCOL,
    message::{FromBridge, Hello, Outcome, Reply, Request, Verb},
};
use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::{
    diagnosis::{self, Diagnosis},
    permission::permission,
    timer::within,
};

/// An open connection: the bridge has said hello.
pub struct Connection {
    socket: Socket,
    hello: Hello,
    waiting: Waiting,
    last_id: Cell<u32>,
}

/// The request that waits for its reply: one at a time.
type Waiting = Rc<RefCell<Option<(u32, oneshot::Sender<Outcome>)>>>;

/// What a websocket did.
enum Happened {
    Opened,
    Said(String),
    Failed,
    Closed(u16),
}

/// A websocket whose events come out of a channel. It is closed when dropped.
struct Socket {
    websocket: WebSocket,
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

type Happenings = mpsc::UnboundedReceiver<Happened>;

impl Socket {
    fn open(port: u16) -> Option<(Self, Happenings)> {
        let socket =
            WebSocket::new_with_str(&["ws://127.0.0.1:", &port.to_string(), "/"].concat(), SUBPROTOCOL).ok()?;
        let (sender, happenings) = mpsc::unbounded();
        let opened = sender.clone();
        let on_open = Closure::new(move |_: Event| {
            let _ = opened.unbounded_send(Happened::Opened);
        });
        let said = sender.clone();
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                let _ = said.unbounded_send(Happened::Said(text));
            }
        });
        let failed = sender.clone();
        let on_error = Closure::new(move |_: Event| {
            let _ = failed.unbounded_send(Happened::Failed);
        });
        let on_close = Closure::new(move |event: CloseEvent| {
            let _ = sender.unbounded_send(Happened::Closed(event.code()));
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let socket = Self {
            websocket: socket,
            _on_open: on_open,
            _on_message: on_message,
            _on_error: on_error,
            _on_close: on_close,
        };
        Some((socket, happenings))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.websocket.set_onopen(None);
        self.websocket.set_onmessage(None);
        self.websocket.set_onerror(None);
        self.websocket.set_onclose(None);
        let _ = self.websocket.close();
    }
}

impl Connection {
    /// Connects and waits for the bridge's hello. Calls `asking` when the browser seems to be asking the person.
    pub async fn open(port: u16, asking: impl Fn()) -> Result<Self, Diagnosis> {
        let allowed = permission().await;
        let (socket, mut happenings) = Socket::open(port).ok_or(Diagnosis::NotInThisBrowser)?;
        let first = match within(diagnosis::ASKING_AFTER, happenings.next()).await {
            Some(first) => first,
            None if diagnosis::may_be_asking(allowed) => {
                asking();
                within(diagnosis::ANSWER_WITHIN, happenings.next()).await.ok_or(Diagnosis::Blocked)?
            }
            None => within(diagnosis::HELLO_WITHIN, happenings.next()).await.ok_or(Diagnosis::Hung)?,
        };
        let mut happened = first;
        loop {
            match happened {
                Some(Happened::Opened) if socket.websocket.protocol() != SUBPROTOCOL => return Err(Diagnosis::Version),
                Some(Happened::Opened) => {}
                Some(Happened::Said(text)) => {
                    let Ok(FromBridge::Hello(hello)) = serde_json::from_str(&text) else {
                        return Err(Diagnosis::Version);
                    };
                    return Ok(Self::start(socket, happenings, hello));
                }
                Some(Happened::Failed) => {
                    let close = within(diagnosis::CLOSE_AFTER_ERROR, happenings.next()).await;
                    let Some(Some(Happened::Closed(code))) = close else {
                        return Err(Diagnosis::NotInThisBrowser);
                    };
                    return Err(diagnosis::of_close(code, permission().await));
                }
                Some(Happened::Closed(code)) => return Err(diagnosis::of_close(code, permission().await)),
                None => return Err(Diagnosis::Lost),
            }
            happened = within(diagnosis::HELLO_WITHIN, happenings.next()).await.ok_or(Diagnosis::Hung)?;
        }
    }

    fn start(socket: Socket, mut happenings: Happenings, hello: Hello) -> Self {
        let waiting = Waiting::default();
        let answered = Rc::clone(&waiting);
        leptos::task::spawn_local(async move {
            while let Some(happened) = happenings.next().await {
                match happened {
                    Happened::Said(text) => {
                        if let Ok(FromBridge::Reply(Reply { id, outcome })) = serde_json::from_str(&text)
                            && let Some((_, reply)) = answered.borrow_mut().take_if(|(waiting, _)| *waiting == id)
                        {
                            let _ = reply.send(outcome);
                        }
                    }
                    Happened::Closed(_) => break,
                    Happened::Opened | Happened::Failed => {}
                }
            }
            // Whoever still waits learns that nothing will come.
            answered.borrow_mut().take();
        });
        Self { socket, hello, waiting, last_id: Cell::new(0) }
    }

    /// What the bridge said first.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether requests can be sent.
    pub fn is_open(&self) -> bool {
        self.socket.websocket.ready_state() == WebSocket::OPEN
    }

    /// A new id for a request of this connection.
    pub fn next_id(&self) -> u32 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    /// Sends a request and waits for its outcome. After a failure the connection is of no more use.
    pub async fn request(&self, id: u32, verb: Verb, seconds: u32) -> Result<Outcome, Diagnosis> {
        let (reply, outcome) = oneshot::channel();
        *self.waiting.borrow_mut() = Some((id, reply));
        let text = serde_json::to_string(&Request { id, verb }).map_err(|_| Diagnosis::Lost)?;
        self.socket.websocket.send_with_str(&text).map_err(|_| Diagnosis::Lost)?;
        match within(seconds * 1_000, outcome).await {
            Some(Ok(outcome)) => Ok(outcome),
            Some(Err(_)) => Err(Diagnosis::Lost),
            None => {
                let _ = self.socket.websocket.close();
                Err(Diagnosis::Hung)
            }
        }
    }
}
