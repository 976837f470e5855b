//! Starting on a database that is there already.

use std::{fs, time::Duration};

use card_protocol::Purpose;
use domain::person::UserNumber;
use server::startup::StartupError;

use crate::{
    browser::Browser,
    card::Card,
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_a_restart() {
    let mut app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    app.restart().await;
    browser.reconnect(&app);
    assert!(browser.get("/profile").await.body.contains("Jane Smith"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_vault_key_stops_the_start() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    fs::write(app.folder().join("secrets/vault-key-1"), "5a".repeat(32)).unwrap();
    let fault = app.try_restart().await.err().unwrap();
    assert!(matches!(fault, StartupError::VaultKey { .. }), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_vault_key_stops_the_start_also_when_the_first_card_is_gone() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    Card::number(2).enrol(&app, "555000000025", "John Jones", "john.jones@nhs.net").await;
    app.services().erasure.erase(&UserNumber::parse(JANE.0).unwrap()).await.unwrap();
    app.mail().await;
    fs::write(app.folder().join("secrets/vault-key-1"), "5a".repeat(32)).unwrap();
    let fault = app.try_restart().await.err().unwrap();
    assert!(matches!(fault, StartupError::VaultKey { .. }), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_trail_key_stops_the_start() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    fs::write(app.folder().join("secrets/trail-key"), "5a".repeat(32)).unwrap();
    let fault = app.try_restart().await.err().unwrap();
    assert!(matches!(fault, StartupError::TrailKey(_)), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_challenge_key_that_made_it_a_challenge_counts_no_more() {
    let mut app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let hello = browser.challenge("session/start").await;
    fs::write(app.folder().join("secrets/challenge-key"), "5a".repeat(32)).unwrap();
    app.restart().await;
    browser.reconnect(&app);
    let proof = serde_json::json!({ "proof": card.prove(Purpose::Hello, hello) });
    assert_eq!(browser.call("session/confirm-card", &proof).await.fault(), "Refused");
}

/// While Leptos lists the routes of one service, it keeps the pages of all others from loading anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_beside_another_in_one_process_holds_up_none_of_its_pages() {
    let app = TestApp::start_hasty(Duration::from_secs(10)).await;
    janes_card(&app).await;
    let starting = tokio::spawn(async {
        for _ in 0..10 {
            drop(TestApp::start().await);
        }
    });
    let mut browser = Browser::new(&app);
    while !starting.is_finished() {
        assert_eq!(browser.get("/unlock").await.status, 200);
    }
    starting.await.unwrap();
}
