//! `virtual-card make`: a directory of issued cards, their manifest and the certificate of the authority behind them.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use piv::{Application, BadlyFormedPasscode, CardError, Guid, Slot, UnlockKey};
use time::{OffsetDateTime, macros::format_description};
use zeroize::Zeroizing;

use crate::{
    OpenError, VirtualCard,
    authority::{Authority, LIFETIME, SlotKey, Subject},
    issuance::{self, IssueError, LockError, Order},
    manifest::{CardList, CardSpec, IssuedCard, Manifest},
};

/// The list that a demonstration is made from.
pub const DEMONSTRATION: &str = include_str!("cards.toml");
/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
const AUTHORITY: &str = "authority.pem";

/// What happens to cards that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is made.
    Keep,
    /// New cards take their place.
    Replace,
}

/// Why no cards were made. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// There is something in that place.
    #[error("{0} exists already, and its cards stay as they are (--force replaces them by new ones)")]
    Exists(PathBuf),
    /// There is something in that place, and it is not a box of cards: that is never replaced.
    #[error("{0} exists already and holds no manifest of cards, so it is left alone")]
    NotABox(PathBuf),
    /// A card can't be opened or made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A card can't be issued.
    #[error("the card «{card}» can't be issued")]
    Issuance {
        /// The card's name.
        card: String,
        /// Why not.
        source: IssueError,
    },
    /// A card that was issued can't be locked.
    #[error("the card «{card}» can't be locked")]
    Lock {
        /// The card's name.
        card: String,
        /// Why not.
        source: LockError,
    },
    /// A card that was issued can't be read.
    #[error("the card «{card}» can't be read")]
    Read {
        /// The card's name.
        card: String,
        /// Why not.
        source: CardError,
    },
    /// The list asks for a passcode that no card takes.
    #[error("the card «{card}» can't be issued")]
    Passcode {
        /// The card's name.
        card: String,
        /// What is wrong with it.
        source: BadlyFormedPasscode,
    },
    /// The machine gives no randomness.
    #[error("the machine gives no randomness")]
    Randomness(#[from] getrandom::Error),
    /// The certification authority can't be made.
    #[error("the demonstration's certification authority can't be made")]
    Authority(#[from] rcgen::Error),
    /// The operating system refuses.
    #[error("{path} can't be written")]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Makes the cards of a list in the directory `out`, all or none: they are made in a directory beside it, which then
/// takes its place.
///
/// # Errors
///
/// [`MakeError`].
pub fn make(out: &Path, list: &CardList, existing: Existing, now: OffsetDateTime) -> Result<Manifest, MakeError> {
    let occupied = out.exists();
    if occupied {
        may_be_replaced(out, existing)?;
    }
    let unfinished = beside(out, "unfinished");
    discard(&unfinished)?;
    written(&unfinished, DirBuilder::new().recursive(true).mode(0o700).create(&unfinished))?;

    let authority = Authority::new(now)?;
    let cards = list.cards.iter().map(|spec| issue(&unfinished, spec, &authority, now)).collect::<Result<_, _>>()?;
    for blank in &list.blanks {
        VirtualCard::create(unfinished.join(blank.as_str()))?;
    }
    let manifest = Manifest { cards };
    write_private(&unfinished.join(MANIFEST), &to_json(&manifest))?;
    write_private(&unfinished.join(AUTHORITY), authority.pem().as_bytes())?;

    if occupied {
        let replaced = beside(out, "replaced");
        discard(&replaced)?;
        written(out, fs::rename(out, &replaced))?;
        written(out, fs::rename(&unfinished, out))?;
        discard(&replaced)?;
    } else {
        written(out, fs::rename(&unfinished, out))?;
    }
    Ok(manifest)
}

fn may_be_replaced(out: &Path, existing: Existing) -> Result<(), MakeError> {
    if existing == Existing::Keep {
        return Err(MakeError::Exists(out.to_owned()));
    }
    if !out.join(MANIFEST).is_file() {
        return Err(MakeError::NotABox(out.to_owned()));
    }
    for entry in written(out, fs::read_dir(out))? {
        // Another program would go on writing a card that is gone.
        if let Err(error @ OpenError::InUse(_)) = VirtualCard::open(written(out, entry)?.path()) {
            return Err(error.into());
        }
    }
    Ok(())
}

fn issue(
    directory: &Path,
    spec: &CardSpec,
    authority: &Authority,
    now: OffsetDateTime,
) -> Result<IssuedCard, MakeError> {
    let name = spec.card.as_str();
    let unreadable = |source| MakeError::Read { card: name.to_owned(), source };
    let passcode = spec.passcode().map_err(|source| MakeError::Passcode { card: name.to_owned(), source })?;
    let guid = random_guid()?;
    let subject = Subject { name: &spec.name, uuid: &uuid(guid) };
    let expires = (now + LIFETIME).date().format(format_description!("[year][month][day]")).unwrap_or_default();
    let expires = expires.as_bytes().try_into().unwrap_or(*b"99991231");
    let mut unlock_key = Zeroizing::new([0; 8]);
    getrandom::fill(unlock_key.as_mut())?;

    let mut card = VirtualCard::create_with(directory.join(name), spec.passcode_tries)?;
    let order = Order {
        guid,
        expires,
        algorithm: &|slot| spec.algorithm(slot),
        certify: &|slot, key| authority.certify(slot, &SlotKey::new(spec.algorithm(slot), key), subject),
        passcode: &passcode,
        unlock_key: &UnlockKey::new(*unlock_key),
    };
    issuance::issue(&mut card, &order).map_err(|source| MakeError::Issuance { card: name.to_owned(), source })?;
    if spec.locked {
        issuance::lock(&mut card).map_err(|source| MakeError::Lock { card: name.to_owned(), source })?;
    }

    let mut application = Application::select(&mut card).map_err(unreadable)?;
    let mut key = |slot| -> Result<String, CardError> {
        Ok(Base64UrlUnpadded::encode_string(&application.certificate(slot)?.public_key_info()?))
    };
    Ok(IssuedCard {
        card: name.to_owned(),
        user_number: spec.user_number.clone(),
        name: spec.name.clone(),
        email: spec.email.clone(),
        guid: hexadecimal(guid.bytes()),
        piv_authentication_key: key(Slot::PivAuthentication).map_err(unreadable)?,
        card_authentication_key: key(Slot::CardAuthentication).map_err(unreadable)?,
        unlock_key: Zeroizing::new(hexadecimal(unlock_key.as_ref())),
        passcode: spec.passcode.clone(),
        locked: spec.locked,
        registered: spec.registered.clone(),
    })
}

/// A random GUID in the form of a UUID of version 4 (RFC 9562, 5.4).
fn random_guid() -> Result<Guid, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    Ok(Guid::new(bytes).expect("its version is not zero"))
}

fn uuid(guid: Guid) -> String {
    let digits = hexadecimal(guid.bytes());
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn to_json(manifest: &Manifest) -> Zeroizing<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(manifest).expect("a manifest is texts and numbers");
    json.push(b'\n');
    Zeroizing::new(json)
}

fn write_private(path: &Path, content: &[u8]) -> Result<(), MakeError> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    written(path, file.and_then(|mut file| file.write_all(content)))
}

/// The directory of that kind beside `out`.
fn beside(out: &Path, kind: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    name.into()
}

fn discard(directory: &Path) -> Result<(), MakeError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => written(directory, done),
    }
}

fn written<T>(path: &Path, done: io::Result<T>) -> Result<T, MakeError> {
    done.map_err(|source| MakeError::Io { path: path.to_owned(), source })
}
