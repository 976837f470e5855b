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
//! officer looks people up beside them, with `newcomers` so many register a second, with `rarities` so many do all the rest:
//! change and end what they have registered, are helped at the desk, get another card. With `connections` everybody who unlocks
//! has so many of their own, as a browser does, which they leave open.

mod browser;
mod connections;
mod errands;
mod figures;
mod person;
mod post;
mod scene;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use browser::Surroundings;
use card_protocol::ServiceKey;
use clap::{Parser, Subcommand};
use connections::Connections;
use load_generator::{argon2, mail_server::MailServer};
use person::Person;
use post::Post;
use scene::Scene;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::OnceCell;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How many people; the first is the officer, the second a manager, the third is helped by them.
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
            let post = Arc::new(Post::new());
            let handed_out = Arc::clone(&post);
            tokio::spawn(async move { handed_out.deliver(&mail_server).await });
            let service_key: ServiceKey = serde_json::from_value(json!(service_key)).context("no service key")?;
            let around =
                Surroundings { origin, connections: Arc::new(Connections::new(server)), style: OnceCell::new() };
            serve(&Arc::new(Scene::new(around, post, service_key, [0..people, people..people + newcomers]))).await
        }
    }
}

/// Plays the rounds that standard input says.
async fn serve(scene: &Arc<Scene>) -> anyhow::Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let outcome = scene.round(&serde_json::from_str(&line)?).await;
        println!("{}", serde_json::to_string(&outcome)?);
    }
    Ok(())
}
