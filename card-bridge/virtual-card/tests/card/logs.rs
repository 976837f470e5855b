//! The card application in use prints the commands that it has parsed, passcode included, where logging is compiled in.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use piv::{Application, Passcode};

use crate::support::two_cards;

struct Everything(Mutex<Vec<String>>);

impl Log for Everything {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        self.0.lock().unwrap().push(format!("{}: {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

static LOG: Everything = Everything(Mutex::new(Vec::new()));

#[test]
fn the_card_logs_nothing_at_all() {
    let cards = two_cards();
    let mut card = cards.card("one");
    log::set_logger(&LOG).unwrap();
    log::set_max_level(LevelFilter::Trace);
    log::info!("the log works");

    let mut application = Application::select(&mut card).unwrap();
    for digits in ["904174", "904173"] {
        application.try_passcode(&Passcode::from_digits(digits).unwrap()).unwrap();
    }

    let lines = LOG.0.lock().unwrap();
    let (ours, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("the log works"));
    assert_eq!(ours.len(), 1);
    assert_eq!(others, Vec::<&String>::new());
}
