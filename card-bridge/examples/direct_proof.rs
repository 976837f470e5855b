//! Measures the card operation behind `prove_card` without a bridge: the same APDUs, sent by this program with `pcsc`.
//!
//! `direct_proof [TIMES]` prints two medians in microseconds: of the whole operation (connect, transaction, APDUs, end),
//! and of the APDUs alone. The benchmark of the end-to-end tests compares the bridge with the former.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pcsc::{Card, Context, Disposition, Protocols, Scope, ShareMode};
use piv::TransportError;

/// Sends commands and notes them.
struct Recorder<'a> {
    card: &'a Card,
    commands: RefCell<Vec<Vec<u8>>>,
}

impl piv::Card for Recorder<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.commands.borrow_mut().push(command.to_vec());
        send(self.card, command).map_err(|_| TransportError::Fault)
    }
}

fn main() -> anyhow::Result<()> {
    let times = std::env::args().nth(1).map_or(Ok(200), |times| times.parse()).context("TIMES is a number")?;
    let context = Context::establish(Scope::User).context("no PC/SC service")?;
    let readers = context.list_readers_owned()?;
    let connect = || readers.iter().find_map(|name| context.connect(name, ShareMode::Shared, Protocols::ANY).ok());

    let card = connect().context("no reader holds a card")?;
    let mut recorder = Recorder { card: &card, commands: RefCell::default() };
    piv::transaction::prove_card(&mut recorder, &|_, _| vec![7; 32]).context("the card does not prove itself")?;
    let commands = recorder.commands.into_inner();
    drop(card);

    let mut whole = Vec::new();
    let mut apdus = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        let mut card = connect().context("the card has gone")?;
        let transaction = card.transaction()?;
        let began_sending = Instant::now();
        for command in &commands {
            send(&transaction, command)?;
        }
        apdus.push(began_sending.elapsed());
        transaction.end(Disposition::LeaveCard).map_err(|(_, error)| error)?;
        card.disconnect(Disposition::LeaveCard).map_err(|(_, error)| error)?;
        whole.push(began.elapsed());
    }
    println!("{} {}", median(whole).as_micros(), median(apdus).as_micros());
    Ok(())
}

fn send(card: &Card, command: &[u8]) -> Result<Vec<u8>, pcsc::Error> {
    let mut answer = [0; pcsc::MAX_BUFFER_SIZE];
    card.transmit(command, &mut answer).map(<[u8]>::to_vec)
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
