//! The service, as a test starts it.

use std::{
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use card_protocol::ServiceKey;
use domain::{
    Services, Timestamp,
    answer::AnswerSet,
    email::EmailAddress,
    person::UserNumber,
    ports::{AnswerHasher, Clock, Store, StoreError},
    registration::Standing,
    trail::TrailEntry,
};
use server::{
    admin::Admin,
    application::{self, Application, World},
    mail::Postman,
    outbox::OutboxWorker,
    randomness::SystemRandomness,
    router::ANSWERED_WITHIN,
    startup::StartupError,
};
use storage::SqlStore;
use time::macros::datetime;
use tokio::sync::Notify;

use crate::{
    mails::{KeptMails, SentMail},
    place::Place,
};

/// The service's own origin in tests.
pub const ORIGIN: &str = "http://localhost:3000";

/// The answers that [`TestApp::register`] sets: question and answer.
pub const ANSWERS: [(u8, &str); 4] = [(1, "Tom Baker"), (4, "Elm Row"), (9, "green teapot"), (17, "Heidi")];

/// A clock that stands until it is advanced, or put back.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl TestClock {
    pub fn advance(&self, by: time::Duration) {
        *self.0.lock().unwrap() += by;
    }

    pub fn put_back(&self, by: time::Duration) {
        self.advance(-by);
    }
}

/// The service. When it is dropped, every mail must have been looked at.
pub struct TestApp {
    application: Application,
    service_key: ServiceKey,
    pub clock: TestClock,
    pub mails: KeptMails,
    store: SqlStore,
    place: Arc<Place>,
}

/// A service that was stopped: what of it stays.
pub struct Stopped {
    clock: TestClock,
    pub place: Place,
}

impl Stopped {
    /// Starts it again.
    pub async fn start(self) -> TestApp {
        TestApp::start_at(self.clock, self.place, ANSWERED_WITHIN).await
    }
}

/// What is put together at each start.
struct Started {
    application: Application,
    service_key: ServiceKey,
    store: SqlStore,
}

impl TestApp {
    /// Starts the service on a new database.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts it with variables over its configuration.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_in(Place::new(variables).await, ANSWERED_WITHIN).await
    }

    /// Starts it on a database that can be taken away.
    pub async fn start_alone() -> Self {
        Self::start_in(Place::alone().await, ANSWERED_WITHIN).await
    }

    /// Starts it with less time for an answer.
    pub async fn start_hasty(answered_within: Duration) -> Self {
        Self::start_in(Place::new(&[]).await, answered_within).await
    }

    async fn start_in(place: Place, answered_within: Duration) -> Self {
        let clock = TestClock(Arc::new(Mutex::new(datetime!(2026-11-24 03:00 UTC))));
        Self::start_at(clock, place, answered_within).await
    }

    /// Stops it. The database is nobody's then.
    pub async fn stop(self) -> Stopped {
        let (clock, place, store) = (self.clock.clone(), Arc::clone(&self.place), self.store.clone());
        drop(self);
        store.close().await.unwrap();
        Stopped { clock, place: Arc::into_inner(place).unwrap() }
    }

    async fn start_at(clock: TestClock, place: Place, answered_within: Duration) -> Self {
        let mails = KeptMails::default();
        let Started { application, service_key, store } =
            build(&place, &clock, &mails, answered_within).await.unwrap_or_else(|fault| panic!("{fault}"));
        Self { application, service_key, clock, mails, store, place: Arc::new(place) }
    }

    /// Starts the service anew, as after a crash: nothing but folder, database and clock stays.
    pub async fn restart(&mut self) {
        let Started { application, service_key, store } = build(&self.place, &self.clock, &self.mails, ANSWERED_WITHIN)
            .await
            .unwrap_or_else(|fault| panic!("{fault}"));
        self.application = application;
        self.store = store;
        assert_eq!(self.service_key, service_key);
    }

    /// Starts it anew, if it can be started.
    pub async fn try_restart(&self) -> Result<(), StartupError> {
        build(&self.place, &self.clock, &self.mails, ANSWERED_WITHIN).await.map(drop)
    }

    pub fn services(&self) -> &Services {
        &self.application.services
    }

    pub fn hasher(&self) -> &dyn AnswerHasher {
        &*self.application.hasher
    }

    pub fn router(&self) -> Router {
        self.application.router.clone()
    }

    pub fn service_key(&self) -> ServiceKey {
        self.service_key
    }

    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The same, to be used by another task.
    pub fn place_shared(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    pub fn store(&self) -> &dyn Store {
        &self.store
    }

    /// Who answers operators.
    pub fn admin(&self) -> Admin {
        let admin = self.application.admin.clone();
        assert_eq!(admin.answers_within, Duration::from_secs(1));
        // A machine that is busy is no database that does not answer.
        Admin { answers_within: Duration::from_secs(30), ..admin }
    }

    /// What wakes the service's own worker of the outbox.
    pub fn wake(&self) -> &Notify {
        &self.application.outbox.wake
    }

    /// A worker that sends the same mails as the service's own: of another server, with a store and a postman of its own.
    pub async fn worker(&self, postman: Arc<dyn Postman>) -> OutboxWorker {
        OutboxWorker { store: Arc::new(open_store(&self.place).await), postman, ..self.application.outbox.clone() }
    }

    /// The whole audit trail.
    pub async fn trail(&self) -> Vec<TrailEntry> {
        let records = self.store.begin().await.unwrap().trail_from(1, 10_000).await.unwrap();
        records.iter().map(|record| serde_json::from_str(&record.entry).unwrap()).collect()
    }

    /// Whether a registered person may try to unlock a card.
    pub async fn standing(&self, user_number: &str) -> Standing {
        let number = UserNumber::parse(user_number).unwrap();
        self.store.begin().await.unwrap().registration(&number).await.unwrap().unwrap().standing
    }

    /// Registers a person with [`ANSWERS`].
    pub async fn register(&self, user_number: &str, email: &str) {
        let answers = AnswerSet::parse(&ANSWERS.map(|(question, answer)| (Some(question), answer))).ok().unwrap();
        let number = UserNumber::parse(user_number).unwrap();
        let email = EmailAddress::parse(email).unwrap();
        self.services().enrolment.register_for_demonstration(&number, &email, &answers).await.unwrap();
    }

    /// The next mail that the service sends.
    pub async fn mail(&self) -> SentMail {
        self.next_mail().await.expect("a mail was sent")
    }

    /// The next mail that the service sends, if there is one.
    pub async fn next_mail(&self) -> Option<SentMail> {
        self.send_mails().await;
        self.mails.take()
    }

    /// Whether no mail waits to be looked at.
    pub async fn no_mail(&self) -> bool {
        self.next_mail().await.is_none()
    }

    /// Sends the mails that are due, if the outbox can be read.
    pub async fn try_to_send_mails(&self) -> Result<(), StoreError> {
        self.application.outbox.round().await.map(drop)
    }

    async fn send_mails(&self) {
        let mut rounds_without = 0;
        while rounds_without < self.place.rounds_without_a_mail() {
            self.place.wait_for_workers().await;
            let sent = self.application.outbox.round().await.unwrap();
            rounds_without = if sent == 0 { rounds_without + 1 } else { 0 };
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.send_mails()));
        if let Some(mail) = self.mails.take() {
            panic!("nobody looked at the mail \"{}\" to {}", mail.subject, mail.to);
        }
    }
}

async fn open_store(place: &Place) -> SqlStore {
    let settings = place.settings();
    let location = settings.database.location(settings.data.as_deref()).unwrap_or_else(|fault| panic!("{fault}"));
    storage::connect(&location).await.unwrap()
}

async fn build(
    place: &Place,
    clock: &TestClock,
    mails: &KeptMails,
    answered_within: Duration,
) -> Result<Started, StartupError> {
    let settings = place.settings();
    let secrets = place.secrets();
    let service_key = secrets.service_key.public();
    let store = open_store(place).await;
    let postman: Arc<dyn Postman> = Arc::new(mails.clone());
    let world = World {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SystemRandomness),
        postman,
        demonstration: None,
        mailbox: None,
        answered_within,
    };
    Ok(Started { application: application::build(&settings, secrets, world).await?, service_key, store })
}

/// What a program said, on standard error where it failed.
pub fn in_words(ended: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if ended.status.success() { Ok(text(&ended.stdout)) } else { Err(text(&ended.stderr)) }
}
