//! Issuing a blank card as the bridge does: what it has afterwards, what is refused, and a cut at each command.

use std::{fs, process::Command};

use piv::{
    Algorithm, Application, Card, CardError, FACTORY_MANAGEMENT_KEY, Guid, LastTry, ManagementAlgorithm, ManagementKey,
    ObjectId, Passcode, PasscodeSource, Slot, TransportError, UnlockKey, Verdict,
    issuance::{
        FACTORY_UNLOCK_KEY, FirstTried, IssuanceError, Preparation, Prepared, RequestTerms, TransportKeys,
        load_certificates, prepare,
    },
    tlv, transaction,
};
use sha2::{Digest, Sha256, Sha384};
use tempfile::TempDir;
use virtual_card::{
    Contacts as _, VirtualCard,
    fault::{Fault, Faulty, Mishap, Moment},
    kind::{Kind, Touched},
};

const PASSCODE: &str = "904173";
const HOLDER: &str = "Zoë O'Neill, \u{4f60}\u{597d}";
const CERTIFICATES: [&[u8]; 2] = [
    include_bytes!("../../../piv/tests/certificates/p256.der"),
    include_bytes!("../../../piv/tests/certificates/p384.der"),
];

fn guid() -> Guid {
    Guid::new([7; 16]).unwrap()
}

fn own_management_key() -> ManagementKey {
    ManagementKey::new(&[0x5A; 32])
}

fn own_unlock_key() -> UnlockKey {
    UnlockKey::new(*b"\x00own\xFFkey")
}

fn blank() -> (TempDir, VirtualCard) {
    let directory = TempDir::new().unwrap();
    let card = VirtualCard::create(directory.path().join("card")).unwrap();
    (directory, card)
}

fn prepare_as(card: &mut dyn Card, algorithm: Algorithm, first: FirstTried) -> Result<Prepared, IssuanceError> {
    prepare_with(card, algorithm, first, &FACTORY_MANAGEMENT_KEY)
}

fn prepare_with(
    card: &mut dyn Card,
    algorithm: Algorithm,
    first: FirstTried,
    transport: &[u8],
) -> Result<Prepared, IssuanceError> {
    prepare_named(card, guid(), algorithm, first, transport)
}

fn prepare_named(
    card: &mut dyn Card,
    guid: Guid,
    algorithm: Algorithm,
    first: FirstTried,
    transport: &[u8],
) -> Result<Prepared, IssuanceError> {
    let preparation = Preparation {
        guid,
        expires: *b"20311231",
        algorithm: &|_| algorithm,
        transport: TransportKeys {
            management_key: &ManagementKey::new(transport),
            unlock_key: &UnlockKey::new(FACTORY_UNLOCK_KEY),
        },
        management_key: &own_management_key(),
        unlock_key: &own_unlock_key(),
        first,
        passcode: &Passcode::from_digits(PASSCODE).unwrap(),
        requests: Some(RequestTerms { holder: HOLDER, digest }),
        digest: &|_, algorithm| vec![0xD1; algorithm.digest_length()],
    };
    prepare(card, &preparation)
}

fn digest(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::P256 | Algorithm::Rsa2048 => Sha256::digest(message).to_vec(),
        Algorithm::P384 => Sha384::digest(message).to_vec(),
    }
}

/// What OpenSSL says of a request whose signature it has verified.
fn read_request(folder: &TempDir, request: &[u8]) -> String {
    let file = folder.path().join("request.der");
    fs::write(&file, request).unwrap();
    let read = Command::new("openssl")
        .args(["req", "-inform", "DER", "-verify", "-text", "-subject", "-pubkey", "-nameopt", "utf8", "-in"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8([read.stderr, read.stdout].concat()).unwrap();
    assert!(read.status.success() && said.contains("verify OK"), "{said}");
    said
}

fn load(card: &mut dyn Card) -> Result<(), IssuanceError> {
    load_certificates(card, guid(), &[&own_management_key()], CERTIFICATES[0], CERTIFICATES[1])
}

/// That nothing of the factory is left, and all that was ordered is there.
fn assert_issued(card: &mut dyn Card) {
    let mut application = Application::select(card).unwrap();
    assert_eq!(application.guid(), Ok(guid()));
    for (slot, certificate) in [(Slot::PivAuthentication, CERTIFICATES[0]), (Slot::CardAuthentication, CERTIFICATES[1])]
    {
        assert_eq!(application.certificate(slot).unwrap().der(), certificate);
    }
    assert_eq!(application.authenticate_management(&[&ManagementKey::new(&FACTORY_MANAGEMENT_KEY)]), Ok(None));
    let own = application.authenticate_management(&[&own_management_key()]).unwrap();
    assert_eq!(own, Some((ManagementAlgorithm::Aes256, 0)));
    let passcode = Passcode::from_digits(PASSCODE).unwrap();
    let factory = Passcode::from_digits("123456").unwrap();
    assert!(matches!(application.try_passcode(&factory), Ok(Verdict::Refused { .. })));
    assert!(application.verify(PasscodeSource::Known(&passcode), LastTry::Keep).is_ok());
    let factory = application.change_unlock_key(&UnlockKey::new(FACTORY_UNLOCK_KEY), &own_unlock_key());
    assert!(matches!(factory, Ok(Verdict::Refused { .. })));
    assert_eq!(application.reset_retry_counter(&own_unlock_key(), &passcode), Ok(Verdict::Accepted));
}

#[test]
fn a_blank_card_gets_everything_of_its_own_and_signs_for_it() {
    for algorithm in [Algorithm::P256, Algorithm::P384, Algorithm::Rsa2048] {
        let (_directory, mut card) = blank();
        let prepared = prepare_as(&mut card, algorithm, FirstTried::Transport).unwrap();
        assert_eq!((prepared.proof.guid, prepared.proof.algorithm), (guid(), algorithm));
        assert_ne!(prepared.authentication_key, prepared.card_authentication_key);
        card.reset().unwrap();
        load(&mut card).unwrap();
        card.reset().unwrap();
        assert_issued(&mut card);
    }
}

#[test]
fn a_card_asks_for_its_certificates_as_another_program_understands_it() {
    let kinds = [
        (Algorithm::P256, "ecdsa-with-SHA256"),
        (Algorithm::P384, "ecdsa-with-SHA384"),
        (Algorithm::Rsa2048, "sha256WithRSAEncryption"),
    ];
    let uuid = "07070707-0707-0707-0707-070707070707";
    for (algorithm, signature) in kinds {
        let (directory, mut card) = blank();
        let prepared = prepare_as(&mut card, algorithm, FirstTried::Transport).unwrap();
        let requests = prepared.requests.unwrap();
        for (request, subject) in [(requests.authentication, HOLDER), (requests.card_authentication, uuid)] {
            let said = read_request(&directory, &request);
            assert!(said.contains(&format!("subject=CN={subject}")), "{said}");
            assert!(said.contains(&format!("URI:urn:uuid:{uuid}")), "{said}");
            assert_eq!(said.matches(&format!("Signature Algorithm: {signature}")).count(), 1, "{said}");
        }
    }
}

#[test]
fn a_card_of_somebody_is_left_alone() {
    let (_directory, mut card) = blank();
    prepare_as(&mut card, Algorithm::P256, FirstTried::Transport).unwrap();
    load(&mut card).unwrap();
    card.reset().unwrap();
    let mut journal = Vec::new();
    let other = Preparation {
        guid: Guid::new([8; 16]).unwrap(),
        expires: *b"20311231",
        algorithm: &|_| Algorithm::P256,
        transport: TransportKeys {
            management_key: &ManagementKey::new(&FACTORY_MANAGEMENT_KEY),
            unlock_key: &UnlockKey::new(FACTORY_UNLOCK_KEY),
        },
        management_key: &ManagementKey::new(&[1; 32]),
        unlock_key: &UnlockKey::new([1; 8]),
        first: FirstTried::Transport,
        passcode: &Passcode::from_digits("271503").unwrap(),
        requests: None,
        digest: &|_, algorithm| vec![0; algorithm.digest_length()],
    };
    let failure = prepare(&mut Watched { card: &mut card, sent: &mut journal }, &other);
    assert_eq!(failure, Err(IssuanceError::NotBlank));
    // SELECT and GET DATA, and what is left of their answers.
    assert!(journal.iter().all(|instruction| matches!(instruction, 0xA4 | 0xCB | 0xC0)), "{journal:02X?}");
    assert_eq!(
        load_certificates(&mut card, other.guid, &[&own_management_key()], &[1], &[2]),
        Err(IssuanceError::NotBlank)
    );
    card.reset().unwrap();
    assert_issued(&mut card);
}

#[test]
fn a_card_with_foreign_keys_is_refused_before_anything_is_written() {
    let (_directory, mut card) = blank();
    let failure = prepare_with(&mut card, Algorithm::P256, FirstTried::Transport, &[9; 24]);
    assert_eq!(failure, Err(IssuanceError::ForeignKeys));
    assert_ne!(Application::select(&mut card).unwrap().guid(), Ok(guid()));
}

#[test]
fn a_card_that_keeps_the_factorys_management_key_is_refused() {
    let (_directory, mut card) = blank();
    for refusal in [Lies::Has("6D00"), Lies::Accepts] {
        let mut card = Liar { card: &mut card, instruction: 0xFF, lies: refusal };
        assert_eq!(prepare_as(&mut card, Algorithm::P256, FirstTried::Transport), Err(IssuanceError::FactoryKeyStays));
    }
}

#[test]
fn a_card_that_has_no_such_command_is_issued_with_a_transport_key_that_is_not_the_factorys() {
    let (_directory, mut card) = blank();
    let agreed = ManagementKey::new(&[0x3C; 24]);
    let mut application = Application::select(&mut card).unwrap();
    application.authenticate_management(&[&ManagementKey::new(&FACTORY_MANAGEMENT_KEY)]).unwrap().unwrap();
    assert_eq!(application.set_management_key(ManagementAlgorithm::TripleDes, &agreed), Ok(true));
    card.reset().unwrap();
    let mut card = Liar { card: &mut card, instruction: 0xFF, lies: Lies::Has("6D00") };
    prepare_with(&mut card, Algorithm::P256, FirstTried::Transport, &[0x3C; 24]).unwrap();
}

#[test]
fn a_card_on_its_way_to_be_another_keeps_the_guid_that_says_whose_secrets_it_has() {
    let (directory, mut card) = blank();
    let agreed = ManagementKey::new(&[0x3C; 24]);
    let mut application = Application::select(&mut card).unwrap();
    application.authenticate_management(&[&ManagementKey::new(&FACTORY_MANAGEMENT_KEY)]).unwrap().unwrap();
    assert_eq!(application.set_management_key(ManagementAlgorithm::TripleDes, &agreed), Ok(true));
    drop(card);
    let place = directory.path().join("card");
    // Just after its unlock key was replaced.
    let fault = Fault { mishap: Mishap::Pull, moment: Moment::After, nth: 2, instruction: Some(0x24) };
    let mut cut = Faulty::new(VirtualCard::open(&place).unwrap(), fault);
    let mut liar = Liar { card: &mut cut, instruction: 0xFF, lies: Lies::Has("6D00") };
    assert!(prepare_with(&mut liar, Algorithm::P256, FirstTried::Transport, &[0x3C; 24]).is_err());
    drop(cut);

    let other = Guid::new([8; 16]).unwrap();
    let mut card = VirtualCard::open(&place).unwrap();
    let mut card = Liar { card: &mut card, instruction: 0xFF, lies: Lies::Has("6D00") };
    let refused = prepare_named(&mut card, other, Algorithm::P256, FirstTried::Transport, &[0x3C; 24]);
    assert_eq!(refused, Err(IssuanceError::ForeignKeys));
    assert_eq!(Application::select(&mut card).unwrap().guid(), Ok(guid()));
    prepare_with(&mut card, Algorithm::P256, FirstTried::Own, &[0x3C; 24]).unwrap();
}

#[test]
fn a_card_whose_certificate_is_compressed_is_somebodys() {
    let (_directory, mut card) = blank();
    let mut application = Application::select(&mut card).unwrap();
    application.authenticate_management(&[&ManagementKey::new(&FACTORY_MANAGEMENT_KEY)]).unwrap().unwrap();
    let compressed = [tlv::encode(0x70, &[0x1F, 0x8B]), tlv::encode(0x71, &[0x01]), tlv::encode(0xFE, &[])].concat();
    application.put(ObjectId::certificate(Slot::PivAuthentication), &compressed).unwrap();
    card.reset().unwrap();
    assert_eq!(prepare_as(&mut card, Algorithm::P256, FirstTried::Transport), Err(IssuanceError::NotBlank));
}

#[test]
fn a_card_that_says_it_has_taken_an_unlock_key_and_has_not_is_found_out() {
    let (_directory, mut card) = blank();
    let mut card = Liar { card: &mut card, instruction: 0x24, lies: Lies::Accepts };
    assert_eq!(
        prepare_as(&mut card, Algorithm::P256, FirstTried::Transport),
        Err(IssuanceError::Card(CardError::Garbled))
    );
}

#[test]
fn a_card_that_says_it_has_taken_a_passcode_and_has_not_is_found_out() {
    let (_directory, mut card) = blank();
    let mut card = Liar { card: &mut card, instruction: 0x2C, lies: Lies::Accepts };
    assert_eq!(
        prepare_as(&mut card, Algorithm::P256, FirstTried::Transport),
        Err(IssuanceError::Card(CardError::Garbled))
    );
}

fn named(kind: &str) -> &'static Kind {
    Kind::named(kind).unwrap()
}

/// Issues a card of a kind, cut at one command, and then again, first without knowing how far it was. Says whether it was cut.
fn issue_in_spite_of_a_cut(kind: &Kind, moment: Moment, nth: u32) -> bool {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("card");
    drop(VirtualCard::create(&place).unwrap());
    let insert = || kind.put_on(VirtualCard::open(&place).unwrap(), Box::new(|_| Touched::InTime)).unwrap();
    let cut = {
        let mut card = Faulty::new(insert(), Fault { mishap: Mishap::Pull, moment, nth, instruction: None });
        prepare_as(&mut card, Algorithm::P256, FirstTried::Transport).and_then(|_| load(&mut card))
    };
    let was_cut = match cut {
        Ok(()) => false,
        Err(IssuanceError::Card(CardError::Transport(TransportError::Removed))) => true,
        other => panic!("{}: a removal was reported as {other:?}", kind.name),
    };
    if was_cut {
        // Each attempt begins with the other unlock key, so that tries are spread evenly.
        let mut card = insert();
        prepare_as(&mut card, Algorithm::P256, FirstTried::Own)
            .unwrap_or_else(|error| panic!("{}: cut {moment:?} command {nth}: {error}", kind.name));
        load(&mut card).unwrap();
    }
    assert_issued(&mut *insert());
    was_cut
}

#[test]
fn a_card_that_was_pulled_at_any_command_is_issued_by_the_same_again() {
    // Those that differ in what issuing has to do with: refusals, tries, instructions of the maker, APDUs.
    for kind in ["piv-authenticator", "strict-keeps-tries", "yubikey-5", "get-response"].map(named) {
        for moment in [Moment::Before, Moment::After] {
            let mut nth = 1;
            while issue_in_spite_of_a_cut(kind, moment, nth) {
                nth += 1;
            }
            assert!(nth > 20, "{}: only {nth} commands", kind.name);
        }
    }
}

#[test]
fn a_card_is_pulled_again_and_again_and_is_not_lost() {
    let (directory, card) = blank();
    drop(card);
    let place = directory.path().join("card");
    // Just after a wrong unlock key, or just before the right one, whichever comes first now.
    for round in 0..12 {
        let first = if round % 2 == 0 { FirstTried::Transport } else { FirstTried::Own };
        // At first the transport key is tried, before the card has a GUID of ours.
        let nth = if round == 0 { 2 } else { 1 };
        let fault = Fault { mishap: Mishap::Pull, moment: Moment::After, nth, instruction: Some(0x24) };
        let mut card = Faulty::new(VirtualCard::open(&place).unwrap(), fault);
        assert!(prepare_as(&mut card, Algorithm::P256, first).is_err());
    }
    let mut card = VirtualCard::open(&place).unwrap();
    prepare_as(&mut card, Algorithm::P256, FirstTried::Own).unwrap();
    load(&mut card).unwrap();
    let look = transaction::look(&mut card).unwrap();
    assert_eq!(look.0, guid());
}

struct Watched<'a> {
    card: &'a mut dyn Card,
    sent: &'a mut Vec<u8>,
}

impl Card for Watched<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.sent.push(command[1]);
        self.card.transmit(command)
    }
}

/// What a card says to an instruction that it does not carry out.
enum Lies {
    Has(&'static str),
    Accepts,
}

struct Liar<'a> {
    card: &'a mut dyn Card,
    instruction: u8,
    lies: Lies,
}

impl Card for Liar<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if command[1] != self.instruction {
            return self.card.transmit(command);
        }
        let word = match self.lies {
            Lies::Has(word) => u16::from_str_radix(word, 16).unwrap(),
            Lies::Accepts => 0x9000,
        };
        Ok(word.to_be_bytes().to_vec())
    }
}
