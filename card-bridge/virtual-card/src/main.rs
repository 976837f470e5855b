//! The command line: `make` issues cards, `plug` puts one into a virtual PC/SC reader.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use virtual_card::{
    Contacts, VirtualCard,
    dialect::Strict,
    fault::{Fault, Faulty, Mishap, Moment},
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
        /// How the card words its refusals.
        #[arg(long, value_enum, default_value_t)]
        dialect: Dialect,
        #[command(flatten)]
        fault: FaultArguments,
    },
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Dialect {
    /// As the card application in use does.
    #[default]
    PivAuthenticator,
    /// As applets of another origin do.
    Strict,
}

/// A mishap of the card, for tests of what it leaves behind.
#[derive(Args)]
struct FaultArguments {
    /// What happens to the card.
    #[arg(long, value_enum)]
    fault: Option<Mishap>,
    /// Before or after it executes an APDU.
    #[arg(long, value_enum, requires = "fault", default_value = "before")]
    when: Moment,
    /// Which APDU, the first being 1.
    #[arg(long, requires = "fault", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    nth: u32,
    /// Count only the APDUs of this instruction, two hexadecimal digits.
    #[arg(long, requires = "fault", value_parser = |digits: &str| u8::from_str_radix(digits, 16))]
    instruction: Option<u8>,
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
        Task::Plug { card, host, port, dialect, fault } => {
            let card = VirtualCard::open(card)?;
            let mut card: Box<dyn Contacts> = match dialect {
                Dialect::PivAuthenticator => Box::new(card),
                Dialect::Strict => Box::new(Strict::new(card)),
            };
            if let Some(mishap) = fault.fault {
                let FaultArguments { when: moment, nth, instruction, .. } = fault;
                card = Box::new(Faulty::new(card, Fault { mishap, moment, nth, instruction }));
            }
            plug(&mut *card, &host, port)
        }
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

fn plug(card: &mut dyn Contacts, host: &str, port: u16) -> anyhow::Result<()> {
    let taken = || {
        // Whoever waits for the line may have stopped listening: the card stays in the reader all the same.
        let _ = writeln!(io::stdout(), "plugged");
    };
    vpcd::plug((host, port), card, taken).with_context(|| {
        format!("the virtual reader at {host}:{port} can't be used; is pcscd running with vsmartcard-vpcd?")
    })
}
