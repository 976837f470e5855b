//! What officers and managers see of everybody: reports and the whole trail, as pages and as files.

use card_protocol::Purpose;
use domain::{
    enrolment::{NewCard, NewHolder},
    organisation::Organisation,
    person::UserNumber,
    role::Role,
    trail::Event,
};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    card::Card,
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
    unlock::unlock,
};

/// Somebody with a role at the desk, signed in.
pub async fn at_desk(app: &TestApp, number: u8, role: Role) -> (Browser, Card) {
    let card = Card::number(number);
    let user_number = format!("90{number}");
    card.enrol(app, &user_number, &format!("Officer {number}"), "officer@nhs.net").await;
    app.services().desk.grant(&UserNumber::parse(&user_number).unwrap(), role).await.unwrap();
    let mut browser = Browser::new(app);
    sign_in(&mut browser, &card).await;
    (browser, card)
}

/// Jane's card, of an organisation that a spreadsheet would take for a formula.
async fn janes_card_of(app: &TestApp, organisation: &str) -> Card {
    let card = Card::number(1);
    let holder = NewHolder {
        user_number: UserNumber::parse(JANE.0).unwrap(),
        name: JANE.1.to_owned(),
        email: Some(domain::email::EmailAddress::parse(JANE.2).unwrap()),
        organisation: Some(Organisation::parse(organisation).unwrap()),
    };
    let new = NewCard {
        holder,
        guid: card.guid,
        authentication_key: card.public_key(card_protocol::Slot::Authentication),
        card_authentication_key: card.public_key(card_protocol::Slot::CardAuthentication),
        unlock_key: card.unlock_key.clone(),
    };
    app.services().enrolment.enrol(&new).await.unwrap();
    card
}

#[tokio::test(flavor = "multi_thread")]
async fn officers_see_how_often_what_happened_and_take_it_as_a_file() {
    let app = TestApp::start().await;
    let mut card = janes_card_of(&app, "=Trust, \"A\"").await;
    app.register(JANE.0, JANE.2).await;
    unlock(&app, &mut card).await;
    app.clock.advance(time::Duration::days(40));
    let (mut agent, _) = at_desk(&app, 7, Role::RaAgent).await;

    let address = "from=2026-11-01&until=2026-12-31&step=month";
    let page = agent.get(&format!("/ra/reports?{address}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("role=\"img\"") && page.body.contains("<polyline"), "{}", page.body);
    assert!(page.body.contains("=Trust, &quot;A&quot;"), "{}", page.body);

    let file = agent.get(&format!("/ra/reports.csv?{address}")).await;
    assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"report.csv\"");
    assert_eq!((file.header("cache-control"), file.header("x-content-type-options")), ("no-store", "nosniff"));
    assert_eq!(
        file.body,
        "from,registered,unlocked,locked-out,mail-failed\r\n2026-11-01,1,1,0,0\r\n2026-12-01,0,0,0,0\r\n"
    );
    let file = agent.get(&format!("/ra/reports.csv?{address}&by=organisation")).await;
    assert_eq!(
        file.body,
        "organisation,registered,unlocked,locked-out,mail-failed\r\n\"'=Trust, \"\"A\"\"\",1,1,0,0\r\n"
    );
    let elsewhere = agent.get(&format!("/ra/reports.csv?{address}&organisation=Trust+B")).await;
    assert!(elsewhere.body.contains("2026-11-01,0,0,0,0"), "{}", elsewhere.body);
    let lately = agent.get("/ra/reports.csv").await;
    assert_eq!(lately.body.lines().count(), 31, "{}", lately.body);
    for wrong in ["from=2026-13-01", "from=2026-02-01&until=2026-01-01", "from=1990-01-01"] {
        assert_eq!(agent.get(&format!("/ra/reports.csv?{wrong}")).await.status, 422, "{wrong}");
        let page = agent.get(&format!("/ra/reports?{wrong}")).await;
        assert!(page.body.contains("Enter dates of which the first"), "{wrong}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_gets_neither_page_nor_file_nor_function() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut nobody = Browser::new(&app);
    for file in ["/ra/reports.csv", "/ra/trail.csv"] {
        let answer = nobody.get(file).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in?over"), "{file}");
    }
    let mut cardholder = Browser::new(&app);
    sign_in(&mut cardholder, &card).await;
    let (mut agent, _) = at_desk(&app, 7, Role::RaAgent).await;
    let before = app.trail().await.len();
    let query = json!({ "parameters": {} });
    for (browser, fault, refused) in [
        (&mut cardholder, "NoOfficer", &["reports", "trail", "import", "imports"][..]),
        (&mut agent, "Role", &["trail", "import", "imports"]),
    ] {
        for page in refused {
            let words = if fault == "Role" { "Your role is not enough" } else { "You do not work at" };
            let answer = browser.get(&format!("/ra/{page}")).await;
            assert!(answer.body.contains(words), "{page}: {}", answer.body);
        }
        assert_eq!(browser.get("/ra/trail.csv").await.status, 403);
        assert_eq!(browser.call("ra/trail", &query).await.fault(), fault);
        // What cannot even be read is refused first for who asks.
        assert_eq!(browser.call("ra/trail", &json!({ "parameters": { "from": "x" } })).await.fault(), fault);
        assert_eq!(browser.call("ra/imports", &json!({})).await.fault(), fault);
        assert_eq!(browser.call("ra/import/facts", &json!({})).await.fault(), fault);
    }
    assert_eq!(cardholder.get("/ra/reports.csv").await.status, 403);
    assert_eq!(cardholder.call("ra/report", &query).await.fault(), "NoOfficer");
    assert_eq!(app.trail().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_who_looks_for_a_reference_to_the_log_is_told_where_it_leads() {
    let app = TestApp::start().await;
    let (mut agent, _) = at_desk(&app, 7, Role::RaAgent).await;
    let page = agent.get("/ra?q=log%20bcdf-ghjk").await;
    assert!(page.body.contains("LOG-BCDF-GHJK stands in the log of this service"), "{}", page.body);
    let page = agent.get("/ra?q=log%20bcdf-ghj").await;
    assert!(page.body.contains("No one matches"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_search_the_trail_and_take_a_copy_which_stands_on_it() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    app.register(JANE.0, JANE.2).await;
    let mut janes = Browser::new(&app);
    sign_in(&mut janes, &card).await;
    let (mut manager, _) = at_desk(&app, 8, Role::RaManager).await;

    let page = manager.get(&format!("/ra/trail?card={}", card.guid)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Jane Smith") && page.body.contains("Registered for Self Service"), "{}", page.body);
    assert!(!page.body.contains("Officer 8"), "{}", page.body);
    let page = manager.get("/ra/trail?person=4711").await;
    assert!(page.body.contains("There is no such person or Smartcard."), "{}", page.body);

    let file = manager.get(&format!("/ra/trail.csv?person={}", JANE.0)).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"trail.csv\"");
    let lines: Vec<&str> = file.body.lines().collect();
    // The copy, the search, the sign-in, the registration, the card: the latest first.
    assert_eq!(lines.len(), 6, "{}", file.body);
    assert!(lines[1].contains(",trail-exported,done,") && lines[1].contains(",908,"), "{}", lines[1]);
    assert!(lines[3].contains(",signed-in,done,") && lines[3].contains(",555000000017,Jane Smith,"), "{}", lines[3]);
    let trail = app.trail().await;
    let looked: Vec<Event> = trail.iter().rev().take(2).map(|entry| entry.event).collect();
    assert_eq!(looked, [Event::TrailExported, Event::TrailRead]);
    assert!(trail.iter().rev().take(2).all(|entry| entry.person.is_some() && entry.by.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_every_record_and_pages_lead_from_one_to_the_next() {
    let app = TestApp::start().await;
    let (mut manager, _) = at_desk(&app, 8, Role::RaManager).await;
    // More than are read at once.
    let jane = Card::number(1);
    jane.enrol(&app, JANE.0, JANE.1, JANE.2).await;
    for _ in 0..1_010 {
        let browser = app.services().sign_in.browser_token();
        let challenge = app.services().sign_in.challenge(domain::challenge::Binding::Browser(&browser));
        let hello = jane.prove(Purpose::Hello, challenge);
        let binding = domain::challenge::Binding::Browser(&browser);
        let then = domain::sign_in::HolderPurpose::SignIn;
        let challenge = app.services().sign_in.confirm_card(binding, &hello, then).await.unwrap();
        let proof = jane.prove(Purpose::SignIn, challenge);
        app.services().sign_in.sign_in(&browser, &proof, domain::language::Language::English).await.unwrap();
    }
    let file = manager.get("/ra/trail.csv").await;
    let numbers: Vec<u64> =
        file.body.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    let records = app.trail().await.len() as u64;
    assert_eq!(numbers, (1..=records).rev().collect::<Vec<_>>());

    let mut parameters = json!({ "event": "signed-in" });
    let mut found = Vec::new();
    loop {
        let page: Value = manager.call("ra/trail", &json!({ "parameters": parameters })).await.value();
        found.extend(page["lines"].as_array().unwrap().iter().map(|line| line["number"].as_u64().unwrap()));
        if page["next"].is_null() {
            break;
        }
        parameters["after"] = page["next"].clone();
    }
    let unique: std::collections::BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!((found.len(), unique.len()), (1_011, 1_011));
    // One search, however many pages.
    let read = app.trail().await.iter().filter(|entry| entry.event == Event::TrailRead).count();
    assert_eq!(read, 1);
}
