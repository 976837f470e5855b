//! Who has the port: nobody, a card bridge, or some other program. The port itself is asked, as a page would.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use card_protocol::message::FromBridge;
use card_protocol::{SUBPROTOCOL, close_code};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::{HeaderValue, header};
use tungstenite::{Message, WebSocket};

/// How long a program on this machine may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who answers at the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// Nobody listens there.
    Nobody,
    /// A card bridge of this user.
    CardBridge(Answer),
    /// A card bridge that another user of the machine has started.
    OtherUsersCardBridge,
    /// Something else.
    OtherProgram,
}

/// How a card bridge received a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It greeted it.
    Hello,
    /// It does not list the page's origin, or none was named.
    OtherOrigin,
    /// Its person has paused it.
    Paused,
    /// It refused the page for another reason.
    Refused,
}

/// Why the port can't be had, each with an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// A second start of the same user.
    #[error("Card Bridge is running already on port {0}, so this one has stopped. There is nothing to do")]
    ByCardBridge(u16),
    /// Two users of one machine at once.
    #[error(
        "Another user of this computer is running Card Bridge on port {0}. Only one person at a time can use it: ask \
         them to sign out of the computer"
    )]
    ByOtherUser(u16),
    /// Not ours.
    #[error(
        "Another program has port {0}, which Card Bridge needs. Stop that program, or give Card Bridge another port \
         (--port, and the same in the service's own configuration)"
    )]
    ByOtherProgram(u16),
}

impl Taken {
    /// 3 where a card bridge runs already, 4 where it is another user's, 5 where it is another program. 1 and 2 are those
    /// of any other error and of wrong arguments.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::ByCardBridge(_) => 3,
            Self::ByOtherUser(_) => 4,
            Self::ByOtherProgram(_) => 5,
        }
    }

    /// Asks who has a port that could not be bound.
    pub fn ask(port: u16) -> Self {
        match ask(port, None) {
            Occupant::CardBridge(_) => Self::ByCardBridge(port),
            Occupant::OtherUsersCardBridge => Self::ByOtherUser(port),
            Occupant::OtherProgram | Occupant::Nobody => Self::ByOtherProgram(port),
        }
    }
}

/// Asks who listens at a port of this machine, on either loopback address: as a page of `origin`, or as one of none.
pub fn ask(port: u16, origin: Option<&str>) -> Occupant {
    let asked = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let answers = asked.map(|address| ask_at(SocketAddr::new(address, port), origin));
    let [first, second] = answers;
    if first == Occupant::Nobody { second } else { first }
}

fn ask_at(address: SocketAddr, origin: Option<&str>) -> Occupant {
    let stream = match TcpStream::connect_timeout(&address, PATIENCE) {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Occupant::OtherProgram,
        Err(_) => return Occupant::Nobody,
    };
    converse(stream, address, origin).unwrap_or(Occupant::OtherProgram)
}

/// Nothing when what answers is no card bridge.
fn converse(stream: TcpStream, address: SocketAddr, origin: Option<&str>) -> Option<Occupant> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut request = format!("ws://{address}/").into_client_request().ok()?;
    let headers = request.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).ok()?);
    }
    let (mut socket, response) = tungstenite::client(request, stream).ok()?;
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL)?;
    if chosen != SUBPROTOCOL {
        return None;
    }
    let occupant = first_word(&mut socket)?;
    // What has answered already is not asked again when it takes its leave badly.
    let _ = socket.close(None);
    Some(occupant)
}

fn first_word(socket: &mut WebSocket<TcpStream>) -> Option<Occupant> {
    let answer = match socket.read().ok()? {
        Message::Text(text) => match serde_json::from_str(&text).ok()? {
            FromBridge::Hello(_) => Answer::Hello,
            FromBridge::Reply(_) | FromBridge::Event(_) => return None,
        },
        Message::Close(Some(frame)) => match frame.code.into() {
            close_code::USER => return Some(Occupant::OtherUsersCardBridge),
            close_code::ORIGIN => Answer::OtherOrigin,
            close_code::PAUSED => Answer::Paused,
            _ => Answer::Refused,
        },
        _ => return None,
    };
    Some(Occupant::CardBridge(answer))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A program that answers one connection with these bytes.
    fn program(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
        });
        port
    }

    #[test]
    fn a_port_where_nobody_listens_is_free() {
        // IANA: tcpmux. The system gives it nobody by itself.
        assert_eq!(ask(1, None), Occupant::Nobody);
    }

    #[test]
    fn whatever_does_not_speak_as_a_card_bridge_is_another_program() {
        for answer in [
            &b""[..],
            b"220 mail.test ESMTP\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ] {
            assert_eq!(ask(program(answer), None), Occupant::OtherProgram, "{:?}", String::from_utf8_lossy(answer));
        }
    }

    #[test]
    fn each_reason_has_an_exit_code_of_its_own() {
        let codes = [Taken::ByCardBridge(1), Taken::ByOtherUser(1), Taken::ByOtherProgram(1)].map(Taken::exit_code);
        assert_eq!(codes, [3, 4, 5]);
    }
}
