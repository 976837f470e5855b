//! What a person changes of their own on the profile.

use card_protocol::{CardProof, Challenge, Purpose};
use serde_json::{Value, json};

use domain::trail::Event;

use crate::{
    browser::{Answer, Browser},
    card::Card,
    registration::{form, numbers, questions},
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::registered,
};

const NEW: &str = "jane.new@nhs.net";

/// What the holder of the card in the reader signs for a change.
async fn proof(browser: &mut Browser, card: &Card, change: &str) -> CardProof {
    let hello = browser.challenge("change/start").await;
    let hello = json!({ "proof": card.prove(Purpose::Hello, hello), "change": change });
    let challenge: Challenge = browser.call("change/confirm-card", &hello).await.value();
    card.prove(Purpose::Change, challenge)
}

async fn carry_out(browser: &mut Browser, card: &Card, change: &str) -> Answer {
    let proof = proof(browser, card, change).await;
    browser.call("change/carry-out", &json!({ "proof": proof, "change": change })).await
}

/// Jane, registered and signed in.
async fn at_home(app: &TestApp) -> (Card, Browser) {
    let card = registered(app).await;
    let mut browser = Browser::new(app);
    sign_in(&mut browser, &card).await;
    (card, browser)
}

async fn is_on_the_trail(app: &TestApp, event: Event) -> bool {
    app.trail().await.iter().any(|entry| entry.event == event)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_passcode_is_told_with_a_link_and_the_session_goes_on_under_another_token() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    let answer = carry_out(&mut browser, &card, "passcode").await;
    assert!(answer.status.is_success(), "{}", answer.body);
    assert!(answer.header("set-cookie").starts_with("session="));
    let mail = app.mail().await;
    assert_eq!(mail.subject, "Your passcode was changed");
    assert!(mail.text.contains("/not-me?of="), "{}", mail.text);
    assert!(is_on_the_trail(&app, Event::PasscodeChanged).await);
    let page = browser.get("/profile?passcode-changed").await;
    for words in ["Your passcode was changed. We have emailed you.", "Passcode changed"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_anything_without_a_session_or_with_the_proof_of_another_card_or_another_change() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    let mut stranger = Browser::new(&app);
    assert_eq!(stranger.call("change/start", &json!({})).await.fault(), "SignedOut");
    let page = stranger.get("/profile/passcode").await;
    assert_eq!(page.header("location"), "/sign-in?over");
    let page = stranger.get("/profile/end").await;
    assert_eq!(page.header("location"), "/sign-in?over");

    let other = Card::number(2);
    other.enrol(&app, "555000000025", "Joe Bloggs", "joe@nhs.net").await;
    let hello = browser.challenge("change/start").await;
    let hello = json!({ "proof": other.prove(Purpose::Hello, hello), "change": "passcode" });
    assert_eq!(browser.call("change/confirm-card", &hello).await.fault(), "Refused");

    let proof = proof(&mut browser, &card, "passcode").await;
    let answer = browser.call("change/carry-out", &json!({ "proof": proof, "change": "end-registration" })).await;
    assert_eq!(answer.fault(), "Refused");
    assert!(app.no_mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_questions_are_set_in_one_step_also_without_javascript() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    carry_out(&mut browser, &card, "factor").await;
    let page = browser.get("/register/questions").await;
    assert!(page.body.contains("Set 4 security questions") && !page.body.contains("Step 2 of 4"), "{}", page.body);
    let form = form(&mut browser, "Questions").await;
    let answer = browser.submit("register/questions", &questions(&form, &numbers())).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/profile?questions-changed"));
    assert!(answer.header("set-cookie").starts_with("session="));
    assert_eq!(app.mail().await.subject, "Your security questions were changed");
    assert!(is_on_the_trail(&app, Event::QuestionsChanged).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_made_later_work_once_they_are_kept() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    carry_out(&mut browser, &card, "factor").await;
    let codes: Vec<String> = browser.call("register/recovery-codes", &json!({})).await.value();
    assert_eq!(codes.len(), 10);
    assert!(browser.get("/profile").await.body.contains("4 questions set"), "they are not kept yet");
    let kept = browser.call("register/recovery-codes-kept", &json!({})).await;
    assert!(kept.header("set-cookie").starts_with("session="), "{}", kept.body);
    assert_eq!(app.mail().await.subject, "Your recovery codes were changed");
    let page = browser.get("/profile?codes-changed").await;
    for words in ["10 recovery codes left", "Make new recovery codes"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_told_at_both_and_the_questions_stay() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    carry_out(&mut browser, &card, "email").await;
    let page = browser.get("/register/email").await;
    assert!(page.body.contains("Change your email address") && page.body.contains(JANE.2), "{}", page.body);
    let email = form(&mut browser, "Email").await;
    let same = browser.post("register/email", &[("form", &email), ("email", JANE.2)]).await;
    assert_eq!(same.fault(), "SameEmail");
    browser.post("register/email", &[("form", &email), ("email", NEW)]).await;
    let code = app.mail().await.code();
    let form = form(&mut browser, "Code").await;
    let answer = browser.post("register/code", &[("form", &form), ("code", &code)]).await;
    assert_eq!(answer.header("location"), "/profile?email-changed", "{}", answer.body);
    let mut told = Vec::new();
    for _ in 0..2 {
        let mail = app.mail().await;
        assert_eq!(mail.subject, "Your Smartcard email address changed");
        told.push(mail.to.clone());
    }
    told.sort();
    assert_eq!(told, [NEW, JANE.2]);
    let page = browser.get("/profile").await;
    for words in [NEW, JANE.2, "4 questions set"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_registration_is_told_and_can_be_begun_anew() {
    let app = TestApp::start().await;
    let (card, mut browser) = at_home(&app).await;
    let page = browser.get("/profile/end").await;
    assert!(page.body.contains("only your RA can help when it is locked"), "{}", page.body);
    let answer = carry_out(&mut browser, &card, "end-registration").await;
    assert!(answer.status.is_success(), "{}", answer.body);
    assert_eq!(app.mail().await.subject, "Your Self Service registration has ended");
    let page = browser.get("/profile?registration-ended").await;
    for words in ["Your registration has ended.", "Not registered", "href=\"/register/passcode\""] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains("End registration"), "{}", page.body);
    assert_eq!(browser.get("/profile/end").await.header("location"), "/profile");
    let hello = browser.challenge("change/start").await;
    let hello = json!({ "proof": card.prove(Purpose::Hello, hello), "change": "email" });
    assert_eq!(browser.call("change/confirm-card", &hello).await.fault(), "NotRegistered");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_profile_offers_what_it_has_and_no_more() {
    let [questions, codes, email, end, register] = [
        "Set other security questions",
        "ecovery codes",
        "Change email address",
        "End registration",
        "href=\"/register/passcode\"",
    ];
    for (profile, offered, not_offered) in [
        ("classic", vec![questions, codes, email, end], vec![register]),
        ("strict", vec![codes, email, end], vec![questions, register]),
        ("code-only", vec![], vec![questions, codes, email, end, register]),
    ] {
        let app = TestApp::start_with(&[("SERVICE_CENTRE_POLICY__PROFILE", profile)]).await;
        let (_, mut browser) = at_home(&app).await;
        let page = browser.get("/profile").await.body;
        for words in offered {
            assert!(page.contains(words), "{profile}: {words}: {page}");
        }
        for words in not_offered {
            assert!(!page.contains(words), "{profile}: {words}: {page}");
        }
        assert!(page.contains("Change passcode"), "{profile}: {page}");
        if profile == "code-only" {
            assert!(page.contains("You do not need to register."), "{page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_activity_is_read_page_by_page() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    for _ in 0..22 {
        sign_in(&mut browser, &card).await;
    }
    let newest = browser.get("/profile").await.body;
    assert!(newest.contains("Older") && !newest.contains("Newest"), "{newest}");
    assert!(!newest.contains("Smartcard issued"), "{newest}");
    let mut page = newest;
    let mut pages = 1;
    // Below the page itself stands the link to the same page in Welsh.
    let older = |page: &str| {
        page.split_once("</main>")?.0.split_once("href=\"/profile?before=").map(|(_, rest)| rest.to_owned())
    };
    while let Some(rest) = older(&page) {
        let number = rest.split('#').next().unwrap().to_owned();
        page = browser.get(&format!("/profile?before={number}")).await.body;
        pages += 1;
        assert!(page.contains("Newest"), "{page}");
    }
    // 22 times signed in, 21 times out, and the card was issued.
    assert_eq!(pages, 3);
    assert!(page.contains("Smartcard issued"), "{page}");
    let nonsense: Value = json!({ "before": null });
    assert!(browser.call("session/profile", &nonsense).await.status.is_success());
    assert_eq!(browser.get("/profile?before=nonsense").await.status, 200);
}
