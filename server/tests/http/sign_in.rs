//! Signing in with card and passcode.

use std::time::{Duration, Instant};

use card_protocol::{Challenge, Purpose};
use serde_json::{Value, json};

use crate::{browser::Browser, card::Card, logs::Log, test_app::TestApp};

pub const JANE: (&str, &str, &str) = ("555000000017", "Jane Smith", "jane.smith@nhs.net");

/// Jane's card, enrolled.
pub async fn janes_card(app: &TestApp) -> Card {
    let card = Card::number(1);
    card.enrol(app, JANE.0, JANE.1, JANE.2).await;
    card
}

/// Signs in: the card proves itself, then its holder.
pub async fn sign_in(browser: &mut Browser, card: &Card) {
    let hello = browser.challenge("session/start").await;
    let proof = card.prove(Purpose::Hello, hello);
    let challenge: Challenge = browser.call("session/confirm-card", &json!({ "proof": proof })).await.value();
    let proof = card.prove(Purpose::SignIn, challenge);
    let _: () = browser.call("session/sign-in", &json!({ "proof": proof })).await.value();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cardholder_signs_in_and_sees_their_profile() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    let page = browser.get("/profile").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Jane Smith"), "{}", page.body);
    assert!(page.body.contains("Not registered"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    let challenge: Challenge =
        browser.call("session/confirm-card", &json!({ "proof": card.prove(Purpose::Hello, hello) })).await.value();
    let answer = browser.call("session/sign-in", &json!({ "proof": card.prove(Purpose::SignIn, challenge) })).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_challenge_is_refused() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    app.clock.advance(time::Duration::seconds(121));
    let answer = browser.call("session/confirm-card", &json!({ "proof": card.prove(Purpose::Hello, hello) })).await;
    assert_eq!(answer.fault(), "Stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_challenge_opens_no_second_session() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    let challenge: Challenge =
        browser.call("session/confirm-card", &json!({ "proof": card.prove(Purpose::Hello, hello) })).await.value();
    let proof = json!({ "proof": card.prove(Purpose::SignIn, challenge) });
    let _: () = browser.call("session/sign-in", &proof).await.value();
    assert_eq!(browser.call("session/sign-in", &proof).await.fault(), "Stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_another_site_or_another_browser_is_refused() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    let phished = card.prove_to("https://evil.example.com", Purpose::Hello, hello);
    assert_eq!(browser.call("session/confirm-card", &json!({ "proof": phished })).await.fault(), "Refused");

    let mut other = Browser::new(&app);
    other.challenge("session/start").await;
    let proof = card.prove(Purpose::Hello, hello);
    assert_eq!(other.call("session/confirm-card", &json!({ "proof": proof })).await.fault(), "Refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_card_and_a_bad_signature_get_one_answer() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    let unknown = Card::number(2).prove(Purpose::Hello, hello);
    let mut forged = card.prove(Purpose::Hello, hello);
    forged.signature = unknown.signature.clone();
    let answers: Vec<Value> = vec![
        browser.call("session/confirm-card", &json!({ "proof": unknown })).await.fault(),
        browser.call("session/confirm-card", &json!({ "proof": forged })).await.fault(),
    ];
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_a_refusal_takes_tells_nothing_and_the_log_keeps_it() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let log = Log::start();
    for (function, purpose) in [
        ("unlock/identify", Purpose::Unlock),
        ("session/confirm-card", Purpose::Hello),
        ("session/sign-in", Purpose::SignIn),
    ] {
        let start = if purpose == Purpose::Unlock { "unlock/start" } else { "session/start" };
        let challenge = browser.challenge(start).await;
        let unknown = Card::number(2).prove(purpose, challenge);
        let mut forged = card.prove(purpose, challenge);
        forged.signature = unknown.signature.clone();
        for proof in [unknown, forged] {
            let asked = Instant::now();
            let answer = browser.call(function, &json!({ "proof": proof })).await;
            assert!(asked.elapsed() >= Duration::from_millis(100), "{function} took {:?}", asked.elapsed());
            assert_eq!(answer.fault(), "Refused");
            let lines = log.lines(&answer, "a card proof was refused");
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].contains("WARN") && !lines[0].contains(JANE.0), "{lines:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_left_alone() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    app.clock.advance(time::Duration::minutes(15));
    let page = browser.get("/profile").await;
    assert!(!page.body.contains("Jane Smith"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_on_the_server_too() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    let request = browser.request("GET", "/profile").body(axum::body::Body::empty()).unwrap();
    browser.post("session/sign-out", &[]).await;
    let page = browser.send(request).await;
    assert!(!page.body.contains("Jane Smith"), "the former cookie opens nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_before() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    let request = browser.request("GET", "/profile").body(axum::body::Body::empty()).unwrap();
    sign_in(&mut browser, &card).await;
    assert!(browser.get("/profile").await.body.contains("Jane Smith"));
    let page = browser.send(request).await;
    assert!(!page.body.contains("Jane Smith"), "the former cookie opens nothing");
}
