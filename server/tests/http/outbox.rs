//! Mails when the mail server is down.

use crate::{
    browser::Browser,
    sign_in::{JANE, janes_card},
    test_app::TestApp,
    unlock::{answer_rightly, answer_wrongly, identify},
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
