//! Forms without JavaScript.

use crate::{
    browser::Browser,
    registration::{begin, form, numbers, questions},
    sign_in::janes_card,
    test_app::TestApp,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_fails_is_rendered_again_with_what_was_typed_and_nothing_in_the_address() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    let name = form(&mut browser, "Questions").await;
    let twice = ["1", "1", "9", "17"].map(str::to_owned);
    let answer = browser.submit("register/questions", &questions(&name, &twice)).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(answer.header("location"), "");
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.header("content-security-policy").contains("script-src 'self' 'nonce-"));
    assert!(answer.body.contains("There is a problem"), "{}", answer.body);
    assert!(answer.body.contains("Select a different question for each"), "{}", answer.body);
    assert!(answer.body.contains("green teapot"), "what was typed stays: {}", answer.body);
    let later = browser.get("/register/questions").await;
    assert!(!later.body.contains("green teapot"), "answers are shown in the response to their own POST only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_succeeds_leads_on() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    let name = form(&mut browser, "Questions").await;
    let answer = browser.submit("register/questions", &questions(&name, &numbers())).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/register/email"), "{}", answer.body);

    let name = form(&mut browser, "Email").await;
    let answer = browser.submit("register/email", &[("form", &name), ("email", "jane@example.com")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("jane@example.com"), "{}", answer.body);
    assert!(answer.body.contains("ends in nhs.net, nhs.uk, gov.uk or mod.uk"), "{}", answer.body);
    assert!(app.no_mail().await);

    let answer = browser.submit("register/email", &[("form", &name), ("email", "jane@nhs.net")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/register/code"), "{}", answer.body);
    assert_eq!(app.mail().await.to, "jane@nhs.net");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_of_a_page_is_not_rendered_again() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let answer = browser.submit("register/nothing", &[("email", "jane@nhs.net")]).await;
    assert_eq!(answer.status, 404);
    assert!(!answer.body.contains("jane@nhs.net"), "{}", answer.body);
}
