//! Registering, with the form posts of a page with JavaScript.

use card_protocol::{Challenge, Purpose};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    card::Card,
    sign_in::{janes_card, sign_in},
    test_app::{ANSWERS, TestApp},
};

/// Signs in and begins a registration: the holder proves themself again.
pub async fn begin(browser: &mut Browser, card: &Card) {
    sign_in(browser, card).await;
    let hello = browser.challenge("register/start").await;
    let proof = card.prove(Purpose::Hello, hello);
    let challenge: Challenge = browser.call("register/confirm-card", &json!({ "proof": proof })).await.value();
    let proof = card.prove(Purpose::Register, challenge);
    let _: () = browser.call("register/begin", &json!({ "proof": proof })).await.value();
}

/// The name of the form of this step.
pub async fn form(browser: &mut Browser, step: &str) -> String {
    let view: Value = browser.call("register/view", &json!({})).await.value();
    view[step]["form"].as_str().unwrap_or_else(|| panic!("{step}: {view}")).to_owned()
}

/// The fields of the questions' form.
pub fn questions<'a>(form: &'a str, numbers: &'a [String; 4]) -> Vec<(&'a str, &'a str)> {
    const QUESTIONS: [&str; 4] = ["question_1", "question_2", "question_3", "question_4"];
    const FIELDS: [&str; 4] = ["answer_1", "answer_2", "answer_3", "answer_4"];
    let mut fields = vec![("form", form)];
    for position in 0..4 {
        fields.push((QUESTIONS[position], numbers[position].as_str()));
        fields.push((FIELDS[position], ANSWERS[position].1));
    }
    fields
}

pub fn numbers() -> [String; 4] {
    ANSWERS.map(|(question, _)| question.to_string())
}

pub async fn set_questions(browser: &mut Browser) {
    let form = form(browser, "Questions").await;
    let answer = browser.post("register/questions", &questions(&form, &numbers())).await;
    assert_eq!(answer.header("location"), "/register/email", "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cardholder_registers() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;

    let email = form(&mut browser, "Email").await;
    let answer = browser.post("register/email", &[("form", &email), ("email", "jane@mod.uk")]).await;
    assert_eq!(answer.header("location"), "/register/code", "{}", answer.body);
    let mail = app.mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("jane@mod.uk", "Your Smartcard Registration Code"));
    assert!(mail.text.contains("Dear Jane Smith"), "{}", mail.text);
    assert!(mail.html.contains(&mail.code()), "{}", mail.html);

    let code = form(&mut browser, "Code").await;
    let typed = mail.code().to_lowercase().replace('-', " ");
    let answer = browser.post("register/code", &[("form", &code), ("code", &typed)]).await;
    assert_eq!(answer.header("location"), "/profile?registered", "{}", answer.body);
    assert!(answer.header("set-cookie").starts_with("session="), "a change of factor gives a new session token");
    let profile = browser.get("/profile?registered").await;
    for words in
        ["nhsuk-notification-banner--success", ">Success<", "Self Service Registration is complete.", "jane@mod.uk"]
    {
        assert!(profile.body.contains(words), "{words}: {}", profile.body);
    }
    assert_eq!(app.mail().await.subject, "Self Service Registration is complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_post_gets_the_first_outcome_and_sends_no_mail() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    for _ in 0..3 {
        let answer = browser.post("register/email", &[("form", &email), ("email", "jane@nhs.net")]).await;
        assert_eq!(answer.header("location"), "/register/code", "{}", answer.body);
    }
    app.mail().await;
    assert!(app.no_mail().await);

    let code = form(&mut browser, "Code").await;
    for _ in 0..3 {
        let answer = browser.post("register/code", &[("form", &code), ("code", "BBBB-BBBB")]).await;
        assert_eq!(answer.fault(), json!({ "WrongCode": { "tries_left": 4 } }), "one form spends one try");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_to_an_address_elsewhere_is_not_sent() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    for (typed, fault) in [
        ("jane@example.com", "DomainNotApproved"),
        ("jane@nhs.net.example.com", "DomainNotApproved"),
        ("jane", "NotAnEmail"),
        ("jane@nhs.net\r\nBcc: thief@example.com", "NotAnEmail"),
        (" ", "NoEmail"),
    ] {
        let answer = browser.post("register/email", &[("form", &email), ("email", typed)]).await;
        assert_eq!(answer.fault(), fault, "{typed}");
    }
    assert!(app.no_mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_for_fifteen_minutes() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    browser.post("register/email", &[("form", &email), ("email", "jane@nhs.net")]).await;
    let mail = app.mail().await;
    app.clock.advance(time::Duration::minutes(10));
    // Being on the page keeps the session alive.
    let code = form(&mut browser, "Code").await;
    app.clock.advance(time::Duration::minutes(5));
    let answer = browser.post("register/code", &[("form", &code), ("code", &mail.code())]).await;
    assert_eq!(answer.fault(), json!({ "CodeExpired": { "resent": "Yes" } }));
    assert_ne!(app.mail().await.code(), mail.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_holders_proof_no_registration_begins() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    let hello = browser.challenge("register/start").await;
    let proof = card.prove(Purpose::Register, hello);
    assert_eq!(browser.call("register/begin", &json!({ "proof": proof })).await.fault(), "Refused");
    let view: Value = browser.call("register/view", &json!({})).await.value();
    assert_eq!(view, "NotBegun");
}
