//! Three servers behind plain balancers, one of which is killed: every request of a person goes to another one, and
//! nothing is lost.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use card_protocol::{CardProof, Challenge, Purpose, sealed::Sealed};
use domain::{
    delivery::MailState,
    figure::{CountedFor, Days, Figure},
    ports::Clock,
    registration::Standing,
    token::MailId,
    trail::{Event, Outcome},
};
use load_generator::mail_server::MailServer;
use serde_json::{Value, json};
use server::clock::SystemClock;
use time::macros::date;

use crate::{
    audit::trail_holds,
    balancer::Balancer,
    browser::{Answer, Browser},
    card::Card,
    mails::SentMail,
    servers::Servers,
    test_app::TestApp,
    unlock::answers,
};

/// How many unlock a card at the same time, and how many of them have their code when a server is killed.
const PEOPLE: u8 = 24;
const WITH_CODE: usize = 6;

/// How many mails a worker has at once: so many can go twice when it is killed.
const CLAIMED: usize = 8;

/// How long somebody waits for a code before the service of the test sends what a killed server had.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often somebody begins again at most.
const BEGINNINGS: usize = 4;

/// What the people share.
struct Scene {
    app: TestApp,
    mail_server: MailServer,
    mails: Mutex<Vec<SentMail>>,
    with_code: AtomicUsize,
    completed: AtomicUsize,
}

/// Somebody with a locked card.
struct Person {
    number: u8,
    card: Card,
    browser: Browser,
    /// Their own, so that each of their requests goes to another server than the one before.
    balancer: Balancer,
    codes_used: HashSet<MailId>,
}

/// The flow cannot go on where an answer was lost: the person begins again.
struct BeginAgain;

fn user_number(number: u8) -> String {
    format!("5550000002{number:02}")
}

fn address(number: u8) -> String {
    format!("person.{number}@nhs.net")
}

impl Scene {
    /// Takes in what was sent: by the servers, and once more than `patience` has passed by the service of the test.
    async fn collect_mails(&self, waited: Duration) {
        let sent = self.mail_server.take_all();
        self.mails.lock().unwrap().extend(sent.into_iter().map(SentMail::as_it_came));
        if waited > PATIENCE {
            while let Some(mail) = self.app.next_mail().await {
                self.mails.lock().unwrap().push(mail);
            }
        }
    }

    /// A code for somebody that they have not used.
    async fn code(&self, person: &mut Person) -> String {
        let began = Instant::now();
        loop {
            self.collect_mails(began.elapsed()).await;
            let found = self.mails.lock().unwrap().iter().rev().find_map(|mail| {
                let is_theirs = mail.to == address(person.number) && !person.codes_used.contains(&mail.id);
                is_theirs.then(|| Some((mail.id, mail.try_code()?))).flatten()
            });
            if let Some((id, code)) = found {
                person.codes_used.insert(id);
                return code;
            }
            assert!(began.elapsed() < 4 * PATIENCE, "no code for {}", person.number);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Person {
    /// Sends it again until a server answers.
    async fn insist(&mut self, function: &str, arguments: &Value) -> Answer {
        for _ in 0..200 {
            match self.browser.try_call(function, arguments).await {
                Some(answer) if answer.status != 503 => return answer,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("no server answers {}", self.number);
    }

    /// What a step gives, unless an answer before it was lost.
    async fn step(&mut self, function: &str, arguments: &Value) -> Result<Value, BeginAgain> {
        let answer = self.insist(function, arguments).await;
        if answer.status == 200 { Ok(answer.value()) } else { Err(BeginAgain) }
    }

    async fn prove(&mut self, purpose: Purpose) -> Result<CardProof, BeginAgain> {
        let name = if purpose == Purpose::Release { "Release" } else { "Attempt" };
        let challenge = self.step("unlock/challenge", &json!({ "purpose": name })).await?;
        Ok(self.card.prove(purpose, serde_json::from_value(challenge).unwrap()))
    }

    /// Unlocks the card, from the beginning as often as it takes.
    async fn unlock(mut self, scene: &Scene) {
        for _ in 0..BEGINNINGS {
            if self.try_to_unlock(scene).await.is_ok() {
                scene.completed.fetch_add(1, Ordering::SeqCst);
                let served = self.balancer.served();
                // Also the one that was killed, before.
                assert!(served.iter().all(|served| *served > 0), "{served:?}");
                return;
            }
        }
        panic!("{} cannot unlock their card", self.number);
    }

    async fn try_to_unlock(&mut self, scene: &Scene) -> Result<(), BeginAgain> {
        let challenge: Challenge = self.insist("unlock/start", &json!({})).await.value();
        let proof = self.card.prove(Purpose::Unlock, challenge);
        self.step("unlock/identify", &json!({ "proof": proof })).await?;
        let view = self.step("unlock/view", &json!({})).await?;
        let asked = view["Questions"]["asked"].as_array().ok_or(BeginAgain)?;
        let asked: Vec<_> = asked.iter().map(|question| question["id"].as_u64().unwrap()).collect();
        let proof = self.prove(Purpose::Attempt).await?;
        let right = json!({ "proof": proof, "answers": answers(&asked, true) });
        assert_eq!(self.step("unlock/answer", &right).await?, "Right");
        loop {
            let code = scene.code(self).await;
            scene.with_code.fetch_add(1, Ordering::SeqCst);
            let proof = self.prove(Purpose::Attempt).await?;
            // A code of a flow before comes late.
            if self.step("unlock/code", &json!({ "proof": proof, "code": code })).await? == "Right" {
                break;
            }
        }
        let release = self.prove(Purpose::Release).await?;
        let sealed = self.step("unlock/release", &json!({ "proof": release })).await?;
        let sealed: Sealed = serde_json::from_value(sealed).unwrap();
        let completion = self.card.reset_passcode(&scene.app, &release, &sealed);
        let proof = json!({ "proof": self.card.prove(Purpose::Unlocked, completion) });
        self.insist("unlock/complete", &proof).await;
        let view = self.step("unlock/view", &json!({})).await?;
        if view == "Completed" { Ok(()) } else { Err(BeginAgain) }
    }
}

/// Kills a server in the middle.
async fn kill_one(scene: &Scene, servers: &mut Servers) {
    while scene.with_code.load(Ordering::SeqCst) < WITH_CODE {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    servers.kill_one(0);
    assert!(scene.completed.load(Ordering::SeqCst) < PEOPLE.into(), "all had unlocked before a server was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_servers_behind_balancers_one_is_killed_and_nothing_is_lost() {
    let mail_server = MailServer::start(0).await.unwrap();
    let port = mail_server.port().to_string();
    let app =
        TestApp::start_with(&[("SERVICE_CENTRE_MAIL__PORT", &port), ("SERVICE_CENTRE_MAIL__SECURITY", "none")]).await;
    if app.place().is_sqlite() {
        return;
    }
    let mut cards = Vec::new();
    for number in 1..=PEOPLE {
        let card = Card::number(number);
        card.enrol(&app, &user_number(number), "A Person", &address(number)).await;
        app.register(&user_number(number), &address(number)).await;
        cards.push((number, card));
    }
    app.clock.advance(SystemClock.now() - app.clock.now() + time::Duration::minutes(5));
    let servers = Servers::start(app.place(), 3).await;
    let (mails, with_code, completed) = Default::default();
    let scene = Scene { app, mail_server, mails, with_code, completed };
    // They end before their folder.
    let mut servers = servers;
    let mut unlocking = Vec::new();
    for (number, card) in cards {
        let balancer = Balancer::start(servers.addresses()).await;
        let browser = Browser::of_process(balancer.address());
        unlocking.push(Person { number, card, browser, balancer, codes_used: HashSet::new() }.unlock(&scene));
    }
    tokio::join!(futures::future::join_all(unlocking), kill_one(&scene, &mut servers));

    // What the killed one had is sent by another.
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.collect_mails(2 * PATIENCE).await;
    assert_nothing_is_lost(&scene).await;
}

async fn assert_nothing_is_lost(scene: &Scene) {
    let app = &scene.app;
    trail_holds(app).await;
    let trail = app.trail().await;
    let done = |event| trail.iter().filter(move |entry| entry.event == event && entry.outcome == Outcome::Done);
    let unlocked: HashSet<_> = done(Event::CardUnlocked).map(|entry| entry.person.as_ref().unwrap().as_str()).collect();
    assert_eq!((done(Event::CardUnlocked).count(), unlocked.len()), (usize::from(PEOPLE), usize::from(PEOPLE)));
    let mut transaction = app.store().begin().await.unwrap();
    let days = Days { first: date!(2020 - 01 - 01), last: date!(2099 - 12 - 31) };
    let counts = transaction.counts_by_day(days, &CountedFor::Everybody).await.unwrap();
    let counted = counts.iter().filter(|count| count.figure == Figure::Unlocked).map(|count| count.count);
    assert_eq!(counted.sum::<u64>(), u64::from(PEOPLE));

    let mut sent: HashMap<MailId, usize> = HashMap::new();
    let mut told: HashMap<String, HashSet<MailId>> = HashMap::new();
    let mut codes = HashSet::new();
    for mail in scene.mails.lock().unwrap().iter() {
        *sent.entry(mail.id).or_default() += 1;
        match mail.subject.as_str() {
            "Your Smartcard was unlocked" => drop(told.entry(mail.to.clone()).or_default().insert(mail.id)),
            "Your Smartcard Unlock Code" => drop(codes.insert(mail.id)),
            other => panic!("nobody expects {other}"),
        }
    }
    assert_eq!(told.len(), usize::from(PEOPLE));
    assert!(told.values().all(|mails| mails.len() == 1), "somebody is told twice: {told:?}");
    assert_eq!(codes.len(), done(Event::UnlockCodeSent).count());
    let twice: Vec<_> = sent.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.len() <= CLAIMED && twice.iter().all(|(_, times)| **times == 2), "{twice:?}");
    for id in sent.keys() {
        assert_eq!(transaction.mail_state(*id).await.unwrap(), Some(MailState::Sent), "{id}");
    }
    drop(transaction);
    for number in 1..=PEOPLE {
        assert_eq!(app.standing(&user_number(number)).await, Standing::Open { failed_attempts: 0 }, "{number}");
    }
}
