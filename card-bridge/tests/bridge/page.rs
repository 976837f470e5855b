//! A page's end of the websocket.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use card_protocol::message::{
    Done, Event, FromBridge, Hello, LastTry, Outcome, PasscodeUse, Readers, Reply, Request, Verb,
};
use card_protocol::passcode::Passcode;
use card_protocol::sealed::{Sealed, seal_passcode};
use card_protocol::{CardFailure, CardProof, Challenge, ConnectionKey, Guid, Purpose, SUBPROTOCOL};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::{HeaderValue, Response};
use tungstenite::{Message, WebSocket};

/// Longer than any answer takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Headers of an upgrade in place of the usual ones; `None` leaves a header out.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    pub host: Option<&'static str>,
    pub origin: Option<&'static str>,
    pub subprotocol: Option<&'static str>,
}

pub struct Page {
    socket: WebSocket<TcpStream>,
    hello: Hello,
    last_id: u32,
    events: VecDeque<Readers>,
}

/// Connects as a browser would.
pub fn connect(address: SocketAddr, headers: Headers) -> (WebSocket<TcpStream>, Response<Option<Vec<u8>>>) {
    connect_to(address, "/", headers)
}

/// The same at another path.
pub fn connect_to(
    address: SocketAddr,
    path: &str,
    headers: Headers,
) -> (WebSocket<TcpStream>, Response<Option<Vec<u8>>>) {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    let wanted = [("host", headers.host), ("origin", headers.origin), ("sec-websocket-protocol", headers.subprotocol)];
    for (name, value) in wanted {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    tungstenite::client::client(request, stream).unwrap()
}

/// The close code that follows, whatever comes before it.
pub fn close_code(socket: &mut WebSocket<TcpStream>) -> u16 {
    loop {
        match socket.read().unwrap() {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Close(None) => panic!("closed without a code"),
            _ => {}
        }
    }
}

impl Page {
    pub fn open(address: SocketAddr, origin: &'static str) -> Self {
        let headers = Headers { host: None, origin: Some(origin), subprotocol: Some(SUBPROTOCOL) };
        let (socket, response) = connect(address, headers);
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        Self::greeted(socket)
    }

    /// A page whose websocket was let in.
    fn greeted(mut socket: WebSocket<TcpStream>) -> Self {
        let FromBridge::Hello(hello) = read(&mut socket) else { panic!("the bridge speaks first") };
        Self::after_hello(socket, hello)
    }

    /// A page after the first message of its websocket.
    pub fn after(socket: WebSocket<TcpStream>, first: &str) -> Self {
        let FromBridge::Hello(hello) = serde_json::from_str(first).unwrap() else { panic!("the bridge speaks first") };
        Self::after_hello(socket, hello)
    }

    fn after_hello(socket: WebSocket<TcpStream>, hello: Hello) -> Self {
        let events = VecDeque::from([hello.readers.clone()]);
        Self { socket, hello, last_id: 0, events }
    }

    pub fn key(&self) -> ConnectionKey {
        self.hello.connection_key
    }

    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    pub fn socket(&mut self) -> &mut WebSocket<TcpStream> {
        &mut self.socket
    }

    pub fn send(&mut self, verb: Verb) -> u32 {
        self.last_id += 1;
        self.send_request(&Request { id: self.last_id, verb });
        self.last_id
    }

    pub fn send_request(&mut self, request: &Request) {
        self.socket.send(Message::text(serde_json::to_string(request).unwrap())).unwrap();
    }

    pub fn reply(&mut self) -> Reply {
        loop {
            match read(&mut self.socket) {
                FromBridge::Reply(reply) => return reply,
                FromBridge::Event(Event::Readers { readers }) => self.events.push_back(readers),
                FromBridge::Hello(_) => panic!("a second greeting"),
            }
        }
    }

    /// The readers of the greeting, and then of each event in turn.
    pub fn next_readers(&mut self) -> Readers {
        if let Some(readers) = self.events.pop_front() {
            return readers;
        }
        match read(&mut self.socket) {
            FromBridge::Event(Event::Readers { readers }) => readers,
            other => panic!("{other:?} instead of an event"),
        }
    }

    /// Waits until the readers are as wanted.
    pub fn until_readers(&mut self, wanted: impl Fn(&Readers) -> bool) -> Readers {
        loop {
            let readers = self.next_readers();
            if wanted(&readers) {
                return readers;
            }
        }
    }

    pub fn ask(&mut self, verb: Verb) -> Result<Done, CardFailure> {
        let id = self.send(verb);
        let reply = self.reply();
        assert_eq!(reply.id, id);
        match reply.outcome {
            Outcome::Done(done) => Ok(done),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    pub fn ask_for_proof(&mut self, verb: Verb) -> Result<CardProof, CardFailure> {
        match self.ask(verb)? {
            Done::Proof(proof) => Ok(proof),
            other => panic!("{other:?} instead of a proof"),
        }
    }

    pub fn prove_card(&mut self, purpose: Purpose, challenge: Challenge) -> Result<CardProof, CardFailure> {
        self.ask_for_proof(Verb::ProveCard { reader: None, purpose, challenge })
    }

    pub fn prove_holder(
        &mut self,
        purpose: Purpose,
        challenge: Challenge,
        passcode: &str,
        last_try: LastTry,
    ) -> Result<CardProof, CardFailure> {
        let passcode = Some(self.seal(PasscodeUse::ProveHolder, passcode));
        self.ask_for_proof(Verb::ProveHolder { reader: None, purpose, challenge, passcode, last_try })
    }

    pub fn sign_in(&mut self, passcode: &str) -> Result<CardProof, CardFailure> {
        self.prove_holder(Purpose::SignIn, Challenge([1; 32]), passcode, LastTry::Keep)
    }

    pub fn change_passcode(
        &mut self,
        guid: Guid,
        challenge: Challenge,
        [current, new]: [&str; 2],
        last_try: LastTry,
    ) -> Result<CardProof, CardFailure> {
        let current = self.seal(PasscodeUse::ChangeCurrent, current);
        let new = self.seal(PasscodeUse::ChangeNew, new);
        self.ask_for_proof(Verb::ChangePasscode { reader: None, guid, challenge, current, new, last_try })
    }

    pub fn reset_passcode(&mut self, passcode: &str, unlock_keys: Sealed) -> Result<CardProof, CardFailure> {
        let passcode = Some(self.seal(PasscodeUse::ResetPasscode, passcode));
        self.ask_for_proof(Verb::ResetPasscode { reader: None, passcode, unlock_keys })
    }

    /// Seals a passcode for the next request.
    pub fn seal(&self, used_for: PasscodeUse, passcode: &str) -> Sealed {
        let passcode = Passcode::parse(passcode).unwrap();
        seal_passcode(&self.key(), &used_for.additional_data(self.last_id + 1), &passcode).unwrap()
    }
}

fn read(socket: &mut WebSocket<TcpStream>) -> FromBridge {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}
