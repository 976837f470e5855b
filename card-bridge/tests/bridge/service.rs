//! A PC/SC service of one test's own, and cards in the two slots of its virtual reader.

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use card_bridge::Limits;
use card_bridge::readers::PcscReaders;
use card_protocol::message::{CardPresence, Readers};
use piv::{Card, TransportError};
use virtual_card::{Contacts, vpcd};

use crate::page::Page;
use crate::readers::{ORIGIN, Served, serve};

const WITH_PCSCD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/virtual-card/with-pcscd");
/// Set for the test's second run, beside its service.
const INSIDE: &str = "CARD_BRIDGE_TEST_INSIDE";

/// Defines a test that runs beside a PC/SC service of its own.
macro_rules! beside_a_service {
    ($(fn $name:ident() $body:block)+) => {
        $(#[test]
        fn $name() {
            $crate::service::run(concat!(module_path!(), "::", stringify!($name)), || $body);
        })+
    };
}
pub(crate) use beside_a_service;

/// Starts the test program again for this one test, in a mount namespace with a service of its own.
pub fn run(path: &str, test: impl FnOnce()) {
    run_in(&[], path, test);
}

/// The same, by another program in between.
pub fn run_in(program: &[&str], path: &str, test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let (_, name) = path.split_once("::").unwrap();
    let mut command = Command::new(WITH_PCSCD);
    command.args(program).arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert_ne!(output.status.code(), Some(125), "there is no PC/SC service for this test: see above");
    assert!(output.status.success(), "the test failed beside its PC/SC service: see above");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the test did not run");
}

/// The slots of the virtual reader.
#[derive(Clone, Copy)]
pub enum Slot {
    First,
    Second,
}

/// A card in a slot.
pub struct Plugged {
    contact: Contact,
    thread: Option<JoinHandle<()>>,
}

/// Puts a card into a slot.
pub fn plug(slot: Slot, mut card: impl Contacts + Send + 'static) -> Plugged {
    let name = match slot {
        Slot::First => "VPCD_PORT",
        Slot::Second => "VPCD_SECOND_PORT",
    };
    let port: u16 = std::env::var_os(name).unwrap().to_str().unwrap().parse().unwrap();
    let contact = Contact::default();
    let address = contact.forward(port);
    let (taken, is_taken) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = vpcd::plug(address, &mut card, || taken.send(()).unwrap());
    });
    is_taken.recv().unwrap();
    Plugged { contact, thread: Some(thread) }
}

impl Plugged {
    pub fn pull(mut self) {
        self.contact.interrupt();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Waits until a fault has pulled the card, or the reader has gone.
    pub fn pulled(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

/// What lies between card and reader, and can be interrupted.
#[derive(Clone, Default)]
struct Contact(Arc<Mutex<Vec<TcpStream>>>);

impl Contact {
    /// Forwards what comes to a port of its own.
    fn forward(&self, port: u16) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let contact = self.clone();
        std::thread::spawn(move || {
            for card in listener.incoming() {
                let (card, reader) = (card.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
                contact.0.lock().unwrap().push(reader.try_clone().unwrap());
                copy(card.try_clone().unwrap(), reader.try_clone().unwrap());
                copy(reader, card);
            }
        });
        address
    }

    fn interrupt(&self) {
        for reader in self.0.lock().unwrap().drain(..) {
            // The reader may have gone before.
            let _ = reader.shutdown(Shutdown::Both);
        }
    }
}

/// Forwards one direction on a thread, and its end too.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    to.set_nodelay(true).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            // The virtual reader sends a message in two parts, the second only after the first was acknowledged.
            let _ = from.set_quickack(true);
            match from.read(&mut buffer) {
                Ok(length @ 1..) if to.write_all(&buffer[..length]).is_ok() => {}
                _ => break,
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A card without the PIV application.
pub struct Foreign;

impl Card for Foreign {
    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(vec![0x6A, 0x82])
    }
}

impl Contacts for Foreign {
    fn power_off(&mut self) {}

    fn power_on(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

pub fn bridge(limits: Limits) -> (Served, Page) {
    let served = serve(Arc::new(PcscReaders::start().unwrap()), limits);
    let page = Page::open(served.address, ORIGIN);
    (served, page)
}

/// The names of the readers that hold a card.
pub fn with_card(readers: &Readers) -> Vec<String> {
    match readers {
        Readers::Stopped => Vec::new(),
        Readers::Running { readers } => readers
            .iter()
            .filter(|reader| reader.card == CardPresence::Present)
            .map(|reader| reader.name.clone())
            .collect(),
    }
}

/// Waits until so many readers hold a card.
pub fn until_cards(page: &mut Page, count: usize) -> Vec<String> {
    with_card(
        &page.until_readers(|readers| matches!(readers, Readers::Running { .. }) && with_card(readers).len() == count),
    )
}

/// Another program's connection to a card.
pub struct OtherProgram(pub pcsc::Card);

impl OtherProgram {
    pub fn connect(reader: &str) -> Self {
        let context = pcsc::Context::establish(pcsc::Scope::User).unwrap();
        let reader = CString::new(reader).unwrap();
        Self(context.connect(&reader, pcsc::ShareMode::Shared, pcsc::Protocols::ANY).unwrap())
    }
}

impl Card for OtherProgram {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut answer = [0; 4096];
        self.0.transmit(command, &mut answer).map(<[u8]>::to_vec).map_err(|_| TransportError::Fault)
    }
}

/// Ends the service as a crash would.
pub fn kill_service() {
    let pid = std::fs::read_to_string("/run/pcscd/pcscd.pid").unwrap();
    assert!(Command::new("kill").args(["-KILL", pid.trim_end_matches(char::is_control)]).status().unwrap().success());
}

/// Starts it again with the same virtual reader.
pub fn start_service() -> RunningService {
    start_service_with("/run/pcscd/readers")
}

/// Starts it again with the readers of this directory; without any where it is empty.
pub fn start_service_with(readers: &str) -> RunningService {
    std::fs::create_dir_all(readers).unwrap();
    let socket = Path::new("/run/pcscd/pcscd.comm");
    let _ = std::fs::remove_file(socket);
    let _ = std::fs::remove_file("/run/pcscd/pcscd.pid");
    let mut command = Command::new("pcscd");
    command.args(["--foreground", "--error", "--config", readers]).stdout(Stdio::null());
    let service = RunningService(command.spawn().unwrap());
    let since = Instant::now();
    while !socket.exists() {
        assert!(since.elapsed() < Duration::from_secs(10), "the service does not start");
        std::thread::yield_now();
    }
    service
}

pub struct RunningService(Child);

impl Drop for RunningService {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
