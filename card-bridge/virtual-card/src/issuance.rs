//! What an issuer does to a new card, and what a person does who forgets the passcode.

use piv::{
    Algorithm, Application, Card, CardError, FACTORY_MANAGEMENT_KEY, Guid, LastTry, ManagementKey, Passcode,
    PasscodeSource, PublicKey, Slot, UnlockKey, VerifyError,
    issuance::{FACTORY_UNLOCK_KEY, FirstTried, IssuanceError, Preparation, TransportKeys, load_certificates, prepare},
};
use zeroize::Zeroizing;

/// Makes the certificate of a slot's public key, DER.
pub type Certify<'a> = dyn Fn(Slot, &PublicKey) -> Result<Vec<u8>, CertifyError> + 'a;

/// What a card shall become.
pub struct Order<'a> {
    /// The card's identity.
    pub guid: Guid,
    /// The last day of its life, `YYYYMMDD` in ASCII.
    pub expires: [u8; 8],
    /// The kinds of its two keys.
    pub algorithm: &'a dyn Fn(Slot) -> Algorithm,
    /// Makes the certificate of a slot's public key, DER.
    pub certify: &'a Certify<'a>,
    /// The passcode in place of the factory's.
    pub passcode: &'a Passcode,
    /// The unlock key in place of the factory's.
    pub unlock_key: &'a UnlockKey,
}

/// The certification authority has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate can't be made")]
pub struct CertifyError;

/// Why a card was not issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The card does not do what it is asked to, or was issued before.
    #[error(transparent)]
    Card(#[from] IssuanceError),
    /// There is no certificate for a key.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// The machine gives no randomness.
    #[error("the machine gives no randomness")]
    Randomness(#[from] getrandom::Error),
}

/// Issues a card that is in its factory state. Its new management key is known to nobody.
///
/// # Errors
///
/// [`IssueError`]; a card that was issued before keeps all that it has.
pub fn issue(card: &mut dyn Card, order: &Order) -> Result<(), IssueError> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random)?;
    let management_key = ManagementKey::new(&*random);
    let preparation = Preparation {
        guid: order.guid,
        expires: order.expires,
        algorithm: order.algorithm,
        transport: TransportKeys {
            management_key: &ManagementKey::new(&FACTORY_MANAGEMENT_KEY),
            unlock_key: &UnlockKey::new(FACTORY_UNLOCK_KEY),
        },
        management_key: &management_key,
        unlock_key: order.unlock_key,
        first: FirstTried::Transport,
        passcode: order.passcode,
        requests: None,
        digest: &|_, algorithm| vec![0; algorithm.digest_length()],
    };
    let prepared = prepare(card, &preparation)?;
    let authentication = (order.certify)(Slot::PivAuthentication, &prepared.authentication_key)?;
    let card_authentication = (order.certify)(Slot::CardAuthentication, &prepared.card_authentication_key)?;
    load_certificates(card, order.guid, &[&management_key], &authentication, &card_authentication)?;
    Ok(())
}

/// Why a card was not locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The card does not do what it is asked to.
    #[error(transparent)]
    Card(#[from] CardError),
    /// It has no limit to wrong passcodes.
    #[error("the card takes any number of wrong passcodes")]
    NoLimit,
}

/// Locks a card by wrong passcodes, as a person would. A locked card stays locked.
///
/// # Errors
///
/// [`LockError`].
pub fn lock(card: &mut dyn Card) -> Result<(), LockError> {
    /// More than any card allows.
    const MOST_TRIES: usize = 16;
    // At most one of them can be the card's passcode.
    let mut wrong = ["00000000", "99999999"];
    let mut application = Application::select(card)?;
    for _ in 0..MOST_TRIES {
        let passcode = Passcode::from_digits(wrong[0]).map_err(|_| CardError::Garbled)?;
        match application.verify(PasscodeSource::Known(&passcode), LastTry::Spend) {
            Err(VerifyError::Blocked) => return Ok(()),
            Err(VerifyError::Wrong { .. }) => {}
            Ok(()) => wrong.swap(0, 1),
            Err(VerifyError::LastTry | VerifyError::NotSent(_)) => {
                return Err(CardError::Garbled.into());
            }
            Err(VerifyError::Card(error)) => return Err(error.into()),
        }
    }
    Err(LockError::NoLimit)
}
