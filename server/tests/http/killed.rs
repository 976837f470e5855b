//! The program is killed while it works, as by a machine that loses its power, and started again.

use std::collections::HashMap;

use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    audit::trail_holds,
    browser::{Answer, Browser},
    card::Card,
    registration::{begin, form, set_questions},
    servers::Servers,
    sign_in::sign_in,
    test_app::TestApp,
};

/// How many register at the same time, and how many of them hear of it before the program is killed.
const PEOPLE: u8 = 24;
const CONFIRMED: usize = 5;

/// Somebody who registers.
struct Registrant {
    number: u8,
    card: Card,
    browser: Browser,
    form: String,
    code: String,
}

impl Registrant {
    fn user_number(number: u8) -> String {
        format!("5550000001{number:02}")
    }

    fn email(number: u8) -> String {
        format!("person.{number}@nhs.net")
    }

    /// Goes as far as the code, which comes by mail.
    async fn begin(number: u8, card: Card, mut browser: Browser) -> Self {
        begin(&mut browser, &card).await;
        set_questions(&mut browser).await;
        let email = form(&mut browser, "Email").await;
        browser.post("register/email", &[("form", &email), ("email", &Self::email(number))]).await;
        let form = form(&mut browser, "Code").await;
        Self { number, card, browser, form, code: String::new() }
    }

    /// Enters the code; nothing where nobody lived to answer.
    async fn enter_code(&mut self) -> Option<Answer> {
        self.browser.try_to_post("register/code", &[("form", &self.form), ("code", &self.code)]).await
    }
}

fn is_confirmed(answer: Option<&Answer>) -> bool {
    answer.is_some_and(|answer| answer.header("location") == "/profile?registered")
}

/// Takes everybody to where the code is entered.
async fn people_with_codes(app: &TestApp, servers: &Servers) -> Vec<Registrant> {
    let mut beginning = JoinSet::new();
    for number in 1..=PEOPLE {
        let card = Card::number(number);
        card.enrol(app, &Registrant::user_number(number), "A Person", &Registrant::email(number)).await;
        beginning.spawn(Registrant::begin(number, card, servers.browser(number.into())));
    }
    let mut people = beginning.join_all().await;
    let mut codes = HashMap::new();
    while let Some(mail) = app.next_mail().await {
        codes.insert(mail.to.clone(), mail.code());
    }
    for person in &mut people {
        person.code = codes.remove(&Registrant::email(person.number)).expect("everybody got a code");
    }
    people
}

#[tokio::test(flavor = "multi_thread")]
async fn no_confirmed_registration_is_lost_and_nobody_is_stuck() {
    let app = TestApp::start().await;
    let mut servers = Servers::beside(&app).await;
    let people = people_with_codes(&app, &servers).await;

    let (confirmed, mut confirmations) = mpsc::unbounded_channel();
    let mut entering = JoinSet::new();
    for mut person in people {
        let confirmed = confirmed.clone();
        entering.spawn(async move {
            let answer = person.enter_code().await;
            let is_confirmed = is_confirmed(answer.as_ref());
            if is_confirmed {
                let _ = confirmed.send(());
            }
            (person, is_confirmed)
        });
    }
    for _ in 0..CONFIRMED {
        confirmations.recv().await.unwrap();
    }
    servers.kill();
    let people = entering.join_all().await;
    let unanswered = people.iter().filter(|(_, is_confirmed)| !is_confirmed).count();
    assert!(unanswered > 0, "all were answered before the program was killed");

    let servers = Servers::start(app.place(), app.place().processes()).await;
    for (mut person, was_confirmed) in people {
        let number = person.number;
        person.browser = person.browser.through(servers.address(number.into()));
        // Who heard nothing sends the form again. Where it was registered after all, the session has another token now.
        if !was_confirmed && !is_confirmed(person.enter_code().await.as_ref()) {
            sign_in(&mut person.browser, &person.card).await;
        }
        let profile = person.browser.get("/profile").await;
        assert!(profile.body.contains(&Registrant::email(number)), "{number}, {was_confirmed}: {}", profile.body);
        assert!(!profile.body.contains("Not registered"), "{number}, {was_confirmed}: {}", profile.body);
        app.standing(&Registrant::user_number(number)).await;
    }
    trail_holds(&app).await;
    let mut told = 0;
    while app.next_mail().await.is_some() {
        told += 1;
    }
    assert_eq!(told, usize::from(PEOPLE), "everybody is told once");
}
