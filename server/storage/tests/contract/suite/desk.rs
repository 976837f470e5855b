//! What the RA's desk asks of the store.

use domain::{
    person::{Person, UserNumber},
    ports::StoreError,
    ra::PersonQuery,
    registration::Registration,
    role::Role,
    trail::Reference,
};

use super::fixtures::*;

fn named(number: u8, name: &str) -> Person {
    Person { name: name.to_owned(), ..person(number) }
}

async fn insert(store: &Shared, people: &[Person]) {
    let mut transaction = begin(store).await;
    for person in people {
        transaction.insert_person(person).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn found(store: &Shared, text: &str, limit: u64) -> Vec<String> {
    let query = PersonQuery::parse(text).unwrap();
    let people = begin(store).await.find_people(&query, limit).await.unwrap();
    people.into_iter().map(|person| person.name).collect()
}

pub async fn people_are_found_by_all_that_stands_for_them(store: &Shared) {
    insert(store, &[named(1, "Ann Abel"), named(2, "Bob Bell")]).await;
    let reference = Reference::parse("KTR-WMG").unwrap();
    let mut transaction = begin(store).await;
    transaction.insert_card(&card(1)).await.unwrap();
    let registered = Registration { email: email(9), ..registration() };
    transaction.insert_registration(&registered).await.unwrap();
    transaction.insert_reference(&reference, &user_number(1), at(0)).await.unwrap();
    transaction.commit().await.unwrap();

    let guid = guid(1).to_string();
    for text in ["NHS-1", "ann", "Abel A", "person1@nhs.net", "person9@nhs.net", &guid, "ktr wmg"] {
        assert_eq!(found(store, text, 20).await, ["Ann Abel"], "{text}");
    }
    for text in ["NHS-3", "bell a", "person3@nhs.net", "BBB-BBB"] {
        assert_eq!(found(store, text, 20).await, Vec::<String>::new(), "{text}");
    }
}

pub async fn people_come_in_the_order_of_their_names_and_no_more_than_are_wanted(store: &Shared) {
    let names = ["Zoe Smith", "Ann Smith", "Smith Miller", "Eve Smithson", "Ian Other"];
    let people: Vec<_> = names.iter().zip(1..).map(|(name, number)| named(number, name)).collect();
    insert(store, &people).await;
    assert_eq!(found(store, "smith", 20).await, ["Ann Smith", "Eve Smithson", "Smith Miller", "Zoe Smith"]);
    assert_eq!(found(store, "smith", 2).await.len(), 2);
    assert_eq!(found(store, "smith z", 20).await, ["Zoe Smith"]);
}

pub async fn a_name_is_searched_from_its_beginning_whatever_its_letters(store: &Shared) {
    insert(store, &[named(1, "Zoë Ångström-Núñez"), named(2, "Łukasz 100% O'Neill"), named(3, "王 秀英")]).await;
    for (text, name) in [
        ("zoe angstrom", "Zoë Ångström-Núñez"),
        ("ÅNGSTRÖM", "Zoë Ångström-Núñez"),
        ("o'neill lu", "Łukasz 100% O'Neill"),
        ("oneill", "Łukasz 100% O'Neill"),
        ("秀英", "王 秀英"),
    ] {
        assert_eq!(found(store, text, 20).await, [name], "{text}");
    }
    // Nothing that stands for something else in a database does so here.
    for text in ["zoe%", "zo_", "%%", "an*"] {
        let query = PersonQuery::parse(text);
        let names = match query {
            Some(_) => found(store, text, 20).await,
            None => Vec::new(),
        };
        assert!(names.len() <= 1, "{text}: {names:?}");
    }
}

pub async fn a_role_and_an_address_are_changed_and_nothing_else(store: &Shared) {
    insert(store, &[person(1), person(2)]).await;
    let changed = Person {
        role: Role::RaManager,
        email: Some(email(7)),
        language: domain::language::Language::English,
        ..person(1)
    };
    committed!(store, |transaction| transaction.save_person(&changed));
    assert_eq!(tried!(store, |transaction| transaction.person(&user_number(1))).unwrap(), Some(changed.clone()));
    assert_eq!(tried!(store, |transaction| transaction.person(&user_number(2))).unwrap(), Some(person(2)));
    let nobody = Person { user_number: UserNumber::parse("4711").unwrap(), ..changed };
    let saved = tried!(store, |transaction| transaction.save_person(&nobody));
    assert!(matches!(saved, Err(StoreError::Conflict)));
}

pub async fn a_registration_is_removed_in_the_version_that_was_read(store: &Shared) {
    insert(store, &[person(1)]).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    committed!(store, |transaction| transaction.save_registration(&registration()));
    let stale = tried!(store, |transaction| transaction.delete_registration(&registration()));
    assert!(matches!(stale, Err(StoreError::Conflict)));
    let read = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap().unwrap();
    committed!(store, |transaction| transaction.delete_registration(&read));
    assert_eq!(tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap(), None);
}
