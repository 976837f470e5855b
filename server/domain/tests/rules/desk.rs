//! The desk of the Registration Authority.

use card_protocol::{CardProof, Purpose};
use domain::{
    ProofFault,
    card::CardState,
    email::EmailAddress,
    enrolment::{NewCard, NewHolder},
    mail::Message,
    person::{Person, UserNumber},
    ra::{Action, Deed, DeskError, Forbidden, Given, IdentityCheck, Order, PersonQuery, RaOfficer, Reason},
    registration::Standing,
    role::Role,
    sign_in::SignedIn,
    trail::{Event, TrailSalt},
    unlock::service::{DeadEndReason, Identified},
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{World, new_card},
};

/// Somebody at the desk, with their card and session.
pub struct AtDesk {
    pub card: SoftwareCard,
    pub signed_in: SignedIn,
    pub officer: RaOfficer,
}

fn number(text: &str) -> UserNumber {
    UserNumber::parse(text).unwrap()
}

pub fn jane() -> UserNumber {
    number("1001")
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Takes in somebody with a card of this seed, and gives them a role.
pub async fn at_desk(world: &World, seed: u8, role: Role) -> AtDesk {
    let card = SoftwareCard::new(seed, crate::world::ORIGIN);
    let user_number = number(&format!("90{seed}"));
    let holder = NewHolder {
        user_number: user_number.clone(),
        name: format!("Officer {seed}"),
        email: None,
        organisation: None,
    };
    let new = NewCard { holder, ..new_card(&card, "0") };
    world.services.enrolment.enrol(&new).await.unwrap();
    world.services.desk.grant(&user_number, role).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    let officer = world.services.desk.officer(&signed_in).unwrap();
    AtDesk { card, signed_in, officer }
}

pub fn order(action: Action) -> Order {
    Order { person: jane(), action, reason: Reason::PersonAsked, check: IdentityCheck::PhotoId }
}

impl AtDesk {
    pub async fn act(&self, world: &World, order: &Order) -> Result<(), DeskError> {
        self.order(world, order).await.map(drop)
    }

    /// Orders, and says what came of it and by which proof.
    pub async fn order(&self, world: &World, order: &Order) -> Result<(Given, CardProof), DeskError> {
        let challenge = world.services.desk.challenge(&self.officer, order).await?;
        let proof = self.card.prove(Purpose::RaAction, challenge);
        Ok((world.services.desk.act(&self.officer, order, &proof).await?, proof))
    }
}

/// Jane is registered and locked out, and Ray is at the desk.
async fn locked_out() -> (World, SoftwareCard, AtDesk) {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    (world, card, ray)
}

async fn registered() -> (World, SoftwareCard, AtDesk) {
    let (world, card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    (world, card, ray)
}

fn person(user_number: &str, role: Role) -> Person {
    Person {
        user_number: number(user_number),
        name: "Somebody".to_owned(),
        email: None,
        organisation: None,
        language: domain::language::Language::English,
        role,
        trail_salt: TrailSalt::new([1; 32]),
    }
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let world = World::empty();
    for role in [Role::RaAgent, Role::RaManager] {
        let seed = if role == Role::RaAgent { 7 } else { 8 };
        let AtDesk { officer, .. } = at_desk(&world, seed, role).await;
        for deed in Deed::ALL {
            for target in Role::ALL {
                let may = match (role, deed, target) {
                    (Role::RaManager, _, _) => true,
                    (_, Deed::Appoint, _)
                    | (_, _, Role::RaManager)
                    | (_, Deed::IssueCard | Deed::UnlockCard, Role::RaAgent) => false,
                    _ => true,
                };
                let expected = if may { Ok(()) } else { Err(Forbidden::Role) };
                assert_eq!(officer.may(deed, &person("1", target)), expected, "{role:?} {deed:?} {target:?}");
            }
            let own = person(&format!("90{seed}"), role);
            assert_eq!(officer.may(deed, &own), Err(Forbidden::OwnRecord));
        }
    }
}

#[tokio::test]
async fn a_cardholder_has_no_place_at_the_desk() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    assert_eq!(world.services.desk.officer(&signed_in).unwrap_err(), Forbidden::NoOfficer);
}

#[tokio::test]
async fn a_lock_out_is_cleared_and_everybody_can_see_by_whom_and_why() {
    let (world, card, ray) = locked_out().await;
    assert!(matches!(world.identify(&card).await, Identified::DeadEnd(end) if end.reason == DeadEndReason::LockedOut));
    ray.act(&world, &order(Action::ClearLockOut)).await.unwrap();
    assert!(matches!(world.identify(&card).await, Identified::Flow(_)));

    let trail = world.trail().await;
    let entry = trail.iter().find(|entry| entry.event == Event::LockOutCleared).unwrap();
    let by = entry.by.clone().unwrap();
    assert_eq!((by.reason, by.check), (Some(Reason::PersonAsked), Some(IdentityCheck::PhotoId)));
    assert_eq!(by.officer, ray.signed_in.person.trail_name());
    let mail = world.mails().await.into_iter().next_back().unwrap();
    assert_eq!(mail.to, email("jane.smith@nhs.net"));
    assert!(matches!(mail.message, Message::RaHelped { deed: Deed::ClearLockOut, .. }) && mail.freeze.is_some());

    let again = ray.act(&world, &order(Action::ClearLockOut)).await;
    assert!(matches!(again, Err(DeskError::NothingToDo)));
}

#[tokio::test]
async fn an_order_is_signed_for_itself_once_in_its_session_by_the_officers_own_card() {
    let (world, card, ray) = locked_out().await;
    let desk = &world.services.desk;
    let clear = order(Action::ClearLockOut);
    let other = Order { reason: Reason::Misuse, ..clear.clone() };
    let challenge = desk.challenge(&ray.officer, &clear).await.unwrap();
    let proof = ray.card.prove(Purpose::RaAction, challenge);
    let refused = |result| matches!(result, Err(DeskError::Proof(ProofFault::Refused)));
    assert!(refused(desk.act(&ray.officer, &other, &proof).await), "another order");
    let elsewhere = desk.officer(&world.sign_in(&ray.card).await).unwrap();
    assert!(refused(desk.act(&elsewhere, &clear, &proof).await), "another session");
    assert!(refused(desk.act(&ray.officer, &clear, &card.prove(Purpose::RaAction, challenge)).await), "Jane's card");
    let for_something_else = ray.card.prove(Purpose::Change, challenge);
    assert!(refused(desk.act(&ray.officer, &clear, &for_something_else).await), "another purpose");
    assert!(matches!(world.identify(&card).await, Identified::DeadEnd(_)));

    desk.act(&ray.officer, &clear, &proof).await.unwrap();
    assert!(matches!(desk.act(&ray.officer, &clear, &proof).await, Err(DeskError::Proof(ProofFault::Stale))));
    let old = desk.challenge(&ray.officer, &order(Action::Freeze)).await.unwrap();
    world.clock.advance(Duration::minutes(3));
    let late = desk.act(&ray.officer, &order(Action::Freeze), &ray.card.prove(Purpose::RaAction, old)).await;
    assert!(matches!(late, Err(DeskError::Proof(ProofFault::Stale))));
}

#[tokio::test]
async fn a_challenge_changes_nothing_and_says_what_the_order_would_meet() {
    let (world, _, ray) = locked_out().await;
    let before = world.trail().await.len();
    world.services.desk.challenge(&ray.officer, &order(Action::ClearLockOut)).await.unwrap();
    assert_eq!(world.trail().await.len(), before);
    let unknown = Order { person: number("4711"), ..order(Action::ClearLockOut) };
    let asked = world.services.desk.challenge(&ray.officer, &unknown).await;
    assert!(matches!(asked, Err(DeskError::Unknown)));
    let own = Order { person: number("907"), ..order(Action::ClearLockOut) };
    let asked = world.services.desk.challenge(&ray.officer, &own).await;
    assert!(matches!(asked, Err(DeskError::Forbidden(Forbidden::OwnRecord))));
}

#[tokio::test]
async fn an_address_that_an_officer_sets_gets_codes_after_a_day_or_once_another_confirms_it() {
    let (world, card, ray) = registered().await;
    let rita = at_desk(&world, 8, Role::RaAgent).await;
    let elsewhere = order(Action::SetEmail { email: email("jane@elsewhere.test") });
    assert!(matches!(ray.act(&world, &elsewhere).await, Err(DeskError::DomainNotApproved)));
    let nothing = ray.act(&world, &order(Action::ConfirmEmail)).await;
    assert!(matches!(nothing, Err(DeskError::NothingToDo)));

    let mails = world.mails().await.len();
    ray.act(&world, &order(Action::SetEmail { email: email("jane.new@nhs.net") })).await.unwrap();
    let told: Vec<_> = world.mails().await.split_off(mails).into_iter().map(|mail| mail.to).collect();
    assert_eq!(told, [email("jane.smith@nhs.net"), email("jane.new@nhs.net")]);
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    assert_eq!(world.mails().await.into_iter().next_back().unwrap().to, email("jane.smith@nhs.net"));

    assert!(matches!(ray.act(&world, &order(Action::ConfirmEmail)).await, Err(DeskError::SameOfficer)));
    rita.act(&world, &order(Action::ConfirmEmail)).await.unwrap();
    let token = world.begin_unlock(&card).await;
    world.clock.advance(Duration::minutes(2));
    world.answer_right(&token, &card).await;
    assert_eq!(world.mails().await.into_iter().next_back().unwrap().to, email("jane.new@nhs.net"));
}

#[tokio::test]
async fn an_address_of_the_persons_own_is_not_for_the_ra_to_confirm() {
    let (world, card, ray) = registered().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane.other@nhs.net").await;
    let code = world.last_code().await;
    world.enter_registration_code(&signed_in, &code).await;
    let confirmed = ray.act(&world, &order(Action::ConfirmEmail)).await;
    assert!(matches!(confirmed, Err(DeskError::NothingToDo)));
}

#[tokio::test]
async fn a_registration_is_ended_with_all_that_is_under_way() {
    let (world, card, ray) = registered().await;
    let signed_in = world.sign_in(&card).await;
    let unlocking = world.begin_unlock(&card).await;
    ray.act(&world, &order(Action::EndRegistration)).await.unwrap();
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::NotRegistered);
    assert!(world.store.tables().await.sessions.iter().all(|session| session.person != signed_in.person.user_number));
    let flows = world.store.tables().await.unlock_flows;
    assert!(flows.iter().find(|flow| flow.token == unlocking.hash()).is_some_and(|flow| !flow.step.is_open()));
}

#[tokio::test]
async fn a_frozen_person_can_do_nothing_until_it_is_cleared() {
    let (world, card, ray) = registered().await;
    ray.act(&world, &order(Action::Freeze)).await.unwrap();
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::Frozen);
    ray.act(&world, &order(Action::ClearLockOut)).await.unwrap();
    assert_eq!(world.store.tables().await.registrations[&jane()].standing, Standing::Open { failed_attempts: 0 });
}

#[tokio::test]
async fn a_cancelled_card_is_of_no_more_use() {
    let (world, card, ray) = registered().await;
    let not_hers = order(Action::CancelCard { card: ray.card.guid });
    assert!(matches!(ray.act(&world, &not_hers).await, Err(DeskError::Unknown)));
    ray.act(&world, &order(Action::CancelCard { card: card.guid })).await.unwrap();
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::Cancelled);
    assert_eq!(world.store.tables().await.cards[&card.guid].state, CardState::Cancelled);
}

#[tokio::test]
async fn an_officer_whose_card_is_cancelled_or_whose_role_is_gone_acts_no_more() {
    let (world, _, ray) = locked_out().await;
    let manager = at_desk(&world, 8, Role::RaManager).await;
    let challenge = world.services.desk.challenge(&ray.officer, &order(Action::ClearLockOut)).await.unwrap();
    let cancel = Order { person: number("907"), ..order(Action::CancelCard { card: ray.card.guid }) };
    manager.act(&world, &cancel).await.unwrap();
    let proof = ray.card.prove(Purpose::RaAction, challenge);
    let acted = world.services.desk.act(&ray.officer, &order(Action::ClearLockOut), &proof).await;
    assert!(matches!(acted, Err(DeskError::Proof(ProofFault::Refused))));

    let appoint = |role| Order { person: number("907"), ..order(Action::Appoint { role }) };
    manager.act(&world, &appoint(Role::Cardholder)).await.unwrap();
    assert!(matches!(manager.act(&world, &appoint(Role::Cardholder)).await, Err(DeskError::NothingToDo)));
    let sessions = world.store.tables().await.sessions;
    assert!(sessions.iter().all(|session| session.person != number("907")), "whoever has another role signs in anew");
}

#[tokio::test]
async fn whoever_gets_another_role_signs_in_anew() {
    let (world, _, ray) = registered().await;
    let manager = at_desk(&world, 8, Role::RaManager).await;
    let number = ray.signed_in.person.user_number.clone();
    assert!(world.store.tables().await.sessions.iter().any(|session| session.person == number));
    let appoint = Order { person: number.clone(), ..order(Action::Appoint { role: Role::Cardholder }) };
    manager.act(&world, &appoint).await.unwrap();
    assert!(world.store.tables().await.sessions.iter().all(|session| session.person != number));
    let signed_in = world.sign_in(&ray.card).await;
    assert_eq!(world.services.desk.officer(&signed_in).unwrap_err(), Forbidden::NoOfficer);
}

#[tokio::test]
async fn a_person_is_found_by_all_that_stands_for_them() {
    let (world, card, ray) = locked_out().await;
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    let guid = card.guid.to_string();
    for typed in ["1001", "Jane", "jane smi", "SMITH", "Smith, J", "jane.smith@nhs.net", &guid, end.reference.as_str()]
    {
        let query = PersonQuery::parse(typed).unwrap();
        let found = world.services.desk.find(&ray.officer, &query).await.unwrap();
        assert_eq!(found.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Jane Smith"], "{typed}");
    }
    for typed in ["mith", "1002", "joe@nhs.net"] {
        let query = PersonQuery::parse(typed).unwrap();
        assert!(world.services.desk.find(&ray.officer, &query).await.unwrap().is_empty(), "{typed}");
    }
    assert_eq!(PersonQuery::parse(" ,. "), None);
}

#[tokio::test]
async fn a_record_shows_what_the_desk_needs_and_that_it_was_opened_is_noted_once() {
    let (world, card, ray) = locked_out().await;
    for _ in 0..2 {
        let record = world.services.desk.open(&ray.officer, &jane()).await.unwrap();
        assert_eq!(record.cards[0].guid, card.guid);
        let registration = record.registration.unwrap();
        assert_eq!((registration.attempts_left, registration.email), (0, email("jane.smith@nhs.net")));
        assert!(record.recent.iter().any(|entry| entry.event == Event::SelfServiceLocked));
    }
    let opened = world.trail().await.into_iter().filter(|entry| entry.event == Event::RecordOpened).count();
    assert_eq!(opened, 1);
    let own = world.services.desk.open(&ray.officer, &number("907")).await;
    assert!(matches!(own, Err(DeskError::Forbidden(Forbidden::OwnRecord))));
}

/// The README's table says of each deed who may do it; this is what the code says.
#[tokio::test]
async fn the_table_of_the_readme_is_the_codes() {
    let world = World::empty();
    let agent = at_desk(&world, 7, Role::RaAgent).await.officer;
    let manager = at_desk(&world, 8, Role::RaManager).await.officer;
    let readme = include_str!("../../../README.md");
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| | an agent,"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), Deed::ALL.len());
    for (row, deed) in rows.iter().zip(Deed::ALL) {
        let name = serde_json::to_string(&deed).unwrap().replace('"', "`");
        assert!(row[0].starts_with(&name), "{row:?}: {name}");
        let told = |officer: &RaOfficer, role| if officer.may(deed, &person("1", role)).is_ok() { "yes" } else { "no" };
        for (column, role) in [(1, Role::Cardholder), (2, Role::RaAgent), (3, Role::RaManager)] {
            assert_eq!(row[column], told(&agent, role), "{deed:?} {role:?}");
        }
        for role in Role::ALL {
            assert_eq!(row[4], told(&manager, role), "{deed:?}");
        }
    }
}
