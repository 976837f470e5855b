//! The bridge as a program: its arguments, its configuration, its log, its end.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::message::{Readers, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, Purpose, SUBPROTOCOL, close_code};
use tempfile::{NamedTempFile, TempDir};

use crate::cards::{Issued, PASSCODE};
use crate::desktop::until;
use crate::page::{self, Headers, Page};
use crate::readers::{ORIGIN, service};
use crate::service::{Slot, beside_a_service, plug, until_cards};
use crate::unlocking::{NEW_PASSCODE, first_time, next_key, unlock};

/// The user of nobody on Debian.
const NOBODY: u32 = 65534;

pub struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Reads the log all the time: a bridge whose log is not taken from it waits.
    reading: Option<JoinHandle<()>>,
    pub address: SocketAddr,
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_card-bridge"));
    command.arg("--no-tray").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn config(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

pub fn listed() -> NamedTempFile {
    config(&format!("[[origin]]\nurl = \"{ORIGIN}\"\nservice_keys = [\"{}\"]\n", service().public()))
}

impl Program {
    /// Starts it on a free port.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.args(["--port", "0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("card bridge: ws://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("the bridge says {line:?}")).parse().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            for line in stderr.lines() {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line.unwrap());
                kept.push('\n');
            }
        });
        Self { child, log, reading: Some(reading), address }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap(), || "it goes on".to_owned())
    }

    /// Waits until it has logged this.
    pub fn until_logged(&self, words: &str) {
        let log = || self.log.lock().unwrap().clone();
        until(|| log().contains(words).then_some(()), log);
    }

    /// Asks it to end, and gives what it logged.
    pub fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.reading.take().unwrap().join().unwrap();
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_a_configuration_nobody_is_let_in() {
    let program = Program::start(&mut program());
    let headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };
    let (mut socket, _) = page::connect(program.address, headers);
    assert_eq!(page::close_code(&mut socket), close_code::ORIGIN);
}

/// The bridge as another user runs it. Only root can do that; for others there is nothing.
fn of_nobody() -> Option<(TempDir, Command)> {
    let copy = tempfile::tempdir().unwrap();
    if std::fs::metadata(copy.path()).unwrap().uid() != 0 {
        eprintln!("not tried: only root can run the bridge as another user");
        return None;
    }
    std::fs::set_permissions(copy.path(), Permissions::from_mode(0o755)).unwrap();
    let copied = copy.path().join("card-bridge");
    std::fs::copy(env!("CARGO_BIN_EXE_card-bridge"), &copied).unwrap();
    let mut command = Command::new(copied);
    command.arg("--no-tray").stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/").uid(NOBODY).gid(NOBODY);
    Some((copy, command))
}

/// Whose the page is does not matter to it.
#[test]
fn another_users_page_is_refused_with_4401() {
    let Some((_copy, mut command)) = of_nobody() else { return };
    let program = Program::start(&mut command);
    let headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };
    let (mut socket, _) = page::connect(program.address, headers);
    assert_eq!(page::close_code(&mut socket), close_code::USER);
}

#[test]
fn without_a_smartcard_service_it_greets_and_says_so() {
    let config = listed();
    let mut command = program();
    command.arg("--config").arg(config.path()).env("PCSCLITE_CSOCK_NAME", "/nonexistent");
    let program = Program::start(&mut command);
    let mut page = Page::open(program.address, ORIGIN);
    assert_eq!(page.hello().readers, Readers::Stopped);
    assert_eq!(page.prove_card(Purpose::Hello, Challenge([1; 32])), Err(CardFailure::NoService));
    drop(page);
    program.end();
}

/// The bridge where this folder stands in place of the machine's /etc, for it alone.
fn with_etc(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", r#"mount --bind "$0" /etc && exec "$@""#]);
    command.arg(folder).arg(env!("CARGO_BIN_EXE_card-bridge")).arg("--no-tray");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_installed_configuration_is_read_where_none_is_named() {
    let etc = tempfile::tempdir().unwrap();
    std::fs::create_dir(etc.path().join("card-bridge")).unwrap();
    std::fs::copy(listed().path(), etc.path().join("card-bridge/config.toml")).unwrap();
    let program = Program::start(&mut with_etc(etc.path()));
    assert_eq!(Page::open(program.address, ORIGIN).hello().version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_configuration_that_is_missing_is_one_plain_line_in_the_log() {
    let etc = tempfile::tempdir().unwrap();
    let log = Program::start(&mut with_etc(etc.path())).end();
    let line = "no website may use this bridge: there is no /etc/card-bridge/config.toml";
    assert_eq!(log.matches(line).count(), 1, "{log}");
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_its_place() {
    let config = config("[[origin]]\nurl = \"http://service.test\"\nservice_keys = []\n");
    let output = program().arg("--config").arg(config.path()).output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("origin[0].url is wrong") && told.contains("http:// origin is allowed for localhost"),
        "{told}"
    );
}

/// Starts a bridge on a port that somebody has, and gives its exit code and what it says.
fn second_start(command: &mut Command, port: u16) -> (Option<i32>, String) {
    let output = command.args(["--port", &port.to_string()]).output().unwrap();
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_second_start_says_that_the_bridge_is_running_already() {
    let first = Program::start(&mut program());
    let (code, told) = second_start(&mut program(), first.address.port());
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains(&format!("Card Bridge is running already on port {}", first.address.port())), "{told}");
    // The first goes on.
    let headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };
    let (mut socket, _) = page::connect(first.address, headers);
    assert_eq!(page::close_code(&mut socket), close_code::ORIGIN);
}

#[test]
fn a_port_that_another_program_has_is_told_as_such() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let (code, told) = second_start(&mut program(), port);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains(&format!("Another program has port {port}")), "{told}");
}

#[test]
fn a_bridge_of_another_user_is_told_as_such() {
    let Some((_copy, mut command)) = of_nobody() else { return };
    let first = Program::start(&mut command);
    let (code, told) = second_start(&mut program(), first.address.port());
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("Another user of this computer is running Card Bridge"), "{told}");
}

/// A secret in every way in which it could be written.
fn spellings(secret: &[u8]) -> Vec<String> {
    let hex = secret.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let decimal = secret.iter().map(ToString::to_string).collect::<Vec<_>>();
    vec![
        String::from_utf8_lossy(secret).into_owned(),
        hex.concat(),
        hex.concat().to_uppercase(),
        hex.join(" "),
        hex.join(", "),
        decimal.join(", "),
        Base64UrlUnpadded::encode_string(secret),
    ]
}

beside_a_service! {
    fn no_secret_is_logged_even_when_everything_is() {
        let config = listed();
        let card = Issued::new(KeyAlgorithm::P256);
        let mut command = program();
        command.arg("--config").arg(config.path()).args(["--log", "trace"]);
        let program = Program::start(&mut command);
        let mut page = Page::open(program.address, ORIGIN);
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        page.sign_in(PASSCODE).unwrap();
        page.sign_in("314159").unwrap_err();
        unlock(&mut page, &first_time(&card)).unwrap();
        page.ask(Verb::CardStatus { reader: None }).unwrap();
        drop(page);
        let log = program.end();
        assert!(log.contains("Verify -> 63C2") && log.contains("ResetRetryCounter -> 9000"), "{log}");
        let next_key = next_key();
        let secrets = [
            PASSCODE.as_bytes(),
            b"314159",
            NEW_PASSCODE.as_bytes(),
            &card.unlock_key.expose_secret()[..],
            &next_key.expose_secret()[..],
        ];
        // Without the time of a line: six of its digits may be those of a passcode.
        let is_time = |word: &str| word.starts_with("20") && word.ends_with('Z') && word.contains('T');
        let timeless = |line| match str::split_once(line, ' ') {
            Some((word, rest)) if is_time(word) => rest,
            _ => line,
        };
        let log: Vec<_> = log.lines().map(timeless).collect();
        for spelling in secrets.into_iter().flat_map(spellings) {
            assert!(!log.iter().any(|line| line.contains(&spelling)), "{spelling} is in the log");
        }
    }
}
