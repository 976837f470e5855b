//! Mails when the mail server is down.

use card_protocol::Purpose;
use domain::{person::UserNumber, trail::Event};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    registration::{begin, form, numbers, questions},
    sign_in::{JANE, janes_card},
    test_app::TestApp,
    unlock::{answer_rightly, answer_wrongly, identify, prove, registered},
};

/// Locks self-service for Jane, of which she is told by mail.
async fn cause_a_mail(app: &TestApp) {
    let card = janes_card(app).await;
    app.register(JANE.0, JANE.2).await;
    let mut browser = Browser::new(app);
    identify(&mut browser, &card).await;
    for _ in 0..3 {
        answer_wrongly(&mut browser, &card).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_waits_for_the_mail_server() {
    let mut app = TestApp::start().await;
    app.mails.go_down();
    cause_a_mail(&app).await;
    assert!(app.no_mail().await);
    app.restart().await;
    app.mails.come_back();
    assert!(app.no_mail().await, "it is put off");
    app.clock.advance(time::Duration::seconds(15));
    assert_eq!(app.mail().await.subject, "Smartcard Unlock is locked");
    app.clock.advance(time::Duration::hours(2));
    assert!(app.no_mail().await, "it is sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_is_woken_by_a_request_with_a_mail_and_by_no_other() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let is_woken = || app.wake().notified().now_or_never().is_some();
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    assert!(!is_woken());
    answer_rightly(&mut browser, &card).await;
    assert!(is_woken());
    app.mail().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_given_up_after_a_day() {
    let app = TestApp::start().await;
    app.mails.go_down();
    cause_a_mail(&app).await;
    assert!(app.no_mail().await);
    app.clock.advance(time::Duration::hours(24));
    app.mails.come_back();
    assert!(app.no_mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_has_expired_is_not_sent() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    app.register(JANE.0, JANE.2).await;
    app.mails.go_down();
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    assert!(app.no_mail().await);
    app.clock.advance(time::Duration::minutes(15));
    app.mails.come_back();
    assert!(app.no_mail().await);
}

/// How far the mail with the code of an unlock is, as its page says.
async fn delivery(browser: &mut Browser) -> Value {
    browser.call("unlock/view", &json!({})).await.value::<Value>()["Code"]["delivery"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_whose_mail_is_delayed_or_given_up_says_so_on_its_page() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    app.mails.go_down();
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    assert_eq!(delivery(&mut browser).await, "OnItsWay");
    assert!(app.no_mail().await);
    app.clock.advance(time::Duration::seconds(15));
    assert_eq!(delivery(&mut browser).await, "Delayed");
    assert!(browser.get("/unlock/code").await.body.contains("Our email is delayed"));
    // It comes while it still works.
    app.mails.come_back();
    assert!(!app.mail().await.code().is_empty());
    assert_eq!(delivery(&mut browser).await, "Sent");
    assert!(!browser.get("/unlock/code").await.body.contains("Our email is delayed"));

    app.mails.go_down();
    app.clock.advance(time::Duration::minutes(2));
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    browser.call("unlock/resend", &json!({ "proof": proof })).await;
    assert!(app.no_mail().await);
    app.clock.advance(time::Duration::minutes(15));
    app.mails.come_back();
    assert!(app.no_mail().await, "a code that has expired helps nobody");
    assert_eq!(delivery(&mut browser).await, "GivenUp");
    let page = browser.get("/unlock/code").await.body;
    assert!(page.contains("could not be sent in time"), "{page}");
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    browser.call("unlock/resend", &json!({ "proof": proof })).await;
    assert_eq!(app.mail().await.to, JANE.2);
    assert_eq!(delivery(&mut browser).await, "Sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_whose_address_is_refused_is_told_at_once_and_the_trail_keeps_it() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    app.mails.refuse_addresses();
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    assert!(app.no_mail().await);
    assert_eq!(delivery(&mut browser).await, "Refused");
    let page = browser.get("/unlock/code").await.body;
    assert!(page.contains("refused our email"), "{page}");
    let undelivered: Vec<_> =
        app.trail().await.into_iter().filter(|entry| entry.event == Event::MailUndelivered).collect();
    assert_eq!(undelivered.len(), 1);
    let jane = app.store().begin().await.unwrap().person(&UserNumber::parse(JANE.0).unwrap()).await.unwrap().unwrap();
    assert_eq!(undelivered[0].person, Some(jane.trail_name()));
    // It is not tried again.
    app.mails.come_back();
    app.clock.advance(time::Duration::hours(2));
    assert!(app.no_mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registers_with_an_address_that_is_refused_can_change_it() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    let name = form(&mut browser, "Questions").await;
    browser.submit("register/questions", &questions(&name, &numbers())).await;
    let name = form(&mut browser, "Email").await;
    app.mails.refuse_addresses();
    browser.submit("register/email", &[("form", &name), ("email", "jane@nhs.net")]).await;
    assert!(app.no_mail().await);
    let page = browser.get("/register/code").await.body;
    assert!(page.contains("refused our email") && page.contains("Change email address"), "{page}");
}
