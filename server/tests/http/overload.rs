//! More than the service can do: whoever it cannot serve in time is told so, and nothing is lost.

use axum::http::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    browser::Browser,
    registration::{begin, set_questions},
    sign_in::janes_card,
    test_app::TestApp,
};

/// How many come at once, for each processor: three times as many as may wait.
const COME: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn while_more_wait_than_can_be_hashed_nobody_begins_and_later_all_is_as_before() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut jane = Browser::new(&app);
    begin(&mut jane, &card).await;
    set_questions(&mut jane).await;
    // Each of these has a code hashed before it is found that another came first.
    let mut rush = JoinSet::new();
    for _ in 0..COME * std::thread::available_parallelism().unwrap().get() {
        let mut browser = jane.clone();
        rush.spawn(async move {
            let form = Uuid::new_v4().to_string();
            browser.post("register/email", &[("form", &form), ("email", "jane@nhs.net")]).await
        });
    }
    let mut other = Browser::new(&app);
    let mut answers = Vec::new();
    let told = loop {
        let begun = other.call("unlock/start", &json!({})).await;
        if begun.status == StatusCode::SERVICE_UNAVAILABLE {
            break begun;
        }
        while let Some(answer) = rush.try_join_next() {
            answers.push(answer.unwrap());
        }
        assert!(!rush.is_empty(), "all were served, and everybody could begin meanwhile");
    };
    assert_eq!(told.fault(), "Busy");
    assert!(told.header("retry-after").parse::<u32>().unwrap() > 0);

    answers.extend(rush.join_all().await);
    let busy = answers.iter().filter(|answer| answer.status == StatusCode::SERVICE_UNAVAILABLE);
    let (mut refused, mut taken) = (0, 0);
    for answer in busy {
        assert_eq!(answer.fault(), "Busy");
        assert!(!answer.header("retry-after").is_empty());
        refused += 1;
    }
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::SERVICE_UNAVAILABLE) {
        match answer.header("location") {
            "" => assert_eq!(answer.fault(), "OtherStep"),
            _ => taken += 1,
        }
    }
    assert!(refused > 0, "there was room for all");
    assert_eq!(taken, 1, "a form is taken once");
    assert!(app.mail().await.try_code().is_some());
    other.challenge("unlock/start").await;
}
