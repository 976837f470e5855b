//! Issuing a card at the desk: what is sent to whom, what counts as done, and what a cut leaves.

use card_protocol::{
    CardProof, Guid, Purpose, Slot, UnlockKey,
    issuing::{FirstTried, IssuingSecrets},
};
use domain::{
    ProofFault,
    card::CardState,
    mail::Message,
    person::UserNumber,
    ra::{Action, Certification, Deed, DeskError, Forbidden, Given, Order},
    role::Role,
    trail::{Event, Outcome},
    unlock::service::{FlowPurpose, Identified},
};

use crate::{
    desk::{AtDesk, at_desk, jane, order},
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card, service_secret},
};

/// A blank card in the reader of Ray's desk: once prepared it has the keys of this one.
fn blank(guid: Guid, desk: &AtDesk) -> SoftwareCard {
    SoftwareCard::new(50, ORIGIN).named(guid, &desk.card)
}

fn issue(card: Option<Guid>, replaces: Option<Guid>) -> Order {
    order(Action::IssueCard { card, replaces })
}

async fn world() -> (World, SoftwareCard, AtDesk) {
    let (world, card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    (world, card, ray)
}

/// Orders a card, and opens its secrets as the bridge does.
async fn begin(world: &World, desk: &AtDesk, order: &Order) -> IssuingSecrets {
    let (given, proof) = desk.order(world, order).await.unwrap();
    let Given::Issuing(sent) = given else { panic!("nothing to issue") };
    let secrets = desk.card.open_issuing(&service_secret(), &proof, &sent.secrets);
    assert_eq!(secrets.guid, sent.guid);
    secrets
}

async fn prepared(
    world: &World,
    desk: &AtDesk,
    card: &SoftwareCard,
    proof: &CardProof,
) -> Result<card_protocol::Challenge, DeskError> {
    let certification = world.services.desk.prepared(&desk.officer, &card.prepared(proof.clone())).await?;
    let Certification::Done(certificates) = certification else { panic!("certificates are another's to make") };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(text(&certificates.authentication), format!("Jane Smith {} Authentication", card.guid));
    assert_eq!(text(&certificates.card_authentication), format!("Jane Smith {} CardAuthentication", card.guid));
    Ok(certificates.challenge)
}

/// Issues a card from the order to its last proof.
async fn issue_whole(world: &World, desk: &AtDesk, order: &Order) -> SoftwareCard {
    let secrets = begin(world, desk, order).await;
    let mut card = blank(secrets.guid, desk);
    card.unlock_key = secrets.unlock_key.clone();
    let challenge = prepared(world, desk, &card, &card.prove(Purpose::Prepared, secrets.completion)).await.unwrap();
    world.services.desk.issued(&desk.officer, &card.prove(Purpose::Hello, challenge)).await.unwrap();
    card
}

#[tokio::test]
async fn a_card_that_was_issued_is_its_persons_and_can_be_unlocked() {
    let (world, _, ray) = world().await;
    let mut card = issue_whole(&world, &ray, &issue(None, None)).await;
    let tables = world.store.tables().await;
    assert_eq!((&tables.cards[&card.guid].holder, tables.cards[&card.guid].state), (&jane(), CardState::Active));
    assert_eq!(world.sign_in(&card).await.person.user_number, jane());

    let token = world.reach_passcode(&card).await;
    let release = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(&token, &release).await.unwrap();
    let keys = card.open(&service_secret(), &release, &sealed);
    assert!(card.take(&keys), "the card has another unlock key than the service");
}

#[tokio::test]
async fn what_a_card_gets_is_its_own_and_the_trail_and_its_person_hear_of_it() {
    let (world, _, ray) = world().await;
    let first = begin(&world, &ray, &issue(None, None)).await;
    let second = begin(&world, &ray, &issue(None, None)).await;
    assert_ne!(first.guid, second.guid);
    assert!(first.unlock_key != second.unlock_key && first.management_key != second.management_key);
    assert_eq!((first.management_key.expose_secret().len(), first.first), (32, FirstTried::Transport));
    assert!(first.transport_unlock_key == UnlockKey::new(*b"12345678"));
    assert_eq!(first.expires.len(), 8);
    let told = |mails: Vec<domain::mail::Mail>| {
        let helped = |mail: &domain::mail::Mail| match &mail.message {
            Message::RaHelped { deed, .. } => Some(*deed),
            _ => None,
        };
        mails.iter().filter_map(helped).collect::<Vec<_>>()
    };
    assert_eq!(told(world.mails().await), []);

    let card = issue_whole(&world, &ray, &issue(None, None)).await;
    assert_eq!(told(world.mails().await), [Deed::IssueCard]);
    let trail = world.trail().await;
    let entry = trail.iter().find(|entry| entry.event == Event::CardIssued).unwrap();
    let person = &world.store.tables().await.people[&jane()];
    assert_eq!(entry.card, Some(person.trail_salt.name_card(&card.guid)));
    assert_eq!((entry.outcome, entry.by.is_some()), (Outcome::Done, true));
    assert_eq!(trail.iter().filter(|entry| entry.event == Event::IssuingBegun).count(), 3);
}

#[tokio::test]
async fn until_its_last_proof_it_is_nobodys_card() {
    let (world, _, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(None, None)).await;
    let card = blank(secrets.guid, &ray);
    let proof = card.prove(Purpose::Prepared, secrets.completion);
    prepared(&world, &ray, &card, &proof).await.unwrap();
    assert!(!world.store.tables().await.cards.contains_key(&card.guid));
    let challenge = world.services.sign_in.challenge(domain::challenge::Binding::Browser(&world.token()));
    let hello = card.prove(Purpose::Hello, challenge);
    let refused = world.services.desk.issued(&ray.officer, &hello).await;
    assert!(matches!(refused, Err(DeskError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn a_report_that_was_lost_is_made_again() {
    let (world, _, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(None, None)).await;
    let card = blank(secrets.guid, &ray);
    let proof = card.prove(Purpose::Prepared, secrets.completion);
    prepared(&world, &ray, &card, &proof).await.unwrap();
    let challenge = prepared(&world, &ray, &card, &proof).await.unwrap();
    let hello = card.prove(Purpose::Hello, challenge);
    for _ in 0..2 {
        world.services.desk.issued(&ray.officer, &hello).await.unwrap();
    }
    assert_eq!(world.trail().await.iter().filter(|entry| entry.event == Event::CardIssued).count(), 1);
}

#[tokio::test]
async fn a_card_that_was_pulled_gets_the_same_secrets_again_the_other_unlock_key_first() {
    let (world, _, ray) = world().await;
    let first = begin(&world, &ray, &issue(None, None)).await;
    let again = begin(&world, &ray, &issue(Some(first.guid), None)).await;
    assert_eq!((again.guid, again.first), (first.guid, FirstTried::Own));
    assert!(again.unlock_key == first.unlock_key && again.management_key == first.management_key);
    assert_eq!(begin(&world, &ray, &issue(Some(first.guid), None)).await.first, FirstTried::Transport);
    // What the card signs for the earlier attempt counts no more.
    let card = blank(first.guid, &ray);
    let late = prepared(&world, &ray, &card, &card.prove(Purpose::Prepared, first.completion)).await;
    assert!(matches!(late, Err(DeskError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn a_card_that_has_other_keys_after_a_cut_is_issued_with_those() {
    let (world, _, ray) = world().await;
    let first = begin(&world, &ray, &issue(None, None)).await;
    let card = blank(first.guid, &ray);
    prepared(&world, &ray, &card, &card.prove(Purpose::Prepared, first.completion)).await.unwrap();
    // The certificates never got there. Prepared again it makes other keys.
    let again = begin(&world, &ray, &issue(Some(first.guid), None)).await;
    let other = SoftwareCard::new(51, ORIGIN).named(first.guid, &ray.card);
    let proof = other.prove(Purpose::Prepared, again.completion);
    let challenge = prepared(&world, &ray, &other, &proof).await.unwrap();
    let former = world.services.desk.issued(&ray.officer, &card.prove(Purpose::Hello, challenge)).await;
    assert!(matches!(former, Err(DeskError::Proof(ProofFault::Refused))));
    world.services.desk.issued(&ray.officer, &other.prove(Purpose::Hello, challenge)).await.unwrap();
}

#[tokio::test]
async fn a_card_that_was_begun_for_one_person_can_become_anothers() {
    let (world, _, ray) = world().await;
    let begun = begin(&world, &ray, &issue(None, None)).await;
    let card = SoftwareCard::new(8, ORIGIN);
    world.services.enrolment.enrol(&new_card(&card, "1002")).await.unwrap();
    let other = UserNumber::parse("1002").unwrap();
    let order = Order { person: other.clone(), ..issue(Some(begun.guid), None) };
    let again = begin(&world, &ray, &order).await;
    assert_eq!(again.guid, begun.guid);
    assert_eq!(world.store.tables().await.issuances[&begun.guid].person, other);
}

#[tokio::test]
async fn the_secrets_of_a_card_that_was_begun_for_a_manager_are_no_agents() {
    let (world, _, ray) = world().await;
    let kim = at_desk(&world, 8, Role::RaManager).await;
    at_desk(&world, 9, Role::RaManager).await;
    let order = Order { person: UserNumber::parse("909").unwrap(), ..issue(None, None) };
    let begun = begin(&world, &kim, &order).await;
    let taken = ray.act(&world, &issue(Some(begun.guid), None)).await;
    assert!(matches!(taken, Err(DeskError::Forbidden(Forbidden::Role))));
    assert_eq!(begin(&world, &kim, &issue(Some(begun.guid), None)).await.guid, begun.guid);
}

#[tokio::test]
async fn only_who_ordered_it_goes_on_with_it_and_only_over_the_same_connection() {
    let (world, _, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(None, None)).await;
    let card = blank(secrets.guid, &ray);
    let proof = card.prove(Purpose::Prepared, secrets.completion);
    let kim = at_desk(&world, 8, Role::RaManager).await;
    let by_another = world.services.desk.prepared(&kim.officer, &card.prepared(proof)).await;
    assert!(matches!(by_another, Err(DeskError::Unknown)));
    let elsewhere = SoftwareCard::new(50, ORIGIN).named(card.guid, &kim.card);
    let proof = elsewhere.prove(Purpose::Prepared, secrets.completion);
    let refused = world.services.desk.prepared(&ray.officer, &card.prepared(proof)).await;
    assert!(matches!(refused, Err(DeskError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn a_card_whose_word_is_not_signed_with_its_own_key_is_not_believed() {
    let (world, _, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(None, None)).await;
    let card = blank(secrets.guid, &ray);
    for proof in [
        card.prove_with_other_slot(Purpose::Prepared, secrets.completion),
        card.prove(Purpose::Unlocked, secrets.completion),
        card.prove(Purpose::Prepared, card_protocol::Challenge([1; 32])),
    ] {
        let refused = prepared(&world, &ray, &card, &proof).await;
        assert!(matches!(refused, Err(DeskError::Proof(ProofFault::Refused))));
    }
}

#[tokio::test]
async fn keys_that_another_card_has_are_refused() {
    let (world, jane, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(None, None)).await;
    let card = SoftwareCard::new(1, ORIGIN).named(secrets.guid, &ray.card);
    assert_eq!(jane.public_key(Slot::Authentication), card.public_key(Slot::Authentication));
    let refused = prepared(&world, &ray, &card, &card.prove(Purpose::Prepared, secrets.completion)).await;
    assert!(matches!(refused, Err(DeskError::UnfitKeys)));
}

#[tokio::test]
async fn a_card_of_somebody_is_not_issued() {
    let (world, card, ray) = world().await;
    assert!(matches!(ray.act(&world, &issue(Some(card.guid), None)).await, Err(DeskError::CardTaken)));
    let issued = issue_whole(&world, &ray, &issue(None, None)).await;
    assert!(matches!(ray.act(&world, &issue(Some(issued.guid), None)).await, Err(DeskError::CardTaken)));
}

#[tokio::test]
async fn a_card_that_comes_with_a_guid_of_its_maker_is_issued_with_a_fresh_one() {
    let (world, _, ray) = world().await;
    let secrets = begin(&world, &ray, &issue(Some(Guid([0xAB; 16])), None)).await;
    assert_ne!(secrets.guid, Guid([0xAB; 16]));
}

#[tokio::test]
async fn the_card_that_is_replaced_is_cancelled_when_the_new_one_is_issued_and_not_before() {
    let (world, old, ray) = world().await;
    let order = issue(None, Some(old.guid));
    let secrets = begin(&world, &ray, &order).await;
    assert_eq!(world.store.tables().await.cards[&old.guid].state, CardState::Active);
    let card = blank(secrets.guid, &ray);
    let challenge = prepared(&world, &ray, &card, &card.prove(Purpose::Prepared, secrets.completion)).await.unwrap();
    world.services.desk.issued(&ray.officer, &card.prove(Purpose::Hello, challenge)).await.unwrap();
    assert_eq!(world.store.tables().await.cards[&old.guid].state, CardState::Cancelled);
    assert!(matches!(world.identify(&old).await, Identified::DeadEnd(_)));
    // A cancelled one is replaced no more, nor is one of somebody else.
    for replaced in [old.guid, ray.card.guid] {
        let refused = ray.act(&world, &issue(None, Some(replaced))).await;
        assert!(matches!(refused, Err(DeskError::NothingToDo | DeskError::Unknown)));
    }
}

#[tokio::test]
async fn a_card_that_was_issued_goes_with_its_person() {
    let (world, _, ray) = world().await;
    issue_whole(&world, &ray, &issue(None, None)).await;
    let erased = world.services.erasure.erase(&jane()).await.unwrap();
    assert_eq!((erased.rows.cards, erased.rows.issuances), (2, 1));
    assert!(world.store.tables().await.issuances.is_empty());
}
