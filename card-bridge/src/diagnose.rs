//! What is wrong, stage by stage: from the smartcard service to the browser, for the person at the machine and for whoever
//! helps them.
//!
//! Nothing is signed, no passcode is sent and no try is spent. The card is looked at as for a page: in its turn, in a
//! transaction with a time limit. The report holds neither the card's identity nor anything secret.

mod card;
mod report;

use std::path::{Path, PathBuf};

use card_protocol::message::{CardPresence, Readers};

use crate::config::{Config, ConfigError, Loaded};
use crate::instance::{self, Answer, Occupant};
use crate::origin::Origin;
use crate::policies::Browser;
use crate::worker::Worker;

pub use report::{Finding, Report, Stage, Verdict};

/// What is looked at.
pub struct Subject {
    /// Works with the readers of this machine.
    pub worker: Worker,
    /// The configuration, or why there is none.
    pub config: Result<Loaded, ConfigError>,
    /// The port of the bridge, where it is not the configuration's.
    pub port: Option<u16>,
    /// The directories in which programs are looked for.
    pub path: Vec<PathBuf>,
    /// The directory under which the browsers' policies are.
    pub root: PathBuf,
}

/// Looks at everything. Takes seconds where a card or another program does not answer.
pub async fn examine(subject: Subject) -> Report {
    let Subject { worker, config, port, path, root } = subject;
    let readers = worker.readers().borrow().clone();
    let mut findings = vec![service(&readers), reader(&readers)];
    findings.extend(card::look(&worker, &readers).await);
    // What follows waits for the answers of other programs.
    let rest = tokio::task::spawn_blocking(move || {
        let default = Config::default();
        let port = port.unwrap_or(config.as_ref().map_or(default.port, |loaded| loaded.config.port));
        let occupant = instance::ask(port, None);
        vec![at_port(port, occupant), origin(&config, port, occupant), browser(&config, &path, &root)]
    });
    findings.extend(rest.await.unwrap_or_default());
    Report::new(findings)
}

fn service(readers: &Readers) -> Finding {
    match readers {
        Readers::Running { .. } => Finding::well(Stage::Service, "It is running."),
        Readers::Stopped => Finding::wrong(
            Stage::Service,
            "The smartcard service of this computer is not running.",
            if cfg!(target_os = "linux") {
                "Install pcscd, or start it: systemctl start pcscd.socket"
            } else {
                "Start the smartcard service of this computer, or restart the computer."
            },
        ),
    }
}

fn reader(readers: &Readers) -> Finding {
    match readers {
        Readers::Stopped => Finding::not_looked_at(Stage::Reader, "Without the smartcard service no reader is seen."),
        Readers::Running { readers } if readers.is_empty() => Finding::wrong(
            Stage::Reader,
            "No card reader is connected.",
            "Plug the card reader in. If it is plugged in, try another socket of the computer.",
        ),
        Readers::Running { readers } => {
            let names: Vec<_> = readers.iter().map(|reader| reader.name.as_str()).collect();
            Finding::well(Stage::Reader, &format!("Connected: {}.", names.join(", ")))
        }
    }
}

/// The names of the readers that hold a card.
fn with_card(readers: &Readers) -> Vec<&str> {
    match readers {
        Readers::Stopped => Vec::new(),
        Readers::Running { readers } => readers
            .iter()
            .filter(|reader| reader.card == CardPresence::Present)
            .map(|reader| reader.name.as_str())
            .collect(),
    }
}

fn at_port(port: u16, occupant: Occupant) -> Finding {
    match occupant {
        Occupant::CardBridge(_) => Finding::well(Stage::Port, &format!("Card Bridge is running on port {port}.")),
        Occupant::Nobody => Finding::wrong(
            Stage::Port,
            &format!("Card Bridge is not running: nobody listens on port {port}."),
            "Start Card Bridge: it is in the menu of programs, and starts by itself when you sign in to the computer.",
        ),
        Occupant::OtherUsersCardBridge => Finding::wrong(
            Stage::Port,
            &format!("Another user of this computer is running Card Bridge on port {port}."),
            "Ask them to sign out of the computer.",
        ),
        Occupant::OtherProgram => Finding::wrong(
            Stage::Port,
            &format!("Another program has port {port}."),
            "Stop that program, or have Card Bridge and the service use another port.",
        ),
    }
}

fn origin(config: &Result<Loaded, ConfigError>, port: u16, occupant: Occupant) -> Finding {
    let Loaded { config, file } = match config {
        Ok(loaded) => loaded,
        Err(error) => {
            return Finding::wrong(
                Stage::Origin,
                &format!("The configuration can't be used: {}.", chain(error)),
                "Correct that place in the file, then start Card Bridge again.",
            );
        }
    };
    if config.origins.is_empty() {
        let told = match file {
            Some(file) => format!("{} lists no website, so none may use the card.", file.display()),
            None => "There is no configuration, so no website may use the card.".to_owned(),
        };
        return Finding::wrong(
            Stage::Origin,
            &told,
            "Ask whoever looks after this computer to add your service's address.",
        );
    }
    let listed: Vec<_> = config.origins.iter().map(|origin| origin.url.as_str()).collect();
    if matches!(occupant, Occupant::CardBridge(_)) {
        let answers: Vec<_> = listed.iter().map(|origin| (*origin, instance::ask(port, Some(origin)))).collect();
        if answers.iter().any(|(_, answer)| *answer == Occupant::CardBridge(Answer::Paused)) {
            return Finding::wrong(
                Stage::Origin,
                "Card Bridge is paused, so no website can use the card.",
                "Choose Go on in the menu of its icon.",
            );
        }
        let refused = answers.iter().filter(|(_, answer)| *answer != Occupant::CardBridge(Answer::Hello));
        let refused: Vec<_> = refused.map(|(origin, _)| *origin).collect();
        if !refused.is_empty() {
            return Finding::wrong(
                Stage::Origin,
                &format!("The running Card Bridge does not let in: {}.", refused.join(", ")),
                "Quit Card Bridge and start it again: it reads its configuration when it starts.",
            );
        }
    }
    Finding::well(Stage::Origin, &format!("Allowed: {}.", listed.join(", ")))
}

fn chain(error: &ConfigError) -> String {
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told = format!("{told}: {}", error.to_string().trim_end());
        cause = error.source();
    }
    told
}

fn browser(config: &Result<Loaded, ConfigError>, path: &[PathBuf], root: &Path) -> Finding {
    if !cfg!(target_os = "linux") {
        return Finding::not_looked_at(Stage::BrowserPolicy, "On this system policies are not looked at.");
    }
    let asked: Vec<&Origin> = match config {
        Ok(loaded) => loaded.config.origins.iter().map(|origin| &origin.url).filter(|url| url.needs_policy()).collect(),
        Err(_) => return Finding::not_looked_at(Stage::BrowserPolicy, "Without a configuration no website is known."),
    };
    if asked.is_empty() {
        return Finding::well(Stage::BrowserPolicy, "No website is listed that a browser would ask about.");
    }
    let installed: Vec<_> = Browser::ALL.into_iter().filter(|browser| browser.is_installed(path)).collect();
    let may_ask: Vec<_> = installed
        .iter()
        .filter(|browser| !asked.iter().all(|origin| browser.allows(root, origin)))
        .map(|browser| browser.name())
        .collect();
    if !may_ask.is_empty() {
        return Finding::wrong(
            Stage::BrowserPolicy,
            &format!("No policy lets the listed websites reach this computer from {}.", may_ask.join(" and ")),
            "When the browser asks whether the website may reach other apps and services on this device, choose Allow. \
             Whoever looks after this computer can answer it for everybody: sudo card-bridge policies write",
        );
    }
    let names: Vec<_> = installed.iter().map(|browser| browser.name()).collect();
    let told = if names.is_empty() {
        "No browser was found whose policies are known.".to_owned()
    } else {
        format!("{}: the listed websites are let in without a question.", names.join(" and "))
    };
    Finding::well(Stage::BrowserPolicy, &told)
}
