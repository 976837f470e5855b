//! One connection to the bridge: by a websocket of the page's own, or by one of the helper window.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use card_protocol::{
    SUBPROTOCOL,
    message::{Event as BridgeEvent, FromBridge, Hello, Outcome, Readers, Reply, Request, Verb},
};
use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::{
    diagnosis::{self, Diagnosis},
    helper::Helper,
    permission::permission,
    timer::within,
};

/// An open connection: the bridge has said hello.
pub struct Connection {
    line: Box<dyn Line>,
    hello: Hello,
    waiting: Waiting,
    connected: Rc<RefCell<Connected>>,
    last_id: Cell<u32>,
}

/// What is connected now, and who is told of each change.
struct Connected {
    readers: Readers,
    tell: Option<Box<Tell>>,
}

/// Tells what is connected; nothing when the connection has ended.
type Tell = dyn Fn(Option<&Readers>);

/// The request that waits for its reply: one at a time.
type Waiting = Rc<RefCell<Option<(u32, oneshot::Sender<Outcome>)>>>;

/// What a websocket did.
pub enum Happened {
    /// It is open.
    Opened,
    /// The bridge said this.
    Said(String),
    /// It failed; a close follows, in most browsers.
    Failed,
    /// It was closed with this code.
    Closed(u16),
}

/// What carries texts to the bridge. What it does comes out of its [`Happenings`]. It is closed when dropped.
pub trait Line {
    /// Whether texts can be sent.
    fn is_open(&self) -> bool;
    /// Whether the bridge has chosen our subprotocol.
    fn speaks_ours(&self) -> bool;
    /// Sends a text.
    fn send(&self, text: &str) -> Result<(), JsValue>;
    /// Closes it.
    fn close(&self);
}

/// A websocket whose events come out of a channel.
struct Socket {
    websocket: WebSocket,
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

/// What a line does, in order.
pub type Happenings = mpsc::UnboundedReceiver<Happened>;

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

impl Line for Socket {
    fn is_open(&self) -> bool {
        self.websocket.ready_state() == WebSocket::OPEN
    }

    fn speaks_ours(&self) -> bool {
        self.websocket.protocol() == SUBPROTOCOL
    }

    fn send(&self, text: &str) -> Result<(), JsValue> {
        self.websocket.send_with_str(text)
    }

    fn close(&self) {
        let _ = self.websocket.close();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.websocket.set_onopen(None);
        self.websocket.set_onmessage(None);
        self.websocket.set_onerror(None);
        self.websocket.set_onclose(None);
        self.close();
    }
}

impl Connection {
    /// Connects and waits for the bridge's hello. Calls `asking` when the browser seems to be asking the person.
    pub async fn open(port: u16, asking: impl Fn()) -> Result<Self, Diagnosis> {
        let allowed = permission().await;
        let (socket, mut happenings) = Socket::open(port).ok_or(Diagnosis::NotInThisBrowser)?;
        let mut asked = false;
        let first = match within(diagnosis::ASKING_AFTER, happenings.next()).await {
            Some(first) => first,
            None if diagnosis::may_be_asking(allowed) => {
                asking();
                asked = true;
                within(diagnosis::ANSWER_WITHIN, happenings.next()).await.ok_or(Diagnosis::Blocked)?
            }
            None => within(diagnosis::HELLO_WITHIN, happenings.next()).await.ok_or(Diagnosis::Hung)?,
        };
        let greeted = Self::greeted(Box::new(socket), happenings, first).await;
        // A port that nobody listens at is refused before any question: the question has ended without leave.
        greeted.map_err(|diagnosis| match diagnosis {
            Diagnosis::NotRunning if asked => Diagnosis::Blocked,
            other => other,
        })
    }

    /// The same through the helper window, which is open and has leave to connect.
    pub async fn open_by_helper(helper: &Helper) -> Result<Self, Diagnosis> {
        let (line, mut happenings) = helper.connect().ok_or(Diagnosis::HelperClosed)?;
        let first = within(diagnosis::HELLO_WITHIN, happenings.next()).await.ok_or(Diagnosis::HelperClosed)?;
        Self::greeted(Box::new(line), happenings, first).await
    }

    /// Waits for the bridge's hello.
    async fn greeted(
        line: Box<dyn Line>,
        mut happenings: Happenings,
        first: Option<Happened>,
    ) -> Result<Self, Diagnosis> {
        let mut happened = first;
        loop {
            match happened {
                Some(Happened::Opened) if !line.speaks_ours() => return Err(Diagnosis::Version),
                Some(Happened::Opened) => {}
                Some(Happened::Said(text)) => {
                    let Ok(FromBridge::Hello(hello)) = serde_json::from_str(&text) else {
                        return Err(Diagnosis::Version);
                    };
                    return Ok(Self::start(line, happenings, hello));
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

    fn start(line: Box<dyn Line>, mut happenings: Happenings, hello: Hello) -> Self {
        let waiting = Waiting::default();
        let connected = Rc::new(RefCell::new(Connected { readers: hello.readers.clone(), tell: None }));
        let (answered, changed) = (Rc::clone(&waiting), Rc::clone(&connected));
        leptos::task::spawn_local(async move {
            while let Some(happened) = happenings.next().await {
                match happened {
                    Happened::Said(text) => match serde_json::from_str(&text) {
                        Ok(FromBridge::Reply(Reply { id, outcome })) => {
                            let reply = answered.borrow_mut().take_if(|(waiting, _)| *waiting == id);
                            if let Some((_, reply)) = reply {
                                let _ = reply.send(outcome);
                            }
                        }
                        Ok(FromBridge::Event(BridgeEvent::Readers { readers })) => {
                            let mut changed = changed.borrow_mut();
                            changed.readers = readers;
                            if let Some(tell) = &changed.tell {
                                tell(Some(&changed.readers));
                            }
                        }
                        Ok(FromBridge::Hello(_)) | Err(_) => {}
                    },
                    Happened::Closed(_) => break,
                    Happened::Opened | Happened::Failed => {}
                }
            }
            if let Some(tell) = &changed.borrow().tell {
                tell(None);
            }
            // Whoever still waits learns that nothing will come.
            answered.borrow_mut().take();
        });
        Self { line, hello, waiting, connected, last_id: Cell::new(0) }
    }

    /// Tells what is connected, and again whenever that changes; nothing when the connection has ended.
    pub fn listen(&self, tell: impl Fn(Option<&Readers>) + 'static) {
        let mut connected = self.connected.borrow_mut();
        tell(Some(&connected.readers));
        connected.tell = Some(Box::new(tell));
    }

    /// What the bridge said first.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether requests can be sent.
    pub fn is_open(&self) -> bool {
        self.line.is_open()
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
        self.line.send(&text).map_err(|_| Diagnosis::Lost)?;
        match within(seconds * 1_000, outcome).await {
            Some(Ok(outcome)) => Ok(outcome),
            Some(Err(_)) => Err(Diagnosis::Lost),
            None => {
                self.line.close();
                Err(Diagnosis::Hung)
            }
        }
    }
}
