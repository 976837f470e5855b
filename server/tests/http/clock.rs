//! The clock is put back an hour in the middle of things, as when a machine whose clock ran ahead asks a time server.

use card_protocol::{Purpose, sealed::Sealed};
use serde_json::{Value, json};
use time::Duration;

use crate::{
    audit::trail_holds,
    browser::Browser,
    registration::{begin, form, set_questions},
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::{answer_rightly, answer_wrongly, identify, prove, registered},
};

const HOUR: Duration = Duration::hours(1);

/// Unlocks with the clock put back before this step.
async fn unlock_with_a_step_back_before(app: &TestApp, card: &mut crate::card::Card, step: usize) {
    let at = |here: usize| {
        if here == step {
            app.clock.put_back(HOUR);
        }
    };
    let mut browser = Browser::new(app);
    assert_eq!(identify(&mut browser, card).await, "Flow");
    at(0);
    let answer: Value = answer_wrongly(&mut browser, card).await.value();
    assert_eq!(answer, json!({ "Wrong": { "attempts_left": 2 } }));
    at(1);
    assert_eq!(answer_rightly(&mut browser, card).await.value::<Value>(), "Right");
    at(2);
    let code = app.mail().await.code();
    at(3);
    let proof = prove(&mut browser, card, Purpose::Attempt).await;
    let answer = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await;
    assert_eq!(answer.value::<Value>(), "Right");
    at(4);
    let release = prove(&mut browser, card, Purpose::Release).await;
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(app, &release, &sealed);
    at(5);
    let proof = card.prove(Purpose::Unlocked, completion);
    let _: () = browser.call("unlock/complete", &json!({ "proof": proof })).await.value();
    at(6);
    assert_eq!(browser.call("unlock/view", &json!({})).await.value::<Value>(), "Completed");
    assert_eq!(app.mail().await.subject, "Your Smartcard was unlocked");
    app.clock.advance(Duration::hours(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlock_comes_to_its_end_at_whichever_step_the_clock_is_put_back() {
    let app = TestApp::start().await;
    let mut card = registered(&app).await;
    for step in 0..=6 {
        unlock_with_a_step_back_before(&app, &mut card, step).await;
    }
    // The times on it go back, the chain does not.
    assert!(app.trail().await.windows(2).any(|entries| entries[0].at > entries[1].at));
    trail_holds(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_goes_on_after_the_clock_was_put_back() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    app.clock.put_back(HOUR);
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    app.clock.put_back(HOUR);
    browser.post("register/email", &[("form", &email), ("email", JANE.2)]).await;
    app.clock.put_back(HOUR);
    let typed = app.mail().await.code();
    let code = form(&mut browser, "Code").await;
    let answer = browser.post("register/code", &[("form", &code), ("code", &typed)]).await;
    assert_eq!(answer.header("location"), "/profile?registered", "{}", answer.body);
    assert_eq!(app.mail().await.subject, "Self Service Registration is complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_from_later_is_stale_and_a_new_one_counts() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    for (put_back, counts) in [(Duration::seconds(60), true), (Duration::seconds(61), false), (HOUR, false)] {
        let hello = browser.challenge("session/start").await;
        app.clock.put_back(put_back);
        let answer = browser.call("session/confirm-card", &json!({ "proof": card.prove(Purpose::Hello, hello) })).await;
        if counts {
            assert!(answer.status.is_success(), "{put_back}: {}", answer.body);
        } else {
            assert_eq!(answer.fault(), "Stale", "{put_back}");
        }
    }
    sign_in(&mut browser, &card).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_and_is_left_alone_no_longer_than_any_other() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    app.clock.put_back(HOUR);
    assert!(browser.get("/profile").await.body.contains(JANE.1));
    app.clock.advance(Duration::minutes(15));
    assert!(!browser.get("/profile").await.body.contains(JANE.1), "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pause_between_two_codes_does_not_become_an_hour() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    app.mail().await;
    app.clock.put_back(HOUR);
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    assert_eq!(browser.call("unlock/resend", &json!({ "proof": proof })).await.value::<Value>(), "Sent");
    app.mail().await;
    // The pause counts again.
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let answer: Value = browser.call("unlock/resend", &json!({ "proof": proof })).await.value();
    assert_eq!(answer, json!({ "TooEarly": "2026-11-24T02:01:00Z" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_had_the_codes_of_an_hour_waits_no_more_than_an_hour() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    for _ in 0..3 {
        app.mail().await;
        app.clock.advance(Duration::minutes(1));
        let proof = prove(&mut browser, &card, Purpose::Attempt).await;
        assert_eq!(browser.call("unlock/resend", &json!({ "proof": proof })).await.value::<Value>(), "Sent");
    }
    app.mail().await;
    app.clock.put_back(HOUR);
    app.clock.advance(HOUR - Duration::minutes(4));
    // Kept alive meanwhile, or begun anew: here anew.
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    assert_eq!(app.mail().await.subject, "Your Smartcard Unlock Code");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_waits_goes_out_at_once() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    app.clock.put_back(HOUR);
    assert_eq!(app.mail().await.subject, "Your Smartcard Unlock Code");
    app.clock.advance(Duration::hours(2));
    assert!(app.no_mail().await, "it is sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_put_off_still_goes_out() {
    let app = TestApp::start().await;
    app.mails.go_down();
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    for _ in 0..3 {
        answer_wrongly(&mut browser, &card).await;
    }
    assert!(app.no_mail().await);
    app.clock.put_back(HOUR);
    app.mails.come_back();
    app.clock.advance(HOUR + Duration::seconds(15));
    assert_eq!(app.mail().await.subject, "Smartcard Unlock is locked");
}
