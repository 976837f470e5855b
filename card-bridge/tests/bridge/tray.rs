//! The icon on the desktop, as a panel sees it, and its menu, as a person uses it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use card_protocol::message::Verb;
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{SUBPROTOCOL, close_code};
use piv::{Card, TransportError};
use virtual_card::{Contacts, VirtualCard};

use crate::cards::Issued;
use crate::desktop::{Desktop, Home, on_a_desktop, until};
use crate::page::{self, Headers, Page};
use crate::program::{Program, listed, program};
use crate::readers::ORIGIN;
use crate::service::{Slot, kill_service, plug, start_service, start_service_with};

/// A card that answers only while it may.
struct Patient {
    card: VirtualCard,
    may_answer: Arc<AtomicBool>,
}

impl Card for Patient {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        until(|| self.may_answer.load(Ordering::SeqCst).then_some(()), || "the card was never let go".to_owned());
        self.card.transmit(command)
    }
}

impl Contacts for Patient {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

/// The close code with which a page is refused.
fn refused(program: &Program) -> u16 {
    let headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };
    page::close_code(&mut page::connect(program.address, headers).0)
}

on_a_desktop! {
    fn the_icon_shows_each_state_in_its_picture_and_in_words() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let program = home.start();
        let icon = desktop.icon();
        assert_eq!(icon.title(), "Card Bridge");
        let mut pictures = Vec::new();
        let mut shows = |words: &str| {
            icon.until_tooltip(words);
            assert_eq!(icon.menu()[0].label, words);
            assert!(!icon.menu()[0].is_enabled);
            let picture = icon.picture();
            assert!(!pictures.contains(&picture), "{words}");
            pictures.push(picture);
        };
        shows("Ready: put your smartcard into the reader");

        let card = Issued::new(KeyAlgorithm::P256);
        let may_answer = Arc::new(AtomicBool::new(true));
        let plugged = plug(Slot::First, Patient { card: card.insert(), may_answer: Arc::clone(&may_answer) });
        shows("A card is in the reader");
        may_answer.store(false, Ordering::SeqCst);
        let mut page = Page::open(program.address, ORIGIN);
        page.send(Verb::CardStatus { reader: None });
        shows("The card is being used: leave it in the reader");
        may_answer.store(true, Ordering::SeqCst);
        page.reply();
        icon.until_tooltip("A card is in the reader");
        plugged.pull();
        icon.until_tooltip("Ready: put your smartcard into the reader");

        icon.choose("Pause");
        shows("Paused: no website can use the card");
        icon.choose("Go on");
        kill_service();
        shows("The smartcard service of this computer is not running");
        let without_reader = start_service_with("/run/pcscd/none");
        shows("No card reader is connected");
        drop(without_reader);
        icon.until_tooltip("The smartcard service of this computer is not running");
        let _service = start_service();
        icon.until_tooltip("Ready: put your smartcard into the reader");
    }

    fn the_menu_has_its_entries() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let _program = home.start();
        let labels: Vec<_> = desktop.icon().menu().into_iter().skip(1).map(|entry| entry.label).collect();
        assert_eq!(
            labels,
            ["Open the Smartcard Service Centre", "What is wrong?", "Pause", "Start at login", "Quit"]
        );
    }

    fn a_pause_refuses_pages_until_the_person_goes_on() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let program = home.start();
        let icon = desktop.icon();
        let mut page = Page::open(program.address, ORIGIN);
        icon.choose("Pause");
        assert_eq!(page::close_code(page.socket()), close_code::PAUSED);
        assert_eq!(refused(&program), close_code::PAUSED);
        icon.until_tooltip("Paused: no website can use the card");
        icon.choose("Go on");
        icon.until_tooltip("Ready: put your smartcard into the reader");
        assert!(icon.entry("Pause").is_enabled);
        assert_eq!(Page::open(program.address, ORIGIN).hello().version, env!("CARGO_PKG_VERSION"));
    }

    fn the_service_centre_is_opened_at_the_first_listed_website() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let _program = home.start();
        let icon = desktop.icon();
        icon.choose("Open the Smartcard Service Centre");
        assert_eq!(home.opened(), ORIGIN);
        fs::remove_file(home.path("opened")).unwrap();
        icon.left_click();
        assert_eq!(home.opened(), ORIGIN);
    }

    fn without_a_listed_website_there_is_nothing_to_open() {
        let (desktop, home) = (Desktop::start(), Home::configured(""));
        let _program = home.start();
        assert!(!desktop.icon().entry("Open the Smartcard Service Centre").is_enabled);
    }

    fn what_is_wrong_is_shown_as_a_text() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let program = home.start();
        let icon = desktop.icon();
        // Before that the bridge has not looked at the readers yet.
        icon.until_tooltip("Ready: put your smartcard into the reader");
        icon.choose("What is wrong?");
        let file = home.opened();
        assert_eq!(file, home.path("cache/card-bridge/diagnosis.txt").to_str().unwrap());
        let text = fs::read_to_string(file).unwrap();
        for words in ["No card is in the reader", &format!("running on port {}", program.address.port()), ORIGIN] {
            assert!(text.contains(words), "{text}");
        }
    }

    fn start_at_login_is_ticked_while_it_is_so() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let everybodys = home.path("everybodys/autostart/card-bridge.desktop");
        fs::create_dir_all(everybodys.parent().unwrap()).unwrap();
        fs::write(&everybodys, "[Desktop Entry]\nType=Application\nName=Card Bridge\nExec=card-bridge\n").unwrap();
        let _program = home.start();
        let icon = desktop.icon();
        let ticked = || icon.entry("Start at login").ticked;
        let own = home.path("config/autostart/card-bridge.desktop");
        assert_eq!(ticked(), Some(true));
        icon.choose("Start at login");
        let hidden = || fs::read_to_string(&own).ok().filter(|entry| entry.contains("Hidden=true"));
        until(hidden, || "it is not hidden".to_owned());
        until(|| (ticked() == Some(false)).then_some(()), || "it stays ticked".to_owned());
        icon.choose("Start at login");
        until(|| (!own.exists()).then_some(()), || "it stays hidden".to_owned());
        until(|| (ticked() == Some(true)).then_some(()), || "it stays unticked".to_owned());
    }

    fn a_tick_that_came_to_nothing_is_taken_back() {
        let (desktop, home) = (Desktop::start(), Home::new());
        // A file where the directory should be.
        fs::write(home.path("config"), "").unwrap();
        let program = home.start();
        let icon = desktop.icon();
        icon.choose("Start at login");
        program.until_logged("can't be changed");
        until(|| (icon.entry("Start at login").ticked == Some(false)).then_some(()), || "it is ticked".to_owned());
    }

    fn quit_ends_the_bridge() {
        let (desktop, home) = (Desktop::start(), Home::new());
        let program = home.start();
        desktop.icon().choose("Quit");
        assert!(program.ended().success());
    }

    fn the_icon_comes_whenever_the_desktop_has_a_place_for_it() {
        let home = Home::new();
        let program = home.start();
        Page::open(program.address, ORIGIN);
        for _ in 0..30 {
            assert_eq!(Desktop::start().next_title(), "Card Bridge");
        }
    }

    fn the_icon_comes_also_where_the_place_for_it_comes_while_it_is_being_shown() {
        let home = Home::new();
        for moment in 0..30 {
            let _program = home.start();
            let (since, delay) = (Instant::now(), Duration::from_micros(200 * moment));
            until(|| (since.elapsed() >= delay).then_some(()), || "time stands still".to_owned());
            assert_eq!(Desktop::start().next_title(), "Card Bridge");
        }
    }

    fn no_tray_means_none() {
        let desktop = Desktop::start();
        let first = Program::start(&mut program());
        let home = Home::new();
        let _second = home.start();
        // The only one that registers is that of the second.
        let icon = desktop.icon();
        assert!(!icon.belongs_to(first.pid()));
    }
}

#[test]
fn without_a_desktop_one_line_says_so_and_the_bridge_goes_on() {
    let config = listed();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_card-bridge"));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command.arg("--config").arg(config.path()).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let program = Program::start(&mut command);
    assert_eq!(Page::open(program.address, ORIGIN).hello().version, env!("CARGO_PKG_VERSION"));
    program.until_logged("no icon is shown");
    let log = program.end();
    assert_eq!(log.matches("no icon is shown: there is no desktop here").count(), 1, "{log}");
    assert_eq!(log.matches("card_bridge::tray").count(), 1, "{log}");
}
