//! The table `people`.

use async_trait::async_trait;
use domain::{
    email::EmailAddress,
    person::{Person, UserNumber},
    ports::{People, StoreError},
    trail::TrailSalt,
};
use sea_orm::entity::prelude::*;

use crate::{SqlTransaction, error::unreadable, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_number: String,
    pub name: String,
    pub email: Option<String>,
    pub trail_salt: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Person> for Model {
    fn from(person: &Person) -> Self {
        Self {
            user_number: person.user_number.as_str().to_owned(),
            name: person.name.clone(),
            email: person.email.as_ref().map(|email| email.as_str().to_owned()),
            trail_salt: person.trail_salt.expose_secret().to_vec(),
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
            trail_salt: TrailSalt::new(value::read_bytes(row.trail_salt, "people.trail_salt")?),
        })
    }
}

#[async_trait]
impl People for SqlTransaction {
    async fn person(&mut self, number: &UserNumber) -> Result<Option<Person>, StoreError> {
        self.find(Entity::find_by_id(number.as_str())).await?.map(Person::try_from).transpose()
    }

    async fn insert_person(&mut self, person: &Person) -> Result<(), StoreError> {
        self.insert(Model::from(person)).await
    }
}
