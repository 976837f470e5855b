//! Unlocking a card.

use card_protocol::{CardProof, Challenge, Purpose, sealed::Sealed};
use serde_json::{Value, json};

use crate::{
    browser::{Answer, Browser},
    card::Card,
    sign_in::{JANE, janes_card},
    test_app::{ANSWERS, TestApp},
};

/// Jane's card, she being registered.
pub async fn registered(app: &TestApp) -> Card {
    let card = janes_card(app).await;
    app.register(JANE.0, JANE.2).await;
    card
}

pub async fn identify(browser: &mut Browser, card: &Card) -> Value {
    let challenge = browser.challenge("unlock/start").await;
    let proof = card.prove(Purpose::Unlock, challenge);
    browser.call("unlock/identify", &json!({ "proof": proof })).await.value()
}

pub async fn prove(browser: &mut Browser, card: &Card, purpose: Purpose) -> CardProof {
    let name = if purpose == Purpose::Release { "Release" } else { "Attempt" };
    let challenge: Challenge = browser.call("unlock/challenge", &json!({ "purpose": name })).await.value();
    card.prove(purpose, challenge)
}

pub async fn asked(browser: &mut Browser) -> Vec<u64> {
    let view: Value = browser.call("unlock/view", &json!({})).await.value();
    let asked = view["Questions"]["asked"].as_array().unwrap_or_else(|| panic!("{view}"));
    asked.iter().map(|question| question["id"].as_u64().unwrap()).collect()
}

pub fn answers(asked: &[u64], is_right: bool) -> Value {
    let answer = |id: &u64| {
        let right = ANSWERS.iter().find(|(question, _)| u64::from(*question) == *id).unwrap().1;
        json!({ "question": id, "answer": if is_right { right } else { "something else" } })
    };
    asked.iter().map(answer).collect()
}

pub async fn answer_rightly(browser: &mut Browser, card: &Card) -> Answer {
    let asked = asked(browser).await;
    let proof = prove(browser, card, Purpose::Attempt).await;
    browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers(&asked, true) })).await
}

pub async fn answer_wrongly(browser: &mut Browser, card: &Card) -> Answer {
    let asked = asked(browser).await;
    let proof = prove(browser, card, Purpose::Attempt).await;
    browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers(&asked, false) })).await
}

/// Jane unlocks a card of hers.
pub async fn unlock(app: &TestApp, card: &mut Card) {
    let before = card.unlock_key.clone();
    let mut browser = Browser::new(app);
    assert_eq!(identify(&mut browser, card).await, "Flow");
    assert_eq!(answer_rightly(&mut browser, card).await.value::<Value>(), "Right");
    let mail = app.mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (JANE.2, "Your Smartcard Unlock Code"));

    let proof = prove(&mut browser, card, Purpose::Attempt).await;
    let answer = browser.call("unlock/code", &json!({ "proof": proof, "code": mail.code() })).await;
    assert_eq!(answer.value::<Value>(), "Right");

    let release = prove(&mut browser, card, Purpose::Release).await;
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(app, &release, &sealed);
    let proof = card.prove(Purpose::Unlocked, completion);
    let _: () = browser.call("unlock/complete", &json!({ "proof": proof })).await.value();
    assert_eq!(browser.call("unlock/view", &json!({})).await.value::<Value>(), "Completed");
    assert!(card.unlock_key != before, "each unlock replaces the unlock key");
    assert_eq!(app.mail().await.subject, "Your Smartcard was unlocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_card_is_unlocked_and_works_again_after_the_next_unlock_too() {
    let app = TestApp::start().await;
    let mut card = registered(&app).await;
    for _ in 0..2 {
        unlock(&app, &mut card).await;
        app.clock.advance(time::Duration::hours(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failures_are_three_in_any_flow_and_browser_with_any_card_and_after_a_restart() {
    let mut app = TestApp::start().await;
    let card = registered(&app).await;
    let second_card = Card::number(2);
    second_card.enrol(&app, JANE.0, JANE.1, JANE.2).await;

    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let answer: Value = answer_wrongly(&mut browser, &card).await.value();
    assert_eq!(answer, json!({ "Wrong": { "attempts_left": 2 } }));

    app.restart().await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &second_card).await;
    let answer: Value = answer_wrongly(&mut browser, &second_card).await.value();
    assert_eq!(answer, json!({ "Wrong": { "attempts_left": 1 } }));

    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let answer: Value = answer_wrongly(&mut browser, &card).await.value();
    assert_eq!(answer["LockedOut"]["reason"], "LockedOut", "{answer}");
    let mail = app.mail().await;
    assert_eq!(mail.subject, "Smartcard Unlock is locked");

    app.restart().await;
    for card in [&card, &second_card] {
        let mut browser = Browser::new(&app);
        let answer = identify(&mut browser, card).await;
        assert_eq!(answer["DeadEnd"]["reason"], "LockedOut", "{answer}");
        assert_eq!(answer["DeadEnd"]["reference"].as_str().unwrap().len(), 7, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_answers_after_the_third_failure_open_nothing() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let asked = asked(&mut browser).await;
    // Proofs are made beforehand, as an attacker would.
    let mut proofs = Vec::new();
    for _ in 0..4 {
        proofs.push(prove(&mut browser, &card, Purpose::Attempt).await);
    }
    for proof in &proofs[..3] {
        browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers(&asked, false) })).await;
    }
    let answer = browser.call("unlock/answer", &json!({ "proof": proofs[3], "answers": answers(&asked, true) })).await;
    assert!(!answer.status.is_success(), "{}", answer.body);
    assert_eq!(app.mail().await.subject, "Smartcard Unlock is locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_post_spends_no_attempt() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let asked = asked(&mut browser).await;
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    for _ in 0..3 {
        let again = json!({ "proof": proof, "answers": answers(&asked, false) });
        let answer: Value = browser.call("unlock/answer", &again).await.value();
        assert_eq!(answer, json!({ "Wrong": { "attempts_left": 2 } }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_is_shown_before_the_card_has_proved_itself() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.call("unlock/view", &json!({})).await.value::<Value>(), "NotBegun");
    let challenge = browser.challenge("unlock/start").await;
    let mut forged = card.prove(Purpose::Unlock, challenge);
    forged.signature = Card::number(2).prove(Purpose::Unlock, challenge).signature;
    assert_eq!(browser.call("unlock/identify", &json!({ "proof": forged })).await.fault(), "Refused");
    // 9A signs nothing for an unlock: only its own slot counts.
    let other_purpose = card.prove(Purpose::SignIn, challenge);
    assert_eq!(browser.call("unlock/identify", &json!({ "proof": other_purpose })).await.fault(), "Refused");
    let page = browser.get("/unlock/questions").await;
    for (question, _) in ANSWERS {
        let text = domain::question::QuestionId::try_from(question)
            .unwrap()
            .question()
            .wording(domain::language::Language::English)
            .text;
        assert!(!page.body.contains(text), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_fresh_proof_of_the_card_is_refused() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let asked = asked(&mut browser).await;
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    app.clock.advance(time::Duration::seconds(121));
    let answer = browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers(&asked, true) })).await;
    assert_eq!(answer.fault(), "Stale");
    let other_card = prove(&mut browser, &Card::number(2), Purpose::Attempt).await;
    let answer = browser.call("unlock/answer", &json!({ "proof": other_card, "answers": answers(&asked, true) })).await;
    assert_eq!(answer.fault(), "Refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_counts_in_its_own_flow_and_for_its_own_purpose_only() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut earlier = Browser::new(&app);
    identify(&mut earlier, &card).await;
    let of_earlier = prove(&mut earlier, &card, Purpose::Attempt).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let asked = asked(&mut browser).await;
    let release = prove(&mut browser, &card, Purpose::Release).await;
    let relabelled = CardProof { purpose: Purpose::Attempt, ..release.clone() };
    let signed_again = card.prove(Purpose::Attempt, release.challenge);
    for proof in [of_earlier, release, relabelled, signed_again] {
        let answer = browser.call("unlock/answer", &json!({ "proof": proof, "answers": answers(&asked, true) })).await;
        assert_eq!(answer.fault(), "Refused", "{proof:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_released_before_the_code_was_entered() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    answer_rightly(&mut browser, &card).await;
    app.mail().await;
    let release = prove(&mut browser, &card, Purpose::Release).await;
    assert_eq!(browser.call("unlock/release", &json!({ "proof": release })).await.fault(), "OtherStep");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_has_not_registered_is_sent_to_the_ra() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    let answer = identify(&mut browser, &card).await;
    assert_eq!(answer["DeadEnd"]["reason"], "NotRegistered", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_begins_too_many_unlocks_is_told_for_how_long_to_wait() {
    let app = TestApp::start_with(&[("SERVICE_CENTRE_POLICY__UNLOCKS_AN_HOUR", "3")]).await;
    let card = registered(&app).await;
    for _ in 0..3 {
        assert_eq!(identify(&mut Browser::new(&app), &card).await, "Flow");
    }
    let mut browser = Browser::new(&app);
    let challenge = browser.challenge("unlock/start").await;
    let proof = card.prove(Purpose::Unlock, challenge);
    let answer = browser.call("unlock/identify", &json!({ "proof": proof })).await;
    assert_eq!(answer.header("retry-after"), "3600");
    assert_eq!(answer.fault()["TooOften"]["seconds"], 3600);
    app.clock.advance(time::Duration::hours(1));
    assert_eq!(identify(&mut Browser::new(&app), &card).await, "Flow");
}
