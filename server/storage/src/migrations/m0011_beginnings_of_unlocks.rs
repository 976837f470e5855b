//! When an unlock began; and the unlocks of a card, to be counted.

use sea_orm_migration::{prelude::*, schema::big_integer};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer("began_at").default(0).take();
        manager.alter_table(Table::alter().table("unlock_flows").add_column(column).take()).await?;
        // Of those that are under way nobody noted it: at the latest they began when they were used last.
        let known = Query::update().table("unlock_flows").value("began_at", Expr::col("last_active")).take();
        manager.execute(known).await?;
        let index = Index::create().name("unlock_flows_of_a_card").table("unlock_flows").col("card").take();
        manager.create_index(index).await
    }
}
