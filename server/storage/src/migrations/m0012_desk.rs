//! What the RA's desk needs: who has which role, how people are searched for, and whose the references of error pages are.

use domain::person::Person;
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob_null, text},
};

use super::refers_to;

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDICES: [(&str, &str, &str); 4] = [
    ("people_by_name", "people", "search_name"),
    ("people_by_last_name", "people", "search_last_first"),
    ("people_by_email", "people", "email"),
    ("registrations_by_email", "registrations", "email"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in
            [text("role").default("cardholder").take(), blob_null("search_name"), blob_null("search_last_first")]
        {
            manager.alter_table(Table::alter().table("people").add_column(column).take()).await?;
        }
        fill_search_names(manager).await?;
        for (name, table, column) in INDICES {
            manager.create_index(Index::create().name(name).table(table).col(column).take()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("references_shown")
                    .col(text("reference").primary_key())
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(big_integer("shown_at"))
                    .take(),
            )
            .await?;
        let of_person = Index::create().name("references_of_person").table("references_shown").col("person").take();
        manager.create_index(of_person).await
    }
}

/// The names of those who are there already.
async fn fill_search_names(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let people = Query::select().columns(["user_number", "name"]).from("people").take();
    for row in connection.query_all(&people).await? {
        let (number, name): (String, String) = (row.try_get("", "user_number")?, row.try_get("", "name")?);
        let [search_name, search_last_first] = Person::search_names_of(&name).map(String::into_bytes);
        let update = Query::update()
            .table("people")
            .values([("search_name", search_name.into()), ("search_last_first", search_last_first.into())])
            .and_where(Expr::col("user_number").eq(number))
            .take();
        connection.execute(&update).await?;
    }
    Ok(())
}
