//! A card that answers what the input says, from the beginning again when it is through: whatever it answers, each
//! operation ends, and no secret is sent more often than to an honest card.
//!
//! Each answer begins with a byte: up to [`LONGEST`] it is the length of the answer that follows, above that it names an
//! answer of an honest card, or the beginning of a long one.

use piv::transaction::{self, Change, ChangeError, Unlock, UnlockError};
use piv::{
    Card, Certificate, Guid, Instruction, LastTry, Passcode, PasscodeSource, PublicKey, TransportError, UnlockKey, tlv,
};

/// The longest answer that is written out.
const LONGEST: u8 = 0xEF;
/// An unlock makes the most exchanges, ten. Each is at most a chain of two commands, that once more with the length
/// that the card insists on, and 64 continuations, each of them twice for the same reason.
const MOST_COMMANDS: usize = 10 * (2 * 2 + 2 * 64);
const GUID: [u8; 16] = [7; 16];

const P256: &[u8] = include_bytes!("../../piv/tests/certificates/p256.der");
const P384: &[u8] = include_bytes!("../../piv/tests/certificates/p384.der");
const RSA: &[u8] = include_bytes!("../../piv/tests/certificates/rsa2048.der");

pub fn run(input: &[u8]) {
    parse(input);
    let answers = answers(input);
    let passcode = Passcode::from_digits("824917").expect("six digits");
    let [candidate, second, next] = [[1; 8], [2; 8], [3; 8]].map(UnlockKey::new);
    let unlock = Unlock {
        guid: Guid::new(GUID).expect("not zero"),
        passcode: PasscodeSource::Known(&passcode),
        candidate: &candidate,
        second_candidate: Some(&second),
        next: &next,
        digest: &|_, algorithm| vec![1; algorithm.digest_length()],
    };
    let card = || Liar { answers: &answers, commands: Vec::new() };

    let mut looked_at = card();
    let _ = transaction::look(&mut looked_at);
    assert_eq!(looked_at.secrets(), [0, 0, 0]);

    let mut proving = card();
    let _ = transaction::prove_card(&mut proving, unlock.digest);
    assert_eq!(proving.secrets(), [0, 0, 0]);

    for last_try in [LastTry::Keep, LastTry::Spend] {
        let mut holder = card();
        let _ = transaction::prove_holder(&mut holder, PasscodeSource::Known(&passcode), last_try, unlock.digest);
        let [verifications, others @ ..] = holder.secrets();
        assert!(verifications <= 1 && others == [0, 0]);
    }

    let new = Passcode::from_digits("27150386").expect("eight digits");
    for last_try in [LastTry::Keep, LastTry::Spend] {
        let mut changing = card();
        let change = Change { guid: unlock.guid, current: &passcode, new: &new, last_try, digest: unlock.digest };
        let outcome = transaction::change_passcode(&mut changing, &change);
        let [verifications, resets, changes] = changing.secrets();
        assert!(verifications <= changes && changes <= 1 && resets == 0);
        match outcome {
            Ok(proof) => assert!(proof.guid == unlock.guid && verifications == 1),
            Err(ChangeError::CardChanged) => assert_eq!(changes, 0),
            Err(ChangeError::NotChanged(_)) => assert_eq!(verifications, 0),
            Err(ChangeError::Unknown(_) | ChangeError::NotProved(_)) => assert_eq!(changes, 1),
        }
    }

    let mut unlocked = card();
    let outcome = transaction::unlock(&mut unlocked, &unlock);
    let [verifications, resets, changes] = unlocked.secrets();
    assert!(verifications <= 1 && resets <= 2 && changes <= 1);
    match outcome {
        Ok(proof) => assert!(proof.guid == unlock.guid && verifications == 1 && resets >= 1),
        Err(UnlockError::CardChanged) => assert_eq!(unlocked.secrets(), [0, 0, 0]),
        Err(_) => {}
    }
}

/// The parsers, with the bytes as they are.
fn parse(bytes: &[u8]) {
    for object in tlv::Reader::new(bytes) {
        let _ = object;
    }
    let _ = Guid::from_chuid(bytes);
    let _ = PublicKey::parse(bytes);
    if let Ok(certificate) = Certificate::from_object(bytes) {
        assert!(!certificate.der().is_empty());
    }
    if bytes.len() > usize::from(u16::MAX) {
        return;
    }
    if let Ok(certificate) = Certificate::from_object(&Certificate::to_object(bytes)) {
        let _ = certificate.public_key_info();
        let _ = certificate.algorithm();
        let _ = certificate.common_name();
    }
}

fn answers(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    while let Some((first, rest)) = input.split_first() {
        let written_out = if *first <= LONGEST { usize::from(*first).min(rest.len()) } else { 0 };
        let (bytes, rest) = rest.split_at(written_out);
        input = rest;
        let signature = |value: &[u8]| success(&tlv::encode(0x7C, &tlv::encode(0x82, value)));
        answers.push(match first {
            0xF0 => success(&tlv::encode(0x53, &tlv::encode(0x34, &GUID))),
            0xF1 => object(P256),
            0xF2 => object(P384),
            0xF3 => object(RSA),
            0xF4 => success(&[]),
            0xF5 => signature(&tlv::encode(0x30, &[])),
            0xF6 => signature(&[5; 256]),
            0xF7 => vec![0x63, 0xC2],
            0xF8 => [&[0x53; 254][..], &[0x61, 0x00]].concat(),
            0xF9 => [&object(P256)[..256], &[0x61, 0xFF]].concat(),
            0xFA => object(P256)[256..].to_vec(),
            _ => bytes.to_vec(),
        });
    }
    answers
}

fn object(certificate: &[u8]) -> Vec<u8> {
    success(&tlv::encode(0x53, &Certificate::to_object(certificate)))
}

fn success(data: &[u8]) -> Vec<u8> {
    [data, &[0x90, 0x00]].concat()
}

struct Liar<'a> {
    answers: &'a [Vec<u8>],
    commands: Vec<Vec<u8>>,
}

impl Liar<'_> {
    /// How often VERIFY with a passcode, RESET RETRY COUNTER and CHANGE REFERENCE DATA were sent.
    fn secrets(&self) -> [usize; 3] {
        [Instruction::Verify, Instruction::ResetRetryCounter, Instruction::ChangeReferenceData].map(|wanted| {
            self.commands.iter().filter(|apdu| apdu.len() > 4 && Instruction::from(apdu[1]) == wanted).count()
        })
    }
}

impl Card for Liar<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = self.answers.get(self.commands.len() % self.answers.len().max(1)).cloned();
        self.commands.push(command.to_vec());
        assert!(self.commands.len() <= MOST_COMMANDS, "an operation does not end");
        answer.ok_or(TransportError::Removed)
    }
}
