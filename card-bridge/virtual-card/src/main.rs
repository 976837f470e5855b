//! The command line: `make` issues cards, `plug` puts one into a virtual PC/SC reader.

use std::{
    fs,
    io::{self, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use virtual_card::{
    VirtualCard,
    make::{self, DEMONSTRATION, Existing, MANIFEST},
    manifest::CardList,
    vpcd,
};

/// PIV cards in software, for demonstrations and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Issue cards: a directory for each, and a manifest of what a service needs to know of them.
    Make {
        /// The directory to make.
        #[arg(long)]
        out: PathBuf,
        /// A list of cards (TOML) in place of the demonstration's.
        #[arg(long)]
        cards: Option<PathBuf>,
        /// Replace the cards that are there by new ones.
        #[arg(long)]
        force: bool,
    },
    /// Put a card into the virtual reader of a running pcscd (vsmartcard-vpcd), until this program ends.
    Plug {
        /// The card's directory.
        #[arg(long)]
        card: PathBuf,
        /// Where the reader listens.
        #[arg(long, default_value = "127.0.0.1")]
        host: String,
        /// The port of the reader's slot.
        #[arg(long, default_value_t = 35963)]
        port: u16,
    },
}

fn main() -> ExitCode {
    let done = run(Arguments::parse());
    if let Err(error) = &done {
        // Nowhere is left to say it when this fails.
        let _ = writeln!(io::stderr(), "virtual-card: {error:#}");
    }
    ExitCode::from(u8::from(done.is_err()))
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.task {
        Task::Make { out, cards, force } => make(&out, cards.as_deref(), force),
        Task::Plug { card, host, port } => plug(card, &host, port),
    }
}

fn make(out: &Path, cards: Option<&Path>, force: bool) -> anyhow::Result<()> {
    let list = match cards {
        Some(path) => fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?,
        None => DEMONSTRATION.to_owned(),
    };
    let list: CardList = toml::from_str(&list).context("the list of cards can't be understood")?;
    let existing = if force { Existing::Replace } else { Existing::Keep };
    let manifest = make::make(out, &list, existing, now())?;
    for card in &manifest.cards {
        let state = if card.locked { "locked" } else { "working" };
        writeln!(io::stdout(), "{}: {}, {state}", card.card, card.name)?;
    }
    writeln!(io::stdout(), "{}", out.join(MANIFEST).display())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
fn now() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc()
}

fn plug(card: PathBuf, host: &str, port: u16) -> anyhow::Result<()> {
    let mut card = VirtualCard::open(card)?;
    let reader = TcpStream::connect((host, port)).with_context(|| {
        format!("no virtual reader listens on {host}:{port}; is pcscd running with vsmartcard-vpcd?")
    })?;
    vpcd::serve(reader, &mut card, || {
        // Whoever waits for the line may have stopped listening: the card stays in the reader all the same.
        let _ = writeln!(io::stdout(), "plugged");
    })?;
    Ok(())
}
