//! The table `daily_counts`. People of no organisation stand under the empty name, which is nobody's. A day is written so
//! that its text sorts as it does: `2026-11-28`.

use async_trait::async_trait;
use domain::{
    figure::{CountedFor, DayCount, Days, Figure, OrganisationCount},
    organisation::Organisation,
    ports::{DailyCounts, StoreError},
};
use sea_orm::{ExprTrait, FromQueryResult, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict};
use time::{Date, macros::format_description};

use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "daily_counts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub figure: String,
    pub count: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The nobody of whom no organisation is known.
const NONE: &str = "";

#[derive(FromQueryResult)]
struct Summed {
    /// A day or an organisation.
    key: String,
    figure: String,
    total: i64,
}

#[derive(FromQueryResult)]
struct Name {
    organisation: String,
}

/// Steps from each organisation to the next one by the primary key, however many days there are of each.
const ORGANISATIONS: &str = "
    WITH RECURSIVE names (organisation) AS (
        SELECT min(organisation) FROM daily_counts
        UNION ALL
        SELECT (SELECT min(organisation) FROM daily_counts WHERE organisation > names.organisation) FROM names
        WHERE names.organisation IS NOT NULL
    )
    SELECT organisation FROM names WHERE organisation IS NOT NULL AND organisation <> ''";

fn text(day: Date) -> Result<String, StoreError> {
    day.format(format_description!("[year]-[month]-[day]")).map_err(unreadable("daily_counts.day"))
}

fn read_day(text: &str) -> Result<Date, StoreError> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(unreadable("daily_counts.day"))
}

fn read_figure(text: &str) -> Result<Figure, StoreError> {
    Figure::parse(text).ok_or(UnknownValue).map_err(unreadable("daily_counts.figure"))
}

fn read_count(total: i64) -> Result<u64, StoreError> {
    u64::try_from(total).map_err(unreadable("daily_counts.count"))
}

fn read_organisation(text: &str) -> Result<Organisation, StoreError> {
    Organisation::parse(text).map_err(unreadable("daily_counts.organisation"))
}

/// The sums of some days by a column and figure.
fn sums(days: Days, by: Column) -> Result<Select<Entity>, StoreError> {
    let select = Entity::find()
        .select_only()
        .column_as(by, "key")
        .column(Column::Figure)
        // PostgreSQL sums whole numbers up to a decimal one.
        .column_as(Expr::cust("CAST(sum(count) AS bigint)"), "total")
        .filter(Column::Day.between(text(days.first)?, text(days.last)?))
        .group_by(by)
        .group_by(Column::Figure);
    Ok(select.order_by_asc(by))
}

#[async_trait]
impl DailyCounts for SqlTransaction {
    async fn count(
        &mut self,
        day: Date,
        figure: Figure,
        organisation: Option<&Organisation>,
    ) -> Result<(), StoreError> {
        let row = Model {
            organisation: organisation.map_or(NONE, Organisation::as_str).to_owned(),
            day: text(day)?,
            figure: figure.as_str().to_owned(),
            count: 1,
        };
        let mut there = OnConflict::columns([Column::Organisation, Column::Day, Column::Figure]);
        there.value(Column::Count, Expr::col((Entity, Column::Count)).add(1));
        self.insert_or(row, there).await
    }

    async fn counts_by_day(&mut self, days: Days, whose: &CountedFor) -> Result<Vec<DayCount>, StoreError> {
        let select = sums(days, Column::Day)?;
        let select = match whose {
            CountedFor::Everybody => select,
            CountedFor::Organisation(organisation) => select.filter(Column::Organisation.eq(organisation.as_str())),
            CountedFor::NoOrganisation => select.filter(Column::Organisation.eq(NONE)),
        };
        let rows = self.list_as::<_, Summed>(select).await?;
        let counts = rows.into_iter().map(|Summed { key, figure, total }| {
            Ok(DayCount { day: read_day(&key)?, figure: read_figure(&figure)?, count: read_count(total)? })
        });
        let mut counts = counts.collect::<Result<Vec<_>, StoreError>>()?;
        counts.sort_unstable_by_key(|count| (count.day, count.figure));
        Ok(counts)
    }

    async fn counts_by_organisation(&mut self, days: Days) -> Result<Vec<OrganisationCount>, StoreError> {
        let rows = self.list_as::<_, Summed>(sums(days, Column::Organisation)?).await?;
        let counts = rows.into_iter().map(|Summed { key, figure, total }| {
            let organisation = if key == NONE { None } else { Some(read_organisation(&key)?) };
            Ok(OrganisationCount { organisation, figure: read_figure(&figure)?, count: read_count(total)? })
        });
        let mut counts = counts.collect::<Result<Vec<_>, StoreError>>()?;
        // Alike on both databases, whatever the collation.
        counts.sort_unstable_by(|a, b| (&a.organisation, a.figure).cmp(&(&b.organisation, b.figure)));
        Ok(counts)
    }

    async fn organisations(&mut self) -> Result<Vec<Organisation>, StoreError> {
        let rows = self.list_by_statement::<Name>(ORGANISATIONS).await?;
        let mut names =
            rows.iter().map(|row| read_organisation(&row.organisation)).collect::<Result<Vec<_>, StoreError>>()?;
        names.sort_unstable();
        Ok(names)
    }
}
