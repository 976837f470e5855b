//! The service, as a test starts it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use axum::Router;
use card_protocol::ServiceKey;
use domain::{Services, Timestamp, answer::AnswerSet, email::EmailAddress, person::UserNumber, ports::Clock};
use server::{
    application::{self, Application, World},
    config::Settings,
    mail::Postman,
    randomness::SystemRandomness,
    secrets::Secrets,
    startup::StartupError,
};
use tempfile::TempDir;
use time::macros::datetime;

use crate::mails::{KeptMails, SentMail};

/// The service's own origin in tests.
pub const ORIGIN: &str = "http://localhost:3000";

/// The answers that [`TestApp::register`] sets: question and answer.
pub const ANSWERS: [(u8, &str); 4] = [(1, "Tom Baker"), (4, "Elm Row"), (9, "green teapot"), (17, "Heidi")];

/// A clock that stands until it is advanced.
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
}

/// The service. When it is dropped, every mail must have been looked at.
pub struct TestApp {
    application: Application,
    service_key: ServiceKey,
    pub clock: TestClock,
    pub mails: KeptMails,
    folder: TempDir,
    settings: Settings,
}

impl TestApp {
    /// Starts the service on a new database.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts it with variables over its configuration.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), variables);
        let clock = TestClock(Arc::new(Mutex::new(datetime!(2026-11-24 03:00 UTC))));
        let mails = KeptMails::default();
        let (application, service_key) =
            build(&settings, &clock, &mails).await.unwrap_or_else(|fault| panic!("{fault}"));
        Self { application, service_key, clock, mails, folder, settings }
    }

    /// Starts the service anew, as after a crash: nothing but folder and clock stays.
    pub async fn restart(&mut self) {
        let (application, service_key) =
            build(&self.settings, &self.clock, &self.mails).await.unwrap_or_else(|fault| panic!("{fault}"));
        self.application = application;
        assert_eq!(self.service_key, service_key);
    }

    /// Starts it anew, if it can be started.
    pub async fn try_restart(&self) -> Result<(), StartupError> {
        build(&self.settings, &self.clock, &self.mails).await.map(drop)
    }

    pub fn services(&self) -> &Services {
        &self.application.services
    }

    pub fn router(&self) -> Router {
        self.application.router.clone()
    }

    pub fn service_key(&self) -> ServiceKey {
        self.service_key
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
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
        self.send_mails().await;
        self.mails.take().expect("a mail was sent")
    }

    /// Whether no mail waits to be looked at.
    pub async fn no_mail(&self) -> bool {
        self.send_mails().await;
        self.mails.take().is_none()
    }

    async fn send_mails(&self) {
        while self.application.outbox.round().await.unwrap() > 0 {}
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

fn settings(folder: &Path, variables: &[(&str, &str)]) -> Settings {
    let mut all = vec![
        ("SERVICE_CENTRE_DATA", folder.to_str().unwrap()),
        ("SERVICE_CENTRE_MAIL__HOST", "localhost"),
        ("SERVICE_CENTRE_MAIL__FROM", "Smartcard Service Centre <no-reply@example.org>"),
    ];
    all.extend_from_slice(variables);
    let all = all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings::load(None, all).unwrap_or_else(|fault| panic!("{fault}"))
}

async fn build(
    settings: &Settings,
    clock: &TestClock,
    mails: &KeptMails,
) -> Result<(Application, ServiceKey), StartupError> {
    let data = settings.data.as_deref();
    let age = settings.database.age(data);
    let secrets = Secrets::load(&settings.secrets, settings.may_make_secrets(), age, &SystemRandomness)
        .unwrap_or_else(|fault| panic!("{fault}"));
    let service_key = secrets.service_key.public();
    let location = settings.database.location(data).unwrap_or_else(|fault| panic!("{fault}"));
    let store = storage::connect(&location).await.unwrap();
    let postman: Arc<dyn Postman> = Arc::new(mails.clone());
    let world = World {
        store: Arc::new(store),
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SystemRandomness),
        postman,
        demonstration: None,
        mailbox: None,
    };
    Ok((application::build(settings, secrets, world).await?, service_key))
}
