//! What an issuer does to a blank card: its own management key and unlock key in place of the factory's, keys made on the
//! card, the passcode of its holder, certificates, or requests for them.
//!
//! [`prepare`] and [`load_certificates`] are one transaction each: the certificates are made in between, for the keys that
//! the first has made. Cut anywhere, both may be done again from the beginning with the same secrets; the card says by its
//! GUID, which it is given first, whose secrets it may have by then.

use crate::application::Application;
use crate::card::Card;
use crate::certificate::{Certificate, PublicKey};
use crate::error::CardError;
use crate::management::{ManagementAlgorithm, ManagementKey};
use crate::objects::{Guid, ObjectId};
use crate::request::request;
pub use crate::request::{RequestTerms, Requests};
use crate::secrets::{Passcode, UnlockKey};
use crate::slot::{Algorithm, Slot};
use crate::status::Verdict;
use crate::tlv;
use crate::transaction::{Digest, Proof, accepted};

/// The unlock key that cards leave the factory with.
pub const FACTORY_UNLOCK_KEY: [u8; 8] = *b"12345678";

/// The FASC-N of a card that no agency of the United States issued: agency and system 9999, credential 999999
/// (SP 800-73-4 part 1, 3.1.2).
const NON_FEDERAL_FASC_N: [u8; 25] = [
    0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08, 0x42, 0x10, 0x84,
    0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB,
];

/// What a blank card shall become.
pub struct Preparation<'a> {
    /// The card's identity: fresh, or the one that this card was given by an attempt before.
    pub guid: Guid,
    /// The last day of its life, `YYYYMMDD` in ASCII.
    pub expires: [u8; 8],
    /// The kinds of its two keys.
    pub algorithm: &'a dyn Fn(Slot) -> Algorithm,
    /// The keys with which blank cards come.
    pub transport: TransportKeys<'a>,
    /// The management key that the card shall have: 32 bytes.
    pub management_key: &'a ManagementKey,
    /// The unlock key that it shall have.
    pub unlock_key: &'a UnlockKey,
    /// Which unlock key is tried first. An attempt before may have been cut before or after it was replaced; a wrong one
    /// costs a try, which the right one gives back.
    pub first: FirstTried,
    /// The passcode that its holder has chosen.
    pub passcode: &'a Passcode,
    /// How it asks for its certificates; not where they are made from its keys alone.
    pub requests: Option<RequestTerms<'a>>,
    /// What the card signs at the end, with its PIV authentication key.
    pub digest: &'a Digest<'a>,
}

/// The keys with which blank cards come from their maker: the factory's, or others that were agreed on.
#[derive(Clone, Copy)]
pub struct TransportKeys<'a> {
    /// The management key.
    pub management_key: &'a ManagementKey,
    /// The unlock key.
    pub unlock_key: &'a UnlockKey,
}

/// Which unlock key is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTried {
    /// The one with which the card came.
    Transport,
    /// The one that it shall have.
    Own,
}

/// A card that has keys, but no certificates yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The key of slot 9A.
    pub authentication_key: PublicKey,
    /// The key of slot 9E.
    pub card_authentication_key: PublicKey,
    /// Its requests for certificates, where they were wanted.
    pub requests: Option<Requests>,
    /// The card's word that it is done, signed with the first of them.
    pub proof: Proof,
}

/// Why a card was not issued. Unless it says otherwise the card is as blank as before, or on its way: the same again goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuanceError {
    /// It is somebody's already: it has certificates, and another GUID. Nothing was written to it.
    #[error("the card is not blank")]
    NotBlank,
    /// It has neither the keys with which blank cards come nor those of this issuance.
    #[error("the card does not have the keys of a blank one")]
    ForeignKeys,
    /// It keeps the factory's management key: whoever finds it could write it.
    #[error("the card keeps the factory's management key")]
    FactoryKeyStays,
    /// There was no answer to judge.
    #[error(transparent)]
    Card(#[from] CardError),
}

/// Makes a blank card somebody's: identity, secrets, passcode, keys. Each secret is tried before it counts as set.
///
/// # Errors
///
/// [`IssuanceError`]; a card that is not blank loses nothing, one with foreign keys a try of its unlock key.
pub fn prepare(card: &mut dyn Card, preparation: &Preparation) -> Result<Prepared, IssuanceError> {
    let Preparation { guid, transport, management_key, .. } = *preparation;
    let mut application = Application::select(card)?;
    let is_ours = is_ours(&mut application, guid)?;
    if !is_ours && !is_blank(&mut application)? {
        return Err(IssuanceError::NotBlank);
    }
    let authenticated = application.authenticate_management(&[management_key, transport.management_key])?;
    let (algorithm, position) = authenticated.ok_or(IssuanceError::ForeignKeys)?;

    let transport_unlock_key = transport.unlock_key;
    if !is_ours && application.change_unlock_key(transport_unlock_key, transport_unlock_key)? != Verdict::Accepted {
        // It is on its way to be another: it keeps its GUID, which says whose secrets it has.
        return Err(IssuanceError::ForeignKeys);
    }

    // Before any secret: from now on the card says whose secrets it may have.
    application.put(ObjectId::CHUID, &chuid(guid, preparation.expires))?;
    application.put(ObjectId::CAPABILITY_CONTAINER, &capability_container(guid))?;
    if position != 0
        && !replace_management_key(&mut application, algorithm, management_key)?
        && transport.management_key.is_factory()
    {
        return Err(IssuanceError::FactoryKeyStays);
    }
    replace_unlock_key(&mut application, preparation)?;
    // That the new unlock key sets the passcode, and the passcode verifies, shows that both are no more the factory's.
    accepted(application.reset_retry_counter(preparation.unlock_key, preparation.passcode)?)?;

    let mut make = |slot| application.generate_key_pair(slot, (preparation.algorithm)(slot));
    let authentication_key = make(Slot::PivAuthentication)?;
    let card_authentication_key = make(Slot::CardAuthentication)?;

    accepted(application.try_passcode(preparation.passcode)?)?;
    let requests = preparation.requests.map(|terms| {
        let mut ask = |slot, key| request(&mut application, guid, slot, (key, (preparation.algorithm)(slot)), terms);
        let authentication = ask(Slot::PivAuthentication, &authentication_key)?;
        let card_authentication = ask(Slot::CardAuthentication, &card_authentication_key)?;
        Ok::<_, CardError>(Requests { authentication, card_authentication })
    });
    let requests = requests.transpose()?;
    let algorithm = (preparation.algorithm)(Slot::PivAuthentication);
    let signature = application.sign(Slot::PivAuthentication, algorithm, &(preparation.digest)(guid, algorithm))?;
    let proof = Proof { guid, algorithm, signature };
    Ok(Prepared { authentication_key, card_authentication_key, requests, proof })
}

/// Whether a card is on its way to be this one.
fn is_ours(application: &mut Application, guid: Guid) -> Result<bool, CardError> {
    match application.guid() {
        Ok(found) => Ok(found == guid),
        // It has none, or an empty one.
        Err(CardError::Unsuitable) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a card is nobody's: some come with a GUID, none with a certificate.
fn is_blank(application: &mut Application) -> Result<bool, CardError> {
    for slot in [Slot::PivAuthentication, Slot::CardAuthentication] {
        match application.object(ObjectId::certificate(slot)) {
            // Compressed or malformed, it is somebody's.
            Ok(content) if tlv::find(&content, 0x70).is_ok_and(|found| found.is_none_or(<[u8]>::is_empty)) => {}
            Err(CardError::Unsuitable) => {}
            Ok(_) | Err(CardError::Garbled) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Writes the certificates of both keys, DER.
///
/// # Errors
///
/// [`IssuanceError`]; [`IssuanceError::NotBlank`] where it is another card.
pub fn load_certificates(
    card: &mut dyn Card,
    guid: Guid,
    management_keys: &[&ManagementKey],
    authentication: &[u8],
    card_authentication: &[u8],
) -> Result<(), IssuanceError> {
    let mut application = Application::select(card)?;
    if application.guid()? != guid {
        return Err(IssuanceError::NotBlank);
    }
    application.authenticate_management(management_keys)?.ok_or(IssuanceError::ForeignKeys)?;
    for (slot, der) in [(Slot::PivAuthentication, authentication), (Slot::CardAuthentication, card_authentication)] {
        application.put(ObjectId::certificate(slot), &Certificate::to_object(der))?;
    }
    Ok(())
}

/// Replaces the management key and tries the new one; `false` where the card has no such command. The standard has none:
/// the maker's is used.
fn replace_management_key(
    application: &mut Application,
    current: ManagementAlgorithm,
    new: &ManagementKey,
) -> Result<bool, IssuanceError> {
    let mut is_replaced = application.set_management_key(ManagementAlgorithm::Aes256, new)?;
    if !is_replaced && current != ManagementAlgorithm::Aes256 {
        is_replaced = application.set_management_key(current, new)?;
    }
    if !is_replaced {
        return Ok(false);
    }
    match application.authenticate_management(&[new])? {
        Some(_) => Ok(true),
        None => Err(IssuanceError::FactoryKeyStays),
    }
}

/// Replaces the unlock key with which the card came, unless that has happened before.
fn replace_unlock_key(application: &mut Application, preparation: &Preparation) -> Result<(), IssuanceError> {
    let own = preparation.unlock_key;
    let transport = preparation.transport.unlock_key;
    let candidates = match preparation.first {
        FirstTried::Transport => [transport, own],
        FirstTried::Own => [own, transport],
    };
    for candidate in candidates {
        match application.change_unlock_key(candidate, own)? {
            Verdict::Accepted => return Ok(()),
            Verdict::Refused { .. } => {}
            Verdict::Blocked => break,
            Verdict::Unclear(status) => return Err(CardError::Refused(status).into()),
        }
    }
    Err(IssuanceError::ForeignKeys)
}

/// The content of the Card Holder Unique Identifier, unsigned (SP 800-73-4 part 1, 3.1.2 and table 9).
fn chuid(guid: Guid, expires: [u8; 8]) -> Vec<u8> {
    [
        tlv::encode(0x30, &NON_FEDERAL_FASC_N),
        tlv::encode(0x34, guid.bytes()),
        tlv::encode(0x35, &expires),
        tlv::encode(0x3E, &[]),
        tlv::encode(0xFE, &[]),
    ]
    .concat()
}

/// The content of the Card Capability Container (SP 800-73-4 part 1, 3.1.1 and table 8): a PIV card, and nothing beyond.
/// Programs that are older than PIV tell cards apart by its identifier.
fn capability_container(guid: Guid) -> Vec<u8> {
    /// GSC-RID, manufacturer and card type of a Java card (NIST IR 6887, 6.2).
    const IDENTIFIER: [u8; 7] = [0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02];
    let identifier = [&IDENTIFIER[..], &guid.bytes()[2..]].concat();
    let mut content = tlv::encode(0xF0, &identifier);
    for (tag, value) in [(0xF1, &[0x21][..]), (0xF2, &[0x21]), (0xF3, &[]), (0xF4, &[0x00]), (0xF5, &[0x10])] {
        content.extend(tlv::encode(tag, value));
    }
    for tag in [0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE] {
        content.extend(tlv::encode(tag, &[]));
    }
    content
}
