//! The selected PIV application: one method for each thing that is asked of it.

use crate::card::Card;
use crate::certificate::Certificate;
use crate::command::Command;
use crate::error::{CardError, VerifyError};
use crate::exchange::exchange;
use crate::metadata;
use crate::objects::{Guid, ObjectId};
use crate::pin_pad::{self, Entered, Entry, NotSent, PasscodeSource};
use crate::secrets::{Passcode, UnlockKey};
use crate::sign;
use crate::slot::{Algorithm, Slot};
use crate::status::{StatusWord, Verdict};
use crate::tlv;

/// What is known of the passcode without trying one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasscodeState {
    /// It was verified since the card was powered, so the full number of tries is there.
    Verified,
    /// So many tries are left, at least 1.
    Tries(u8),
    /// None is left: the card is locked.
    Blocked,
    /// The card doesn't say.
    Unknown,
}

/// Whether the last passcode try may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastTry {
    /// It may not.
    Keep,
    /// The person wants it.
    Spend,
}

/// A card whose PIV application was selected.
pub struct Application<'a> {
    card: &'a mut dyn Card,
}

impl<'a> Application<'a> {
    /// Selects the application: by its identifier, or by the first five bytes of it where the card knows no more.
    ///
    /// # Errors
    ///
    /// [`CardError::NotPiv`] when the card has none; otherwise there was no answer to judge.
    pub fn select(card: &'a mut dyn Card) -> Result<Self, CardError> {
        for command in [Command::select(), Command::select_truncated()] {
            match exchange(card, &command)?.status {
                StatusWord::SUCCESS => return Ok(Self { card }),
                StatusWord::NOT_FOUND => {}
                _ => break,
            }
        }
        Err(CardError::NotPiv)
    }

    /// The card's identity.
    ///
    /// # Errors
    ///
    /// [`CardError::Unsuitable`] when it has none; otherwise as for any operation.
    pub fn guid(&mut self) -> Result<Guid, CardError> {
        Guid::from_chuid(&self.object(ObjectId::CHUID)?)
    }

    /// The certificate of a slot.
    ///
    /// # Errors
    ///
    /// [`CardError::Unsuitable`] when there is none; otherwise as for any operation.
    pub fn certificate(&mut self, slot: Slot) -> Result<Certificate, CardError> {
        Certificate::from_object(&self.object(ObjectId::certificate(slot))?)
    }

    /// The content of a data object (tag 53).
    ///
    /// # Errors
    ///
    /// [`CardError::Unsuitable`] when there is none; otherwise as for any operation.
    pub fn object(&mut self, object: ObjectId) -> Result<Vec<u8>, CardError> {
        let answer = exchange(self.card, &Command::get_data(object))?;
        match answer.status {
            StatusWord::SUCCESS => Ok(tlv::Reader::new(&answer.data).expect(0x53)?.to_vec()),
            StatusWord::NOT_FOUND => Err(CardError::Unsuitable),
            other => Err(CardError::Refused(other)),
        }
    }

    /// How many tries the passcode has, without spending one.
    ///
    /// # Errors
    ///
    /// [`CardError::Refused`] when the card refuses to say in an unforeseen way; otherwise as for any operation.
    pub fn passcode_state(&mut self) -> Result<PasscodeState, CardError> {
        let status = exchange(self.card, &Command::passcode_state())?.status;
        match Verdict::from(status) {
            Verdict::Accepted => Ok(PasscodeState::Verified),
            Verdict::Refused { tries_left: Some(tries) } => Ok(PasscodeState::Tries(tries)),
            Verdict::Refused { tries_left: None } | Verdict::Unclear(StatusWord::REFERENCE_NOT_FOUND) => {
                Ok(PasscodeState::Unknown)
            }
            Verdict::Blocked => Ok(PasscodeState::Blocked),
            Verdict::Unclear(other) => Err(CardError::Refused(other)),
        }
    }

    /// Verifies the passcode, after a look at the tries left. Where the card doesn't say, this may be the last.
    ///
    /// # Errors
    ///
    /// [`VerifyError::LastTry`], [`VerifyError::Blocked`] and [`VerifyError::NotSent`] where no try was spent,
    /// [`VerifyError::Wrong`] and [`VerifyError::Blocked`] after one was.
    pub fn verify(&mut self, passcode: PasscodeSource, last_try: LastTry) -> Result<(), VerifyError> {
        if let PasscodeSource::Reader { .. } = passcode
            && !self.takes(Entry::Verify)
        {
            return Err(NotSent::NoKeys.into());
        }
        self.may_try(last_try)?;
        match self.try_passcode_of(passcode)? {
            Entered::Judged(verdict) => self.judge(verdict),
            Entered::NotSent(reason) => Err(reason.into()),
        }
    }

    /// Whether something can be typed on the reader.
    pub fn takes(&mut self, entry: Entry) -> bool {
        self.card.pin_pad().is_some_and(|pad| pad.takes(entry))
    }

    fn enter(&mut self, entry: Entry, structure: &[u8]) -> Result<Entered, CardError> {
        let Some(pad) = self.card.pin_pad() else {
            return Ok(Entered::NotSent(NotSent::NoKeys));
        };
        if !pad.takes(entry) {
            return Ok(Entered::NotSent(NotSent::NoKeys));
        }
        let answer = pad.enter(entry, structure)?;
        let (_, status) = StatusWord::split(&answer).ok_or(CardError::CutOff)?;
        Ok(status.into())
    }

    /// Whether a passcode may be tried, by the tries that are left.
    pub(crate) fn may_try(&mut self, last_try: LastTry) -> Result<(), VerifyError> {
        match self.passcode_state()? {
            PasscodeState::Blocked => Err(VerifyError::Blocked),
            PasscodeState::Tries(1) | PasscodeState::Unknown if last_try == LastTry::Keep => Err(VerifyError::LastTry),
            PasscodeState::Tries(_) | PasscodeState::Unknown | PasscodeState::Verified => Ok(()),
        }
    }

    /// What a card's verdict on a passcode means; one that doesn't count with its answer is asked for the tries left.
    pub(crate) fn judge(&mut self, verdict: Verdict) -> Result<(), VerifyError> {
        match verdict {
            Verdict::Accepted => Ok(()),
            Verdict::Blocked => Err(VerifyError::Blocked),
            Verdict::Refused { tries_left: Some(tries) } => Err(VerifyError::Wrong { tries_left: Some(tries) }),
            Verdict::Refused { tries_left: None } => Err(match self.passcode_state()? {
                PasscodeState::Tries(tries) => VerifyError::Wrong { tries_left: Some(tries) },
                PasscodeState::Blocked => VerifyError::Blocked,
                PasscodeState::Verified | PasscodeState::Unknown => VerifyError::Wrong { tries_left: None },
            }),
            Verdict::Unclear(other) => Err(CardError::Refused(other).into()),
        }
    }

    /// Sends the passcode, whatever tries are left, and says how the card received it.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn try_passcode(&mut self, passcode: &Passcode) -> Result<Verdict, CardError> {
        Ok(exchange(self.card, &Command::verify(passcode))?.status.into())
    }

    /// The same with a passcode of whichever source.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn try_passcode_of(&mut self, passcode: PasscodeSource) -> Result<Entered, CardError> {
        match passcode {
            PasscodeSource::Known(passcode) => self.try_passcode(passcode).map(Entered::Judged),
            PasscodeSource::Reader { seconds } => self.enter(Entry::Verify, &pin_pad::verify(seconds)),
        }
    }

    /// Sets a new passcode of whichever source by the unlock key, and says how the card received the key.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn set_passcode(&mut self, key: &UnlockKey, new: PasscodeSource) -> Result<Entered, CardError> {
        match new {
            PasscodeSource::Known(new) => self.reset_retry_counter(key, new).map(Entered::Judged),
            PasscodeSource::Reader { seconds } => {
                self.enter(Entry::Modify, &pin_pad::reset_retry_counter(seconds, key))
            }
        }
    }

    /// Sets a new passcode by the unlock key and says how the card received the key.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn reset_retry_counter(&mut self, key: &UnlockKey, new: &Passcode) -> Result<Verdict, CardError> {
        Ok(exchange(self.card, &Command::reset_retry_counter(key, new))?.status.into())
    }

    /// Replaces the unlock key and says how the card received the current one.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn change_unlock_key(&mut self, current: &UnlockKey, new: &UnlockKey) -> Result<Verdict, CardError> {
        Ok(exchange(self.card, &Command::change_unlock_key(current, new))?.status.into())
    }

    /// Replaces the passcode and says how the card received the current one.
    ///
    /// # Errors
    ///
    /// Only when there was no answer to judge.
    pub fn change_passcode(&mut self, current: &Passcode, new: &Passcode) -> Result<Verdict, CardError> {
        Ok(exchange(self.card, &Command::change_passcode(current, new))?.status.into())
    }

    /// Signs a digest with a slot's key: DER for elliptic curves, the bare number for RSA.
    ///
    /// # Errors
    ///
    /// [`CardError::NotTouched`] when the key wants a touch that did not come, [`CardError::Refused`] with 6982 when it
    /// wants a VERIFY first; otherwise as for any operation.
    ///
    /// # Panics
    ///
    /// When the digest is not as long as the algorithm's.
    pub fn sign(&mut self, slot: Slot, algorithm: Algorithm, digest: &[u8]) -> Result<Vec<u8>, CardError> {
        let command =
            Command::general_authenticate(algorithm.reference(), slot.reference(), &sign::request(algorithm, digest));
        let answer = exchange(self.card, &command)?;
        match answer.status {
            StatusWord::SUCCESS => sign::read_signature(algorithm, &answer.data),
            // Of a missing VERIFY and a missing touch the card says the same.
            StatusWord::SECURITY_STATUS_NOT_SATISFIED if self.wants_touch(slot)? => Err(CardError::NotTouched),
            other => Err(CardError::Refused(other)),
        }
    }

    /// Whether the card says that a slot's key wants a touch. Cards that don't know the question want none.
    fn wants_touch(&mut self, slot: Slot) -> Result<bool, CardError> {
        let answer = exchange(self.card, &Command::get_metadata(slot))?;
        Ok(answer.status.is_success() && metadata::wants_touch(&answer.data))
    }
}
