//! English and Welsh: which a page is in, and which a mail.

use axum::{body::Body, http::header};
use tokio::task::JoinSet;

use crate::{
    browser::{Answer, Browser},
    registration::{begin, form, numbers, questions},
    sign_in::{janes_card, sign_in},
    test_app::TestApp,
};

/// How many pages are asked for at once.
const AT_ONCE: usize = 400;

const ENGLISH: &str = "Complete these 3 simple steps";
const WELSH: &str = "Cwblhewch y 3 cham syml hyn";

/// Opens a page in a browser whose user wants these languages.
async fn wanting(browser: &mut Browser, path: &str, languages: &str) -> Answer {
    let request = browser.request("GET", path).header(header::ACCEPT_LANGUAGE, languages).body(Body::empty()).unwrap();
    browser.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_in_the_language_that_the_browser_wants_until_another_is_chosen() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let page = wanting(&mut browser, "/unlock", "fr, en;q=0.5").await;
    assert!(page.body.contains(r#"<html lang="en""#) && page.body.contains(ENGLISH), "{}", page.body);
    let page = wanting(&mut browser, "/unlock", "cy-GB, en;q=0.5").await;
    assert!(page.body.contains(r#"<html lang="cy""#) && page.body.contains(WELSH), "{}", page.body);
    assert!(page.body.contains(r#"href="/unlock?lang=en""#), "{}", page.body);

    let chosen = wanting(&mut browser, "/unlock?lang=en", "cy-GB").await;
    assert_eq!((chosen.status.as_u16(), chosen.header("location")), (303, "/unlock"));
    let page = wanting(&mut browser, "/unlock", "cy-GB").await;
    assert!(page.body.contains(ENGLISH), "{}", page.body);
    let chosen = wanting(&mut browser, "/not-me?of=abc%26d&lang=cy", "en").await;
    assert_eq!(chosen.header("location"), "/not-me?of=abc%26d");
    assert!(wanting(&mut browser, "/unlock", "en").await.body.contains(WELSH));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_leads_nowhere_else_and_an_unknown_one_is_none() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for path in ["//elsewhere.test", "///elsewhere.test", "/\\elsewhere.test", "/\\/elsewhere.test"] {
        let chosen = browser.get(&format!("{path}?lang=cy")).await;
        assert_eq!((chosen.status.as_u16(), chosen.header("location")), (303, "/elsewhere.test"), "{path}");
    }
    let mut browser = Browser::new(&app);
    let page = browser.get("/unlock?lang=fr").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(ENGLISH), "{}", page.body);
}

/// The title is made when the rest of a page is there, perhaps by another thread.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_pages_at_once_each_has_its_title_in_its_language() {
    let app = TestApp::start().await;
    let mut pages = JoinSet::new();
    for page in 0..AT_ONCE {
        let mut browser = Browser::new(&app);
        // The second is one that browsers load in a bundle of its own.
        let (address, languages, title) = match page % 4 {
            0 => ("/unlock", "en", "<title>Smartcard Unlock"),
            1 => ("/unlock", "cy", "<title>Datgloi Cerdyn Clyfar"),
            2 => ("/sign-in", "en", "<title>Sign in"),
            _ => ("/sign-in", "cy", "<title>Mewngofnodwch"),
        };
        pages.spawn(async move {
            let page = wanting(&mut browser, address, languages).await;
            assert_eq!(page.status, 200);
            assert!(page.body.contains(title), "{}", page.body);
        });
    }
    pages.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_ask_is_told_with_whether_they_are_there() {
    let app = TestApp::start_with(&[("SERVICE_CENTRE_RA__OUT_OF_HOURS_TELEPHONE", "020 7946 0999")]).await;
    let mut browser = Browser::new(&app);
    let page = browser.get("/help").await;
    assert!(page.body.contains("Closed now, opens 8am"), "{}", page.body);
    assert!(page.body.contains("tel:02079460999"), "{}", page.body);
    app.clock.advance(time::Duration::hours(6));
    let page = wanting(&mut browser, "/help", "cy").await;
    assert!(page.body.contains("Ar agor nawr, tan 6yp"), "{}", page.body);
    assert!(page.body.contains("Pan fydd ar gau:"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registers_in_welsh_has_questions_faults_and_mails_in_welsh() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    browser.get("/?lang=cy").await;
    begin(&mut browser, &card).await;
    let page = browser.get("/register/questions").await;
    assert!(page.body.contains("Pwy wnaeth eich dysgu i nofio?"), "{}", page.body);
    assert!(!page.body.contains("Who taught you to swim?"), "{}", page.body);

    // Without JavaScript, so that the server writes the fault.
    let name = form(&mut browser, "Questions").await;
    let twice = ["1", "1", "9", "17"].map(str::to_owned);
    let answer = browser.submit("register/questions", &questions(&name, &twice)).await;
    assert!(answer.body.contains("Mae problem wedi codi"), "{}", answer.body);
    browser.submit("register/questions", &questions(&name, &numbers())).await;
    let name = form(&mut browser, "Email").await;
    browser.submit("register/email", &[("form", &name), ("email", "jane@nhs.net")]).await;
    let mail = app.mail().await;
    assert!(mail.text.starts_with("Annwyl Jane Smith,"), "{}", mail.text);

    // The language of the last sign-in counts.
    let name = form(&mut browser, "Code").await;
    browser.get("/?lang=en").await;
    sign_in(&mut Browser::new(&app), &card).await;
    browser.submit("register/code", &[("form", &name), ("code", &mail.code())]).await;
    // That the registration is complete, and to the address that the RA holds that there is another.
    for _ in 0..3 {
        let mail = app.mail().await;
        assert!(mail.text.starts_with("Dear Jane Smith,"), "{}", mail.text);
    }
}
