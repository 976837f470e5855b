//! Many requests at once: what is counted, and what works once, over several processes, flows and cards of one person.
//!
//! On PostgreSQL two processes serve, on SQLite one.

use std::{future::Future, time::Duration};

use card_protocol::{CardProof, Challenge, Purpose};
use domain::{
    registration::Standing,
    trail::{Event, Outcome, TrailEntry},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    browser::{Answer, Browser},
    card::Card,
    place::Place,
    registration::{begin, form, set_questions},
    servers::Servers,
    sign_in::{JANE, sign_in},
    test_app::TestApp,
    unlock::{answer_rightly, answers, asked, identify},
};

/// How many requests come at once.
const MANY: usize = 200;

/// A code that nobody was sent, but for one time in 20^8.
const WRONG_CODE: &str = "BBBB-BBBB";

/// How often a request is sent that an overloaded service does not answer.
const SENDS: usize = 2000;

/// Jane, registered, with three cards, and the processes that she can reach.
struct Scene {
    servers: Servers,
    app: TestApp,
    cards: [Card; 3],
}

impl Scene {
    async fn set() -> Self {
        Self::set_with(&[]).await
    }

    async fn set_with(variables: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(variables).await;
        let cards = [1, 2, 3].map(Card::number);
        for card in &cards {
            card.enrol(&app, JANE.0, JANE.1, JANE.2).await;
        }
        app.register(JANE.0, JANE.2).await;
        let servers = Servers::beside(&app).await;
        Self { servers, app, cards }
    }

    /// Begins an unlock with each card, at one process after the other.
    async fn identify_each(&self) -> [Browser; 3] {
        let mut browsers = [0, 1, 2].map(|number| self.servers.browser(number));
        for (browser, card) in browsers.iter_mut().zip(&self.cards) {
            assert_eq!(identify(browser, card).await, "Flow");
        }
        browsers
    }

    /// Goes as far as the code with the first card; gives the code.
    async fn ask_for_code(&self) -> (Browser, String) {
        let mut browser = self.servers.browser(0);
        assert_eq!(identify(&mut browser, &self.cards[0]).await, "Flow");
        assert_eq!(answer_rightly(&mut browser, &self.cards[0]).await.value::<Value>(), "Right");
        (browser, self.app.mail().await.code())
    }

    /// Calls a server function with each of these arguments at once, over all processes in turn.
    async fn call_at_once(&self, function: &'static str, requests: Vec<(Browser, Value)>) -> Vec<Answer> {
        let numbered = requests.into_iter().enumerate();
        at_once(numbered.map(|(number, (browser, arguments))| {
            insist(browser.through(self.servers.address(number)), function, Message::Call(arguments))
        }))
        .await
    }

    /// Posts these forms at once, over all processes in turn.
    async fn post_at_once(&self, function: &'static str, browser: &Browser, forms: Vec<Fields>) -> Vec<Answer> {
        at_once(forms.into_iter().enumerate().map(|(number, fields)| {
            insist(browser.through(self.servers.address(number)), function, Message::Form(fields))
        }))
        .await
    }

    /// The mails that were sent: their subjects, in alphabetical order.
    async fn subjects(&self) -> Vec<String> {
        let mut subjects = Vec::new();
        while let Some(mail) = self.app.next_mail().await {
            subjects.push(mail.subject);
        }
        subjects.sort();
        subjects
    }
}

/// Runs them all at once.
async fn at_once<T: Send + 'static>(futures: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    futures.collect::<JoinSet<T>>().join_all().await
}

/// The fields of a form.
type Fields = [(&'static str, String); 2];

/// What a page sends to a server function.
enum Message {
    Call(Value),
    Form(Fields),
}

/// Sends it again for as long as the service says that it is overloaded: then it has spent nothing.
async fn insist(mut browser: Browser, function: &'static str, message: Message) -> Answer {
    for _ in 0..SENDS {
        let answer = match &message {
            Message::Call(arguments) => browser.call(function, arguments).await,
            Message::Form([(form, name), (field, value)]) => {
                browser.post(function, &[(*form, name.as_str()), (*field, value.as_str())]).await
            }
        };
        if answer.status != 503 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the service does not answer");
}

/// Proofs of a card for its flow, over a challenge each.
async fn prove(browser: &Browser, card: &Card, many: usize) -> Vec<CardProof> {
    let challenges = at_once((0..many).map(|_| {
        let mut browser = browser.clone();
        async move { browser.call("unlock/challenge", &json!({ "purpose": "Attempt" })).await.value::<Challenge>() }
    }));
    challenges.await.into_iter().map(|challenge| card.prove(Purpose::Attempt, challenge)).collect()
}

/// The arguments of a call of each proof.
fn with<'a>(
    browser: &'a Browser,
    proofs: &'a [CardProof],
    name: &'a str,
    value: &'a Value,
) -> impl Iterator<Item = (Browser, Value)> + 'a {
    proofs.iter().map(move |proof| (browser.clone(), json!({ "proof": proof, name: value })))
}

fn count(trail: &[TrailEntry], event: Event, outcome: Outcome) -> usize {
    trail.iter().filter(|entry| entry.event == event && entry.outcome == outcome).count()
}

/// How many answers are this value.
fn values(answers: &[Answer], value: &Value) -> usize {
    answers.iter().filter(|answer| answer.status == 200 && answer.value::<Value>() == *value).count()
}

/// How many answers are this error.
fn faults(answers: &[Answer], fault: &Value) -> usize {
    answers.iter().filter(|answer| answer.status == 422 && answer.fault() == *fault).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_wrong_answers_at_once_three_are_counted_and_no_right_one_passes_after() {
    let scene = Scene::set().await;
    let browsers = scene.identify_each().await;
    let [first, second, third] = &browsers;
    let asked = asked(&mut first.clone()).await;
    let (right, wrong) = (answers(&asked, true), answers(&asked, false));
    let of_first = prove(first, &scene.cards[0], MANY / 2).await;
    let of_second = prove(second, &scene.cards[1], MANY / 2).await;
    let of_third = prove(third, &scene.cards[2], 10).await;
    // Some right answers come soon after the first wrong ones and take longer, as a code is made for each: by then three are
    // counted at the other process, where there is one (in a process a person's requests are hashed for one after another). No
    // wrong one touches their flow. Some others come when all is over.
    let (among, after) = of_third.split_at(8);
    let all_wrong = with(first, &of_first, "answers", &wrong).zip(with(second, &of_second, "answers", &wrong));
    let mut requests: Vec<_> = all_wrong.flat_map(<[_; 2]>::from).collect();
    requests.splice(6..6, with(third, among, "answers", &right));
    scene.call_at_once("unlock/answer", requests).await;

    let trail = scene.app.trail().await;
    assert_eq!(count(&trail, Event::QuestionsAnswered, Outcome::Refused), 3);
    assert_eq!(count(&trail, Event::SelfServiceLocked, Outcome::Refused), 1);
    assert!(matches!(scene.app.standing(JANE.0).await, Standing::LockedOut { .. }));
    let late = with(third, after, "answers", &right).collect();
    for answer in scene.call_at_once("unlock/answer", late).await {
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
    let trail = scene.app.trail().await;
    let locked = trail.iter().position(|entry| entry.event == Event::SelfServiceLocked).unwrap();
    assert_eq!(count(&trail[locked..], Event::QuestionsAnswered, Outcome::Done), 0);
    assert_eq!(count(&trail[locked..], Event::UnlockCodeSent, Outcome::Done), 0);
    let subjects = scene.subjects().await;
    assert_eq!(subjects.iter().filter(|subject| *subject == "Smartcard Unlock is locked").count(), 1, "{subjects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_wrong_codes_at_once_five_are_counted_as_one_failed_attempt_and_the_right_one_opens_nothing_after() {
    let scene = Scene::set().await;
    let (browser, code) = scene.ask_for_code().await;
    let proofs = prove(&browser, &scene.cards[0], MANY + 1).await;
    let (wrong, late) = proofs.split_at(MANY);
    let requests = with(&browser, wrong, "code", &json!(WRONG_CODE)).collect();
    let answers = scene.call_at_once("unlock/code", requests).await;
    for tries_left in 1..=4 {
        assert_eq!(values(&answers, &json!({ "Wrong": { "tries_left": tries_left } })), 1);
    }
    assert_eq!(values(&answers, &json!("TriesUsedUp")), 1);
    assert_eq!(faults(&answers, &json!("OtherStep")), MANY - 5);

    let requests = with(&browser, late, "code", &json!(code)).collect();
    assert_eq!(faults(&scene.call_at_once("unlock/code", requests).await, &json!("OtherStep")), 1);
    assert_eq!(count(&scene.app.trail().await, Event::UnlockCodeEntered, Outcome::Refused), 5);
    assert_eq!(scene.app.standing(JANE.0).await, Standing::Open { failed_attempts: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_entered_200_times_at_once_works_once() {
    let scene = Scene::set().await;
    let (browser, code) = scene.ask_for_code().await;
    let proofs = prove(&browser, &scene.cards[0], MANY).await;
    let requests = with(&browser, &proofs, "code", &json!(code)).collect();
    let answers = scene.call_at_once("unlock/code", requests).await;
    assert_eq!(values(&answers, &json!("Right")), 1);
    assert_eq!(faults(&answers, &json!("OtherStep")), MANY - 1);
    assert_eq!(count(&scene.app.trail().await, Event::UnlockCodeEntered, Outcome::Done), 1);
}

/// Registers as far as the code; gives the code.
async fn ask_for_registration_code(scene: &Scene) -> (Browser, String) {
    let mut browser = scene.servers.browser(0);
    begin(&mut browser, &scene.cards[0]).await;
    set_questions(&mut browser).await;
    let email = form(&mut browser, "Email").await;
    browser.post("register/email", &[("form", &email), ("email", "jane@mod.uk")]).await;
    (browser, scene.app.mail().await.code())
}

/// Forms with this code, each rendered anew.
fn forms(code: &str, many: usize) -> Vec<Fields> {
    (0..many).map(|_| [("form", Uuid::new_v4().to_string()), ("code", code.to_owned())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_wrong_registration_codes_at_once_five_are_counted_and_the_right_one_registers_nobody_after() {
    let scene = Scene::set().await;
    let (browser, code) = ask_for_registration_code(&scene).await;
    let answers = scene.post_at_once("register/code", &browser, forms(WRONG_CODE, MANY)).await;
    for tries_left in 1..=4 {
        assert_eq!(faults(&answers, &json!({ "WrongCode": { "tries_left": tries_left } })), 1);
    }
    assert_eq!(faults(&answers, &json!("OtherStep")), MANY - 5);
    let late = scene.post_at_once("register/code", &browser, forms(&code, 1)).await;
    assert_eq!(faults(&late, &json!("OtherStep")), 1);
    let trail = scene.app.trail().await;
    assert_eq!(count(&trail, Event::RegistrationCodeEntered, Outcome::Refused), 5);
    assert_eq!(count(&trail, Event::RegistrationCodeEntered, Outcome::Done), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_code_that_is_entered_200_times_at_once_registers_once() {
    let scene = Scene::set().await;
    let (browser, code) = ask_for_registration_code(&scene).await;
    let answers = scene.post_at_once("register/code", &browser, forms(&code, MANY)).await;
    let registered = answers.iter().filter(|answer| answer.header("location") == "/profile?registered").count();
    assert_eq!(registered, 1);
    assert_eq!(count(&scene.app.trail().await, Event::RegistrationCodeEntered, Outcome::Done), 1);
    // Complete, to the new address; changed, to that and to the one before.
    let changed = "Your Smartcard email address changed";
    assert_eq!(scene.subjects().await, ["Self Service Registration is complete", changed, changed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_wishes_for_a_code_at_once_with_two_cards_four_are_granted_within_the_hour() {
    let scene = Scene::set_with(&[("SERVICE_CENTRE_POLICY__RESEND_SECONDS", "0")]).await;
    let mut browsers = scene.identify_each().await;
    let mut proofs = Vec::new();
    for (browser, card) in browsers.iter_mut().zip(&scene.cards).take(2) {
        assert_eq!(answer_rightly(browser, card).await.value::<Value>(), "Right");
        for proof in prove(browser, card, MANY / 2).await {
            proofs.push((browser.clone(), json!({ "proof": proof })));
        }
    }
    let answers = scene.call_at_once("unlock/resend", proofs).await;
    assert_eq!(values(&answers, &json!("Sent")), 2, "two were sent before");
    assert_eq!(count(&scene.app.trail().await, Event::UnlockCodeSent, Outcome::Done), 4);
    assert_eq!(scene.subjects().await, ["Your Smartcard Unlock Code"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_of_wrong_answers_200_times_at_once_is_one_attempt() {
    let scene = Scene::set().await;
    let [mut browser, ..] = scene.identify_each().await;
    let asked = asked(&mut browser).await;
    let proofs = vec![prove(&browser, &scene.cards[0], 1).await.remove(0); MANY];
    let requests = with(&browser, &proofs, "answers", &answers(&asked, false)).collect();
    let answers = scene.call_at_once("unlock/answer", requests).await;
    assert_eq!(values(&answers, &json!({ "Wrong": { "attempts_left": 2 } })), MANY);
    assert_eq!(scene.app.standing(JANE.0).await, Standing::Open { failed_attempts: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_200_times_at_once_begins_one_unlock() {
    let scene = Scene::set().await;
    let mut browser = scene.servers.browser(0);
    let challenge = browser.challenge("unlock/start").await;
    let proof = json!({ "proof": scene.cards[0].prove(Purpose::Unlock, challenge) });
    let answers = scene.call_at_once("unlock/identify", vec![(browser, proof); MANY]).await;
    assert_eq!(values(&answers, &json!("Flow")), 1);
    assert_eq!(faults(&answers, &json!("Stale")), MANY - 1);
    assert_eq!(count(&scene.app.trail().await, Event::UnlockBegun, Outcome::Done), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_200_times_at_once_opens_one_session() {
    let scene = Scene::set().await;
    let mut browser = scene.servers.browser(0);
    let hello = browser.challenge("session/start").await;
    let proof = json!({ "proof": scene.cards[0].prove(Purpose::Hello, hello) });
    let challenge: Challenge = browser.call("session/confirm-card", &proof).await.value();
    let proof = json!({ "proof": scene.cards[0].prove(Purpose::SignIn, challenge) });
    let answers = scene.call_at_once("session/sign-in", vec![(browser, proof); MANY]).await;
    assert_eq!(values(&answers, &Value::Null), 1);
    assert_eq!(faults(&answers, &json!("Stale")), MANY - 1);
    assert_eq!(count(&scene.app.trail().await, Event::SignedIn, Outcome::Done), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_unlocks_that_a_card_begins_at_once_twenty_begin_and_each_ends_the_one_before() {
    let scene = Scene::set().await;
    let card = &scene.cards[0];
    let mut requests = Vec::new();
    for number in 0..MANY {
        let mut browser = scene.servers.browser(number);
        let challenge = browser.challenge("unlock/start").await;
        requests.push((browser, json!({ "proof": card.prove(Purpose::Unlock, challenge) })));
    }
    let answers = scene.call_at_once("unlock/identify", requests).await;
    assert_eq!(values(&answers, &json!("Flow")), 20);
    let waiting = answers.iter().filter(|answer| answer.status == 422 && answer.fault()["TooOften"].is_object());
    assert_eq!(waiting.count(), MANY - 20);
    assert_eq!(count(&scene.app.trail().await, Event::UnlockBegun, Outcome::Done), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_start_at_once_on_a_database_that_is_empty() {
    let place = Place::new(&[]).await;
    place.secrets();
    let servers = Servers::start(&place, 4).await;
    for number in 0..4 {
        let mut browser = servers.browser(number);
        browser.challenge("unlock/start").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_and_a_flow_of_one_process_are_known_to_the_other() {
    let scene = Scene::set().await;
    let card = &scene.cards[0];
    let mut browser = scene.servers.browser(0);
    sign_in(&mut browser, card).await;
    let mut browser = browser.through(scene.servers.address(1));
    assert!(browser.get("/profile").await.body.contains(JANE.1));
    assert_eq!(identify(&mut browser, card).await, "Flow");
    let mut browser = browser.through(scene.servers.address(0));
    assert_eq!(answer_rightly(&mut browser, card).await.value::<Value>(), "Right");
    assert_eq!(scene.subjects().await, ["Your Smartcard Unlock Code"]);
}
