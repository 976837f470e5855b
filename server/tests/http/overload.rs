//! More than the service can do: whoever it cannot serve in time is told so, and nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use card_protocol::Purpose;
use domain::{
    person::UserNumber,
    ports::{HasherError, Hashing, Transaction},
    role::Role,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    browser::{Answer, Browser},
    managers::at_desk,
    registration::{begin, form, numbers, questions, set_questions},
    sign_in::{JANE, janes_card},
    test_app::{ANSWERS, TestApp},
    unlock::{answers, asked, identify, prove, registered},
};

/// How many requests one person sends at once, for each processor: three times as many as may wait for a hash.
const SENT: usize = 200;

/// Has so many people wait for a hash that nobody else may.
async fn fill(app: &TestApp) -> Vec<Box<dyn Hashing>> {
    let mut waiting = Vec::new();
    for number in 900_000.. {
        match app.hasher().enter(&UserNumber::parse(&format!("{number}")).unwrap()).await {
            Ok(entered) => waiting.push(entered),
            Err(HasherError::Busy) => break,
            Err(fault) => panic!("{fault}"),
        }
    }
    waiting
}

/// Somebody registered who is at the questions of an unlock, and the right answers with their proof.
async fn about_to_answer(app: &TestApp) -> (Browser, Value) {
    let card = registered(app).await;
    let mut jane = Browser::new(app);
    identify(&mut jane, &card).await;
    let asked = asked(&mut jane).await;
    let proof = prove(&mut jane, &card, Purpose::Attempt).await;
    (jane, json!({ "proof": proof, "answers": answers(&asked, true) }))
}

/// That somebody was told to come again later, and when.
#[track_caller]
fn assert_busy(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.fault(), "Busy");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_more_wait_than_can_be_hashed_nobody_begins_and_whoever_has_begun_goes_on_later() {
    let app = TestApp::start().await;
    let (mut jane, typed) = about_to_answer(&app).await;

    let waiting = fill(&app).await;
    assert_busy(&Browser::new(&app).call("unlock/start", &json!({})).await);
    assert_busy(&jane.call("unlock/answer", &typed).await);
    assert!(app.no_mail().await);

    drop(waiting);
    assert_eq!(jane.call("unlock/answer", &typed).await.value::<String>(), "Right");
    assert!(app.mail().await.try_code().is_some());
    Browser::new(&app).challenge("unlock/start").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_javascript_says_that_the_service_is_busy_and_keeps_what_was_typed() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut jane = Browser::new(&app);
    begin(&mut jane, &card).await;
    let form = form(&mut jane, "Questions").await;
    let waiting = fill(&app).await;
    let page = jane.submit("register/questions", &questions(&form, &numbers())).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.header("retry-after").parse::<u32>().unwrap() > 0);
    assert!(page.body.contains("This service is very busy just now."), "{}", page.body);
    assert!(page.body.contains(ANSWERS[0].1), "{}", page.body);
    drop(waiting);
    let page = jane.submit("register/questions", &questions(&form, &numbers())).await;
    assert_eq!(page.header("location"), "/register/email", "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_keeps_nobody_else_waiting_however_many_requests_they_send() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut jane = Browser::new(&app);
    begin(&mut jane, &card).await;
    set_questions(&mut jane).await;
    form(&mut jane, "Email").await;
    let mut rush = JoinSet::new();
    for _ in 0..SENT * std::thread::available_parallelism().unwrap().get() {
        let mut browser = jane.clone();
        rush.spawn(async move {
            let form = Uuid::new_v4().to_string();
            browser.post("register/email", &[("form", &form), ("email", "jane@nhs.net")]).await
        });
    }
    let mut other = Browser::new(&app);
    let (mut taken, mut late, mut busy) = (0, 0, 0);
    while let Some(answer) = rush.join_next().await {
        let answer = answer.unwrap();
        match (answer.status, answer.header("location")) {
            (StatusCode::SERVICE_UNAVAILABLE, _) => {
                assert_busy(&answer);
                busy += 1;
            }
            (_, "") => {
                assert_eq!(answer.fault(), "OtherStep");
                late += 1;
            }
            _ => taken += 1,
        }
        other.challenge("unlock/start").await;
    }
    assert_eq!(taken, 1, "a form is taken once; {late} came late");
    assert!(busy > 0, "there was room for all of them");
    assert!(app.mail().await.try_code().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_gets_the_outcome_of_the_first() {
    let app = TestApp::start().await;
    let (mut jane, typed) = about_to_answer(&app).await;
    let mut again = jane.clone();
    let (first, second) = tokio::join!(jane.call("unlock/answer", &typed), again.call("unlock/answer", &typed));
    assert_eq!((first.value::<String>(), second.value::<String>()), ("Right".to_owned(), "Right".to_owned()));
    assert!(app.mail().await.try_code().is_some());
    assert!(app.no_mail().await);
}

/// How many look at their unlock at once, and how many of them before an officer who comes last has found somebody. That takes
/// two transactions. Of everybody's 64 are before each of them at most, and some are answered in between; if only one of the two
/// had no share of its own, all would be before it.
const LOOKERS: usize = 300;
const BEFORE_THE_DESK: usize = 260;

/// Waits until so many transactions wait for the one whose turn it is, which is kept from ending because it is idle.
async fn waiting_transactions(app: &TestApp, turn: &mut Box<dyn Transaction>, many: usize) {
    let waiting = format!("service_centre_transactions_waiting {many}");
    let all_wait = async {
        while !app.admin().metrics.render().lines().any(|line| line == waiting) {
            turn.trail_head().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_wait).await.expect("all of them wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_works_while_nobody_else_gets_a_place() {
    let app = TestApp::start().await;
    let (jane, _) = about_to_answer(&app).await;
    let (mut officer, _) = at_desk(&app, 7, Role::RaAgent).await;

    let waiting = fill(&app).await;
    let (mut second, _) = at_desk(&app, 8, Role::RaAgent).await;
    let page = second.get(&format!("/ra/people/{}", JANE.0)).await;
    assert!(page.body.contains(JANE.1), "{}", page.body);
    drop(waiting);

    assert_comes_before_most(&app, &mut officer, "unlock/view", &json!({}), vec![jane; LOOKERS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_asks_for_what_is_the_desks_takes_none_of_its_places() {
    let app = TestApp::start().await;
    let (mut officer, _) = at_desk(&app, 7, Role::RaAgent).await;
    let strangers = (0..LOOKERS).map(|number| {
        let mut stranger = Browser::new(&app);
        stranger.invent("session", &format!("{number:0>42}A"));
        stranger
    });
    let strangers = strangers.collect();
    assert_comes_before_most(&app, &mut officer, "ra/find", &json!({ "text": "907" }), strangers).await;
}

/// While so many ask for this at once, an officer whom the server knows finds somebody before most of them are answered, although
/// they come last.
async fn assert_comes_before_most(
    app: &TestApp,
    officer: &mut Browser,
    function: &'static str,
    arguments: &Value,
    everybody: Vec<Browser>,
) {
    officer.get("/ra").await;
    let mut turn = app.store().begin().await.unwrap();
    let (many, looks) = (everybody.len(), Arc::new(AtomicUsize::new(0)));
    let mut lookers = JoinSet::new();
    for mut looker in everybody {
        let (arguments, looks) = (arguments.clone(), Arc::clone(&looks));
        lookers.spawn(async move {
            let answer = looker.call(function, &arguments).await;
            let is_answered = answer.status.is_success() || answer.body.contains("SignedOut");
            assert!(is_answered, "{}", answer.body);
            looks.fetch_add(1, Ordering::Relaxed);
        });
    }
    waiting_transactions(app, &mut turn, many).await;
    let counted = Arc::clone(&looks);
    let mut officer = officer.clone();
    let found = tokio::spawn(async move {
        let found: Value = officer.call("ra/find", &json!({ "text": "907" })).await.value();
        (found, counted.load(Ordering::Relaxed))
    });
    waiting_transactions(app, &mut turn, many + 1).await;
    drop(turn);
    let (found, looks) = found.await.unwrap();
    assert_eq!(found["people"].as_array().unwrap().len(), 1, "{found}");
    assert!(looks < BEFORE_THE_DESK, "{looks} were before it");
    lookers.join_all().await;
}
