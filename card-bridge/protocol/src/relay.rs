//! What a page of the service and the helper window say to each other by `postMessage`.
//!
//! The helper window is a page of the bridge, at [`PATH`]. It says [`ASKING`] to the page that opened it every second
//! while its person is asked about that page's origin, then [`READY`], and the page says [`HERE`]. To connect, the page says [`CONNECT`] and
//! hands over a port; the window opens a websocket for it and passes on what comes, each way in one text:
//!
//! | from the window | from the page | |
//! | --- | --- | --- |
//! | `opened` | | the websocket is open |
//! | `said ` and a text | `said ` and a text | a message of the bridge, or to it |
//! | `closed ` and a code | | the websocket was closed |
//! | | `close` | it is to be closed |

/// The path of the helper window, with the page's origin as its parameter `origin`.
pub const PATH: &str = "/relay";

/// The window is there, and the page's origin is allowed.
pub const READY: &str = "card-bridge: ready";

/// The window is there, and asks its person about the page's origin.
pub const ASKING: &str = "card-bridge: asking";

/// The page is still there.
pub const HERE: &str = "card-bridge: here";

/// The window is to connect; a port comes with it.
pub const CONNECT: &str = "card-bridge: connect";

/// The websocket is to be closed.
pub const CLOSE: &str = "close";

const OPENED: &str = "opened";
const SAID: &str = "said ";
const CLOSED: &str = "closed ";

/// What the window says through a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromRelay<'a> {
    /// The websocket is open.
    Opened,
    /// A message of the bridge.
    Said(&'a str),
    /// The websocket was closed with this code.
    Closed(u16),
}

impl<'a> FromRelay<'a> {
    /// Reads it; nothing where it is none of these.
    pub fn read(text: &'a str) -> Option<Self> {
        if text == OPENED {
            return Some(Self::Opened);
        }
        if let Some(said) = text.strip_prefix(SAID) {
            return Some(Self::Said(said));
        }
        text.strip_prefix(CLOSED)?.parse().ok().map(Self::Closed)
    }
}

/// A message to the bridge, as the page says it.
pub fn said(text: &str) -> String {
    [SAID, text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_window_says_is_read() {
        assert_eq!(FromRelay::read("opened"), Some(FromRelay::Opened));
        assert_eq!(FromRelay::read("said {\"a\":1}"), Some(FromRelay::Said("{\"a\":1}")));
        assert_eq!(FromRelay::read("closed 4403"), Some(FromRelay::Closed(4403)));
        for other in ["", "said", "closed", "closed x", "closed 70000", "ready"] {
            assert_eq!(FromRelay::read(other), None, "{other}");
        }
    }
}
