//! What managers do at the desk: reports, the whole trail, imports.

use card_protocol::Purpose;
use domain::{
    ProofFault,
    delivery::{MailState, Undelivered},
    enrolment::{Enrolled, NewCard, NewHolder},
    figure::{CountedFor, Days, Figure},
    import::{Extent, RunEnd, RunState},
    organisation::Organisation,
    person::UserNumber,
    ra::{DeskError, FileDigest, Forbidden, ImportOrder, RaOfficer, Report, Step, TRAIL_PAGE, Task, TrailQuery},
    role::Role,
    trail::{Event, Outcome},
};
use time::{
    Duration,
    Month::{April, February, March},
};

use crate::{
    desk::{AtDesk, at_desk, jane},
    fakes::OneKeyVault,
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card},
};

fn organisation(name: &str) -> Organisation {
    Organisation::parse(name).unwrap()
}

async fn report(world: &World, officer: &RaOfficer, step: Step, whose: &CountedFor) -> Report {
    let last = world.services.desk.today();
    let days = Days { first: last - Duration::days(40), last };
    world.services.desk.report(officer, days, step, whose).await.unwrap()
}

#[tokio::test]
async fn every_role_may_do_the_tasks_that_the_table_says_and_no_others() {
    let world = World::empty();
    let agent = at_desk(&world, 7, Role::RaAgent).await.officer;
    let manager = at_desk(&world, 8, Role::RaManager).await.officer;
    for task in Task::ALL {
        let agents = task == Task::SeeReports;
        assert_eq!(agent.may_do(task), if agents { Ok(()) } else { Err(Forbidden::Role) }, "{task:?}");
        assert_eq!(manager.may_do(task), Ok(()), "{task:?}");
    }
}

/// The README's table says of each task who may do it; this is what the code says.
#[tokio::test]
async fn the_table_of_tasks_in_the_readme_is_the_codes() {
    let world = World::empty();
    let agent = at_desk(&world, 7, Role::RaAgent).await.officer;
    let manager = at_desk(&world, 8, Role::RaManager).await.officer;
    let readme = include_str!("../../../README.md");
    let rows: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| | an agent | a manager |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), Task::ALL.len());
    for (row, task) in rows.iter().zip(Task::ALL) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let name = serde_json::to_string(&task).unwrap().replace('"', "`");
        assert!(cells[0].starts_with(&name), "{row}: {name}");
        let told = |officer: &RaOfficer| if officer.may_do(task).is_ok() { "yes" } else { "no" };
        assert_eq!(cells[1..], [told(&agent), told(&manager)], "{task:?}");
    }
}

#[tokio::test]
async fn what_agents_may_not_is_refused_by_each_use_case() {
    let world = World::empty();
    let AtDesk { officer, card, .. } = at_desk(&world, 7, Role::RaAgent).await;
    let desk = &world.services.desk;
    let before = world.trail().await.len();
    let order = order(Extent::EachRow);
    let proof = card.prove(Purpose::RaAction, card_protocol::Challenge([0; 32]));
    let refused = [
        desk.search_trail(&officer, &TrailQuery::default(), None).await.map(drop),
        desk.copy_trail(&officer, &TrailQuery::default()).await.map(drop),
        desk.import_challenge(&officer, &order).await.map(drop),
        desk.begin_import(&officer, &order, &proof).await.map(drop),
        desk.imports(&officer).await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(DeskError::Forbidden(Forbidden::Role))), "{refused:?}");
    }
    assert_eq!(world.trail().await.len(), before);
}

#[tokio::test]
async fn what_happens_is_counted_for_the_organisation_of_the_person() {
    let world = World::empty();
    let card = SoftwareCard::new(1, ORIGIN);
    let new = new_card(&card, "1001");
    let holder = NewHolder { organisation: Some(organisation("Trust A")), ..new.holder };
    world.services.enrolment.enrol(&NewCard { holder, ..new }).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    world.clock.advance(Duration::days(1));
    let mail = world.store.tables().await.outbox[0].clone();
    let read = mail.open(&OneKeyVault).unwrap();
    world.services.deliveries.undelivered(mail.id, Some(&read), Undelivered::GivenUp).await.unwrap();
    // A mail that could not even be read is nobody's.
    world.services.deliveries.undelivered(mail.id, None, Undelivered::GivenUp).await.unwrap();
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let agent = at_desk(&world, 7, Role::RaAgent).await.officer;

    let everybody = report(&world, &agent, Step::Day, &CountedFor::Everybody).await;
    assert_eq!(Figure::ALL.map(|figure| everybody.total.of(figure)), [1, 0, 1, 2]);
    assert_eq!(everybody.lines.len(), 41);
    let last = everybody.lines.last().unwrap();
    assert_eq!((last.first, last.bucket.of(Figure::LockedOut)), (world.services.desk.today(), 1));
    assert_eq!(everybody.lines[39].bucket.of(Figure::Registered), 1);
    let trust = Some(organisation("Trust A"));
    let organisations: Vec<_> = everybody.organisations.iter().map(|(organisation, _)| organisation.clone()).collect();
    assert_eq!((organisations, everybody.known), (vec![None, trust.clone()], vec![organisation("Trust A")]));
    let of_trust = report(&world, &agent, Step::Month, &CountedFor::Organisation(organisation("Trust A"))).await;
    assert_eq!(Figure::ALL.map(|figure| of_trust.total.of(figure)), [1, 0, 1, 1]);
    let of_nobody = report(&world, &agent, Step::Week, &CountedFor::NoOrganisation).await;
    assert_eq!(Figure::ALL.map(|figure| of_nobody.total.of(figure)), [0, 0, 0, 1]);
}

#[tokio::test]
async fn steps_are_whole_and_the_first_begins_with_the_report() {
    let world = World::empty();
    let officer = at_desk(&world, 7, Role::RaAgent).await.officer;
    let date = |month, day| time::Date::from_calendar_date(2026, month, day).unwrap();
    let days = Days { first: date(February, 26), last: date(April, 2) };
    for (step, firsts) in [
        (Step::Month, vec![date(February, 26), date(March, 1), date(April, 1)]),
        (
            Step::Week,
            vec![date(February, 26), date(March, 2), date(March, 9), date(March, 16), date(March, 23), date(March, 30)],
        ),
    ] {
        let report = world.services.desk.report(&officer, days, step, &CountedFor::Everybody).await.unwrap();
        assert_eq!(report.lines.iter().map(|line| line.first).collect::<Vec<_>>(), firsts);
    }
    for (first, last) in [(date(March, 2), date(March, 1)), (date(March, 1) - Duration::days(3_660), date(March, 1))] {
        let asked = world.services.desk.report(&officer, Days { first, last }, Step::Day, &CountedFor::Everybody).await;
        assert!(matches!(asked, Err(DeskError::NotDays)));
    }
}

#[tokio::test]
async fn whoever_is_erased_stays_counted_and_is_found_on_the_trail_no_more() {
    let (world, card) = World::registered().await;
    let manager = at_desk(&world, 8, Role::RaManager).await.officer;
    let desk = &world.services.desk;
    let registered = TrailQuery { event: Some(Event::Registered), ..TrailQuery::default() };
    let page = desk.search_trail(&manager, &registered, None).await.unwrap();
    assert_eq!(page.lines[0].person.as_ref().map(|person| person.name.as_str()), Some("Jane Smith"));
    assert_eq!(page.lines[0].card, Some(card.guid));

    world.services.erasure.erase(&jane()).await.unwrap();
    let page = desk.search_trail(&manager, &registered, None).await.unwrap();
    assert_eq!(page.lines.len(), 1);
    assert!(page.lines[0].person.is_none() && page.lines[0].card.is_none());
    let of_jane = TrailQuery { person: Some(jane()), ..TrailQuery::default() };
    assert!(matches!(desk.search_trail(&manager, &of_jane, None).await, Err(DeskError::Unknown)));
    let of_card = TrailQuery { card: Some(card.guid), ..TrailQuery::default() };
    assert!(matches!(desk.search_trail(&manager, &of_card, None).await, Err(DeskError::Unknown)));
    assert_eq!(report(&world, &manager, Step::Day, &CountedFor::Everybody).await.total.of(Figure::Registered), 1);
}

#[tokio::test]
async fn that_somebody_looked_at_the_trail_or_copied_it_stands_there_with_whom_they_looked_for() {
    let (world, card) = World::registered().await;
    let manager = at_desk(&world, 8, Role::RaManager).await;
    let desk = &world.services.desk;
    let of_card = TrailQuery { card: Some(card.guid), ..TrailQuery::default() };
    for _ in 0..2 {
        let page = desk.search_trail(&manager.officer, &of_card, None).await.unwrap();
        assert!(page.lines.iter().all(|line| line.card == Some(card.guid)) && !page.lines.is_empty());
    }
    let read: Vec<_> = world.trail().await.into_iter().filter(|entry| entry.event == Event::TrailRead).collect();
    assert_eq!(read.len(), 1, "again and again the same stands there once");
    let janes = world.store.tables().await.people[&jane()].clone();
    assert_eq!(
        (read[0].person.clone(), read[0].card.clone()),
        (Some(janes.trail_name()), Some(janes.trail_salt.name_card(&card.guid)))
    );
    assert_eq!(read[0].by.as_ref().map(|by| &by.officer), Some(&manager.signed_in.person.trail_name()));

    let by_manager =
        TrailQuery { officer: Some(manager.signed_in.person.user_number.clone()), ..TrailQuery::default() };
    let mut copy = desk.copy_trail(&manager.officer, &by_manager).await.unwrap();
    let lines = desk.continue_copy(&mut copy).await.unwrap();
    let events: Vec<_> = lines.iter().map(|line| line.entry.event).collect();
    assert_eq!(events, [Event::TrailExported, Event::TrailRead]);
    assert!(lines.iter().all(|line| line.officer.as_ref().is_some_and(|officer| officer.name == "Officer 8")));
    assert!(desk.continue_copy(&mut copy).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_trail_comes_page_by_page_and_day_by_day() {
    let (world, card) = World::registered().await;
    let manager = at_desk(&world, 8, Role::RaManager).await.officer;
    for _ in 0..TRAIL_PAGE {
        world.sign_in(&card).await;
    }
    world.clock.advance(Duration::days(1));
    world.sign_in(&card).await;
    let desk = &world.services.desk;
    let yesterday = desk.today() - Duration::days(1);
    let signed_in = TrailQuery { event: Some(Event::SignedIn), last: Some(yesterday), ..TrailQuery::default() };
    let first = desk.search_trail(&manager, &signed_in, None).await.unwrap();
    assert_eq!(first.lines.len(), TRAIL_PAGE);
    let second = desk.search_trail(&manager, &signed_in, first.next).await.unwrap();
    // Jane to register, and the officer.
    assert_eq!((second.lines.len(), second.next), (2, None));
    let today = TrailQuery { first: Some(desk.today()), last: Some(desk.today()), ..signed_in };
    assert_eq!(desk.search_trail(&manager, &today, None).await.unwrap().lines.len(), 1);
}

fn order(extent: Extent) -> ImportOrder {
    ImportOrder { people: FileDigest([1; 32]), cards: FileDigest([2; 32]), extent }
}

#[tokio::test]
async fn an_import_is_signed_for_its_files_once_and_stands_on_the_trail_with_them() {
    let world = World::empty();
    let manager = at_desk(&world, 8, Role::RaManager).await;
    let desk = &world.services.desk;
    let wanted = order(Extent::EachRow);
    let challenge = desk.import_challenge(&manager.officer, &wanted).await.unwrap();
    let proof = manager.card.prove(Purpose::RaAction, challenge);
    for other in [
        order(Extent::AllOrNothing),
        ImportOrder { people: FileDigest([3; 32]), ..wanted },
        ImportOrder { cards: FileDigest([3; 32]), ..wanted },
    ] {
        let begun = desk.begin_import(&manager.officer, &other, &proof).await;
        assert!(matches!(begun, Err(DeskError::Proof(ProofFault::Refused))), "{other:?}");
    }
    assert!(world.store.tables().await.import_runs.is_empty());

    let mut run = desk.begin_import(&manager.officer, &wanted, &proof).await.unwrap();
    desk.import_ends(&mut run, RunEnd::Kept).await.unwrap();
    let again = desk.begin_import(&manager.officer, &wanted, &proof).await;
    assert!(matches!(again, Err(DeskError::Proof(ProofFault::Stale))));
    let trail = world.trail().await;
    let [begun, ended] = &trail[trail.len() - 2..] else { panic!("two entries") };
    assert_eq!((begun.event, begun.by.as_ref().unwrap().files), (Event::ImportBegun, Some(wanted)));
    assert_eq!((ended.event, ended.outcome), (Event::ImportEnded, Outcome::Done));
    let runs = desk.imports(&manager.officer).await.unwrap();
    assert_eq!(
        (runs[0].run.state, runs[0].officer.as_ref().unwrap().name.as_str()),
        (RunState::Ended(RunEnd::Kept), "Officer 8")
    );
}

#[tokio::test]
async fn there_is_one_import_at_a_time_until_it_ends_or_falls_silent() {
    let world = World::empty();
    let manager = at_desk(&world, 8, Role::RaManager).await;
    let desk = &world.services.desk;
    let begin = async || {
        let challenge = desk.import_challenge(&manager.officer, &order(Extent::EachRow)).await?;
        let proof = manager.card.prove(Purpose::RaAction, challenge);
        desk.begin_import(&manager.officer, &order(Extent::EachRow), &proof).await
    };
    let mut first = begin().await.unwrap();
    assert!(matches!(begin().await, Err(DeskError::ImportUnderWay)));
    world.clock.advance(Duration::seconds(100));
    desk.import_goes_on(&mut first).await.unwrap();
    world.clock.advance(Duration::seconds(100));
    assert!(matches!(begin().await, Err(DeskError::ImportUnderWay)));
    desk.import_ends(&mut first, RunEnd::NothingKept).await.unwrap();
    world.clock.advance(Duration::seconds(1));
    begin().await.unwrap();
    assert!(matches!(begin().await, Err(DeskError::ImportUnderWay)));
    world.clock.advance(Duration::minutes(2));
    begin().await.unwrap();
}

#[tokio::test]
async fn who_is_said_to_work_elsewhere_moves_and_who_is_said_to_work_nowhere_stays() {
    let world = World::empty();
    let holder = |place: Option<&str>| NewHolder {
        user_number: UserNumber::parse("1001").unwrap(),
        name: "Jane Smith".to_owned(),
        email: None,
        organisation: place.map(organisation),
    };
    let import = &world.services.import;
    let taken_in = import.people(&[holder(None), holder(Some("Trust A")), holder(Some("Trust A"))]).await.unwrap();
    assert_eq!(taken_in, [Ok(Enrolled::Added), Ok(Enrolled::Moved), Ok(Enrolled::Unchanged)]);
    let works = async || world.store.tables().await.people[&jane()].organisation.clone();
    assert_eq!(works().await, Some(organisation("Trust A")));
    let taken_in = import.people(&[holder(Some("Trust B")), holder(None)]).await.unwrap();
    assert_eq!(taken_in, [Ok(Enrolled::Moved), Ok(Enrolled::Unchanged)]);
    assert_eq!(works().await, Some(organisation("Trust B")));
}

#[tokio::test]
async fn a_record_tells_how_far_the_mails_of_the_person_are() {
    let (world, _) = World::registered().await;
    let agent = at_desk(&world, 7, Role::RaAgent).await.officer;
    let record = world.services.desk.open(&agent, &jane()).await.unwrap();
    // The code, and that the registration is complete.
    assert_eq!(record.mails.len(), 2);
    let code = world.store.tables().await.outbox[0].clone();
    world.services.deliveries.undelivered(code.id, None, Undelivered::Refused).await.unwrap();
    let record = world.services.desk.open(&agent, &jane()).await.unwrap();
    let states: Vec<_> = record.mails.iter().map(|mail| mail.state).collect();
    assert!(
        matches!(states[..], [MailState::Waiting { .. }, MailState::Undelivered(Undelivered::Refused)]),
        "{states:?}"
    );
}
