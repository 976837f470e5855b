//! The helper window: a listed website gets through it once its person has allowed it there, and nobody else does.

use std::net::SocketAddr;

use card_protocol::proof::KeyAlgorithm;
use card_protocol::{Challenge, Purpose, SUBPROTOCOL, close_code};

use crate::cards::Issued;
use crate::http::{Answer, http};
use crate::page::{self, Headers, Page};
use crate::readers::{LIMITS, ORIGIN, OTHER_ORIGIN, OneReader, Served, serve};

fn bridge() -> Served {
    serve(OneReader::empty(), LIMITS)
}

fn open(address: SocketAddr, origin: &str) -> Answer {
    http(address, &format!("GET /relay?origin={origin}"), &[("Host", &address.to_string())], "")
}

/// Posts as the window does.
fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    let host = address.to_string();
    http(address, &format!("POST {path}"), &[("Host", &host), ("Origin", &format!("http://{host}"))], body)
}

/// The token of the question in a page.
fn token(page: &Answer) -> String {
    let (_, rest) = page.text.split_once("name=\"token\" value=\"").unwrap_or_else(|| panic!("{}", page.text));
    rest.split_once('"').unwrap().0.to_owned()
}

fn allow(address: SocketAddr, origin: &str) {
    let token = token(&open(address, origin));
    let answer = post(address, "/relay/answer", &format!("token={token}&answer=allow"));
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert!(answer.text.contains(&format!("location: /relay?origin={origin}")), "{}", answer.text);
}

/// Asks for a token for a websocket.
fn socket_token(address: SocketAddr, origin: &str) -> Option<String> {
    let answer = post(address, &format!("/relay/token?origin={origin}"), "");
    (answer.status == 200).then(|| answer.text.rsplit("\r\n").next().unwrap().to_owned())
}

/// A websocket as the window opens it.
fn connect(address: SocketAddr, token: &str) -> Result<Page, u16> {
    let own: &'static str = Box::leak(format!("http://{address}").into_boxed_str());
    let headers = Headers { host: None, origin: Some(own), subprotocol: Some(SUBPROTOCOL) };
    let (mut socket, _) = page::connect_to(address, &format!("/relay/socket?token={token}"), headers);
    match socket.read().unwrap() {
        tungstenite::Message::Text(text) => Ok(Page::after(socket, &text)),
        tungstenite::Message::Close(Some(frame)) => Err(frame.code.into()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_listed_website_that_was_allowed_gets_proofs_for_its_own_origin() {
    let card = Issued::new(KeyAlgorithm::P256);
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    allow(bridge.address, ORIGIN);
    let token = socket_token(bridge.address, ORIGIN).unwrap();
    let mut page = connect(bridge.address, &token).unwrap();
    let proof = page.prove_card(Purpose::Hello, Challenge([1; 32])).unwrap();
    assert!(card.signed(&proof, ORIGIN));
    assert!(!card.signed(&proof, &format!("http://{}", bridge.address)), "not for the origin of the window");
}

#[test]
fn the_question_names_the_website_and_asks_before_anything() {
    let bridge = bridge();
    let page = open(bridge.address, ORIGIN);
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Allow this website to use your reader?"), "{}", page.text);
    assert!(page.text.contains(&format!("<p class=\"origin\">{ORIGIN}</p>")), "{}", page.text);
    assert!(!page.text.contains("data-origin"), "no script speaks to it: {}", page.text);
    for header in ["frame-ancestors 'none'", "script-src 'self';", "cache-control: no-store", "nosniff"] {
        assert!(page.text.contains(header), "{header}: {}", page.text);
    }
    assert_eq!(socket_token(bridge.address, ORIGIN), None);
}

#[test]
fn a_website_that_is_not_listed_is_not_even_asked_about() {
    let bridge = bridge();
    for origin in ["https://elsewhere.test", "", "null", "https://service.test.elsewhere.test", "%3Cb%3E"] {
        let page = open(bridge.address, origin);
        assert_eq!(page.status, 403, "{origin}");
        assert!(page.text.contains("does not trust this website") && !page.text.contains("<b>"), "{}", page.text);
        assert_eq!(socket_token(bridge.address, origin), None);
    }
}

#[test]
fn what_was_denied_stays_so_and_is_asked_again() {
    let bridge = bridge();
    let asked = token(&open(bridge.address, ORIGIN));
    let answer = post(bridge.address, "/relay/answer", &format!("token={asked}&answer=deny"));
    assert!(answer.text.contains("You did not allow this website"), "{}", answer.text);
    assert_eq!(socket_token(bridge.address, ORIGIN), None);
    assert!(open(bridge.address, ORIGIN).text.contains("Allow this website"));
}

#[test]
fn one_website_is_allowed_and_the_other_is_not() {
    let bridge = bridge();
    allow(bridge.address, ORIGIN);
    assert!(open(bridge.address, ORIGIN).text.contains("data-origin"));
    assert!(open(bridge.address, OTHER_ORIGIN).text.contains("Allow this website"));
    assert_eq!(socket_token(bridge.address, OTHER_ORIGIN), None);
}

#[test]
fn a_token_lets_one_websocket_in_and_one_answer_count() {
    let bridge = bridge();
    allow(bridge.address, ORIGIN);
    let token = socket_token(bridge.address, ORIGIN).unwrap();
    assert!(connect(bridge.address, &token).is_ok());
    assert_eq!(connect(bridge.address, &token).err(), Some(close_code::ORIGIN));
    assert_eq!(connect(bridge.address, "").err(), Some(close_code::ORIGIN));
    let asked = self::token(&open(bridge.address, OTHER_ORIGIN));
    let answer = |choice| post(bridge.address, "/relay/answer", &format!("token={asked}&answer={choice}")).status;
    assert_eq!((answer("deny"), answer("allow")), (200, 403));
}

#[test]
fn no_other_page_answers_for_the_person_or_gets_a_token() {
    let bridge = bridge();
    let address = bridge.address;
    let host = address.to_string();
    let asked = token(&open(address, ORIGIN));
    let body = format!("token={asked}&answer=allow");
    for headers in [
        &[("Host", host.as_str())][..],
        &[("Host", host.as_str()), ("Origin", ORIGIN)],
        &[("Host", host.as_str()), ("Origin", "null")],
        &[("Host", host.as_str()), ("Origin", "http://127.0.0.1")],
        &[("Host", "elsewhere.test"), ("Origin", "http://elsewhere.test")],
    ] {
        assert_eq!(http(address, "POST /relay/answer", headers, &body).status, 403, "{headers:?}");
    }
    allow(address, ORIGIN);
    for headers in [&[("Host", host.as_str())][..], &[("Host", host.as_str()), ("Origin", ORIGIN)]] {
        let path = format!("POST /relay/token?origin={ORIGIN}");
        assert_eq!(http(address, &path, headers, "").status, 403, "{headers:?}");
    }
    let named = [("Host", "elsewhere.test")];
    assert_eq!(http(address, &format!("GET /relay?origin={ORIGIN}"), &named, "").status, 403);
}
