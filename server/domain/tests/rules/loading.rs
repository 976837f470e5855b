//! Certificates of another authority: what a card asks it for, and loading them.

use card_protocol::{CardProof, Challenge, Der, Guid, Purpose, Slot, message::CertificateRequests};
use domain::{
    ProofFault,
    issuance::{CertificateSource, IssuingTerms},
    policy::Policy,
    ra::{Action, Certification, DeskError, Forbidden, Given, Loading},
    role::Role,
    trail::Event,
};

use crate::{
    desk::{AtDesk, at_desk, jane, order},
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card, service_secret},
};

const SLOTS: [Slot; 2] = [Slot::Authentication, Slot::CardAuthentication];

/// A service whose certificates another authority makes, with Jane, her card, and Ray at the desk.
async fn world() -> (World, SoftwareCard, AtDesk) {
    let terms = IssuingTerms { certificates: CertificateSource::Requested, ..IssuingTerms::default() };
    let world = World::on_terms(Policy::default(), terms);
    let card = SoftwareCard::new(1, ORIGIN);
    world.services.enrolment.enrol(&new_card(&card, "1001")).await.unwrap();
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    (world, card, ray)
}

/// Orders a card, and has it say that it has its secrets.
async fn begin(world: &World, desk: &AtDesk, seed: u8, card: Option<Guid>) -> (SoftwareCard, CardProof) {
    let (given, proof) = desk.order(world, &order(Action::IssueCard { card, replaces: None })).await.unwrap();
    let Given::Issuing(sent) = given else { panic!("nothing to issue") };
    let secrets = desk.card.open_issuing(&service_secret(), &proof, &sent.secrets);
    assert_eq!(secrets.holder.as_deref(), Some("Jane Smith"));
    let card = SoftwareCard::new(seed, ORIGIN).named(secrets.guid, &desk.card);
    let prepared = card.prove(Purpose::Prepared, secrets.completion);
    (card, prepared)
}

/// A card that waits for its certificates.
async fn waiting(world: &World, desk: &AtDesk) -> SoftwareCard {
    let (card, proof) = begin(world, desk, 50, None).await;
    for _ in 0..2 {
        let certification = world.services.desk.prepared(&desk.officer, &card.prepared(proof.clone())).await.unwrap();
        assert!(matches!(certification, Certification::Requested));
    }
    card
}

fn load(card: &SoftwareCard, [authentication, card_authentication]: [Der; 2]) -> domain::ra::Order {
    order(Action::LoadCertificates { card: card.guid, authentication, card_authentication })
}

fn certificates(card: &SoftwareCard) -> [Der; 2] {
    SLOTS.map(|slot| card.certificate(slot))
}

/// Orders the loading of its certificates, and gives what the card is to sign then.
async fn loaded(world: &World, desk: &AtDesk, card: &SoftwareCard) -> Challenge {
    let (given, proof) = desk.order(world, &load(card, certificates(card))).await.unwrap();
    let Given::Loading(Loading { secrets, certificates: sent }) = given else { panic!("nothing to load") };
    let secrets = desk.card.open_issuing(&service_secret(), &proof, &secrets);
    assert_eq!((secrets.guid, secrets.holder), (card.guid, None));
    assert_eq!([Der(sent.authentication), Der(sent.card_authentication)], certificates(card));
    sent.challenge
}

async fn on_record(world: &World, desk: &AtDesk) -> Vec<Guid> {
    world.services.desk.open(&desk.officer, &jane()).await.unwrap().waiting
}

#[tokio::test]
async fn a_card_waits_for_its_certificates_and_is_its_persons_when_any_officer_has_loaded_them() {
    let (world, _, ray) = world().await;
    let card = waiting(&world, &ray).await;
    assert!(!world.store.tables().await.cards.contains_key(&card.guid));
    assert_eq!(on_record(&world, &ray).await, [card.guid]);

    let kim = at_desk(&world, 8, Role::RaManager).await;
    for (slot, request) in SLOTS.into_iter().zip(requests(&card)) {
        let found = world.services.desk.certificate_request(&kim.officer, &card.guid, slot).await.unwrap();
        assert_eq!(Der(found), request);
    }
    let card = SoftwareCard::new(50, ORIGIN).named(card.guid, &kim.card);
    let challenge = loaded(&world, &kim, &card).await;
    world.services.desk.issued(&kim.officer, &card.prove(Purpose::Hello, challenge)).await.unwrap();
    assert_eq!(world.sign_in(&card).await.person.user_number, jane());
    assert_eq!(on_record(&world, &ray).await, []);
    let trail = world.trail().await;
    let issued = trail.iter().find(|entry| entry.event == Event::CardIssued).unwrap();
    let kims = world.store.tables().await.people[&kim.signed_in.person.user_number].trail_name();
    assert_eq!(issued.by.as_ref().map(|by| &by.officer), Some(&kims));
}

fn requests(card: &SoftwareCard) -> [Der; 2] {
    let CertificateRequests { authentication, card_authentication } =
        card.prepared(card.prove(Purpose::Prepared, Challenge([0; 32]))).requests.unwrap();
    [authentication, card_authentication]
}

#[tokio::test]
async fn a_certificate_that_is_none_or_of_another_key_is_named_and_nothing_is_lost() {
    let (world, jane, ray) = world().await;
    let card = waiting(&world, &ray).await;
    let [holder, own] = certificates(&card);
    let key = Der(card.public_key(Slot::Authentication).as_der().to_vec());
    for (wrong, slot, is_foreign) in [
        ([jane.certificate(Slot::Authentication), own.clone()], Slot::Authentication, true),
        ([own.clone(), holder.clone()], Slot::Authentication, true),
        ([holder.clone(), holder.clone()], Slot::CardAuthentication, true),
        ([key, own.clone()], Slot::Authentication, false),
        ([holder.clone(), Der(own.0[1..].to_vec())], Slot::CardAuthentication, false),
        ([holder.clone(), Der(Vec::new())], Slot::CardAuthentication, false),
    ] {
        match ray.act(&world, &load(&card, wrong)).await {
            Err(DeskError::ForeignCertificate(found)) => assert_eq!((found, true), (slot, is_foreign)),
            Err(DeskError::NotACertificate(found)) => assert_eq!((found, false), (slot, is_foreign)),
            other => panic!("{other:?}"),
        }
    }
    let challenge = loaded(&world, &ray, &card).await;
    world.services.desk.issued(&ray.officer, &card.prove(Purpose::Hello, challenge)).await.unwrap();
}

#[tokio::test]
async fn a_card_that_was_pulled_gets_its_certificates_by_the_same_order_again() {
    let (world, _, ray) = world().await;
    let card = waiting(&world, &ray).await;
    let first = loaded(&world, &ray, &card).await;
    let second = loaded(&world, &ray, &card).await;
    for challenge in [second, first] {
        world.services.desk.issued(&ray.officer, &card.prove(Purpose::Hello, challenge)).await.unwrap();
    }
    assert_eq!(world.trail().await.iter().filter(|entry| entry.event == Event::CardIssued).count(), 1);
    let again = ray.act(&world, &load(&card, certificates(&card))).await;
    assert!(matches!(again, Err(DeskError::NothingToDo)));
}

#[tokio::test]
async fn a_card_that_is_prepared_anew_asks_anew() {
    let (world, _, ray) = world().await;
    let former = waiting(&world, &ray).await;
    let (card, proof) = begin(&world, &ray, 51, Some(former.guid)).await;
    assert_eq!(on_record(&world, &ray).await, []);
    world.services.desk.prepared(&ray.officer, &card.prepared(proof)).await.unwrap();
    assert_eq!(on_record(&world, &ray).await, [card.guid]);
    let late = ray.act(&world, &load(&former, certificates(&former))).await;
    assert!(matches!(late, Err(DeskError::ForeignCertificate(Slot::Authentication))));
    loaded(&world, &ray, &card).await;
}

#[tokio::test]
async fn requests_that_the_keys_of_the_card_have_not_signed_are_refused() {
    let (world, jane, ray) = world().await;
    let (card, proof) = begin(&world, &ray, 50, None).await;
    let [holder, own] = requests(&card);
    let mut forged = own.clone();
    // A byte of the signature.
    *forged.0.last_mut().unwrap() ^= 1;
    let ask = |authentication: &Der, card_authentication: &Der| {
        let (authentication, card_authentication) = (authentication.clone(), card_authentication.clone());
        Some(CertificateRequests { authentication, card_authentication })
    };
    for wrong in [None, ask(&own, &holder), ask(&requests(&jane)[0], &own), ask(&holder, &forged)] {
        let prepared = card_protocol::message::PreparedCard { requests: wrong, ..card.prepared(proof.clone()) };
        let refused = world.services.desk.prepared(&ray.officer, &prepared).await;
        assert!(matches!(refused, Err(DeskError::NoRequests)));
    }
    world.services.desk.prepared(&ray.officer, &card.prepared(proof)).await.unwrap();
}

#[tokio::test]
async fn only_an_order_lets_another_officer_go_on_and_nobody_for_themself() {
    let (world, _, ray) = world().await;
    let card = waiting(&world, &ray).await;
    let challenge = loaded(&world, &ray, &card).await;
    let kim = at_desk(&world, 8, Role::RaManager).await;
    let by_another = world.services.desk.issued(&kim.officer, &card.prove(Purpose::Hello, challenge)).await;
    assert!(matches!(by_another, Err(DeskError::Unknown)));
    // Once Kim has ordered it, it is no more Ray's.
    loaded(&world, &kim, &SoftwareCard::new(50, ORIGIN).named(card.guid, &kim.card)).await;
    let late = world.services.desk.issued(&ray.officer, &card.prove(Purpose::Hello, challenge)).await;
    assert!(matches!(late, Err(DeskError::Unknown)));
    let other = SoftwareCard::new(51, ORIGIN).named(card.guid, &kim.card);
    let impostor = world.services.desk.issued(&kim.officer, &other.prove(Purpose::Hello, challenge)).await;
    assert!(matches!(impostor, Err(DeskError::Proof(ProofFault::Refused))));

    world.services.desk.grant(&jane(), Role::RaManager).await.unwrap();
    let signed_in = world.sign_in(&SoftwareCard::new(1, ORIGIN)).await;
    let herself = world.services.desk.officer(&signed_in).unwrap();
    for (officer, forbidden) in [(&herself, Forbidden::OwnRecord), (&ray.officer, Forbidden::Role)] {
        let refused = world.services.desk.certificate_request(officer, &card.guid, Slot::Authentication).await;
        assert!(matches!(refused, Err(DeskError::Forbidden(found)) if found == forbidden));
    }
}
