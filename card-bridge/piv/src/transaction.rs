//! What happens between one SELECT and the reset after it: proofs by the card, by its holder, the change of the passcode,
//! and the unlock.
//!
//! The caller holds the card for itself alone meanwhile, and resets it after each of these that verifies a passcode,
//! whether it succeeded or not.

use crate::application::{Application, LastTry, PasscodeState};
use crate::card::Card;
use crate::error::{CardError, VerifyError};
use crate::objects::Guid;
use crate::pin_pad::{Entered, Entry, NotSent, PasscodeSource};
use crate::secrets::{Passcode, UnlockKey};
use crate::slot::{Algorithm, Slot};
use crate::status::Verdict;

/// Makes the digest that a card of this GUID with a key of this algorithm shall sign.
pub type Digest<'a> = dyn Fn(Guid, Algorithm) -> Vec<u8> + 'a;

/// A signature, and which card gave it with what kind of key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The card.
    pub guid: Guid,
    /// The kind of key.
    pub algorithm: Algorithm,
    /// DER for elliptic curves, the bare number for RSA.
    pub signature: Vec<u8>,
}

/// Which card it is, and how its passcode stands.
///
/// # Errors
///
/// As for any operation.
pub fn look(card: &mut dyn Card) -> Result<(Guid, PasscodeState), CardError> {
    let mut application = Application::select(card)?;
    Ok((application.guid()?, application.passcode_state()?))
}

/// Signs with the card authentication key (9E): also on a locked card.
///
/// # Errors
///
/// As for any operation.
pub fn prove_card(card: &mut dyn Card, digest: &Digest) -> Result<Proof, CardError> {
    let mut application = Application::select(card)?;
    let guid = application.guid()?;
    let algorithm = application.certificate(Slot::CardAuthentication)?.algorithm()?;
    let signature = application.sign(Slot::CardAuthentication, algorithm, &digest(guid, algorithm))?;
    Ok(Proof { guid, algorithm, signature })
}

/// Verifies the passcode and signs with the PIV authentication key (9A).
///
/// A card without GUID or certificate is refused before a try is spent.
///
/// # Errors
///
/// As for [`Application::verify`].
pub fn prove_holder(
    card: &mut dyn Card,
    passcode: PasscodeSource,
    last_try: LastTry,
    digest: &Digest,
) -> Result<Proof, VerifyError> {
    let mut application = Application::select(card)?;
    let guid = application.guid()?;
    let algorithm = application.certificate(Slot::PivAuthentication)?.algorithm()?;
    application.verify(passcode, last_try)?;
    let signature = application.sign(Slot::PivAuthentication, algorithm, &digest(guid, algorithm))?;
    Ok(Proof { guid, algorithm, signature })
}

/// What a change of the passcode needs.
pub struct Change<'a> {
    /// The card that it is for.
    pub guid: Guid,
    /// The passcode that the card should have.
    pub current: &'a Passcode,
    /// The passcode that it shall have.
    pub new: &'a Passcode,
    /// Whether the last try may be spent on the current one.
    pub last_try: LastTry,
    /// What the card signs at the end, with its PIV authentication key.
    pub digest: &'a Digest<'a>,
}

/// Why a passcode was not changed, or was but the card could not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It is another card than the one that the change is for; nothing was sent to it.
    #[error("the card is another one")]
    CardChanged,
    /// The passcode is as it was: the card has refused the current one, or was not sent it.
    #[error(transparent)]
    NotChanged(#[from] VerifyError),
    /// The card has given no verdict: it has the new passcode or the one before.
    #[error("the passcode may be changed: {0}")]
    Unknown(CardError),
    /// The card has taken the new passcode, and then gave no proof.
    #[error("the passcode is changed, and there is no proof: {0}")]
    NotProved(CardError),
}

impl From<CardError> for ChangeError {
    fn from(error: CardError) -> Self {
        Self::NotChanged(error.into())
    }
}

/// Replaces the passcode by another, and proves it with a signature by the PIV authentication key (9A).
///
/// A card without GUID or certificate is refused before a try is spent.
///
/// # Errors
///
/// [`ChangeError`].
pub fn change_passcode(card: &mut dyn Card, change: &Change) -> Result<Proof, ChangeError> {
    let mut application = Application::select(card)?;
    let guid = application.guid()?;
    if guid != change.guid {
        return Err(ChangeError::CardChanged);
    }
    let algorithm = application.certificate(Slot::PivAuthentication)?.algorithm()?;
    application.may_try(change.last_try)?;
    match application.change_passcode(change.current, change.new).map_err(ChangeError::Unknown)? {
        Verdict::Unclear(status) if !status.has_changed_nothing() => {
            return Err(ChangeError::Unknown(CardError::Refused(status)));
        }
        verdict => application.judge(verdict)?,
    }

    // Whether CHANGE REFERENCE DATA verifies what it sets is told differently by different cards.
    match application.try_passcode(change.new).map_err(ChangeError::NotProved)? {
        Verdict::Accepted => {}
        Verdict::Unclear(status) => return Err(ChangeError::NotProved(CardError::Refused(status))),
        // A card that has taken a passcode and does not know it is not to be believed.
        Verdict::Refused { .. } | Verdict::Blocked => return Err(ChangeError::Unknown(CardError::Garbled)),
    }
    let signature = application.sign(Slot::PivAuthentication, algorithm, &(change.digest)(guid, algorithm));
    Ok(Proof { guid, algorithm, signature: signature.map_err(ChangeError::NotProved)? })
}

/// What an unlock needs.
pub struct Unlock<'a> {
    /// The card that it is for.
    pub guid: Guid,
    /// The passcode that the card shall have. Typed on the reader it is asked for twice by each unlock key that is tried,
    /// and once more to be verified.
    pub passcode: PasscodeSource<'a>,
    /// The unlock key that the card should have.
    pub candidate: &'a UnlockKey,
    /// The one to try when the card refuses the first.
    pub second_candidate: Option<&'a UnlockKey>,
    /// The unlock key that the card shall have.
    pub next: &'a UnlockKey,
    /// What the card signs at the end, with its PIV authentication key.
    pub digest: &'a Digest<'a>,
}

/// Why a card was not unlocked, or is but could not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// It is another card than the one that the unlock is for; nothing was sent to it.
    #[error("the card is another one")]
    CardChanged,
    /// The card refused every candidate; the passcode is as it was.
    #[error("the card refuses the unlock key")]
    UnlockKeyRefused,
    /// The passcode was to be typed on the reader, and was not: it is as it was.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// It was set, and then not typed once more, or another was. The same unlock again will finish it.
    #[error("the new passcode was not confirmed: {0}")]
    NotConfirmed(NotSent),
    /// There was no answer to judge. The card may be anywhere on its way, and the same unlock again will finish it.
    #[error(transparent)]
    Card(#[from] CardError),
}

/// Unlocks a card: new passcode by the unlock key, next unlock key, proof that both are set.
///
/// An unlock that was cut may be repeated with both keys as candidates: it takes up the card wherever it stopped.
///
/// # Errors
///
/// [`UnlockError`]; after [`UnlockError::Card`] the card's state is unknown.
pub fn unlock(card: &mut dyn Card, unlock: &Unlock) -> Result<Proof, UnlockError> {
    let mut application = Application::select(card)?;
    let guid = application.guid()?;
    if guid != unlock.guid {
        return Err(UnlockError::CardChanged);
    }
    // Read now, so that a card that could not give the proof is refused while nothing has been changed.
    let algorithm = application.certificate(Slot::PivAuthentication)?.algorithm()?;

    if let PasscodeSource::Reader { .. } = unlock.passcode
        && !(application.takes(Entry::Modify) && application.takes(Entry::Verify))
    {
        return Err(NotSent::NoKeys.into());
    }

    let fitting = set_passcode(&mut application, unlock)?;
    if !fitting.is(unlock.next) {
        accepted(application.change_unlock_key(fitting, unlock.next)?)?;
    }

    // RESET RETRY COUNTER leaves the passcode unverified (SP 800-73-4 part 2, 3.2.3).
    match (application.try_passcode_of(unlock.passcode)?, unlock.passcode) {
        (Entered::Judged(Verdict::Refused { .. } | Verdict::Blocked), PasscodeSource::Reader { .. }) => {
            return Err(UnlockError::NotConfirmed(NotSent::Differ));
        }
        (Entered::Judged(verdict), _) => accepted(verdict)?,
        (Entered::NotSent(reason), _) => return Err(UnlockError::NotConfirmed(reason)),
    }
    let signature = application.sign(Slot::PivAuthentication, algorithm, &(unlock.digest)(guid, algorithm))?;
    Ok(Proof { guid, algorithm, signature })
}

/// Sets the passcode by the first candidate that fits, and returns that.
fn set_passcode<'a>(application: &mut Application, unlock: &Unlock<'a>) -> Result<&'a UnlockKey, UnlockError> {
    match judged(application.set_passcode(unlock.candidate, unlock.passcode)?)? {
        Verdict::Accepted => return Ok(unlock.candidate),
        // The card has ruled out the first, so the second is the right one: it is sent even at the last try.
        Verdict::Refused { .. } => {}
        Verdict::Blocked => return Err(UnlockError::UnlockKeyRefused),
        Verdict::Unclear(status) => return Err(CardError::Refused(status).into()),
    }
    let second = unlock.second_candidate.ok_or(UnlockError::UnlockKeyRefused)?;
    match judged(application.set_passcode(second, unlock.passcode)?)? {
        Verdict::Accepted => Ok(second),
        Verdict::Refused { .. } | Verdict::Blocked => Err(UnlockError::UnlockKeyRefused),
        Verdict::Unclear(status) => Err(CardError::Refused(status).into()),
    }
}

fn judged(entered: Entered) -> Result<Verdict, NotSent> {
    match entered {
        Entered::Judged(verdict) => Ok(verdict),
        Entered::NotSent(reason) => Err(reason),
    }
}

/// A card that refuses what it has just accepted, or been given, is not to be understood.
fn accepted(verdict: Verdict) -> Result<(), CardError> {
    match verdict {
        Verdict::Accepted => Ok(()),
        Verdict::Unclear(status) => Err(CardError::Refused(status)),
        Verdict::Refused { .. } | Verdict::Blocked => Err(CardError::Garbled),
    }
}
