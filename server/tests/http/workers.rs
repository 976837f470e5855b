//! Several workers at one outbox: no mail goes twice while nobody dies.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    delivery::MailState,
    email::EmailAddress,
    language::Language,
    mail::{Mail, Message, OutboxMail},
    ports::Clock,
    token::MailId,
};
use server::{
    mail::{DeliveryError, Letter, Postman},
    outbox::OutboxWorker,
};
use tokio::{
    sync::{Barrier, Notify, watch},
    task::JoinSet,
};
use uuid::Uuid;

use crate::test_app::TestApp;

const MAILS: u128 = 300;
const WORKERS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(1);

/// Counts how often each mail goes.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<HashMap<MailId, usize>>>);

impl Counter {
    fn counts(&self) -> HashMap<MailId, usize> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Postman for Counter {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        *self.0.lock().unwrap().entry(letter.id).or_default() += 1;
        Ok(())
    }
}

/// Takes a mail, and says that it did only when it is let.
#[derive(Clone, Default)]
struct SlowPostman {
    counter: Counter,
    taken: Arc<Notify>,
    may_answer: Arc<Notify>,
}

#[async_trait]
impl Postman for SlowPostman {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        self.counter.deliver(letter).await?;
        self.taken.notify_one();
        self.may_answer.notified().await;
        Ok(())
    }
}

/// Puts so many mails in at once.
async fn put_in(app: &TestApp, worker: &OutboxWorker, mails: u128) {
    let mut transaction = app.store().begin().await.unwrap();
    for number in 1..=mails {
        let mail = Mail {
            to: EmailAddress::parse("jane.smith@nhs.net").unwrap(),
            language: Language::English,
            name: "Jane Smith".to_owned(),
            at: app.clock.now(),
            message: Message::SelfServiceFrozen,
            person: None,
            freeze: None,
        };
        let mail = OutboxMail::seal(MailId(Uuid::from_u128(number)), &mail, &*worker.vault, app.clock.now());
        transaction.insert_mail(&mail).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// A mail server that keeps the mail with this number, says how many it has taken, and when one more has come.
#[derive(Clone)]
struct Keeps {
    number: Option<u128>,
    counter: Counter,
    come: Arc<Notify>,
}

impl Keeps {
    /// `None`: it keeps every mail.
    fn new(number: Option<u128>) -> Self {
        Self { number, counter: Counter::default(), come: Arc::default() }
    }
}

#[async_trait]
impl Postman for Keeps {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        let is_kept = self.number.is_none_or(|number| letter.id == MailId(Uuid::from_u128(number)));
        self.counter.deliver(letter).await?;
        self.come.notify_one();
        if is_kept { std::future::pending().await } else { Ok(()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_does_not_leave_keeps_no_other_waiting() {
    let app = TestApp::start().await;
    let postman = Keeps::new(Some(1));
    // It looks again only because one has left.
    let worker = OutboxWorker { sleep: Duration::from_hours(1), ..app.worker(Arc::new(postman.clone())).await };
    put_in(&app, &worker, 12).await;
    let (stop, stopping) = watch::channel(());
    let working = tokio::spawn(worker.run(stopping));
    let all = async {
        while postman.counter.counts().len() < 12 {
            postman.come.notified().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("all of them come");
    stop.send_replace(());
    working.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_takes_no_other_mail_and_waits_for_those_that_do_not_leave_for_a_time_only() {
    let app = TestApp::start().await;
    let postman = Keeps::new(None);
    let worker = OutboxWorker { at_once: 3, ..app.worker(Arc::new(postman.clone())).await };
    put_in(&app, &worker, 30).await;
    let (stop, stopping) = watch::channel(());
    let mut working = tokio::spawn(worker.run(stopping));
    postman.come.notified().await;
    stop.send_replace(());
    let moment = Duration::from_secs(5);
    assert!(tokio::time::timeout(moment, &mut working).await.is_err(), "they have a while to leave");
    tokio::time::timeout(PATIENCE, working).await.expect("it ends").unwrap();
    assert_eq!(postman.counter.counts().len(), 3, "of 30, and no other is taken");
    let mut transaction = app.store().begin().await.unwrap();
    for number in 1..=30 {
        let state = transaction.mail_state(MailId(Uuid::from_u128(number))).await.unwrap();
        assert!(matches!(state, Some(MailState::Waiting { .. })), "{number}: {state:?}");
    }
    drop(transaction);

    app.clock.advance(time::Duration::hours(1));
    let next = Counter::default();
    let worker = app.worker(Arc::new(next.clone())).await;
    while worker.round().await.unwrap() > 0 {}
    assert_eq!(next.counts().len(), 30, "the next one sends them all");
}

/// Takes its first mail only together with the others, so that each of them has one.
struct Together {
    counter: Counter,
    all: Arc<Barrier>,
    is_here: AtomicBool,
}

#[async_trait]
impl Postman for Together {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        if !self.is_here.swap(true, Ordering::SeqCst) {
            self.all.wait().await;
        }
        self.counter.deliver(letter).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_send_each_of_300_mails_once() {
    let app = TestApp::start().await;
    let postmen: [Counter; WORKERS] = std::array::from_fn(|_| Counter::default());
    let all = Arc::new(Barrier::new(WORKERS));
    let mut workers = Vec::new();
    for counter in postmen.clone() {
        let together = Together { counter, all: Arc::clone(&all), is_here: AtomicBool::new(false) };
        workers.push(app.worker(Arc::new(together)).await);
    }
    put_in(&app, &workers[0], MAILS).await;
    let mut working = JoinSet::new();
    for worker in workers {
        working.spawn(async move { while worker.round().await.unwrap() > 0 {} });
    }
    tokio::time::timeout(PATIENCE, working.join_all()).await.expect("each of them has a mail to begin with");

    let mut sent = HashMap::new();
    for counts in postmen.map(|postman| postman.counts()) {
        assert!(!counts.is_empty(), "one of them had nothing to do");
        for (id, count) in counts {
            *sent.entry(id).or_insert(0) += count;
        }
    }
    let mut transaction = app.store().begin().await.unwrap();
    for number in 1..=MAILS {
        let id = MailId(Uuid::from_u128(number));
        assert_eq!(sent.get(&id), Some(&1), "{number}");
        assert_eq!(transaction.mail_state(id).await.unwrap(), Some(MailState::Sent), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_goes_while_the_database_is_away_goes_once() {
    let app = TestApp::start_alone().await;
    let postman = SlowPostman::default();
    let worker = app.worker(Arc::new(postman.clone())).await;
    put_in(&app, &worker, 1).await;
    let other = app.worker(Arc::new(postman.counter.clone())).await;
    let round = tokio::spawn(async move { worker.round().await.unwrap() });
    postman.taken.notified().await;
    let outage = app.place().take_database_away().await;
    postman.may_answer.notify_one();
    // Longer than SQLite waits for another program.
    tokio::time::sleep(Duration::from_secs(6)).await;
    outage.end().await;
    assert_eq!(round.await.unwrap(), 1);

    app.clock.advance(time::Duration::hours(1));
    assert_eq!(other.round().await.unwrap(), 0);
    assert_eq!(postman.counter.counts().into_values().collect::<Vec<_>>(), [1]);
}
