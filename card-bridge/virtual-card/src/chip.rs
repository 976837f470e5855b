//! One power session of the card: a thread that mounts the card's storage, starts its application, answers APDUs, and
//! forgets everything but the storage when the power goes.

mod dispatch;
mod firmware;
mod interface;

use std::{
    fs, io,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

use trussed::{
    pipe::TrussedChannel,
    virt::{StorageConfig, Store},
};
use zeroize::Zeroizing;

use interface::Interface;

use crate::manifest::PasscodeTries;

/// The two image files of a card: what the firmware keeps in the secure element and beside it.
pub const IMAGES: [&str; 2] = ["internal.lfs", "external.lfs"];

/// The length of each, in bytes: what the firmware's file storage makes.
pub const IMAGE_SIZE: u64 = 512 * 128;

/// Beside the images, where it is another number than three: how many wrong passcodes the card takes.
const PASSCODE_TRIES: &str = "passcode-tries";

/// Writes down how many wrong passcodes the card takes, before its power is first switched on.
pub fn write_passcode_tries(directory: &Path, tries: PasscodeTries) -> io::Result<()> {
    if tries == PasscodeTries::default() {
        return Ok(());
    }
    fs::write(directory.join(PASSCODE_TRIES), tries.count().to_string())
}

fn read_passcode_tries(directory: &Path) -> Result<PasscodeTries, Dead> {
    match fs::read_to_string(directory.join(PASSCODE_TRIES)) {
        Ok(digits) => digits.trim().parse::<u8>().ok().and_then(|count| count.try_into().ok()).ok_or(Dead),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(PasscodeTries::default()),
        Err(_) => Err(Dead),
    }
}

/// A card under power.
#[derive(Debug)]
pub struct Chip {
    commands: Sender<Zeroizing<Vec<u8>>>,
    responses: Receiver<Vec<u8>>,
    session: JoinHandle<()>,
}

/// The chip does not answer: its storage can't be mounted, or the firmware has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the card's chip does not answer")]
pub struct Dead;

impl Chip {
    /// Switches the power on for the card in `directory`, whose images are made when they are missing.
    pub fn power_on(directory: &Path) -> Result<Self, Dead> {
        let tries = read_passcode_tries(directory)?;
        let (commands, received) = channel();
        let (answers, responses) = channel();
        let (ready, started) = channel();
        let directory = directory.to_owned();
        let session = thread::Builder::new()
            .name("virtual-card".to_owned())
            .spawn(move || run(&directory, tries, &ready, &received, &answers))
            .map_err(|_| Dead)?;
        started.recv().map_err(|_| Dead)?;
        Ok(Self { commands, responses, session })
    }

    /// Sends one command APDU and returns the response APDU.
    pub fn transmit(&self, command: &[u8]) -> Result<Vec<u8>, Dead> {
        self.commands.send(Zeroizing::new(command.to_vec())).map_err(|_| Dead)?;
        self.responses.recv().map_err(|_| Dead)
    }

    /// Switches the power off and waits until the storage is at rest.
    pub fn power_off(self) {
        let Self { commands, responses, session } = self;
        drop(commands);
        drop(responses);
        // A firmware that has panicked has said so already, and its storage stands any interruption.
        let _ = session.join();
    }
}

fn run(
    directory: &Path,
    tries: PasscodeTries,
    ready: &Sender<()>,
    commands: &Receiver<Zeroizing<Vec<u8>>>,
    responses: &Sender<Vec<u8>>,
) {
    let [mut internal, mut external] = IMAGES.map(|image| StorageConfig::filesystem(directory.join(image)));
    let mut volatile = StorageConfig::ram();
    // A storage that can't be mounted ends the session here; whoever waits for `ready` hears of it.
    let _ = internal.with_fs(|internal| {
        external.with_fs(|external| {
            volatile.with_fs(|volatile| {
                serve(Store { internal, external, volatile }, tries, ready, commands, responses);
            })
        })
    });
}

fn serve(
    store: Store<'_>,
    tries: PasscodeTries,
    ready: &Sender<()>,
    commands: &Receiver<Zeroizing<Vec<u8>>>,
    responses: &Sender<Vec<u8>>,
) {
    let channel = TrussedChannel::new();
    let Some(application) = firmware::start(&channel, store, tries) else {
        return;
    };
    let mut interface = Interface::new(application);
    if ready.send(()).is_err() {
        return;
    }
    while let Ok(command) = commands.recv() {
        if responses.send(interface.respond(&command)).is_err() {
            return;
        }
    }
}
