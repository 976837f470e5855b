//! The disk of the database and of the log is full for a while. On PostgreSQL the disk is another machine's matter.
//!
//! A limit on the size of files stands in for it: every write fails, and after it was lifted they go on.

use axum::http::StatusCode;
use card_protocol::{Purpose, sealed::Sealed};
use domain::{registration::Standing, trail::Event};
use serde_json::{Value, json};

use crate::{
    audit::trail_holds,
    browser::{Answer, Browser},
    card::Card,
    registration::{begin, form, set_questions},
    servers::Servers,
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::{answer_rightly, answers, asked, identify, prove},
};

fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.fault(), "Unavailable");
}

/// Registers Jane at a process.
async fn register(app: &TestApp, browser: &mut Browser, card: &Card) {
    begin(browser, card).await;
    set_questions(browser).await;
    let email = form(browser, "Email").await;
    browser.post("register/email", &[("form", &email), ("email", JANE.2)]).await;
    let typed = app.mail().await.code();
    let code = form(browser, "Code").await;
    let answer = browser.post("register/code", &[("form", &code), ("code", &typed)]).await;
    assert_eq!(answer.header("location"), "/profile?registered", "{}", answer.body);
    app.mail().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_refused_and_goes_on_when_there_is_room() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let mut card = janes_card(&app).await;
    let servers = Servers::beside(&app).await;
    let mut browser = servers.browser(0);
    register(&app, &mut browser, &card).await;

    let challenge = browser.challenge("unlock/start").await;
    let proof = json!({ "proof": card.prove(Purpose::Unlock, challenge) });
    servers.fill_disk();
    is_unavailable(&browser.call("unlock/identify", &proof).await);
    assert!(app.trail().await.iter().all(|entry| entry.event != Event::UnlockBegun));
    // What needs no room is still done.
    assert!(browser.get("/profile").await.body.contains(JANE.1));
    servers.make_room();
    assert_eq!(browser.call("unlock/identify", &proof).await.value::<Value>(), "Flow");

    let asked = asked(&mut browser).await;
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let wrong = json!({ "proof": proof, "answers": answers(&asked, false) });
    servers.fill_disk();
    is_unavailable(&browser.call("unlock/answer", &wrong).await);
    assert_eq!(app.standing(JANE.0).await, Standing::Open { failed_attempts: 0 });
    servers.make_room();
    let answer: Value = browser.call("unlock/answer", &wrong).await.value();
    assert_eq!(answer, json!({ "Wrong": { "attempts_left": 2 } }));
    assert_eq!(answer_rightly(&mut browser, &card).await.value::<Value>(), "Right");
    let code = app.mail().await.code();
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await;

    // No unlock key leaves that was not kept.
    let release = prove(&mut browser, &card, Purpose::Release).await;
    servers.fill_disk();
    is_unavailable(&browser.call("unlock/release", &json!({ "proof": release })).await);
    servers.make_room();
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(&app, &release, &sealed);
    let proof = card.prove(Purpose::Unlocked, completion);
    let _: () = browser.call("unlock/complete", &json!({ "proof": proof })).await.value();
    assert_eq!(app.mail().await.subject, "Your Smartcard was unlocked");
    trail_holds(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_was_confirmed_outlives_a_full_disk_and_the_end_of_the_process() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let card = janes_card(&app).await;
    let mut servers = Servers::beside(&app).await;
    let mut browser = servers.browser(0);
    register(&app, &mut browser, &card).await;
    servers.fill_disk();
    let challenge = browser.challenge("unlock/start").await;
    is_unavailable(&browser.call("unlock/identify", &json!({ "proof": card.prove(Purpose::Unlock, challenge) })).await);
    servers.kill();
    let servers = Servers::start(app.place(), 1).await;
    let mut browser = servers.browser(0);
    sign_in(&mut browser, &card).await;
    assert!(browser.get("/profile").await.body.contains(JANE.2));
    assert_eq!(identify(&mut browser, &card).await, "Flow");
    trail_holds(&app).await;
}
