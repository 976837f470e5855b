//! Kinds of cards: what the documents say that other PIV cards do otherwise than the card application in use, as a table.
//!
//! It is a model of what is written down, and as good as the documents: no card of these kinds was tried. A new kind is a
//! row of [`KINDS`], and the bridge's tests run against every row.

mod apdus;
mod discovery;
mod yubikey;

use std::io;

pub use yubikey::{Touch, Touched};

use crate::{
    Contacts, VirtualCard,
    dialect::Strict,
    kind::{apdus::GetResponse, apdus::ShortOnly, discovery::WithoutDiscovery, yubikey::YubiKey},
    manifest::{KeyKind, PasscodeTries},
    unlock_key_tries::KeepsTries,
};

/// What is told of one kind of card.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, as `virtual-card plug --kind` takes it.
    pub name: &'static str,
    /// The kind of key in slot 9A: the card has to be made with it.
    pub piv_authentication: KeyKind,
    /// The kind of key in slot 9E, likewise.
    pub card_authentication: KeyKind,
    /// How many wrong passcodes it takes, likewise.
    pub passcode_tries: PasscodeTries,
    /// How it words its refusals.
    pub refusals: Refusals,
    /// What becomes of the tries of the unlock key when it has set a passcode.
    pub unlock_key_tries: UnlockKeyTries,
    /// Whether it has a Discovery object.
    pub discovery: Discovery,
    /// Which APDUs it takes, and how its answers come.
    pub apdus: Apdus,
    /// What its maker has added to the standard.
    pub maker: Maker,
}

/// How a card words its refusals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Refusals {
    /// As the card application in use does.
    #[default]
    PivAuthenticator,
    /// As applets of another origin do: see [`dialect`](crate::dialect).
    Strict,
}

/// What becomes of the tries of the unlock key when it has set a passcode (SP 800-73-4 part 2, 3.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UnlockKeyTries {
    /// They are given back.
    #[default]
    Reset,
    /// They stay as they are until the unlock key is replaced.
    Keep,
}

/// Whether a card has a Discovery object (SP 800-73-4 part 1, 3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// It has.
    Present,
    /// GET DATA says 6A82.
    Absent,
}

/// Which APDUs a card takes, and how its answers come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apdus {
    /// Short and extended ones. What is too long for a short answer goes on with GET RESPONSE.
    Extended,
    /// Short ones only: long commands come as a chain, long answers go on with GET RESPONSE.
    Short,
    /// Short ones only, and an answer with data is announced by 61XX and fetched whole by GET RESPONSE, as in the
    /// transmission protocol T=0.
    GetResponse,
}

/// What a card's maker has added to the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Nothing.
    Standard,
    /// The instructions of a `YubiKey`, and whether its keys want a touch.
    Yubico(TouchPolicy),
}

/// Whether the keys of a `YubiKey` want a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchPolicy {
    /// Never.
    Never,
    /// For each signature.
    Always,
}

/// The card application in use, as it is. The other kinds say in what they differ.
const PIV_AUTHENTICATOR: Kind = Kind {
    name: "piv-authenticator",
    piv_authentication: KeyKind::P256,
    card_authentication: KeyKind::P256,
    passcode_tries: PasscodeTries::THREE,
    refusals: Refusals::PivAuthenticator,
    unlock_key_tries: UnlockKeyTries::Reset,
    discovery: Discovery::Present,
    apdus: Apdus::Extended,
    maker: Maker::Standard,
};

/// Yubico SDK manual, PIV application:
/// * «Verify PIN», «Reset retry»: 63CX with the tries left, 6983 once none is;
/// * class `VerifyPinCommand`: a passcode may be any 6 to 8 bytes, so a malformed one is a wrong one;
/// * class `SetPinRetriesCommand`: made with three tries of passcode and unlock key;
/// * «Get metadata» (F7), «Get the firmware version number» (FD).
const YUBIKEY_5: Kind = Kind {
    name: "yubikey-5",
    refusals: Refusals::Strict,
    maker: Maker::Yubico(TouchPolicy::Never),
    ..PIV_AUTHENTICATOR
};

/// The kinds of cards that the bridge is tested with.
pub const KINDS: [Kind; 12] = [
    PIV_AUTHENTICATOR,
    // 63CX and 6983 wherever SP 800-73-4 part 2, 3.2.1 to 3.2.3, has them. That a malformed VERIFY costs a try is what an
    // applet in a simulator did: see the table of `dialect`.
    Kind { name: "strict", refusals: Refusals::Strict, ..PIV_AUTHENTICATOR },
    // A success «may» leave the tries of the unlock key as they were (SP 800-73-4 part 2, 3.2.3).
    Kind { name: "keeps-tries", unlock_key_tries: UnlockKeyTries::Keep, ..PIV_AUTHENTICATOR },
    Kind {
        name: "strict-keeps-tries",
        refusals: Refusals::Strict,
        unlock_key_tries: UnlockKeyTries::Keep,
        ..PIV_AUTHENTICATOR
    },
    YUBIKEY_5,
    // The LED blinks, and after 15 seconds without a touch the signature is refused with 6982 (Yubico, yubico-piv-tool,
    // issue 185; the policy: SDK manual, enumeration PivTouchPolicy).
    Kind { name: "yubikey-5-touch", maker: Maker::Yubico(TouchPolicy::Always), ..YUBIKEY_5 },
    // The object is optional (SP 800-73-4 part 1, 3.3.2).
    Kind { name: "no-discovery", discovery: Discovery::Absent, ..PIV_AUTHENTICATOR },
    // How many tries there are can be set (Yubico SDK manual, PIV application, «Set PIN retries», whose example sets 5).
    Kind { name: "five-tries", passcode_tries: PasscodeTries::FIVE, refusals: Refusals::Strict, ..PIV_AUTHENTICATOR },
    // RSA-2048 beside P-256: SP 800-78-4, table 3-1. P-384 in any slot: Yubico SDK manual, «Get metadata», table 1.
    Kind { name: "rsa-card-key", card_authentication: KeyKind::Rsa2048, ..PIV_AUTHENTICATOR },
    Kind { name: "p384-card-key", card_authentication: KeyKind::P384, ..PIV_AUTHENTICATOR },
    // Long commands come as a chain (SP 800-73-4 part 2, table 2; ISO 7816-4, 5.3.3), long answers go on with GET RESPONSE
    // (SP 800-73-4 part 2, 3.1.2). RSA needs both.
    Kind {
        name: "short-apdus",
        apdus: Apdus::Short,
        piv_authentication: KeyKind::Rsa2048,
        card_authentication: KeyKind::Rsa2048,
        ..PIV_AUTHENTICATOR
    },
    // 61XX and 6CXX in T=0: ISO 7816-3, 12.2.
    Kind { name: "get-response", apdus: Apdus::GetResponse, refusals: Refusals::Strict, ..PIV_AUTHENTICATOR },
];

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Lets a card answer as one of this kind; `touch` is the person who may touch it.
    ///
    /// Keys and tries are those that the card was made with.
    ///
    /// # Errors
    ///
    /// When the tries that are kept beside the card can't be read.
    pub fn put_on(&self, card: VirtualCard, touch: Touch) -> io::Result<Box<dyn Contacts + Send>> {
        let directory = card.directory().to_owned();
        let mut card: Box<dyn Contacts + Send> = Box::new(card);
        if self.unlock_key_tries == UnlockKeyTries::Keep {
            card = Box::new(KeepsTries::new(card, &directory)?);
        }
        if self.refusals == Refusals::Strict {
            card = Box::new(Strict::new(card));
        }
        if self.discovery == Discovery::Absent {
            card = Box::new(WithoutDiscovery(card));
        }
        if let Maker::Yubico(policy) = self.maker {
            card = Box::new(YubiKey::new(card, *self, policy, touch));
        }
        Ok(match self.apdus {
            Apdus::Extended => card,
            Apdus::Short => Box::new(ShortOnly(card)),
            Apdus::GetResponse => Box::new(GetResponse::new(ShortOnly(card))),
        })
    }
}
