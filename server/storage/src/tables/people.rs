//! The table `people`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    Timestamp,
    email::EmailAddress,
    language::Language,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{People, StoreError},
    ra::PersonQuery,
    role::Role,
    trail::{Reference, TrailName, TrailSalt},
};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

use super::{cards, references_shown, registrations};
use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
    value,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: String,
    pub name: String,
    pub email: Option<String>,
    pub trail_salt: Vec<u8>,
    pub role: String,
    /// As bytes, so that both databases compare them alike.
    pub search_name: Option<Vec<u8>>,
    pub search_last_first: Option<Vec<u8>>,
    pub organisation: Option<String>,
    /// The beginning of their name on the trail, so that they are found by it: see [`trail_prefix`].
    pub trail_prefix: Option<i64>,
    pub language: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The first 8 bytes of a name on the trail, as a number: an index of these is a third of one of whole names. Whoever is
/// found by it still has to have all of the name. What is no such name stands in records that are older than the salts.
pub(crate) fn trail_prefix(name: &TrailName) -> Option<i64> {
    let prefix = name.as_str().get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    prefix.map(u64::cast_signed)
}

impl From<&Person> for Model {
    fn from(person: &Person) -> Self {
        let [search_name, search_last_first] = person.search_names().map(|name| Some(name.into_bytes()));
        Self {
            user_number: person.user_number.as_str().to_owned(),
            name: person.name.clone(),
            email: person.email.as_ref().map(|email| email.as_str().to_owned()),
            trail_salt: person.trail_salt.expose_secret().to_vec(),
            role: person.role.as_str().to_owned(),
            search_name,
            search_last_first,
            organisation: person.organisation.as_ref().map(|organisation| organisation.as_str().to_owned()),
            trail_prefix: trail_prefix(&person.trail_name()),
            language: person.language.as_str().to_owned(),
        }
    }
}

impl TryFrom<Model> for Person {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            user_number: value::read_user_number(&row.user_number, "people.user_number")?,
            name: row.name,
            email: row.email.as_deref().map(EmailAddress::parse).transpose().map_err(unreadable("people.email"))?,
            organisation: row
                .organisation
                .as_deref()
                .map(Organisation::parse)
                .transpose()
                .map_err(unreadable("people.organisation"))?,
            role: Role::parse(&row.role).ok_or(UnknownValue).map_err(unreadable("people.role"))?,
            language: Language::parse(&row.language).ok_or(UnknownValue).map_err(unreadable("people.language"))?,
            trail_salt: TrailSalt::new(value::read_bytes(row.trail_salt, "people.trail_salt")?),
        })
    }
}

#[async_trait]
impl People for SqlTransaction {
    async fn person(&mut self, number: &UserNumber) -> Result<Option<Person>, StoreError> {
        self.find(Entity::find_by_id(number.as_str())).await?.map(Person::try_from).transpose()
    }

    async fn find_people(&mut self, query: &PersonQuery, limit: u64) -> Result<Vec<Person>, StoreError> {
        let mut numbers: Vec<String> = query.user_number.iter().map(|number| number.as_str().to_owned()).collect();
        if let Some(email) = &query.email {
            let registered = registrations::Entity::find().filter(registrations::Column::Email.eq(email.as_str()));
            numbers.extend(self.list(registered.limit(limit)).await?.into_iter().map(|row| row.person));
        }
        if let Some(card) = &query.card {
            let card = self.find(cards::Entity::find_by_id(value::uuid(card))).await?;
            numbers.extend(card.map(|card| card.holder));
        }
        if let Some(reference) = &query.reference {
            let shown = self.find(references_shown::Entity::find_by_id(reference.as_str())).await?;
            numbers.extend(shown.map(|shown| shown.person));
        }
        let mut found = BTreeMap::new();
        // Each of these finds its rows by an index of its own; one condition for all of them might not.
        let mut searches = vec![Entity::find().filter(Column::UserNumber.is_in(numbers))];
        searches.extend(query.email.as_ref().map(|email| Entity::find().filter(Column::Email.eq(email.as_str()))));
        if let Some(name) = &query.name {
            searches.push(beginning(Column::SearchName, name));
            searches.push(beginning(Column::SearchLastFirst, name));
        }
        for search in searches {
            for row in self.list(search.limit(limit)).await? {
                found.insert((row.search_name.clone(), row.user_number.clone()), row);
            }
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        found.into_values().take(limit).map(Person::try_from).collect()
    }

    async fn people_named(&mut self, names: &[TrailName]) -> Result<Vec<Person>, StoreError> {
        let prefixes: Vec<i64> = names.iter().filter_map(trail_prefix).collect();
        let rows = self.list_among::<Entity, _>(Column::TrailPrefix, &prefixes).await?;
        let people = rows.into_iter().map(Person::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(people.into_iter().filter(|person| names.contains(&person.trail_name())).collect())
    }

    async fn insert_person(&mut self, person: &Person) -> Result<(), StoreError> {
        self.insert(Model::from(person)).await
    }

    async fn save_person(&mut self, person: &Person) -> Result<(), StoreError> {
        let row = Model::from(person);
        self.save(
            Entity::update_many()
                .col_expr(Column::Email, row.email.into())
                .col_expr(Column::Role, row.role.into())
                .col_expr(Column::Language, row.language.into())
                .filter(Column::UserNumber.eq(row.user_number)),
        )
        .await
    }

    async fn insert_reference(
        &mut self,
        reference: &Reference,
        person: &UserNumber,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert(references_shown::Model {
            reference: reference.as_str().to_owned(),
            person: person.as_str().to_owned(),
            shown_at: value::milliseconds(at),
        })
        .await
    }
}

/// The rows whose column begins with these bytes, in its order. No text in UTF-8 has a byte FF.
fn beginning(column: Column, text: &str) -> Select<Entity> {
    let first = text.as_bytes().to_vec();
    let end = [text.as_bytes(), &[0xFF]].concat();
    Entity::find().filter(column.gte(first)).filter(column.lt(end)).order_by_asc(column)
}
