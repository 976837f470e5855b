//! What an issuer does to a new card, in APDUs: replaces the factory's unlock key and passcode, authenticates with the
//! management key, has keys made on the card, writes certificates and CHUID.

use des::{
    TdesEde3,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use piv::{
    Algorithm, Application, Card, CardError, Certificate, Command, Guid, LastTry, ObjectId, Passcode, PasscodeSource,
    PublicKey, Slot, StatusWord, UnlockKey, Verdict, VerifyError, exchange, tlv,
};

/// Key and algorithm references of the management key (SP 800-78-4, tables 6-1 and 6-2).
const MANAGEMENT_KEY: u8 = 0x9B;
const TRIPLE_DES: u8 = 0x03;
/// The management key that cards leave the factory with.
const FACTORY_MANAGEMENT_KEY: [u8; 24] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x01, 0x02, 0x03,
    0x04, 0x05, 0x06, 0x07, 0x08,
];
const FACTORY_PASSCODE: &str = "123456";
const FACTORY_UNLOCK_KEY: [u8; 8] = *b"12345678";

/// The FASC-N of a card that no agency of the United States issued: agency and system 9999, credential 999999
/// (SP 800-73-4 part 1, 3.1.2).
const NON_FEDERAL_FASC_N: [u8; 25] = [
    0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08, 0x42, 0x10, 0x84,
    0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB,
];

/// Makes the certificate of a slot's public key, DER.
pub type Certify<'a> = dyn Fn(Slot, &PublicKey) -> Result<Vec<u8>, CertifyError> + 'a;

/// What a card shall become.
pub struct Order<'a> {
    /// The card's identity.
    pub guid: Guid,
    /// The last day of its life, `YYYYMMDD`.
    pub expires: &'a str,
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

/// Why a card was not issued, or not locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuanceError {
    /// The card does not do what it is asked to.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The card refuses the factory's unlock key: it was issued before.
    #[error("the card is not in its factory state")]
    NotNew,
    /// There is no certificate for a key.
    #[error(transparent)]
    Certify(#[from] CertifyError),
}

/// Issues a card that is in its factory state. One that is not loses a try of its unlock key, and nothing else.
///
/// # Errors
///
/// [`IssuanceError`]. Unless it is [`IssuanceError::NotNew`] the card is then half issued: make a new one.
pub fn issue(card: &mut dyn Card, order: &Order) -> Result<(), IssuanceError> {
    // First, so that a card that was issued before keeps its keys.
    let factory_passcode = Passcode::from_digits(FACTORY_PASSCODE).map_err(|_| IssuanceError::NotNew)?;
    let mut application = Application::select(card)?;
    accepted(application.change_unlock_key(&UnlockKey::new(FACTORY_UNLOCK_KEY), order.unlock_key)?)?;
    accepted(application.change_passcode(&factory_passcode, order.passcode)?)?;

    authenticate_issuer(card)?;
    for slot in [Slot::PivAuthentication, Slot::CardAuthentication] {
        let made = run(card, &Command::generate_key_pair(slot, (order.algorithm)(slot)))?;
        let certificate = (order.certify)(slot, &PublicKey::parse(&made)?)?;
        run(card, &Command::put_data(ObjectId::certificate(slot), &Certificate::to_object(&certificate)))?;
    }
    run(card, &Command::put_data(ObjectId::CHUID, &chuid(order.guid, order.expires)))?;
    Ok(())
}

/// Locks a card by wrong passcodes, as a person would. A locked card stays locked.
///
/// # Errors
///
/// [`IssuanceError`], for instance when the card has no limit to wrong passcodes.
pub fn lock(card: &mut dyn Card) -> Result<(), IssuanceError> {
    /// More than any card allows.
    const MOST_TRIES: usize = 16;
    // At most one of them can be the card's passcode.
    let mut wrong = ["00000000", "99999999"];
    let mut application = Application::select(card)?;
    for _ in 0..MOST_TRIES {
        let passcode = Passcode::from_digits(wrong[0]).map_err(|_| IssuanceError::NotNew)?;
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
    Err(CardError::Endless.into())
}

/// Answers the card's challenge with the management key: GENERAL AUTHENTICATE as external authentication
/// (SP 800-73-4 part 2, A.3).
fn authenticate_issuer(card: &mut dyn Card) -> Result<(), IssuanceError> {
    let ask = Command::general_authenticate(TRIPLE_DES, MANAGEMENT_KEY, &tlv::encode(0x81, &[]));
    let answer = run(card, &ask)?;
    let challenge = tlv::Reader::new(&answer).expect(0x7C).and_then(|template| tlv::Reader::new(template).expect(0x81));
    let mut block: [u8; 8] = challenge.map_err(CardError::from)?.try_into().map_err(|_| CardError::Garbled)?;
    TdesEde3::new(&FACTORY_MANAGEMENT_KEY.into()).encrypt_block((&mut block).into());
    let response = Command::general_authenticate(TRIPLE_DES, MANAGEMENT_KEY, &tlv::encode(0x82, &block));
    match exchange(card, &response)?.status {
        StatusWord::SUCCESS => Ok(()),
        _ => Err(IssuanceError::NotNew),
    }
}

fn run(card: &mut dyn Card, command: &Command) -> Result<Vec<u8>, CardError> {
    let answer = exchange(card, command)?;
    if answer.status.is_success() { Ok(answer.data) } else { Err(CardError::Refused(answer.status)) }
}

fn accepted(verdict: Verdict) -> Result<(), IssuanceError> {
    match verdict {
        Verdict::Accepted => Ok(()),
        Verdict::Refused { .. } | Verdict::Blocked => Err(IssuanceError::NotNew),
        Verdict::Unclear(status) => Err(CardError::Refused(status).into()),
    }
}

/// The content of the Card Holder Unique Identifier, unsigned (SP 800-73-4 part 1, 3.1.2 and table 9).
fn chuid(guid: Guid, expires: &str) -> Vec<u8> {
    [
        tlv::encode(0x30, &NON_FEDERAL_FASC_N),
        tlv::encode(0x34, guid.bytes()),
        tlv::encode(0x35, expires.as_bytes()),
        tlv::encode(0x3E, &[]),
        tlv::encode(0xFE, &[]),
    ]
    .concat()
}
