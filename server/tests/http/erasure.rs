//! A person is erased by the program, beside the service that runs.

use std::process::{Command, Output};

use card_protocol::{Purpose, sealed::Sealed};
use domain::{ports::Clock, trail::Event};
use serde_json::{Value, json};
use server::clock::SystemClock;

use crate::{
    browser::Browser,
    card::Card,
    registration::{begin, form, set_questions},
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::{answer_rightly, answer_wrongly, identify, prove},
};

const NEW_ADDRESS: &str = "jane.moved@mod.uk";
const JOHN: (&str, &str, &str) = ("555000000025", "John Jones", "john.jones@nhs.net");

/// What the database knows of Jane. A GUID stands in it as bytes, as a UUID, or as digits.
fn traces(card: &Card) -> Vec<String> {
    let guid = String::from_utf8(card.guid.0.to_vec()).unwrap();
    let uuid = uuid::Uuid::from_bytes(card.guid.0).to_string();
    [JANE.0, JANE.1, JANE.2, NEW_ADDRESS, &guid, &uuid, &card.guid.to_string()].map(str::to_owned).into()
}

async fn found(app: &TestApp, traces: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for trace in traces {
        found.extend(app.place().holds(trace).await.then(|| trace.clone()));
    }
    found
}

/// Runs a command of the program on the database of the service. It names nobody, whatever it says.
fn run(app: &TestApp, traces: &[String], arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_service-centre"))
        .args(arguments)
        .env_clear()
        .envs(app.place().variables().iter().cloned())
        .output()
        .unwrap();
    for said in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(said);
        assert!(!traces.iter().any(|trace| said.contains(trace)), "{said}");
    }
    output
}

/// What a command printed that did what it was asked to.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Jane registers, with an address that the RA does not know.
async fn register(app: &TestApp, browser: &mut Browser, card: &Card) {
    begin(browser, card).await;
    set_questions(browser).await;
    let email = form(browser, "Email").await;
    browser.post("register/email", &[("form", &email), ("email", NEW_ADDRESS)]).await;
    let typed = app.mail().await.code();
    let code = form(browser, "Code").await;
    let answer = browser.post("register/code", &[("form", &code), ("code", &typed)]).await;
    assert_eq!(answer.header("location"), "/profile?registered", "{}", answer.body);
    while app.next_mail().await.is_some() {}
}

/// Jane unlocks her card.
async fn unlock(app: &TestApp, browser: &mut Browser, card: &mut Card) {
    identify(browser, card).await;
    answer_rightly(browser, card).await;
    let typed = app.mail().await.code();
    let proof = prove(browser, card, Purpose::Attempt).await;
    browser.call("unlock/code", &json!({ "proof": proof, "code": typed })).await;
    let release = prove(browser, card, Purpose::Release).await;
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(app, &release, &sealed);
    let proof = card.prove(Purpose::Unlocked, completion);
    let _: () = browser.call("unlock/complete", &json!({ "proof": proof })).await.value();
    while app.next_mail().await.is_some() {}
}

/// A service that Jane has used, and uses just now; and John beside her.
async fn in_use() -> (TestApp, Card, Browser) {
    let app = TestApp::start().await;
    // The program that is run beside it has the clock of the machine; what it does is to have been before.
    app.clock.advance(SystemClock.now() - app.clock.now() + time::Duration::minutes(5));
    let john = Card::number(2);
    john.enrol(&app, JOHN.0, JOHN.1, JOHN.2).await;
    app.register(JOHN.0, JOHN.2).await;
    let mut card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    register(&app, &mut browser, &card).await;
    unlock(&app, &mut browser, &mut card).await;
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;
    identify(&mut browser, &card).await;
    answer_wrongly(&mut browser, &card).await;
    (app, card, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_person_who_was_erased_and_the_trail_still_holds() {
    let (mut app, card, mut browser) = in_use().await;
    let traces = traces(&card);
    let before = found(&app, &traces).await;
    for trace in [JANE.0, JANE.1, JANE.2, NEW_ADDRESS] {
        assert!(before.iter().any(|found| found == trace), "{trace} is not even there");
    }
    let said = printed(&run(&app, &traces, &["erase-person", JANE.0, "--yes"]));
    assert!(said.contains("All of it was erased"), "{said}");
    assert_eq!(found(&app, &traces).await, Vec::<String>::new());

    let said = printed(&run(&app, &traces, &["audit", "verify"]));
    assert!(said.contains("The audit trail holds"), "{said}");
    assert_eq!(app.trail().await.last().unwrap().event, Event::PersonErased);

    // Both are on their way at once.
    let mut told = Vec::new();
    for _ in 0..2 {
        let mail = app.mail().await;
        assert_eq!(mail.subject, "Your Smartcard Unlock data was erased");
        assert!(mail.text.contains("Dear Jane Smith"), "{}", mail.text);
        told.push(mail.to);
    }
    told.sort();
    assert_eq!(told, [NEW_ADDRESS, JANE.2]);
    assert!(app.no_mail().await);
    assert_eq!(found(&app, &traces).await, Vec::<String>::new());

    let page = browser.get("/profile").await;
    assert!(!page.body.contains(JANE.1), "{}", page.body);
    assert_eq!(browser.call("unlock/view", &json!({})).await.value::<Value>(), "NotBegun");
    app.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_of_a_person_who_was_erased_is_unknown_and_others_work_as_before() {
    let (app, card, _) = in_use().await;
    printed(&run(&app, &[], &["erase-person", JANE.0, "--yes"]));
    for _ in 0..2 {
        app.mail().await;
    }
    let mut browser = Browser::new(&app);
    let proof = card.prove(Purpose::Hello, browser.challenge("session/start").await);
    assert_eq!(browser.call("session/confirm-card", &json!({ "proof": proof })).await.fault(), "Refused");
    let proof = card.prove(Purpose::Unlock, browser.challenge("unlock/start").await);
    assert_eq!(browser.call("unlock/identify", &json!({ "proof": proof })).await.fault(), "Refused");

    app.standing(JOHN.0).await;
    sign_in(&mut browser, &Card::number(2)).await;
    let page = browser.get("/profile").await;
    assert!(page.body.contains(JOHN.1) && page.body.contains(JOHN.2), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_yes_it_is_said_what_would_go_and_nothing_does() {
    let (app, card, mut browser) = in_use().await;
    let traces = traces(&card);
    let before = (found(&app, &traces).await, app.trail().await);
    let said = printed(&run(&app, &traces, &["erase-person", JANE.0]));
    for words in ["Cards: 1\n", "Unlock keys: 2\n", "Registrations: 1\n", "Addresses that are told: 2\n"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("Nothing was changed"), "{said}");
    assert_eq!((found(&app, &traces).await, app.trail().await), before);
    assert!(browser.get("/profile").await.body.contains(JANE.1));
    assert!(app.no_mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_for_a_number_that_nobody_has() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    for arguments in [&["erase-person", "555000000018", "--yes"][..], &["erase-person", "555000000018"][..]] {
        let output = run(&app, &[], arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("the person is not known"), "{said}");
    }
    assert_eq!(app.trail().await.len(), 1);
}
