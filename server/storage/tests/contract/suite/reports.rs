//! What the managers of the RA's desk ask of the store: counts, the search of the trail, imports.

use domain::{
    figure::{CountedFor, DayCount, Days, Figure, OrganisationCount},
    import::{Counts, Extent, FaultyRow, ImportFile, ImportRun, Progress, Refusal, RowFault, RunEnd, RunState},
    ports::StoreError,
    ra::{TrailFilter, TrailPlace},
    token::ImportId,
    trail::{ByOfficer, Event, Outcome, TrailEntry, TrailRecord},
};
use time::{Date, macros::date};

use super::fixtures::*;

const FIRST: Date = date!(2026 - 03 - 28);
const SECOND: Date = date!(2026 - 03 - 29);

async fn count(store: &Shared, day: Date, figure: Figure, organisation_of: Option<u8>, times: u8) {
    let organisation = organisation_of.map(organisation);
    for _ in 0..times {
        committed!(store, |transaction| transaction.count(day, figure, organisation.as_ref()));
    }
}

async fn with_counts(store: &Shared) {
    count(store, FIRST, Figure::Unlocked, Some(2), 2).await;
    count(store, FIRST, Figure::Unlocked, None, 1).await;
    count(store, FIRST, Figure::Registered, Some(4), 1).await;
    count(store, SECOND, Figure::MailFailed, Some(2), 3).await;
    count(store, SECOND, Figure::LockedOut, Some(2), 1).await;
}

async fn by_day(store: &Shared, first: Date, last: Date, whose: CountedFor) -> Vec<DayCount> {
    tried!(store, |transaction| transaction.counts_by_day(Days { first, last }, &whose)).unwrap()
}

pub async fn counts_are_summed_by_day(store: &Shared) {
    assert_eq!(by_day(store, FIRST, SECOND, CountedFor::Everybody).await, []);
    with_counts(store).await;
    let counted = |day, figure, count| DayCount { day, figure, count };
    let all = [
        counted(FIRST, Figure::Registered, 1),
        counted(FIRST, Figure::Unlocked, 3),
        counted(SECOND, Figure::LockedOut, 1),
        counted(SECOND, Figure::MailFailed, 3),
    ];
    assert_eq!(by_day(store, FIRST, SECOND, CountedFor::Everybody).await, all);
    assert_eq!(by_day(store, FIRST, FIRST, CountedFor::Everybody).await, all[..2]);
    assert_eq!(by_day(store, SECOND, date!(2030 - 01 - 01), CountedFor::Everybody).await, all[2..]);
    assert_eq!(by_day(store, date!(2026 - 03 - 30), date!(2030 - 01 - 01), CountedFor::Everybody).await, []);
    let theirs = by_day(store, FIRST, SECOND, CountedFor::Organisation(organisation(2))).await;
    assert_eq!(theirs, [counted(FIRST, Figure::Unlocked, 2), all[2], all[3]]);
    assert_eq!(by_day(store, FIRST, SECOND, CountedFor::Organisation(organisation(9))).await, []);
    let nobodys = by_day(store, FIRST, SECOND, CountedFor::NoOrganisation).await;
    assert_eq!(nobodys, [counted(FIRST, Figure::Unlocked, 1)]);
}

pub async fn counts_are_summed_by_organisation(store: &Shared) {
    with_counts(store).await;
    let counted = |number: Option<u8>, figure, count| {
        let organisation = number.map(organisation);
        OrganisationCount { organisation, figure, count }
    };
    let days = Days { first: FIRST, last: SECOND };
    assert_eq!(
        tried!(store, |transaction| transaction.counts_by_organisation(days)).unwrap(),
        [
            counted(None, Figure::Unlocked, 1),
            counted(Some(2), Figure::Unlocked, 2),
            counted(Some(2), Figure::LockedOut, 1),
            counted(Some(2), Figure::MailFailed, 3),
            counted(Some(4), Figure::Registered, 1),
        ]
    );
    let days = Days { first: SECOND, last: SECOND };
    assert_eq!(tried!(store, |transaction| transaction.counts_by_organisation(days)).unwrap().len(), 2);
    let known = tried!(store, |transaction| transaction.organisations()).unwrap();
    assert_eq!(known, [organisation(2), organisation(4)]);
}

pub async fn what_is_counted_and_not_committed_never_was(store: &Shared) {
    tried!(store, |transaction| transaction.count(FIRST, Figure::Unlocked, None)).unwrap();
    assert_eq!(by_day(store, FIRST, SECOND, CountedFor::Everybody).await, []);
    assert_eq!(tried!(store, |transaction| transaction.organisations()).unwrap(), []);
}

/// A record of an entry: at this millisecond, to this person, by this officer.
fn told(number: u64, millisecond: i64, event: Event, person: Option<u8>, officer: Option<u8>) -> TrailRecord {
    let entry = TrailEntry {
        at: at(millisecond),
        event,
        outcome: Outcome::Done,
        person: person.map(trail_name),
        card: person.map(|person| self::person(person).trail_salt.name_card(&guid(person))),
        reference: None,
        by: officer.map(|officer| ByOfficer::only(trail_name(officer))),
    };
    TrailRecord { entry: serde_json::to_string(&entry).unwrap(), ..record(number, person) }
}

fn trail() -> [TrailRecord; 6] {
    [
        told(1, 10, Event::CardEnrolled, Some(1), None),
        told(2, 30, Event::SignedIn, Some(1), None),
        // The clock was put back.
        told(3, 20, Event::RecordOpened, Some(2), Some(7)),
        told(4, 20, Event::RecordOpened, Some(1), Some(8)),
        told(5, 40, Event::TrailRead, None, Some(7)),
        told(6, 50, Event::SignedIn, Some(2), None),
    ]
}

async fn numbers(store: &Shared, filter: &TrailFilter, after: Option<TrailPlace>, limit: u64) -> Vec<u64> {
    let found = tried!(store, |transaction| transaction.search_trail(filter, after, limit)).unwrap();
    found.iter().map(|record| record.number).collect()
}

async fn with_trail(store: &Shared) {
    for record in trail() {
        committed!(store, |transaction| transaction.insert_trail_record(&record));
    }
}

pub async fn the_trail_is_searched_by_all_that_an_entry_tells(store: &Shared) {
    with_trail(store).await;
    let all = TrailFilter::default();
    assert_eq!(numbers(store, &all, None, 99).await, [6, 5, 2, 4, 3, 1]);
    let card = |number: u8| Some(person(number).trail_salt.name_card(&guid(number)));
    for (filter, found) in [
        (TrailFilter { from: Some(at(20)), until: Some(at(40)), ..all.clone() }, &[2, 4, 3][..]),
        (TrailFilter { event: Some(Event::SignedIn), ..all.clone() }, &[6, 2]),
        (TrailFilter { officer: Some(trail_name(7)), ..all.clone() }, &[5, 3]),
        (TrailFilter { person: Some(trail_name(1)), ..all.clone() }, &[2, 4, 1]),
        (TrailFilter { card: card(2), ..all.clone() }, &[6, 3]),
        (TrailFilter { person: Some(trail_name(1)), card: card(2), ..all.clone() }, &[]),
        (TrailFilter { event: Some(Event::RecordOpened), officer: Some(trail_name(8)), ..all.clone() }, &[4]),
        (TrailFilter { event: Some(Event::SignedIn), from: Some(at(31)), ..all.clone() }, &[6]),
        (TrailFilter { event: Some(Event::PersonErased), ..all.clone() }, &[]),
    ] {
        assert_eq!(numbers(store, &filter, None, 99).await, found, "{filter:?}");
    }
    let found = tried!(store, |transaction| transaction.search_trail(&all, None, 1)).unwrap();
    assert_eq!(found, [trail()[5].clone()]);
}

pub async fn the_trail_comes_page_by_page_also_where_records_have_one_time(store: &Shared) {
    with_trail(store).await;
    let all = TrailFilter::default();
    let place = |millisecond, number| Some(TrailPlace { at: at(millisecond), number });
    assert_eq!(numbers(store, &all, None, 4).await, [6, 5, 2, 4]);
    assert_eq!(numbers(store, &all, place(20, 4), 4).await, [3, 1]);
    assert_eq!(numbers(store, &all, place(20, 3), 4).await, [1]);
    assert_eq!(numbers(store, &all, place(10, 1), 4).await, &[] as &[u64]);
    let opened = TrailFilter { event: Some(Event::RecordOpened), ..all };
    assert_eq!(numbers(store, &opened, place(20, 4), 4).await, [3]);
}

pub async fn people_are_found_by_their_names_on_the_trail(store: &Shared) {
    for number in [1, 2, 3] {
        committed!(store, |transaction| transaction.insert_person(&person(number)));
    }
    committed!(store, |transaction| transaction.insert_people(&[person(4)]));
    committed!(store, |transaction| transaction.insert_card(&card(5)));
    let names = [trail_name(2), trail_name(9), trail_name(4), domain::trail::TrailName::of_record("NHS-1".to_owned())];
    let mut found = tried!(store, |transaction| transaction.people_named(&names)).unwrap();
    found.sort_by(|a, b| a.user_number.cmp(&b.user_number));
    assert_eq!(found, [person(2), person(4)]);
    committed!(store, |transaction| transaction.erase_person(&user_number(2)));
    assert_eq!(tried!(store, |transaction| transaction.people_named(&names)).unwrap(), [person(4)]);
    assert_eq!(tried!(store, |transaction| transaction.people_named(&[])).unwrap(), []);

    let holders = [user_number(1), user_number(3)];
    let cards = tried!(store, |transaction| transaction.guids_of(&holders)).unwrap();
    assert_eq!(cards, [(user_number(1), guid(5))]);
}

pub async fn people_who_move_keep_the_rest(store: &Shared) {
    committed!(store, |transaction| transaction.insert_people(&[person(1), person(2), person(3)]));
    let moved =
        [(user_number(1), organisation(8)), (user_number(2), organisation(6)), (user_number(9), organisation(6))];
    committed!(store, |transaction| transaction.move_people(&moved));
    for (number, organisation) in [(1, organisation(8)), (2, organisation(6)), (3, organisation(3))] {
        let found = tried!(store, |transaction| transaction.person(&user_number(number))).unwrap().unwrap();
        assert_eq!(found, domain::person::Person { organisation: Some(organisation), ..person(number) });
    }
}

/// An import that goes on.
pub fn run(number: u8, began: i64) -> ImportRun {
    ImportRun {
        id: ImportId(id(number)),
        officer: trail_name(number),
        extent: Extent::AllOrNothing,
        began_at: at(began),
        seen_at: at(began),
        progress: Progress::default(),
        state: RunState::Running,
    }
}

pub async fn an_import_comes_back_as_it_was_saved(store: &Shared) {
    for (number, began) in [(1, 20), (2, 10), (3, 30)] {
        committed!(store, |transaction| transaction.insert_import_run(&run(number, began)));
    }
    assert_eq!(tried!(store, |transaction| transaction.import_run(ImportId(id(1)))).unwrap(), Some(run(1, 20)));
    let faults = [RowFault::Email, RowFault::AuthenticationKey, RowFault::Refused(Refusal::OtherName)];
    let faults = faults.map(|fault| FaultyRow { file: ImportFile::Cards, line: 3, fault }).to_vec();
    let counts = Counts { added: 1, moved: 2, unchanged: 3, refused: 4 };
    let ends = [
        RunEnd::Kept,
        RunEnd::OtherFiles,
        RunEnd::Header { file: ImportFile::People },
        RunEnd::Unreadable { file: ImportFile::Cards, line: 9 },
    ];
    for end in ends {
        let ended = ImportRun {
            seen_at: at(99),
            progress: Progress { people: counts, cards: counts, faults: faults.clone() },
            state: RunState::Ended(end),
            ..run(1, 20)
        };
        committed!(store, |transaction| transaction.save_import_run(&ended));
        let latest = tried!(store, |transaction| transaction.latest_import_runs(2)).unwrap();
        assert_eq!(latest, [run(3, 30), ended]);
    }
    assert_eq!(tried!(store, |transaction| transaction.import_run(ImportId(id(9)))).unwrap(), None);
    let saved = tried!(store, |transaction| transaction.save_import_run(&run(9, 1)));
    assert!(matches!(saved, Err(StoreError::Conflict)));
}
