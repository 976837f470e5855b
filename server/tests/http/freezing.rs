//! «This was not me»: the link of a mail.

use serde_json::{Value, json};

use domain::registration::Standing;

use crate::{
    browser::Browser,
    mails::SentMail,
    sign_in::{JANE, sign_in},
    test_app::TestApp,
    unlock::{answer_wrongly, identify, registered},
};

/// Jane, locked out after three failed attempts, and the mail that tells of it.
async fn locked_out(app: &TestApp) -> SentMail {
    let card = registered(app).await;
    let mut browser = Browser::new(app);
    identify(&mut browser, &card).await;
    for _ in 0..3 {
        answer_wrongly(&mut browser, &card).await;
    }
    app.mail().await
}

/// The address of the page, and the token in it.
fn link(mail: &SentMail) -> (String, String) {
    let origin = "http://localhost:3000";
    let line = mail.text.lines().find_map(|line| line.strip_prefix(origin)).expect("a link alone on a line");
    assert!(mail.html.contains(&format!("href=\"{origin}{line}\"")), "{}", mail.html);
    (line.to_owned(), line.split_once('=').unwrap().1.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_mail_opens_a_page_that_changes_nothing_and_its_button_freezes() {
    let app = TestApp::start().await;
    let (address, token) = link(&locked_out(&app).await);
    // Another machine, without the card, without JavaScript.
    let mut browser = Browser::new(&app);
    for _ in 0..2 {
        let page = browser.get(&address).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Freeze Smartcard Unlock"), "{}", page.body);
        assert!(!page.body.contains(JANE.1) && !page.body.contains(JANE.2), "the page tells nothing: {}", page.body);
        assert_eq!(page.header("cache-control"), "no-store");
    }
    assert!(matches!(app.standing(JANE.0).await, Standing::LockedOut { .. }));

    let answer = browser.submit("freezing/freeze", &[("token", &token)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/not-me?frozen"), "{}", answer.body);
    assert!(matches!(app.standing(JANE.0).await, Standing::Frozen { .. }));
    let mail = app.mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (JANE.2, "Smartcard Unlock is frozen"));
    assert!(!mail.text.contains("://") && !mail.html.contains("://"), "{}", mail.text);
    for path in ["/not-me?frozen", &address] {
        let page = browser.get(path).await;
        assert!(page.body.contains("Smartcard Unlock is frozen"), "{}", page.body);
        assert!(!page.body.contains("name=\"token\""), "{}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_person_gets_to_the_registration_authority() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    for _ in 0..3 {
        answer_wrongly(&mut browser, &card).await;
    }
    let (_, token) = link(&app.mail().await);
    browser.submit("freezing/freeze", &[("token", &token)]).await;
    app.mail().await;
    let begun: Value = identify(&mut Browser::new(&app), &card).await;
    assert_eq!(begun["DeadEnd"]["reason"], "Frozen", "{begun}");
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    let profile = browser.get("/profile").await;
    assert!(profile.body.contains("Frozen: contact your RA"), "{}", profile.body);
    assert!(!profile.body.contains("End registration"), "{}", profile.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_not_work_says_so_and_names_the_ra() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for path in ["/not-me", "/not-me?of=", "/not-me?of=c2VhbGVk", "/not-me?of=%00%FF"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.contains("This link does not work") && page.body.contains("020 7946 0000"), "{}", page.body);
    }
    let answer = browser.call("freezing/freeze", &json!({})).await;
    assert!(!answer.status.is_success(), "{}", answer.body);
    let answer = browser.submit("freezing/freeze", &[("token", "c2VhbGVk")]).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("This link does not work"), "{}", answer.body);
}
