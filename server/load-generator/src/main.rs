//! Many people who unlock their cards at once.
//!
//! `load-generator manifest --people N` prints who they are, for `service-centre demo`. `load-generator serve` is told on
//! standard input what to do, a line of JSON for each round, and answers each with what came of it, a line of JSON too.
//!
//! ```json
//! {"at_once": 8, "seconds": 10}
//! {"a_second": 12.5, "seconds": 10, "desk": true}
//! ```
//!
//! The former keeps so many unlocks under way, so that the service is never idle; the latter begins so many a second whatever
//! becomes of them, as people do who know nothing of each other. Whoever is told to come again later goes away. With `desk` an
//! officer works beside them, with `newcomers` so many register a second.

mod browser;
mod connections;
mod figures;
mod people;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use browser::{Browser, Fault, Surroundings};
use card_protocol::ServiceKey;
use clap::{Parser, Subcommand};
use connections::Connections;
use figures::{Figures, Summary};
use load_generator::{argon2, mail_server::MailServer};
use people::{Person, Post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    task::{JoinError, JoinSet},
};

/// How long the officer rests between two people.
const OFFICER_RESTS: Duration = Duration::from_millis(200);

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How many people; the first is the officer.
    #[arg(long, global = true, default_value_t = 100)]
    people: u32,
    /// How many who have not registered, besides.
    #[arg(long, global = true, default_value_t = 0)]
    newcomers: u32,
}

#[derive(Subcommand)]
enum Command {
    /// Print who they are.
    Manifest,
    /// Print how many hashes a second one thread makes with Argon2id alone.
    Argon2 {
        /// For how long.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Do what standard input says.
    Serve {
        /// The origin of the service.
        #[arg(long)]
        origin: String,
        /// Where it listens; several share the requests.
        #[arg(long, required = true)]
        server: Vec<SocketAddr>,
        /// The service key with which it seals, as `bridge-config` prints it.
        #[arg(long)]
        service_key: String,
        /// Where it sends its mails: a port of this machine.
        #[arg(long)]
        mail_port: u16,
    },
}

/// What a round is.
#[derive(Deserialize)]
struct Round {
    #[serde(flatten)]
    pace: Pace,
    seconds: f64,
    #[serde(default)]
    desk: bool,
    #[serde(default)]
    newcomers: f64,
    /// How many of the servers are asked; all, where nothing is said.
    servers: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pace {
    AtOnce(usize),
    ASecond(f64),
}

/// What came of a round.
#[derive(Default, Serialize)]
struct Outcome {
    begun: usize,
    completed: usize,
    registered: usize,
    busy: usize,
    /// How many of these were not told when to come again.
    untold: usize,
    failed: BTreeMap<String, usize>,
    /// From the first that began to the last that ended.
    seconds: f64,
    functions: BTreeMap<&'static str, Summary>,
    desk_failed: BTreeMap<String, usize>,
    desk: BTreeMap<&'static str, Summary>,
}

/// What all share.
struct Scene {
    around: Arc<Surroundings>,
    post: Arc<Post>,
    service_key: ServiceKey,
    /// Those who unlock nothing now.
    waiting: Mutex<VecDeque<Person>>,
    /// Those who register nothing now.
    newcomers: Mutex<VecDeque<Person>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { command, people, newcomers } = Arguments::parse();
    match command {
        Command::Manifest => {
            let person = |number| Person::number(number).in_manifest(number < people);
            let cards: Vec<_> = (0..people + newcomers).map(person).collect();
            println!("{}", json!({ "cards": cards }));
            Ok(())
        }
        Command::Argon2 { seconds } => {
            println!("{:.2}", argon2::hashes_a_second(Duration::from_secs_f64(seconds))?);
            Ok(())
        }
        Command::Serve { origin, server, service_key, mail_port } => {
            let mail_server = MailServer::start(mail_port).await?;
            let people = [1..people, people..people + newcomers];
            serve(people, origin, server, &service_key, mail_server).await
        }
    }
}

async fn serve(
    [people, newcomers]: [Range<u32>; 2],
    origin: String,
    servers: Vec<SocketAddr>,
    service_key: &str,
    mail_server: MailServer,
) -> anyhow::Result<()> {
    let post = Arc::new(Post::new());
    let handed_out = Arc::clone(&post);
    tokio::spawn(async move { handed_out.deliver(&mail_server).await });
    let scene = Arc::new(Scene {
        around: Arc::new(Surroundings { origin, connections: Connections::new(servers) }),
        post,
        service_key: serde_json::from_value(json!(service_key)).context("no service key")?,
        waiting: Mutex::new(people.map(Person::number).collect()),
        newcomers: Mutex::new(newcomers.map(Person::number).collect()),
    });
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let outcome = scene.round(&serde_json::from_str(&line)?).await;
        println!("{}", serde_json::to_string(&outcome)?);
    }
    Ok(())
}

impl Scene {
    async fn round(self: &Arc<Self>, round: &Round) -> Outcome {
        let (figures, desk_figures) = (Arc::<Figures>::default(), Arc::<Figures>::default());
        self.around.connections.use_only(round.servers);
        let mut outcome = Outcome::default();
        let began = Instant::now();
        let until = began + Duration::from_secs_f64(round.seconds);
        let desk = round.desk.then(|| tokio::spawn(Arc::clone(self).work_at_desk(Arc::clone(&desk_figures), until)));
        let newcomers = (round.newcomers > 0.0)
            .then(|| tokio::spawn(Arc::clone(self).welcome(round.newcomers, Arc::clone(&figures), until)));
        let mut under_way = JoinSet::new();
        loop {
            // Until when the next has to have ended, or is to begin.
            let next = match round.pace {
                Pace::AtOnce(count) if under_way.len() < count => None,
                Pace::AtOnce(_) => Some(until),
                #[expect(clippy::cast_precision_loss, reason = "small counts")]
                Pace::ASecond(rate) => Some(began + Duration::from_secs_f64(outcome.begun as f64 / rate)),
            };
            if let Some(next) = next.filter(|next| *next > Instant::now()) {
                tokio::select! {
                    Some(ended) = under_way.join_next() => outcome.note(ended),
                    () = tokio::time::sleep_until(next.min(until).into()) => (),
                }
            }
            if Instant::now() >= until {
                break;
            }
            let is_next = match round.pace {
                Pace::AtOnce(count) => under_way.len() < count,
                Pace::ASecond(_) => next.is_none_or(|next| next <= Instant::now()),
            };
            if is_next {
                outcome.begun += 1;
                let person = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(person) = person else {
                    *outcome.failed.entry("nobody is left".to_owned()).or_default() += 1;
                    continue;
                };
                under_way.spawn(Arc::clone(self).unlock(person, Arc::clone(&figures)));
            }
        }
        while let Some(ended) = under_way.join_next().await {
            outcome.note(ended);
        }
        if let Some(newcomers) = newcomers {
            let ended = newcomers.await.unwrap_or_else(|fault| vec![Err(Fault::Other(fault.to_string()))]);
            for ended in ended {
                outcome.registered += usize::from(ended.is_ok());
                if let Err(fault) = ended {
                    outcome.note(Ok(Err(fault)));
                }
            }
        }
        outcome.seconds = began.elapsed().as_secs_f64();
        if let Some(desk) = desk {
            outcome.desk_failed = desk.await.unwrap_or_else(|fault| BTreeMap::from([(fault.to_string(), 1)]));
        }
        outcome.functions = figures.summaries();
        outcome.desk = desk_figures.summaries();
        outcome
    }

    async fn unlock(self: Arc<Self>, mut person: Person, figures: Arc<Figures>) -> Result<(), Fault> {
        let mut browser = Browser::new(Arc::clone(&self.around), figures);
        let ended = person.unlock(&mut browser, &self.post, &self.service_key).await;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(person);
        ended
    }

    /// Has so many register a second; gives how that ended.
    async fn welcome(self: Arc<Self>, rate: f64, figures: Arc<Figures>, until: Instant) -> Vec<Result<(), Fault>> {
        let mut under_way = JoinSet::new();
        let mut next = Instant::now();
        while next < until {
            tokio::time::sleep_until(next.into()).await;
            next += Duration::from_secs_f64(1.0 / rate);
            under_way.spawn(Arc::clone(&self).register(Arc::clone(&figures)));
        }
        under_way.join_all().await
    }

    async fn register(self: Arc<Self>, figures: Arc<Figures>) -> Result<(), Fault> {
        let newcomer = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let mut newcomer = newcomer.ok_or_else(|| Fault::Other("no newcomer is left".to_owned()))?;
        let ended = newcomer.register(&mut Browser::new(Arc::clone(&self.around), figures), &self.post).await;
        // They register anew another time.
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner).push_back(newcomer);
        ended
    }

    /// Signs in and helps somebody, again and again; gives why that failed, how often.
    async fn work_at_desk(self: Arc<Self>, figures: Arc<Figures>, until: Instant) -> BTreeMap<String, usize> {
        let (officer, other) = (Person::number(0), Person::number(1));
        let mut failed = BTreeMap::<String, usize>::new();
        while Instant::now() < until {
            let mut browser = Browser::new(Arc::clone(&self.around), Arc::clone(&figures));
            let helped = async {
                officer.sign_in(&mut browser).await?;
                officer.help(&mut browser, &other).await
            };
            if let Err(fault) = helped.await {
                *failed.entry(format!("{fault:?}")).or_default() += 1;
            }
            tokio::time::sleep(OFFICER_RESTS).await;
        }
        failed
    }
}

impl Outcome {
    fn note(&mut self, ended: Result<Result<(), Fault>, JoinError>) {
        match ended {
            Ok(Ok(())) => self.completed += 1,
            Ok(Err(Fault::Busy(after))) => {
                self.busy += 1;
                self.untold += usize::from(after.is_none());
            }
            Ok(Err(Fault::Other(why))) => *self.failed.entry(why).or_default() += 1,
            Err(fault) => *self.failed.entry(fault.to_string()).or_default() += 1,
        }
    }
}
