//! The database is away for a while, and comes back without a restart of the service.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use card_protocol::{Purpose, sealed::Sealed};
use domain::{
    registration::Standing,
    trail::{Event, Outcome},
};
use serde_json::{Value, json};

use crate::{
    browser::{Answer, Browser},
    registration::{begin, form, numbers, questions, set_questions},
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::{answer_rightly, answers, asked, identify, prove, registered},
};

/// How long somebody may wait for a refusal: less than the time in which every answer comes.
const REFUSED_WITHIN: Duration = Duration::from_secs(25);

/// How many ask at once.
const MANY: usize = 10;

fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.fault(), "Unavailable");
    assert_eq!(answer.header("retry-after"), "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlock_is_refused_without_the_database_and_goes_on_when_it_is_back() {
    let app = TestApp::start_alone().await;
    let mut card = registered(&app).await;
    let mut browser = Browser::new(&app);
    assert_eq!(identify(&mut browser, &card).await, "Flow");
    let asked = asked(&mut browser).await;
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let wrong = json!({ "proof": proof, "answers": answers(&asked, false) });

    let outage = app.place().take_database_away().await;
    let began = Instant::now();
    is_unavailable(&browser.call("unlock/answer", &wrong).await);
    assert!(began.elapsed() < REFUSED_WITHIN, "{:?}", began.elapsed());
    outage.end().await;
    assert_eq!(app.standing(JANE.0).await, Standing::Open { failed_attempts: 0 });
    // The same request again: its proof was not used up.
    let answer: Value = browser.call("unlock/answer", &wrong).await.value();
    assert_eq!(answer, json!({ "Wrong": { "attempts_left": 2 } }));
    assert_eq!(answer_rightly(&mut browser, &card).await.value::<Value>(), "Right");

    // The code waits in the outbox.
    let outage = app.place().take_database_away().await;
    assert!(app.try_to_send_mails().await.is_err());
    outage.end().await;
    let code = app.mail().await.code();
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let answer = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await;
    assert_eq!(answer.value::<Value>(), "Right");

    // No unlock key leaves that was not kept.
    let release = prove(&mut browser, &card, Purpose::Release).await;
    let outage = app.place().take_database_away().await;
    is_unavailable(&browser.call("unlock/release", &json!({ "proof": release })).await);
    outage.end().await;
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(&app, &release, &sealed);
    let proof = json!({ "proof": card.prove(Purpose::Unlocked, completion) });
    let outage = app.place().take_database_away().await;
    is_unavailable(&browser.call("unlock/complete", &proof).await);
    outage.end().await;
    let _: () = browser.call("unlock/complete", &proof).await.value();
    assert_eq!(browser.call("unlock/view", &json!({})).await.value::<Value>(), "Completed");
    assert_eq!(app.mail().await.subject, "Your Smartcard was unlocked");
    let trail = app.trail().await;
    let refused =
        |event| trail.iter().filter(|entry| entry.event == event && entry.outcome == Outcome::Refused).count();
    assert_eq!(refused(Event::QuestionsAnswered), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_refused_without_the_database_and_goes_on_when_it_is_back() {
    let app = TestApp::start_alone().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    let name = form(&mut browser, "Questions").await;
    let numbers = numbers();
    let outage = app.place().take_database_away().await;
    is_unavailable(&browser.post("register/questions", &questions(&name, &numbers)).await);
    outage.end().await;
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    browser.post("register/email", &[("form", &email), ("email", "jane@mod.uk")]).await;
    let typed = app.mail().await.code();
    let code = form(&mut browser, "Code").await;
    let fields = [("form", code.as_str()), ("code", typed.as_str())];
    let outage = app.place().take_database_away().await;
    is_unavailable(&browser.post("register/code", &fields).await);
    outage.end().await;
    let answer = browser.post("register/code", &fields).await;
    assert_eq!(answer.header("location"), "/profile?registered", "{}", answer.body);
    for _ in 0..3 {
        app.mail().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_a_page_says_so_in_words() {
    let app = TestApp::start_alone().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    assert_eq!(identify(&mut browser, &card).await, "Flow");
    let outage = app.place().take_database_away().await;
    for path in ["/profile", "/unlock/questions"] {
        let began = Instant::now();
        let page = browser.get(path).await;
        assert!(began.elapsed() < REFUSED_WITHIN, "{path}: {:?}", began.elapsed());
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", page.body);
        assert!(page.body.contains("The service cannot do this just now."), "{path}: {}", page.body);
        assert!(page.body.contains(&format!("quote {}.", page.reference())), "{path}: {}", page.body);
    }
    let began = Instant::now();
    let page = browser.submit("register/email", &[("form", "x"), ("email", "jane@mod.uk")]).await;
    assert!(began.elapsed() < REFUSED_WITHIN, "{:?}", began.elapsed());
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.body);
    assert!(page.body.contains("The service cannot do this just now."), "{}", page.body);
    assert!(page.body.contains(&format!("quote {}.", page.reference())), "{}", page.body);
    outage.end().await;
    assert!(browser.get("/profile").await.body.contains(JANE.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_without_the_database_are_all_refused_in_time() {
    let app = TestApp::start_alone().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    let mut requests = Vec::new();
    for _ in 0..MANY {
        let challenge = browser.challenge("unlock/start").await;
        requests.push((browser.clone(), json!({ "proof": card.prove(Purpose::Unlock, challenge) })));
    }
    let outage = app.place().take_database_away().await;
    let began = Instant::now();
    let asking = requests.clone().into_iter().map(|(mut browser, proof)| async move {
        is_unavailable(&browser.call("unlock/identify", &proof).await);
    });
    asking.collect::<tokio::task::JoinSet<()>>().join_all().await;
    assert!(began.elapsed() < REFUSED_WITHIN, "{:?}", began.elapsed());
    outage.end().await;
    assert_eq!(app.trail().await.iter().filter(|entry| entry.event == Event::UnlockBegun).count(), 0);
    for (mut browser, proof) in requests {
        assert_eq!(browser.call("unlock/identify", &proof).await.value::<Value>(), "Flow");
    }
}
