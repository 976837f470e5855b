//! The command line: `make` issues cards, `lock` locks one, `plug` puts one into a virtual PC/SC reader.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::mpsc,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use virtual_card::{
    VirtualCard,
    fault::{Fault, Faulty, Mishap, Moment},
    issuance,
    journal::Journalled,
    kind::{KINDS, Kind, Refusals, Touch, Touched, UnlockKeyTries},
    make::{self, DEMONSTRATION, Existing, MANIFEST},
    manifest::CardList,
    slow::Slow,
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
    /// Lock a card by wrong passcodes.
    Lock {
        /// The card's directory.
        #[arg(long)]
        card: PathBuf,
    },
    /// Put a card into the virtual reader of a running pcscd (vsmartcard-vpcd), until this program ends.
    Plug(PlugArguments),
}

#[derive(Args)]
struct PlugArguments {
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
    dialect: Refusals,
    /// What becomes of the tries of the unlock key when it has set a passcode.
    #[arg(long, value_enum, default_value_t)]
    unlock_key_tries: UnlockKeyTries,
    /// The kind of card that it answers as, in place of both: a name of the README's table.
    #[arg(long, value_parser = kind_named, conflicts_with_all = ["dialect", "unlock_key_tries"])]
    kind: Option<&'static Kind>,
    /// A card that wants a touch gets none, and refuses each signature after 15 seconds.
    #[arg(long, requires = "kind")]
    untouched: bool,
    /// A file to which the card adds a line for each command: instruction, parameters, status word; never data.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Milliseconds that the card takes for each APDU, beside the time of the software.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    delay: u64,
    #[command(flatten)]
    fault: FaultArguments,
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
        Task::Lock { card } => Ok(issuance::lock(&mut VirtualCard::open(card)?)?),
        Task::Plug(arguments) => plug(arguments),
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

fn plug(arguments: PlugArguments) -> anyhow::Result<()> {
    let PlugArguments {
        card: directory,
        host,
        port,
        dialect,
        unlock_key_tries,
        kind,
        untouched,
        journal,
        delay,
        fault,
    } = arguments;
    let plain = Kind { refusals: dialect, unlock_key_tries, ..KINDS[0] };
    let touch: Touch = if untouched { Box::new(|_| wait_in_vain()) } else { Box::new(|_| Touched::InTime) };
    let mut card = kind.unwrap_or(&plain).put_on(VirtualCard::open(&directory)?, touch)?;
    if delay > 0 {
        card = Box::new(Slow::new(card, move || wait(Duration::from_millis(delay))));
    }
    if let Some(path) = journal {
        let journalled =
            Journalled::new(card, &path).with_context(|| format!("{} can't be written", path.display()))?;
        card = Box::new(journalled);
    }
    if let Some(mishap) = fault.fault {
        let FaultArguments { when: moment, nth, instruction, .. } = fault;
        let faulty = Faulty::new(card, Fault { mishap, moment, nth, instruction });
        card = Box::new(faulty.waiting_for(a_line));
    }
    let taken = || {
        // Whoever waits for the line may have stopped listening: the card stays in the reader all the same.
        let _ = writeln!(io::stdout(), "plugged");
    };
    vpcd::plug((host.as_str(), port), &mut *card, taken).with_context(|| {
        format!("the virtual reader at {host}:{port} can't be used; is pcscd running with vsmartcard-vpcd?")
    })
}

fn kind_named(name: &str) -> Result<&'static Kind, String> {
    let names = || KINDS.map(|kind| kind.name).join(", ");
    Kind::named(name).ok_or_else(|| format!("one of {}", names()))
}

/// Lets the time go by in which a `YubiKey` waits for its touch (Yubico, yubico-piv-tool, issue 185).
fn wait_in_vain() -> Touched {
    wait(Duration::from_secs(15));
    Touched::Never
}

/// Lets time go by.
fn wait(time: Duration) {
    let (_never, nothing) = mpsc::channel::<()>();
    // The sender lives, so only the time can run out.
    let _ = nothing.recv_timeout(time);
}

/// Says `waiting`, and waits for a line, or for the end of the input.
fn a_line() {
    let _ = writeln!(io::stdout(), "waiting");
    let _ = io::stdin().read_line(&mut String::new());
}
