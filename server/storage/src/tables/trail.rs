//! The table `trail`: rows are added and read; triggers refuse every change and removal.

use async_trait::async_trait;
use domain::{
    ports::{StoreError, TrailRecords},
    ra::{TrailFilter, TrailPlace},
    trail::{TrailName, TrailRecord},
};
use sea_orm::{DeriveIden, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use crate::{SqlTransaction, error::unreadable, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    #[sea_orm(column_type = "Text")]
    pub entry: String,
    pub person: Option<String>,
    pub mac: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Columns that the database computes out of the entry, to search by: nobody writes them.
#[derive(Clone, Copy, DeriveIden)]
enum Computed {
    At,
    Event,
    Officer,
    Card,
}

impl TryFrom<&TrailRecord> for Model {
    type Error = StoreError;

    fn try_from(record: &TrailRecord) -> Result<Self, StoreError> {
        Ok(Self {
            number: column(record.number)?,
            entry: record.entry.clone(),
            person: record.person.as_ref().map(|person| person.as_str().to_owned()),
            mac: record.mac.to_vec(),
        })
    }
}

impl TryFrom<Model> for TrailRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            number: u64::try_from(row.number).map_err(unreadable("trail.number"))?,
            entry: row.entry,
            person: row.person.map(TrailName::of_record),
            mac: value::read_bytes(row.mac, "trail.mac")?,
        })
    }
}

fn column(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(unreadable("trail.number"))
}

#[async_trait]
impl TrailRecords for SqlTransaction {
    async fn trail_head(&mut self) -> Result<Option<TrailRecord>, StoreError> {
        self.find(Entity::find().order_by_desc(Column::Number)).await?.map(TrailRecord::try_from).transpose()
    }

    async fn insert_trail_record(&mut self, record: &TrailRecord) -> Result<(), StoreError> {
        self.insert(Model::try_from(record)?).await?;
        self.tell(record);
        Ok(())
    }

    async fn trail_from(&mut self, number: u64, limit: u64) -> Result<Vec<TrailRecord>, StoreError> {
        let select =
            Entity::find().filter(Column::Number.gte(column(number)?)).order_by_asc(Column::Number).limit(limit);
        self.list(select).await?.into_iter().map(TrailRecord::try_from).collect()
    }

    async fn search_trail(
        &mut self,
        filter: &TrailFilter,
        after: Option<TrailPlace>,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError> {
        let TrailFilter { from, until, event, officer, person, card } = filter;
        let mut select = Entity::find();
        if let Some(from) = from {
            select = select.filter(Expr::col(Computed::At).gte(value::milliseconds(*from)));
        }
        if let Some(until) = until {
            select = select.filter(Expr::col(Computed::At).lt(value::milliseconds(*until)));
        }
        if let Some(event) = event {
            select = select.filter(Expr::col(Computed::Event).eq(event.name()));
        }
        for (column, name) in [(Computed::Officer, officer), (Computed::Card, card)] {
            if let Some(name) = name {
                select = select.filter(Expr::col(column).eq(name.as_str()));
            }
        }
        if let Some(person) = person {
            select = select.filter(Column::Person.eq(person.as_str()));
        }
        if let Some(TrailPlace { at, number }) = after {
            let place = Expr::tuple([value::milliseconds(at).into(), column(number)?.into()]);
            select = select.filter(Expr::tuple([Expr::col(Computed::At), Expr::col(Column::Number)]).lt(place));
        }
        let select = select.order_by_desc(Expr::col(Computed::At)).order_by_desc(Column::Number).limit(limit);
        self.list(select).await?.into_iter().map(TrailRecord::try_from).collect()
    }

    async fn trail_before(
        &mut self,
        person: &TrailName,
        number: u64,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError> {
        // No record has a higher number than the column can hold.
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let select = Entity::find()
            .filter(Column::Person.eq(person.as_str()))
            .filter(Column::Number.lt(number))
            .order_by_desc(Column::Number)
            .limit(limit);
        self.list(select).await?.into_iter().map(TrailRecord::try_from).collect()
    }
}
