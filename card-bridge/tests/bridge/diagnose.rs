//! `card-bridge diagnose`: each stage, on a real PC/SC service where it is about one.

use std::fs;
use std::net::SocketAddr;

use card_protocol::CardFailure;
use card_protocol::proof::KeyAlgorithm;
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use crate::cards::Issued;
use crate::page::Page;
use crate::program::{Program, config, listed, program};
use crate::readers::ORIGIN;
use crate::service::{Foreign, Slot, beside_a_service, plug, until_cards};

/// What was found, with a machine of which a test says all that it needs.
struct Examination {
    config: NamedTempFile,
    /// Stands for the root directory, and for the only one with programs.
    root: TempDir,
    service: SmartcardService,
}

#[derive(PartialEq)]
enum SmartcardService {
    OfTheTest,
    Missing,
}

struct Told {
    code: Option<i32>,
    json: Value,
}

impl Examination {
    fn new(config: NamedTempFile) -> Self {
        Self { config, root: tempfile::tempdir().unwrap(), service: SmartcardService::OfTheTest }
    }

    fn without_service(config: NamedTempFile) -> Self {
        Self { service: SmartcardService::Missing, ..Self::new(config) }
    }

    fn output(&self, port: u16, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = program();
        command.arg("diagnose").arg("--config").arg(self.config.path()).args(["--port", &port.to_string()]);
        command.arg("--root").arg(self.root.path()).arg("--path").arg(self.root.path()).args(arguments);
        if self.service == SmartcardService::Missing {
            command.env("PCSCLITE_CSOCK_NAME", "/nonexistent");
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    fn look(&self, port: u16) -> Told {
        let (code, text) = self.output(port, &["--json"]);
        Told { code, json: serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")) }
    }

    /// Installs a program by its name.
    fn install(&self, name: &str) {
        fs::write(self.root.path().join(name), "").unwrap();
    }
}

impl Told {
    /// The verdict of a stage, and its words.
    fn of(&self, stage: &str) -> (&str, String) {
        let findings = self.json["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["stage"] == stage).unwrap();
        let text = |field: &str| finding[field].as_str().unwrap_or_default();
        assert_eq!(text("verdict") == "wrong", !text("advice").is_empty(), "{finding}");
        (text("verdict"), format!("{} {}", text("told"), text("advice")))
    }

    #[track_caller]
    fn is(&self, stage: &str, verdict: &str, words: &str) {
        let (found, told) = self.of(stage);
        assert!(found == verdict && told.contains(words), "{stage}: {found}: {told}");
    }
}

/// A port where nobody listens (IANA: tcpmux), and that the system gives nobody by itself.
const NOBODYS: u16 = 1;

/// A running bridge with the listed origin.
fn bridge() -> (Program, SocketAddr, NamedTempFile) {
    let config = listed();
    let program = Program::start(program().arg("--config").arg(config.path()));
    let address = program.address;
    (program, address, config)
}

beside_a_service! {
    fn all_is_well_where_a_card_is_in_and_the_bridge_runs() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_program, address, config) = bridge();
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut Page::open(address, ORIGIN), 1);
        let examination = Examination::new(config);
        let told = examination.look(address.port());
        for (stage, words) in [
            ("service", "running"),
            ("reader", "Virtual PCD"),
            ("card", "A card is in Virtual PCD"),
            ("applet", "PIV card"),
            ("keys", "3 passcode tries"),
            ("port", "Card Bridge is running"),
            ("origin", ORIGIN),
            ("browser_policy", "No browser was found"),
        ] {
            told.is(stage, "well", words);
        }
        assert_eq!(told.code, Some(0));
        let (code, text) = examination.output(address.port(), &[]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("ok      Card reader         Connected: Virtual PCD"), "{text}");
        assert!(text.ends_with("All is well.\n"), "{text}");
        // The report may be sent to anybody who helps.
        let guid = card.guid.to_string();
        assert!(!text.contains(&guid) && !told.json.to_string().contains(&guid), "{text}");
    }

    fn without_a_card_the_person_is_told_to_put_one_in() {
        let told = Examination::new(listed()).look(NOBODYS);
        told.is("service", "well", "running");
        told.is("reader", "well", "Virtual PCD");
        told.is("card", "wrong", "Put your smartcard into the reader");
        told.is("applet", "not_looked_at", "no card");
        told.is("keys", "not_looked_at", "no card");
        assert_eq!(told.code, Some(1));
    }

    fn a_foreign_card_has_no_application() {
        let (_program, address, config) = bridge();
        let _plugged = plug(Slot::First, Foreign);
        until_cards(&mut Page::open(address, ORIGIN), 1);
        let told = Examination::new(config).look(address.port());
        told.is("card", "well", "A card is in");
        told.is("applet", "wrong", "no PIV application");
        told.is("keys", "not_looked_at", "no keys");
        assert_eq!(told.code, Some(1));
    }

    fn a_locked_card_is_said_to_be_locked() {
        let card = Issued::locked();
        let (_program, address, config) = bridge();
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut Page::open(address, ORIGIN), 1);
        let told = Examination::new(config).look(address.port());
        told.is("applet", "well", "PIV card");
        told.is("keys", "wrong", "Unlock it in the Smartcard Service Centre");
        assert_eq!(told.code, Some(1));
    }

    fn of_several_cards_one_should_be_left() {
        let [card, other] = [Issued::new(KeyAlgorithm::P256), Issued::new(KeyAlgorithm::P256)];
        let (_program, address, config) = bridge();
        let _plugged = [plug(Slot::First, card.insert()), plug(Slot::Second, other.insert())];
        until_cards(&mut Page::open(address, ORIGIN), 2);
        let told = Examination::new(config).look(address.port());
        told.is("card", "wrong", "Several cards");
        assert_eq!(told.code, Some(1));
    }

    fn a_look_costs_no_passcode_try_and_leaves_the_card_to_others() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_program, address, config) = bridge();
        let _plugged = plug(Slot::First, card.insert());
        let mut page = Page::open(address, ORIGIN);
        until_cards(&mut page, 1);
        assert_eq!(page.sign_in("314159"), Err(CardFailure::WrongPasscode { tries_left: 2 }));
        let examination = Examination::new(config);
        for _ in 0..2 {
            examination.look(address.port()).is("keys", "well", "2 passcode tries");
        }
        assert!(page.sign_in(crate::cards::PASSCODE).is_ok());
    }
}

#[test]
fn without_the_smartcard_service_what_needs_it_is_not_looked_at() {
    let told = Examination::without_service(listed()).look(NOBODYS);
    told.is("service", "wrong", "pcscd");
    for stage in ["reader", "card", "applet", "keys"] {
        assert_eq!(told.of(stage).0, "not_looked_at", "{stage}");
    }
    assert_eq!(told.code, Some(1));
}

#[test]
fn a_bridge_that_is_not_running_and_another_program_are_told_apart() {
    let examination = Examination::without_service(listed());
    examination.look(NOBODYS).is("port", "wrong", "Start Card Bridge");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    examination.look(other.local_addr().unwrap().port()).is("port", "wrong", "Another program has port");
}

#[test]
fn an_origin_that_is_not_configured_or_not_yet_read_is_told() {
    Examination::without_service(config("")).look(NOBODYS).is("origin", "wrong", "lists no website");
    let bad = config("[[origin]]\nurl = \"https://service.test/\"\nservice_keys = []\n");
    Examination::without_service(bad).look(NOBODYS).is("origin", "wrong", "origin[0].url is wrong");
    Examination::without_service(listed()).look(NOBODYS).is("origin", "well", ORIGIN);
    // The bridge was started before the origin was added.
    let running = Program::start(&mut program());
    Examination::without_service(listed()).look(running.address.port()).is(
        "origin",
        "wrong",
        "Quit Card Bridge and start it again",
    );
}

#[test]
fn a_browser_whose_policy_lists_the_origins_does_not_ask() {
    let examination = Examination::without_service(listed());
    for name in ["chromium", "firefox-esr"] {
        examination.install(name);
    }
    examination.look(NOBODYS).is("browser_policy", "wrong", "from Chromium and Firefox");
    let mut command = program();
    command.args(["policies", "write", "--config"]).arg(examination.config.path());
    assert!(command.arg("--root").arg(examination.root.path()).status().unwrap().success());
    examination.look(NOBODYS).is("browser_policy", "well", "Chromium and Firefox: the listed websites are let in");
}
