//! Issuing a blank card: the officer's order, the sealed secrets, the passcode of the holder, the certificates.

use std::time::Duration;

use card_bridge::Limits;
use card_protocol::issuing::{CardManagementKey, FirstTried, IssuingSecrets};
use card_protocol::message::{Done, LastTry, PasscodeUse, PreparedCard, Verb};
use card_protocol::proof::{KeyAlgorithm, ProofMessage};
use card_protocol::sealed::{Sealed, ServiceSecret};
use card_protocol::{CardFailure, CardProof, Challenge, Der, Guid, Purpose, UnlockKey};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use piv::tlv;
use spki::DecodePublicKey;
use tempfile::TempDir;
use virtual_card::VirtualCard;

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, serve, service};

const CHALLENGE: Challenge = Challenge([7; 32]);
const COMPLETION: Challenge = Challenge([8; 32]);
const NEW_PASSCODE: &str = "27150386";
const GUID: Guid = Guid([9; 16]);

fn secrets() -> IssuingSecrets {
    IssuingSecrets {
        guid: GUID,
        expires: *b"20311231",
        algorithm: KeyAlgorithm::P256,
        first: FirstTried::Transport,
        transport_unlock_key: UnlockKey::new(*b"12345678"),
        unlock_key: UnlockKey::new([3; 8]),
        transport_management_key: CardManagementKey::new(&piv::FACTORY_MANAGEMENT_KEY).unwrap(),
        management_key: CardManagementKey::new(&[5; 32]).unwrap(),
        completion: COMPLETION,
        holder: None,
    }
}

/// What the server does with an order.
fn seal(service: &ServiceSecret, order: &CardProof) -> Sealed {
    seal_these(service, order, &secrets())
}

fn seal_these(service: &ServiceSecret, order: &CardProof, secrets: &IssuingSecrets) -> Sealed {
    let digest = ProofMessage::of(order, ORIGIN).digest(KeyAlgorithm::P256);
    service.seal_issuing(&order.connection_key, &digest, secrets).unwrap()
}

fn order(page: &mut Page) -> CardProof {
    page.prove_holder(Purpose::RaAction, CHALLENGE, PASSCODE, LastTry::Keep).unwrap()
}

fn prepare(page: &mut Page, passcode: &str, secrets: Sealed) -> Result<PreparedCard, CardFailure> {
    let verb = Verb::PrepareCard { reader: None, passcode: page.seal(PasscodeUse::PrepareCard, passcode), secrets };
    match page.ask(verb)? {
        Done::Prepared(prepared) => Ok(prepared),
        other => panic!("{other:?} instead of a prepared card"),
    }
}

/// As much of a certificate (RFC 5280, 4.1) as the bridge reads: nothing but its key.
fn certificate(key: &Der) -> Der {
    let nothing = tlv::encode(0x30, &[]);
    let serial = tlv::encode(0x02, &[1]);
    let to_be_signed = [&serial, &nothing, &nothing, &nothing, &nothing, &key.0].map(Vec::as_slice).concat();
    Der(tlv::encode(0x30, &tlv::encode(0x30, &to_be_signed)))
}

fn certificates(card: &PreparedCard) -> [Der; 2] {
    [&card.authentication_key, &card.card_authentication_key].map(certificate)
}

fn load(page: &mut Page, card: &PreparedCard) -> Result<Done, CardFailure> {
    load_with(page, card, None)
}

fn load_with(page: &mut Page, card: &PreparedCard, secrets: Option<Sealed>) -> Result<Done, CardFailure> {
    let [authentication, card_authentication] = certificates(card);
    page.ask(Verb::LoadCertificates { reader: None, authentication, card_authentication, secrets })
}

/// A reader with an officer's card in it, and a blank card to take its place.
struct Desk {
    officer: Issued,
    reader: std::sync::Arc<OneReader>,
    blank: TempDir,
}

impl Desk {
    fn new() -> Self {
        let officer = Issued::new(KeyAlgorithm::P256);
        let reader = OneReader::with(officer.insert());
        let blank = tempfile::tempdir().unwrap();
        drop(VirtualCard::create(blank.path().join("card")).unwrap());
        Self { officer, reader, blank }
    }

    fn insert_blank(&self) {
        self.reader.remove();
        self.reader.insert(VirtualCard::open(self.blank.path().join("card")).unwrap());
    }

    fn insert_officer(&self) {
        self.reader.remove();
        self.reader.insert(self.officer.insert());
    }
}

fn signed(proof: &CardProof, key: &Der) -> bool {
    let key = p256::ecdsa::VerifyingKey::from_public_key_der(&key.0).unwrap();
    let digest = ProofMessage::of(proof, ORIGIN).digest(KeyAlgorithm::P256);
    let signature = p256::ecdsa::Signature::from_der(&proof.signature.0).unwrap();
    key.verify_prehash(&digest, &signature).is_ok()
}

#[test]
fn a_blank_card_becomes_somebodys_and_says_so_itself() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    desk.insert_blank();
    let prepared = prepare(&mut page, NEW_PASSCODE, sealed).unwrap();
    assert_eq!((prepared.proof.purpose, prepared.proof.challenge), (Purpose::Prepared, COMPLETION));
    assert_eq!((prepared.proof.guid, prepared.proof.connection_key), (GUID, page.key()));
    assert!(signed(&prepared.proof, &prepared.authentication_key));
    // It has no certificates yet.
    assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::UnsupportedCard));
    assert_eq!(load(&mut page, &prepared), Ok(Done::CertificatesLoaded));
    let hello = page.prove_card(Purpose::Hello, CHALLENGE).unwrap();
    assert!(signed(&hello, &prepared.card_authentication_key));
    assert!(signed(&page.sign_in(NEW_PASSCODE).unwrap(), &prepared.authentication_key));
}

#[test]
fn secrets_without_an_officers_order_are_not_opened() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for purpose in [Purpose::SignIn, Purpose::Register, Purpose::Change] {
        let proof = page.prove_holder(purpose, CHALLENGE, PASSCODE, LastTry::Keep).unwrap();
        let exchanges = desk.reader.exchanges();
        let failure = prepare(&mut page, NEW_PASSCODE, seal(&service(), &proof));
        assert_eq!((failure, desk.reader.exchanges()), (Err(CardFailure::Malformed), exchanges), "{purpose:?}");
    }
}

#[test]
fn an_order_opens_one_sealed_message_and_only_its_own() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let earlier = page.prove_holder(Purpose::RaAction, Challenge([6; 32]), PASSCODE, LastTry::Keep).unwrap();
    let later = order(&mut page);
    desk.insert_blank();
    let exchanges = desk.reader.exchanges();
    assert_eq!(prepare(&mut page, NEW_PASSCODE, seal(&service(), &earlier)), Err(CardFailure::Malformed));
    // The wrong one has used the order up.
    assert_eq!(prepare(&mut page, NEW_PASSCODE, seal(&service(), &later)), Err(CardFailure::Malformed));
    assert_eq!(desk.reader.exchanges(), exchanges);
    desk.insert_officer();
    let order = order(&mut page);
    let exchanges = desk.reader.exchanges();
    let stranger = ServiceSecret::new([0x77; 32]);
    assert_eq!(prepare(&mut page, NEW_PASSCODE, seal(&stranger, &order)), Err(CardFailure::Malformed));
    assert_eq!(desk.reader.exchanges(), exchanges);
}

#[test]
fn an_order_is_forgotten_after_its_time() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), Limits { release: Duration::ZERO, ..LIMITS });
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    desk.insert_blank();
    assert_eq!(prepare(&mut page, NEW_PASSCODE, sealed), Err(CardFailure::Malformed));
}

#[test]
fn a_passcode_that_the_rules_refuse_reaches_no_card() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    desk.insert_blank();
    let exchanges = desk.reader.exchanges();
    // That of the factory.
    assert_eq!(prepare(&mut page, "123456", sealed), Err(CardFailure::Malformed));
    assert_eq!(desk.reader.exchanges(), exchanges);
}

#[test]
fn a_card_of_somebody_is_not_issued() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    assert_eq!(prepare(&mut page, NEW_PASSCODE, sealed), Err(CardFailure::NotBlank));
    assert!(page.sign_in(PASSCODE).is_ok());
}

#[test]
fn certificates_are_written_to_the_card_that_was_prepared_and_no_other() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    desk.insert_blank();
    let card = prepare(&mut page, NEW_PASSCODE, sealed).unwrap();
    desk.insert_officer();
    assert_eq!(load(&mut page, &card), Err(CardFailure::NotBlank));
    desk.insert_blank();
    assert_eq!(load(&mut page, &card), Ok(Done::CertificatesLoaded));
    // An answer that was lost is asked for again.
    assert_eq!(load(&mut page, &card), Ok(Done::CertificatesLoaded));
    let mut other = Page::open(bridge.address, ORIGIN);
    assert_eq!(load(&mut other, &card), Err(CardFailure::Malformed));
}

#[test]
fn a_certificate_of_another_key_never_reaches_the_card() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let sealed = seal(&service(), &order(&mut page));
    desk.insert_blank();
    let card = prepare(&mut page, NEW_PASSCODE, sealed).unwrap();
    let exchanges = desk.reader.exchanges();
    let swapped = PreparedCard {
        authentication_key: card.card_authentication_key.clone(),
        card_authentication_key: card.authentication_key.clone(),
        ..card.clone()
    };
    assert_eq!(load(&mut page, &swapped), Err(CardFailure::Malformed));
    let junk = || Der(vec![0; 40]);
    let verb =
        Verb::LoadCertificates { reader: None, authentication: junk(), card_authentication: junk(), secrets: None };
    assert_eq!(page.ask(verb), Err(CardFailure::Malformed));
    assert_eq!(desk.reader.exchanges(), exchanges);
    assert!(load(&mut page, &card).is_ok());
}

#[test]
fn an_order_that_another_has_overtaken_makes_no_keys_anew() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let (mut slow, mut quick) = (Page::open(bridge.address, ORIGIN), Page::open(bridge.address, ORIGIN));
    let late = seal(&service(), &order(&mut slow));
    let sealed = seal(&service(), &order(&mut quick));
    desk.insert_blank();
    let card = prepare(&mut quick, NEW_PASSCODE, sealed).unwrap();
    assert!(load(&mut quick, &card).is_ok());
    let exchanges = desk.reader.exchanges();
    assert_eq!(prepare(&mut slow, NEW_PASSCODE, late), Err(CardFailure::Busy));
    assert_eq!(desk.reader.exchanges(), exchanges);
    assert!(signed(&quick.prove_card(Purpose::Hello, CHALLENGE).unwrap(), &card.card_authentication_key));
}

#[test]
fn a_card_asks_for_certificates_where_the_secrets_name_its_holder_and_gets_them_later_by_another_order() {
    let desk = Desk::new();
    let bridge = serve(desk.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let proof = order(&mut page);
    let named = IssuingSecrets { holder: Some("Jane Smith".to_owned()), ..secrets() };
    desk.insert_blank();
    let prepared = prepare(&mut page, NEW_PASSCODE, seal_these(&service(), &proof, &named)).unwrap();
    let requests = prepared.requests.clone().unwrap();
    let holds = |request: &Der, bytes: &[u8]| request.0.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&requests.authentication, &prepared.authentication_key.0));
    assert!(holds(&requests.authentication, b"Jane Smith"));
    assert!(holds(&requests.card_authentication, &prepared.card_authentication_key.0));

    // Another day, another connection.
    desk.insert_officer();
    let mut page = Page::open(bridge.address, ORIGIN);
    let loading = |certificates: [Der; 2]| {
        let bytes = certificates.map(|certificate| certificate.0).concat();
        let digest = KeyAlgorithm::P256.digest(&bytes).try_into().unwrap();
        IssuingSecrets { completion: Challenge(digest), ..secrets() }
    };
    let right = loading(certificates(&prepared));
    let sealed = seal_these(&service(), &order(&mut page), &right);
    assert_eq!(load_with(&mut page, &prepared, Some(sealed)), Err(CardFailure::NotBlank), "to the officer's own card");
    let [first, second] = certificates(&prepared);
    let sealed = seal_these(&service(), &order(&mut page), &loading([second, first]));
    assert_eq!(load_with(&mut page, &prepared, Some(sealed)), Err(CardFailure::Malformed), "not signed for");
    let sealed = seal_these(&service(), &order(&mut page), &right);
    desk.insert_blank();
    assert_eq!(load_with(&mut page, &prepared, Some(sealed.clone())), Ok(Done::CertificatesLoaded));
    let hello = page.prove_card(Purpose::Hello, CHALLENGE).unwrap();
    assert!(signed(&hello, &prepared.card_authentication_key));
    assert!(signed(&page.sign_in(NEW_PASSCODE).unwrap(), &prepared.authentication_key));
    // The order is used up; what it has opened is not forgotten, for an answer that was lost.
    assert_eq!(load_with(&mut page, &prepared, Some(sealed)), Err(CardFailure::Malformed));
    assert_eq!(load(&mut page, &prepared), Ok(Done::CertificatesLoaded));
}
